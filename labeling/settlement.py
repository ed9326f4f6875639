"""Turn an item's answers into its ground truth, or send it to the reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from events.recording import record
from labeling import class_proposals, flag_verdicts, queueing
from labeling.aggregation import Settled, settle_by_majority
from labeling.answers import Answer
from labeling.models import Annotation, GroundTruth, Item, Slot
from labeling.reach import is_beyond_reach, passed_on
from projects.errors import Conflict
from projects.models import User
from projects.task_types.text_classification import canonical_text

UNFINISHED = [Slot.State.OPEN, Slot.State.LEASED]
OUTSIDE = "outside"


def settle(*, item: Item, at: datetime) -> None:
    """Count the answers of the item's round, once all its slots are filled or beyond reach.

    The caller holds the item's lock.
    """
    if item.state != Item.State.OPEN:
        return
    states = Slot.objects.filter(item=item, round=item.round).values_list("state", flat=True)
    places = Counter(states)
    unfinished = places[Slot.State.OPEN] + places[Slot.State.LEASED]
    if unfinished and (places[Slot.State.LEASED] or not is_beyond_reach(item)):
        return
    votes = _votes(item)
    outcome = settle_by_majority([vote.answer for vote in votes], slots=len(votes))
    if unfinished or not isinstance(outcome, Settled):
        _dispute(item, at=at)
        return
    _store_truth(
        item,
        _accepted_fields(outcome, votes),
        method=GroundTruth.Method.MAJORITY,
        confidence=outcome.confidence,
        at=at,
        by=None,
    )


def settle_passed_on(*, at: datetime) -> int:
    """Items that became stuck without a new answer: somebody lost a role, or saw the model's."""
    return sum(_settle_alone(item_id, at=at) for item_id in passed_on())


@transaction.atomic
def _settle_alone(item_id: int, *, at: datetime) -> bool:
    item = Item.objects.lock(item_id)
    settle(item=item, at=at)
    return item.state != Item.State.OPEN


def unsettle(*, item: Item, at: datetime) -> None:
    """After an undo: the item waits for that answer again, and for those it was closed without."""
    queueing.withdraw_truth(item=item, at=at)
    closed = Slot.objects.filter(item=item, round=item.round, state=Slot.State.WITHDRAWN)
    closed.update(state=Slot.State.OPEN)
    if item.state in {Item.State.RESOLVED, Item.State.DISPUTED}:
        item.state, item.resolved_at = Item.State.OPEN, None
        item.save(update_fields=["state", "resolved_at"])
        record("item.reopened", subject=item, at=at, round=item.round)


@transaction.atomic
def adjudicate(*, item: Item, answer: Answer, reviewer: User, at: datetime) -> GroundTruth:
    """The reviewer's answer settles a disputed item."""
    item = Item.objects.lock(item.pk)
    if item.state != Item.State.DISPUTED:
        raise Conflict("This item is no longer disputed. Reload the page.")
    if answer.proposed_name:
        class_proposals.propose_class(
            project=item.project, name=answer.proposed_name, by=reviewer, at=at
        )
    return accept_answer(
        item=item,
        answer=answer,
        method=GroundTruth.Method.REVIEWER,
        confidence=1.0,
        at=at,
        by=reviewer,
    )


@transaction.atomic
def send_back(*, item: Item, reviewer: User, at: datetime) -> Item:
    """Ask the annotators again, in a new round."""
    item = Item.objects.lock(item.pk)
    if item.state != Item.State.DISPUTED:
        raise Conflict("This item is no longer disputed. Reload the page.")
    item.state = Item.State.RESOLVED  # Only for requeue_item, within this transaction.
    item.save(update_fields=["state"])
    return queueing.requeue_item(item=item, at=at, by=reviewer, reason="sent back")


def accept_answer(
    *,
    item: Item,
    answer: Answer,
    method: str,
    confidence: float | None,
    at: datetime,
    by: User | None = None,
) -> GroundTruth:
    """Write the next revision, close the round's slots and judge the flags on this input."""
    Slot.objects.filter(item=item, round=item.round, state__in=UNFINISHED).update(
        state=Slot.State.WITHDRAWN, annotator=None, lease_until=None
    )
    return _store_truth(item, answer.fields, method=method, confidence=confidence, at=at, by=by)


def _store_truth(
    item: Item,
    said: Mapping[str, object],
    *,
    method: str,
    confidence: float | None,
    at: datetime,
    by: User | None,
) -> GroundTruth:
    truth = GroundTruth.objects.create(
        project_id=item.project_id,
        item=item,
        round=item.round,
        revision=GroundTruth.objects.next_revision(item.pk),
        method=method,
        confidence=confidence,
        guideline_id=item.guideline_now_id,
        by=by,
        at=at,
        **said,
    )
    item.truth, item.state, item.resolved_at = truth, Item.State.RESOLVED, at
    item.save(update_fields=["truth", "state", "resolved_at"])
    record("item.resolved", subject=item, at=at, actor=by, method=method, truth=truth.pk)
    flag_verdicts.judge_flags(item=item, at=at)
    return truth


def _dispute(item: Item, *, at: datetime) -> None:
    Slot.objects.filter(item=item, round=item.round, state=Slot.State.OPEN).update(
        state=Slot.State.WITHDRAWN
    )
    item.state = Item.State.DISPUTED
    item.save(update_fields=["state"])
    record("item.disputed", subject=item, at=at)


@dataclass(frozen=True)
class _Vote:
    """What one annotator said: the id of a class, or OUTSIDE with the name they would give it."""

    answer: str | int
    proposed_name: str


def _votes(item: Item) -> list[_Vote]:
    given = Annotation.objects.counting(item_id=item.pk, round_number=item.round).order_by("id")
    return [
        _Vote(answer_id or OUTSIDE, proposed_name)
        for answer_id, proposed_name in given.values_list("answer_id", "proposed_name")
    ]


def _accepted_fields(outcome: Settled[str | int], votes: list[_Vote]) -> dict[str, object]:
    """The winning class; for "none of these" the name that most of its voters gave."""
    if outcome.answer != OUTSIDE:
        return {"answer_id": outcome.answer}
    names = [vote.proposed_name for vote in votes if vote.proposed_name]
    counts = Counter(canonical_text(name) for name in names)
    best = max(names, key=lambda name: counts[canonical_text(name)], default="")
    return {"is_outside": True, "proposed_name": best}
