"""A rig that finds nothing proves nothing: each known-bad change must be caught by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings

from labeling import annotating, claims, flag_verdicts, next_slot, queueing, settlement
from labeling.aggregation import Settled, settle_by_majority
from labeling.models import Slot
from labeling.querysets import SlotQuerySet
from projects.errors import Conflict
from tests.integration.state_machine.labeling_rules import LabelingMachine
from tests.integration.state_machine.stage import play

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

UNTIL_CAUGHT = settings(
    max_examples=400,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # Which steps lead there is of no interest here.
    suppress_health_check=list(HealthCheck),
)
# The model notices first, or a constraint of the database does, or a claim that never ends.
CAUGHT = (AssertionError, IntegrityError, Conflict)
Change = Callable[[pytest.MonkeyPatch], None]


def forget_who_skipped(patch: pytest.MonkeyPatch) -> None:
    def only_held(slots: SlotQuerySet, queue: Any, annotator: Any) -> SlotQuerySet:
        mine = claims._of_same_round(annotator)
        return slots.without(Slot.objects.filter(state__in=claims.HELD, **mine))

    patch.setattr(claims, "_allowed", only_held)
    patch.setattr(
        next_slot, "BEHIND", next_slot.BEHIND.replace("lease.round = slot.round", "FALSE")
    )


def forget_who_saw_the_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims, "_unseen", lambda slots, queue, annotator: slots)
    patch.setattr(next_slot, "UNSEEN", "")


def let_a_lapsed_lease_fill_its_old_slot(patch: pytest.MonkeyPatch) -> None:
    """The fence is not looked at."""

    def fill(item: Any, lease: Any) -> int | None:
        held = Slot.objects.filter(pk=lease.slot_id, state=Slot.State.LEASED)
        return lease.slot_id if held.update(state=Slot.State.FILLED, lease_until=None) else None

    patch.setattr(annotating, "_fill_leased", fill)


def keep_the_fence_on_expiry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        claims,
        "_free",
        lambda slots: slots.update(state=Slot.State.OPEN, annotator=None, lease_until=None),
    )


def settle_by_half(patch: pytest.MonkeyPatch) -> None:
    def by_half(answers: Any, *, slots: int) -> Any:
        outcome = settle_by_majority(answers, slots=slots)
        most = max(outcome.votes.values(), default=0)
        if answers and 2 * most == len(answers):
            winner = max(outcome.votes, key=lambda vote: outcome.votes[vote])
            return Settled(answer=winner, confidence=0.5, votes=outcome.votes)
        return outcome

    patch.setattr(settlement, "settle_by_majority", by_half)


def settle_before_all_have_answered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settlement, "UNFINISHED", [])
    patch.setattr(settlement, "is_beyond_reach", lambda item: True)


def let_an_undo_keep_the_truth(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queueing, "withdraw_truth", lambda **_: None)


def let_an_undo_keep_the_verdict(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(flag_verdicts, "withdraw_verdicts", lambda **_: None)


def throw_surplus_away(patch: pytest.MonkeyPatch) -> None:
    def fill_anything(item: Any, lease: Any) -> int | None:
        places = Slot.objects.filter(item=item, round=lease.round)
        return places.values_list("pk", flat=True).first()

    patch.setattr(annotating, "_fill_another", fill_anything)


def forget_to_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(annotating, "record", lambda *_, **__: None)


def leave_slots_open_after_a_dispute(patch: pytest.MonkeyPatch) -> None:
    real = settlement._dispute

    def dispute(item: Any, *, at: Any) -> None:
        real(item, at=at)
        Slot.objects.filter(
            item=item, round=item.round, state=Slot.State.WITHDRAWN, fence=0
        ).update(state=Slot.State.OPEN, fence=F("fence"))

    patch.setattr(settlement, "_dispute", dispute)


# These change a statement that only PostgreSQL is given.
IN_SQL = {forget_who_skipped, forget_who_saw_the_answer}


@pytest.mark.parametrize(
    "change",
    [
        forget_who_skipped,
        forget_who_saw_the_answer,
        let_a_lapsed_lease_fill_its_old_slot,
        keep_the_fence_on_expiry,
        settle_by_half,
        settle_before_all_have_answered,
        let_an_undo_keep_the_truth,
        let_an_undo_keep_the_verdict,
        throw_surplus_away,
        forget_to_record,
        leave_slots_open_after_a_dispute,
    ],
)
def test_the_state_machine_catches(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "postgresql" and change not in IN_SQL:
        pytest.skip("a mutant tests the rig, not the database: SQLite is enough")
    change(monkeypatch)

    with pytest.raises(CAUGHT):
        play(LabelingMachine, UNTIL_CAUGHT)
