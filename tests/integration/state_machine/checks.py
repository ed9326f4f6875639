"""What must be true of the database, whatever happened."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from django.db.models import F

from events.models import Event
from feedback.flagging import DECIDED_BY_RULE
from feedback.models import Flag, Issue
from labeling.models import Annotation, GroundTruth, Item, Lease, Skip, Slot
from projects.models import Deployment, Project
from tests.integration.state_machine.model import NONE_OF_THESE, Model, Thing


def labeling_is_as_modelled(project: Project, model: Model) -> None:
    """Items, places and answers are exactly those of the model."""
    items = Item.objects.filter(project=project).select_related("truth__answer")
    found = {item.pk: item for item in items}
    assert found.keys() == model.things.keys()
    for pk, thing in model.things.items():
        _is_as_modelled(found[pk], thing)
    answers = Annotation.objects.filter(project=project, undoes=None)
    stored = {pk: number or 0 for pk, number in answers.values_list("pk", "slot__number")}
    assert stored == {said.pk: said.number for said in model.all_said()}


def _is_as_modelled(item: Item, thing: Thing) -> None:
    truth = item.truth
    vote = "" if truth is None else truth.answer.name if truth.answer else NONE_OF_THESE
    name = truth.proposed_name if truth else ""
    stored = (item.state, item.round, item.use, vote, name)
    assert stored == (thing.state, thing.round, thing.use, thing.truth, thing.truth_name)
    columns = ("number", "state", "annotator__username", "lease_until", "fence")
    slots = Slot.objects.filter(item=item, round=item.round).order_by("number")
    assert [(n, s, a or "", u, f) for n, s, a, u, f in slots.values_list(*columns)] == [
        (place.number, place.state, place.annotator, place.until, place.fence)
        for place in thing.places
    ]


def promises_are_kept(project: Project) -> None:
    """Recomputed from the rows alone, without the model."""
    slots = list(Slot.objects.filter(project=project).select_related("item__queue"))
    taken = [slot for slot in slots if slot.state in {Slot.State.LEASED, Slot.State.FILLED}]
    at_once = Counter((slot.item_id, slot.round) for slot in taken)
    overlaps = {slot.item_id: slot.item.queue.overlap for slot in slots if slot.item.queue}
    assert all(count <= overlaps[item_id] for (item_id, _), count in at_once.items())
    people = Counter((slot.item_id, slot.round, slot.annotator_id) for slot in taken)
    assert not people or max(people.values()) == 1, "two places of one item to one person"
    for slot in slots:
        if slot.state in {Slot.State.OPEN, Slot.State.LEASED}:
            at = (slot.item.state, slot.item.round)
            assert at == (Item.State.OPEN, slot.round), "a place of an item that takes no answers"
    for item in Item.objects.filter(project=project).select_related("truth"):
        _truth_is_what_was_said(item)


def _truth_is_what_was_said(item: Item) -> None:
    newest = GroundTruth.objects.history(item.pk).last()
    stands = newest if newest and newest.method != GroundTruth.Method.NONE else None
    assert item.truth == stands
    assert (item.state == Item.State.RESOLVED) == (stands is not None)
    if stands is None or stands.method != GroundTruth.Method.MAJORITY:
        return
    undone = Annotation.objects.filter(item=item, undoes__isnull=False).values("undoes")
    counting = Annotation.objects.filter(
        item=item, round=item.round, undoes=None, slot__state=Slot.State.FILLED
    ).exclude(pk__in=undone)
    votes: list[int | None] = list(counting.values_list("answer_id", flat=True))
    assert 2 * votes.count(stands.answer_id) > len(votes)


def flags_follow_the_truth(project: Project) -> None:
    """By rule declined exactly where the accepted answer is the flagged one."""
    items = {item.identity: item for item in Item.objects.filter(project=project)}
    for flag in Flag.objects.filter(project=project).select_related("issue"):
        item = items.get(flag.identity)
        truth = item.truth if item else None
        was_right = (
            truth is not None and truth.answer is not None and (truth.answer.name == flag.output)
        )
        last = flag.decisions.order_by("pk").last()
        if flag.state == Flag.State.DECLINED and last and last.reason == DECIDED_BY_RULE:
            assert was_right
        if flag.state == Flag.State.OPEN and flag.routed_at:
            assert not was_right
        assert flag.issue is not None
        assert flag.issue.state != Issue.State.MERGED


def events_are_complete(project: Project) -> None:
    """One event for every change that left a row."""
    told = Counter(Event.objects.filter(project_id=project.pk).values_list("name", flat=True))
    answers = Annotation.objects.filter(project=project)
    truths = GroundTruth.objects.filter(project=project).exclude(method=GroundTruth.Method.NONE)
    assert told["annotation.submitted"] == answers.filter(undoes=None).count()
    assert told["annotation.undone"] == answers.filter(undoes__isnull=False).count()
    assert told["slot.leased"] == Lease.objects.filter(project=project).count()
    assert told["item.skipped"] == Skip.objects.filter(project=project).count()
    assert told["item.queued"] == Item.objects.filter(project=project).count()
    assert told["item.resolved"] == truths.count()
    assert told["flag.created"] == Flag.objects.filter(project=project).count()
    assert told["version.deployed"] == Deployment.objects.filter(project=project).count()
    rounds = Item.objects.filter(project=project).values_list(F("round"), flat=True)
    assert told["item.requeued"] == sum(rounds) - len(rounds)


def one_champion(project: Project) -> None:
    """A line without gaps, whose last entry is the only live version."""
    numbers = list(
        Deployment.objects.filter(project=project, role=Deployment.Role.CHAMPION)
        .order_by("sequence")
        .values_list("sequence", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(list(chain(numbers))) >= 1
