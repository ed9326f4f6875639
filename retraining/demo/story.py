"""Twenty days of one desk, written through the real functions under a set clock.

Two weeks of the world as it was; then the new classes arrive, agents flag, annotators say "none
of these" and name it, the lead accepts the classes, and labels fill the quotas: all but six
answers, which are left for the visitor.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from feedback.flagging import Report, flag_prediction
from feedback.issues import merge_issues
from feedback.models import Flag, Issue, Prediction
from jobs import clock as the_clock
from jobs.clock import SetClock
from labeling.models import Item
from labeling.routing import route_new_draws, route_new_flags
from monitoring.accuracy import measure_day
from projects.classes import find_class
from projects.creating import tell_again_alike
from projects.identity import TRAIN, identity_of, use_of
from projects.models import Project
from retraining.chance import seeded_chance
from retraining.demo.desks import Desk
from retraining.demo.people import DemoPeople
from retraining.open_models import OpenModel
from retraining.project_file import QuotaSpec
from retraining.rehearsal import versions
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.crowd import Crowd
from retraining.rehearsal.inputs import messages
from retraining.rehearsal.people import SimulatedAnnotators, most_similar_classes
from retraining.rehearsal.stage import Stage
from retraining.rehearsal.traffic import Message, ingest
from retraining.setting_up import add_quota, set_up_project

DAYS = 20
DRIFT_DAY = 14
LEFT_FOR_THE_VISITOR = 6
ACCURACIES = (0.97, 0.95, 0.93)
NOTICED = 0.6  # Share of the wrong answers that an agent flags while the story lasts.


@dataclass
class Story:
    """One desk being played; `truths` is known to the simulated people only."""

    desk: Desk
    stage: Stage
    model: OpenModel
    clock: SetClock
    chance: random.Random
    people: SimulatedAnnotators
    truths: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return self.stage.project


def play(*, desk: Desk, people: DemoPeople, until: datetime, seed: int) -> Project:
    """Build the project and its history; ends shortly before `until`."""
    with the_clock.set_to(until - timedelta(days=DAYS, hours=2)) as clock:
        project = set_up_project(spec=desk.spec, owner=people.owner, at=clock.at, is_demo=True)
        tell_again_alike(project, story=f"demo {seed} {project.slug}")
        people.join(project, at=clock.at)
        stage = people.stage(project, project.queues.get())
        model = _first_version(desk, stage, clock)
        story = Story(desk, stage, model, clock, seeded_chance("demo", seed), _annotators(desk))
        for day, rows in enumerate(_days(desk, story.chance), start=1):
            _play_day(story, day, rows)
    return project


def _first_version(desk: Desk, stage: Stage, clock: SetClock) -> OpenModel:
    base = [row for rows in desk.known.values() for row in rows[: desk.base]]
    last = desk.base + desk.frozen
    frozen = [row for rows in desk.known.values() for row in rows[desk.base : last]]
    versions.import_rows(stage=stage, rows=base, use="train", name="training.csv", clock=clock)
    versions.import_rows(stage=stage, rows=frozen, use="evaluation", name="test.csv", clock=clock)
    return versions.first_version(stage=stage, clock=clock)


def _days(desk: Desk, chance: random.Random) -> Iterator[list[LabeledRow]]:
    """The traffic of each day: known classes on all, new ones from the drift on."""
    known = [row for rows in desk.known.values() for row in rows[desk.base + desk.frozen :]]
    chance.shuffle(known)
    for day in range(DAYS):
        start = day * desk.clean_per_day
        rows = known[start : start + desk.clean_per_day]
        if day + 1 >= DRIFT_DAY:
            first = (day + 1 - DRIFT_DAY) * desk.new_per_day
            for new in desk.new.values():
                rows += new[first : first + desk.new_per_day]
        yield chance.sample(rows, len(rows))


def _play_day(story: Story, day: int, rows: list[LabeledRow]) -> None:
    started_at = story.clock.at
    incoming = [
        replace(message, customer=f"C-{story.chance.randrange(1_000, 1_400)}")
        for message in messages(story.project, rows, at=started_at)
    ]
    story.truths |= {_identity(story, message): message.label for message in incoming}
    for _ in ingest(
        project=story.project,
        model=story.model,
        messages=incoming,
        name=f"msg-{day:02}",
        clock=story.clock,
    ):
        pass
    _route(story)
    if day >= DRIFT_DAY:
        _flag(story, since=started_at)
    if day < DAYS:
        _crowd(story).work_until_done(_quiet)
    else:
        _fill_quotas_but_six(story)
    _merge_alike(story)
    story.clock.at = started_at + timedelta(days=1)
    measure_day(project=story.project, day=story.clock.at.date(), at=story.clock.at)


def _flag(story: Story, *, since: datetime) -> None:
    """Agents flag new classes they meet; of the last class too few for its quota."""
    wrong = [p for p in _recent(story, since) if story.truths[p.identity] != p.output]
    room = story.desk.wanted - LEFT_FOR_THE_VISITOR - _train_items(story, story.desk.last_class)
    for prediction in wrong:
        is_last = story.truths[prediction.identity] == story.desk.last_class
        if story.chance.random() < NOTICED and (not is_last or room > 0):
            room -= is_last
            _flag_one(story, prediction)
    _route(story)


def _fill_quotas_but_six(story: Story) -> None:
    """The last day: enough of every new class, but for the visitor's six."""
    _crowd(story).work_until_done(_quiet)
    # The unmet quota first: beside a running product a met one alone would fire the trigger.
    for name in sorted(story.desk.new, key=lambda name: name != story.desk.last_class):
        label_class = find_class(story.project, name)
        if label_class is None:
            continue
        left = LEFT_FOR_THE_VISITOR if name == story.desk.last_class else 0
        _ask_more(story, name, story.desk.wanted - left - _train_items(story, name))
        _crowd(story).work_until_done(_quiet)
        wanted = _settled(story, name) + left if left else story.desk.wanted
        add_quota(project=story.project, spec=QuotaSpec(wanted, label_class=name))
    _ask_more(story, story.desk.last_class, LEFT_FOR_THE_VISITOR)
    _crowd(story).work_until_done(_quiet, people=(0, 1))


