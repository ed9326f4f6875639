"""Whether the people of an item can still finish it; where they cannot, the reviewer decides."""

from __future__ import annotations

from django.db.models import F, QuerySet

from feedback.models import Sighting
from labeling.models import Annotation, Item, Skip, Slot
from projects.models import Membership, Role

AT_ONCE = 500


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
