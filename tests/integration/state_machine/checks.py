"""What must be true of the database, whatever happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import F

from events.models import Event
from feedback.flagging import DECIDED_BY_RULE
from feedback.models import Flag, FlagDecision, Issue
from labeling.models import Annotation, GroundTruth, Item, Lease, Skip, Slot
from projects.models import Deployment, Project
from tests.integration.state_machine.model import NONE_OF_THESE, Model, Thing

SLOT = ("item_id", "round", "number", "state", "annotator__username", "lease_until", "fence")
ANSWER = ("pk", "item_id", "round", "answer_id", "undoes_id", "slot__number", "slot__state")
FLAG = ("pk", "identity", "output", "state", "routed_at", "issue__state")
TAKEN = {Slot.State.LEASED, Slot.State.FILLED}


@dataclass(frozen=True)
class Stored:
    """What is looked at after every step, read with one query for each table."""

    items: dict[int, Item]
    slots: list[Any]  # Rows named as in SLOT.
    answers: list[Any]  # As in ANSWER, undone ones and undoings too.
    newest: dict[int, tuple[int, str]]  # By item: the last revision of its truth, and its method.
    flags: list[Any]  # As in FLAG.
    last_words: dict[int, str]  # By flag: the reason of its last decision.

    @classmethod
    def of(cls, project: Project) -> Stored:
        items = Item.objects.filter(project=project).select_related("truth__answer")
        slots = Slot.objects.filter(project=project).order_by("item", "round", "number")
        answers = Annotation.objects.filter(project=project).order_by("pk")
        truths = GroundTruth.objects.filter(project=project).order_by("revision")
        flags = Flag.objects.filter(project=project).order_by("pk")
        decisions = FlagDecision.objects.filter(flag__project=project).order_by("pk")
        return cls(
            items={item.pk: item for item in items},
            slots=list(slots.values_list(*SLOT, named=True)),
            answers=list(answers.values_list(*ANSWER, named=True)),
            newest={
                item: (pk, method)
                for item, pk, method in truths.values_list("item_id", "pk", "method")
            },
            flags=list(flags.values_list(*FLAG, named=True)),
            last_words=dict(decisions.values_list("flag_id", "reason")),
        )


def labeling_is_as_modelled(stored: Stored, model: Model) -> None:
    """Items, places and answers are exactly those of the model."""
    assert stored.items.keys() == model.things.keys()
    places = {key: list(slots) for key, slots in groupby(stored.slots, lambda s: s[:2])}
    for pk, thing in model.things.items():
        _is_as_modelled(stored.items[pk], places.get((pk, thing.round), []), thing)
    kept = {a.pk: a.slot__number or 0 for a in stored.answers if a.undoes_id is None}
    assert kept == {said.pk: said.number for said in model.all_said()}


def _is_as_modelled(item: Item, slots: list[Any], thing: Thing) -> None:
    truth = item.truth
    vote = "" if truth is None else truth.answer.name if truth.answer else NONE_OF_THESE
    name = truth.proposed_name if truth else ""
    stored = (item.state, item.round, item.use, item.sealed_round, vote, name)
    assert stored == (
        thing.state,
        thing.round,
        thing.use,
        thing.sealed_round,
        thing.truth,
        thing.truth_name,
    )
    assert [
        (s.number, s.state, s.annotator__username or "", s.lease_until, s.fence) for s in slots
    ] == [
        (place.number, place.state, place.annotator, place.until, place.fence)
        for place in thing.places
    ]


def promises_are_kept(stored: Stored, overlap: int) -> None:
    """Recomputed from the rows alone, without the model."""
    taken = [slot for slot in stored.slots if slot.state in TAKEN]
    at_once = Counter((slot.item_id, slot.round) for slot in taken)
    assert not at_once or max(at_once.values()) <= overlap
    people = Counter((slot.item_id, slot.round, slot.annotator__username) for slot in taken)
    assert not people or max(people.values()) == 1, "two places of one item to one person"
    for slot in stored.slots:
        if slot.state in {Slot.State.OPEN, Slot.State.LEASED}:
            item = stored.items[slot.item_id]
            at = (item.state, item.round)
            assert at == (Item.State.OPEN, slot.round), "a place of an item that takes no answers"
    for item in stored.items.values():
        _truth_is_what_was_said(item, stored)


def _truth_is_what_was_said(item: Item, stored: Stored) -> None:
    newest, method = stored.newest.get(item.pk, (0, GroundTruth.Method.NONE))
    assert item.truth_id == (None if method == GroundTruth.Method.NONE else newest)
    assert (item.state == Item.State.RESOLVED) == (item.truth is not None)
    if item.truth is None or method != GroundTruth.Method.MAJORITY:
        return
    undone = {answer.undoes_id for answer in stored.answers}
    votes = [
        answer.answer_id
        for answer in stored.answers
        if (answer.item_id, answer.round) == (item.pk, item.round)
        and answer.undoes_id is None
        and answer.slot__state == Slot.State.FILLED
        and answer.pk not in undone
    ]
    assert 2 * votes.count(item.truth.answer_id) > len(votes)


def flags_follow_the_truth(stored: Stored) -> None:
    """By rule declined exactly where the accepted answer is the flagged one."""
    truths = {item.identity: item.truth for item in stored.items.values()}
    for flag in stored.flags:
        truth = truths.get(flag.identity)
        was_right = bool(truth and truth.answer and truth.answer.name == flag.output)
        if flag.state == Flag.State.DECLINED and stored.last_words[flag.pk] == DECIDED_BY_RULE:
            assert was_right
        if flag.state == Flag.State.OPEN and flag.routed_at:
            assert not was_right
        assert flag.issue__state not in {None, Issue.State.MERGED}


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