def _ask_more(story: Story, name: str, count: int) -> None:
    """Agents flag that many train-use inputs of the class that are no items yet."""
    known = set(Item.objects.filter(project=story.project).values_list("identity", flat=True))
    for prediction in _recent(story, story.project.created_at):
        fits = (
            story.truths[prediction.identity] == name
            and prediction.output != name
            and prediction.identity not in known
            and use_of(story.project, identity=prediction.identity) == TRAIN
        )
        if fits and count > 0:
            count -= 1
            _flag_one(story, prediction)
    _route(story)


def _flag_one(story: Story, prediction: Prediction) -> None:
    truth = story.truths[prediction.identity]
    suggested = find_class(story.project, truth)
    story.clock.advance(timedelta(minutes=2))
    flag_prediction(
        prediction=prediction,
        agent=story.chance.choice(story.stage.agents),
        report=Report(
            reason=Flag.Reason.WRONG_CLASS if suggested else Flag.Reason.MISSING_CLASS,
            suggested=suggested,
            proposed_name="" if suggested else truth,
            severity=story.chance.choice(Flag.Severity.values),
        ),
        at=story.clock.at,
    )


def _merge_alike(story: Story) -> None:
    """The lead gathers what has one cause: the same class sent to the same wrong one."""
    firsts: dict[str, Issue] = {}
    unfinished = Issue.objects.unfinished().filter(project=story.project).order_by("number")
    for issue in unfinished:
        into = firsts.setdefault(issue.title, issue)
        if into != issue:
            merge_issues(issue=issue, into=into, at=story.clock.at, by=story.stage.lead)


def _recent(story: Story, since: datetime) -> list[Prediction]:
    newer = Prediction.objects.filter(project=story.project, occurred_at__gt=since)
    return list(newer.select_related("project", "version").order_by("id"))


def _train_items(story: Story, name: str) -> int:
    """Train-use items of that true class, asked or not."""
    used = Item.objects.filter(project=story.project, use=TRAIN, queue__isnull=False)
    return sum(story.truths[i] == name for i in used.values_list("identity", flat=True))


def _settled(story: Story, name: str) -> int:
    """Train-use labels of the class: what its quota counts, as the champion knows none."""
    settled = Item.objects.settled(story.project).filter(use=TRAIN)
    return settled.filter(truth__answer__name=name).count()


def _route(story: Story) -> None:
    while route_new_flags(at=story.clock.at) or route_new_draws(at=story.clock.at):
        pass


def _annotators(desk: Desk) -> SimulatedAnnotators:
    rows = [row for found in desk.known.values() for row in found[: desk.base]]
    rows += [row for found in desk.new.values() for row in found]
    return SimulatedAnnotators(
        accuracies=ACCURACIES,
        classes=(*desk.known, *desk.new),
        similar=most_similar_classes(rows),
    )


def _crowd(story: Story) -> Crowd:
    return Crowd(
        stage=story.stage,
        clock=story.clock,
        says=lambda person, item: story.people.answer(
            person, truth=story.truths[item.identity], key=f"{item.identity} {item.round}"
        ),
        truth=lambda item: story.truths[item.identity],
    )


def _identity(story: Story, message: Message) -> str:
    return identity_of(story.project, message.value)


def _quiet(answered: int) -> None:
    """The demo's loader shows days, not answers."""
