"""Each role's next action: what waits, why, and the one button for it, most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.urls import reverse

from labeling.models import Item, Slot
from monitoring.accuracy import WINDOW, audited_answers, find_unmeasured
from monitoring.models import AccuracyPoint
from monitoring.report import unmeasured_words
from projects.models import Membership, Project, Role, User
from projects.versions import find_champion
from retraining.case_reviews import waiting_cases
from retraining.first_steps import first_steps
from retraining.models import Batch, Receipt
from retraining.waiting import MOST_COUNTED, waiting_count
from retraining.words import batch_words, count_of

MOST_BATCHES = 5
STATE = Batch.State


@dataclass(frozen=True)
class Action:
    """One thing to do; `is_main` draws the large button."""

    title: str
    text: str
    label: str
    url: str
    tone: str = ""
    since: datetime | None = None
    is_main: bool = False


def next_actions(person: User, projects: list[Project]) -> list[Action]:
    """Over all projects, in the order of the roles below; the first is the main one.

    In several projects the words name theirs: two lines are never told apart by their link alone.
    """
    held = Membership.objects.filter(user=person, project__in=projects)
    roles = set(held.values_list("project_id", "role"))
    found = [
        _named(action, project) if len(projects) > 1 else action
        for role, actions_of in _BY_ROLE
        for project in projects
        if (project.pk, role.value) in roles
        for action in actions_of(project, person)
    ]
    unique = list({action.url: action for action in reversed(found)}.values())[::-1]
    return [replace(action, is_main=number == 0) for number, action in enumerate(unique)]


def _named(action: Action, project: Project) -> Action:
    return replace(action, title=f"{action.title} in {project.name}")


def _decide(project: Project, person: User) -> Iterator[Action]:
    """Batches that wait for a lead, oldest first, bad accuracy, and names that people propose."""
    waiting = Batch.objects.waiting_for_a_lead(project).order_by("proposed_at")
    for batch in waiting[:MOST_BATCHES]:
        words, tone = batch_words(batch.state)
        page = "gates-show" if batch.state == STATE.EVALUATED else "batch-show"
        url = _url(f"retraining:{page}", project, number=batch.number)
        why = "; ".join(batch.explanation) or "asked for by a person"
        label = "Decide" if batch.state == STATE.EVALUATED else "Review"
        yield Action(f"Batch {batch.number} {words}", why, label, url, tone, batch.proposed_at)
    newest = AccuracyPoint.objects.filter(project=project).order_by("-day").first()
    if newest and newest.high < project.accuracy_target:
        told = f"{_accuracy_words(newest)}; the target is {project.accuracy_target:.0%}."
        told += _unmeasured(project, newest)
        url = _url("monitoring:monitor-show", project)
        yield Action("Accuracy is below its target", told, "Look", url, "bad")
    if count := waiting_count("proposals", project=project, person=person):
        told = f"{count_of(count, 'name')} for what is none of the classes"
        url = _url("retraining:coverage-show", project)
        yield Action("Classes are proposed", told, "Look", url, "info")


def _unmeasured(project: Project, newest: AccuracyPoint) -> str:
    """After a promotion the figure is still that of the version before."""
    live, since = find_champion(project), newest.measured_at - WINDOW
    own = audited_answers(project, since=since, version=live) if live else []
    return unmeasured_words(find_unmeasured(project, own))


def _operate(project: Project, person: User) -> Iterator[Action]:
    """Failed work first; then what a new project lacks: its next step, a live version."""
    if count := waiting_count("failed_jobs", project=project, person=person):
        url = _url("retraining:operations-show", project)
        yield Action("Work has failed", f"{count_of(count, 'job')} gave up", "See why", url, "bad")
    for step in first_steps(project):
        if step.state == "now":
            yield Action(step.title, step.text, step.label, step.url)
    if project.versions.exists() and find_champion(project) is None:
        told = "Receipts and comparisons need to know which one gives the answers"
        url = _url("retraining:model-list", project)
        yield Action("Say which version is live", told, "Models", url)


def _settle(project: Project, person: User) -> Iterator[Action]:
    """Items without agreement, and broken regression cases, which count when judged."""
    first = Item.objects.disputed(project).first()
    if first is not None:
        count = waiting_count("disputed", project=project, person=person)
        told = f"{count_of(count, 'item')} on which people do not agree"
        url = _url("labeling:item-next_disputed", project)
        yield Action("Settle what people disagree on", told, "Settle", url, "warn", first.queued_at)
    for number, count in waiting_cases(project).items():
        told = f"Batch {number} answers {count_of(count, 'flagged case')} wrong that was right"
        url = _url("retraining:gates-show", project, number=number)
        yield Action("Judge broken regression cases", told, "Judge", url, "warn")


def _label(project: Project, person: User) -> Iterator[Action]:
    """The count is of open places, at most so many; the oldest says how long they wait."""
    count = waiting_count("work", project=project, person=person)
    if not count:
        return
    oldest = Slot.objects.filter(queue__project=project, state=Slot.State.OPEN)
    first = oldest.order_by("order_key").select_related("item").first()
    more = "+" if count >= MOST_COUNTED else ""
    told = f"{count:,}{more} {'answer' if count == 1 else 'answers'} wanted"
    url = _url("labeling:work-start", project)
    since = first.item.queued_at if first else None
    yield Action("Start labeling", told, "Start", url, since=since)


def _help(project: Project, person: User) -> Iterator[Action]:
    """What became of this agent's flags; and always the way to the next one."""
    new = Receipt.objects.filter(
        project=project, flag__agent=person, seen_at=None, revoked_at=None
    ).count()
    if new:
        verb = "is" if new == 1 else "are"
        url = f"{_url('feedback:flag-mine', project)}?state=fixed"
        told = "See the old and the new answer, with a sentence for the customer"
        yield Action(f"{count_of(new, 'flag')} of yours {verb} fixed", told, "See", url, "good")
    open_count = waiting_count("my_flags", project=project, person=person)
    told = f"{count_of(open_count, 'flag')} of yours {'is' if open_count == 1 else 'are'} open"
    url = _url("feedback:prediction-find", project)
    yield Action("Find a wrong answer and flag it", told, "Find", url)


def _read(project: Project, person: User) -> Iterator[Action]:
    newest = AccuracyPoint.objects.filter(project=project).order_by("-day").first()
    told = "Nothing has been measured yet"
    if newest:
        told = _accuracy_words(newest)
    yield Action("Read the report", told, "Report", _url("monitoring:report-show", project))


def _accuracy_words(point: AccuracyPoint) -> str:
    return f"{point.estimate:.0%} right ({point.low:.0%} to {point.high:.0%})"


_BY_ROLE: tuple[tuple[Role, Callable[[Project, User], Iterator[Action]]], ...] = (
    (Role.LEAD, _decide),
    (Role.ENGINEER, _operate),
    (Role.REVIEWER, _settle),
    (Role.ANNOTATOR, _label),
    (Role.AGENT, _help),
    (Role.VIEWER, _read),
)


def _url(name: str, project: Project, **named: object) -> str:
    return reverse(name, kwargs={"slug": project.slug, **named})
