"""Whether people can still finish an item; where they cannot, the reviewer decides or is told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from feedback.models import Sighting
from labeling.models import Annotation, Item, Skip, Slot
from projects.models import Membership, Project, Role

AT_ONCE = 500


@dataclass(frozen=True)
class Shortage:
    """Items of a queue with more places left than annotators who may still take one."""

    queue: str
    items: int
    missing: int  # So many more annotators would let each of them be finished.


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


def shortages(project: Project, *, also_seen: bool) -> list[Shortage]:
    """By queue; until somebody joins, or passes one on to the reviewer, those items wait.

    `also_seen` counts those whose annotators saw the model's answer: not for an annotator's eyes.
    """
    members = Membership.objects.filter(project=project, role=Role.ANNOTATOR)
    people = set(members.filter(user__is_active=True).values_list("user", flat=True))
    items = _in_doubt(project, people, also_seen=also_seen)[:AT_ONCE]
    missing: dict[str, list[int]] = defaultdict(list)
    for item, places, out in _places_and_people(list(items)):
        if (lacking := places - len(people - out)) > 0 and item.queue:
            missing[item.queue.name].append(lacking)
    return [Shortage(name, len(lacking), max(lacking)) for name, lacking in missing.items()]


def _in_doubt(project: Project, people: set[int], *, also_seen: bool) -> QuerySet[Item]:
    """The few worth a closer look: with many places, or seen by those who could answer."""
    more = Slot.objects.filter(
        item=OuterRef("pk"), round=OuterRef("round"), number__gt=len(people)
    ).exclude(state=Slot.State.WITHDRAWN)
    seen = Sighting.objects.filter(project=project, identity=OuterRef("identity"), user__in=people)
    doubt = Q(Exists(more))
    if also_seen:
        doubt |= Q(Exists(seen), queue__is_blind=True)
    waiting = Item.objects.filter(project=project, state=Item.State.OPEN)
    return waiting.filter(doubt).select_related("queue").order_by("pk")


def _places_and_people(items: list[Item]) -> Iterator[tuple[Item, int, set[int]]]:
    """Each item with its places left, and those who may not take one."""
    this_round = {"item__in": items, "round": F("item__round")}
    left = Slot.objects.filter(**this_round, state__in=[Slot.State.OPEN, Slot.State.LEASED])
    places = Counter(left.values_list("item", flat=True))
    out: dict[int, set[int]] = defaultdict(set)
    for facts in (Skip.objects.all(), Annotation.objects.answers()):
        for item_id, person_id in facts.filter(**this_round).values_list("item", "annotator"):
            out[item_id].add(person_id)
    blind = {item.identity: item.pk for item in items if item.queue and item.queue.is_blind}
    saw = Sighting.objects.filter(project__in={i.project_id for i in items}, identity__in=blind)
    for identity, person_id in saw.values_list("identity", "user"):
        out[blind[identity]].add(person_id)
    return ((item, places[item.pk], out[item.pk]) for item in items)


def _people_left(item: Item) -> QuerySet[Membership]:
    """The project's annotators who may still be given this item in its present round."""
    this_round = {"item": item, "round": item.round}
    people = Membership.objects.filter(
        project_id=item.project_id, role=Role.ANNOTATOR, user__is_active=True
    )
    skipped = Skip.objects.filter(**this_round)
    answered = Annotation.objects.answers().filter(**this_round)
    left = people.exclude(user__in=skipped.values("annotator"))
    left = left.exclude(user__in=answered.values("annotator"))
    if item.queue is None or not item.queue.is_blind:
        return left
    saw = Sighting.objects.filter(project_id=item.project_id, identity=item.identity)
    return left.exclude(user__in=saw.values("user"))
