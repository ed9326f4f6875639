"""Turn an item's answers into its ground truth, or send it to the reviewer."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from events.recording import record
from labeling import flag_verdicts, queueing
from labeling.aggregation import Settled, settle_by_majority
from labeling.answers import Answer
from labeling.models import Annotation, GroundTruth, Guideline, Item, Skip, Slot
from projects.errors import Conflict
from projects.models import Membership, Role, User
from projects.task_types.text_classification import canonical_text

UNFINISHED = [Slot.State.OPEN, Slot.State.LEASED]
OUTSIDE = "outside"


def settle(*, item: Item, at: datetime) -> None:
    """Count the answers of the item's round, once all its slots are filled or beyond reach.

    The caller holds the item's lock.
    """
    if item.state != Item.State.OPEN:
        return
    places = Slot.objects.filter(item=item, round=item.round)
    unfinished = places.filter(state__in=UNFINISHED).count()
    if unfinished and not _is_beyond_reach(item):
        return
    answers = list(
        Annotation.objects.counting(item_id=item.pk, round_number=item.round).select_related(
            "answer"
        )
    )
    outcome = settle_by_majority([_vote(answer) for answer in answers], slots=len(answers))
    if unfinished or not isinstance(outcome, Settled):
        _dispute(item, at=at)
        return
    accepted = _accepted_answer(outcome, answers)
    accept_answer(
        item=item,
        answer=accepted,
        method=GroundTruth.Method.MAJORITY,
        confidence=outcome.confidence,
        at=at,
    )


def unsettle(*, item: Item, at: datetime) -> None:
    """After an undo: the item waits for that answer again, in the same round."""
    queueing.withdraw_truth(item=item, at=at)
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
    last = GroundTruth.objects.history(item.pk).last()
    truth = GroundTruth.objects.create(
        project_id=item.project_id,
        item=item,
        round=item.round,
        revision=last.revision + 1 if last else 1,
        method=method,
        confidence=confidence,
        guideline=Guideline.objects.filter(project_id=item.project_id).order_by("-number").first(),
        by=by,
        at=at,
        **answer.fields,
    )
    Slot.objects.filter(item=item, round=item.round, state__in=UNFINISHED).update(
        state=Slot.State.WITHDRAWN, annotator=None, lease_until=None
    )
    item.truth, item.state, item.resolved_at = truth, Item.State.RESOLVED, at
    item.save(update_fields=["truth", "state", "resolved_at"])
    record("item.resolved", subject=item, at=at, actor=by, method=method, truth=truth.pk)
    flag_verdicts.judge_flags(item=item, at=at)
    return truth


def _is_beyond_reach(item: Item) -> bool:
    """Whether nobody who may still answer is left for the open slots, and nobody holds one."""
    places = Slot.objects.filter(item=item, round=item.round).aggregate(
        open=Count("id", filter=Q(state=Slot.State.OPEN)),
        leased=Count("id", filter=Q(state=Slot.State.LEASED)),
    )
    skipped = Skip.objects.filter(item=item, round=item.round)
    if places["leased"] or not skipped.exists():
        return False
    answered = Annotation.objects.answers().filter(item=item, round=item.round)
    able = (
        Membership.objects.filter(project_id=item.project_id, role=Role.ANNOTATOR)
        .exclude(user__in=skipped.values("annotator"))
        .exclude(user__in=answered.values("annotator"))
    )
    return able.count() < places["open"]


def _dispute(item: Item, *, at: datetime) -> None:
    Slot.objects.filter(item=item, round=item.round, state=Slot.State.OPEN).update(
        state=Slot.State.WITHDRAWN
    )
    item.state = Item.State.DISPUTED
    item.save(update_fields=["state"])
    record("item.disputed", subject=item, at=at)


def _vote(annotation: Annotation) -> str | int:
    return OUTSIDE if annotation.is_outside else annotation.answer_id or 0


def _accepted_answer(outcome: Settled[str | int], answers: list[Annotation]) -> Answer:
    """The winning class; for "none of these" the name that most of its voters gave."""
    winners = [answer for answer in answers if _vote(answer) == outcome.answer]
    if outcome.answer != OUTSIDE:
        return Answer(winners[0].answer)
    names = [answer.proposed_name for answer in winners if answer.proposed_name]
    if not names:
        return Answer(None)
    counts = Counter(canonical_text(name) for name in names)
    return Answer(None, max(names, key=lambda name: counts[canonical_text(name)]))
