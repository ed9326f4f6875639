"""Whether people can still finish an item; where they cannot, the reviewer decides or is told."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Max, QuerySet

from feedback.models import Sighting
from labeling.models import Annotation, Item, Skip, Slot
from projects.models import Membership, Project, Role

AT_ONCE = 500


@dataclass(frozen=True)
class Shortage:
    """Items of a queue that ask for more people than the project has annotators."""

    queue: str
    items: int
    wanted: int
    people: int


def is_beyond_reach(item: Item) -> bool:
    """Whether somebody passed, nobody holds it, and too few are left for its open slots.

    The caller holds the item's lock. A claim does not: with the open slots held here, none is
    given away while the item goes to the reviewer.
    """
    if not Skip.objects.filter(item=item, round=item.round).exists():
        return False
    able = _people_left(item).count()
    places = Slot.objects.filter(item=item, round=item.round)
    open_now = len(places.filter(state=Slot.State.OPEN).select_for_update())
    return able < open_now and not places.filter(state=Slot.State.LEASED).exists()


def passed_on() -> list[int]:
    """Open items that somebody passed on: those that may have become stuck without a new answer."""
    passed = Skip.objects.filter(round=F("item__round"), item__state=Item.State.OPEN)
    return list(passed.order_by("item").values_list("item", flat=True).distinct()[:AT_ONCE])


def shortages(project: Project) -> list[Shortage]:
    """By queue; until somebody joins, or passes one on to the reviewer, those items wait."""
    annotators = Membership.objects.filter(project=project, role=Role.ANNOTATOR)
    people = annotators.filter(user__is_active=True).count()
    places = Slot.objects.filter(
        project=project, number__gt=people, item__state=Item.State.OPEN, round=F("item__round")
    ).exclude(state=Slot.State.WITHDRAWN)
    found = places.values_list("queue__name").annotate(Count("item", distinct=True), Max("number"))
    return [
        Shortage(name, items, wanted, people) for name, items, wanted in found.order_by("queue")
    ]


def _people_left(item: Item) -> QuerySet[Membership]:
    """The project's annotators who may still be given this item in its present round."""
    this_round = {"item": item, "round": item.round}
    people = Membership.objects.filter(project_id=item.project_id, role=Role.ANNOTATOR)
    skipped = Skip.objects.filter(**this_round)
    answered = Annotation.objects.answers().filter(**this_round)
    left = people.exclude(user__in=skipped.values("annotator"))
    left = left.exclude(user__in=answered.values("annotator"))
    if item.queue is None or not item.queue.is_blind:
        return left
    saw = Sighting.objects.filter(project_id=item.project_id, identity=item.identity)
    return left.exclude(user__in=saw.values("user"))
