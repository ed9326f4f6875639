"""How much waits for a person in a project: figures for the navigation and for home."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q, QuerySet

from feedback.models import Flag, Issue
from jobs.models import Job
from labeling.claims import claimable_by
from labeling.models import ClassProposal, Item, Slot
from projects.models import Project, User
from retraining.models import Batch

MOST_COUNTED = 1000  # A figure beside a link need not be exact beyond this.
FEW = 20  # Open places that are looked at one by one; in a long queue there is something for all.


def waiting_count(name: str, *, project: Project, person: User) -> int:
    """At most MOST_COUNTED."""
    return _WAITING[name](project, person)[:MOST_COUNTED].count()


def _my_flags(project: Project, person: User) -> QuerySet[Flag]:
    return Flag.objects.open().filter(project=project, agent=person)


def _issues(project: Project, person: User) -> QuerySet[Issue]:
    return Issue.objects.unfinished().filter(project=project)


def _work(project: Project, person: User) -> QuerySet[Slot]:
    """A place of each item that this person holds or may have; where many are open, all these."""
    places = Slot.objects.filter(queue__project=project)
    open_places = places.filter(state=Slot.State.OPEN)
    if open_places[: FEW + 1].count() > FEW:
        return open_places
    found = [claimable_by(queue=queue, annotator=person) for queue in project.queues.all()]
    one_each = {slot.item_id: slot.pk for slots in found for slot in slots}
    held = Q(state=Slot.State.LEASED, annotator=person)
    return places.filter(held | Q(pk__in=one_each.values()))


def _disputed(project: Project, person: User) -> QuerySet[Item]:
    return Item.objects.disputed(project)


def _batches(project: Project, person: User) -> QuerySet[Batch]:
    return Batch.objects.waiting_for_a_lead(project)


def _proposals(project: Project, person: User) -> QuerySet[ClassProposal]:
    return ClassProposal.objects.filter(project=project, state=ClassProposal.State.PROPOSED)


def _failed_jobs(project: Project, person: User) -> QuerySet[Job]:
    return Job.objects.filter(project_id=project.pk, state=Job.State.FAILED)


_WAITING: dict[str, Callable[[Project, User], QuerySet[object]]] = {  # type: ignore[type-var]  # Any model.
    "my_flags": _my_flags,
    "issues": _issues,
    "work": _work,
    "disputed": _disputed,
    "batches": _batches,
    "proposals": _proposals,
    "failed_jobs": _failed_jobs,
}
