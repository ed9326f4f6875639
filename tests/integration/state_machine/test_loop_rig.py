"""The whole loop with known-bad changes: each must be caught by its state machine."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import connection
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from labeling.models import Item
from labeling.querysets import ItemQuerySet
from projects.models import Deployment
from retraining import (
    batches,
    datasets,
    live_line,
    promotion,
    receipt_jobs,
    receipts,
    revisions,
    training,
)
from retraining.eligible import champion_dataset, rows_of
from retraining.models import Batch, DatasetRow, Receipt
from tests.integration.state_machine.loop_rules import LoopMachine
from tests.integration.state_machine.stage import play
from tests.integration.state_machine.test_rig import CAUGHT, UNTIL_CAUGHT, Change

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]


def approve_what_was_not_shown(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether the rows are still what the lead read."""
    patch.setattr(batches, "_refuse_unless_current", lambda revision: None)
    patch.setattr(batches, "_seal", lambda revision: None)


def forget_to_seal(patch: pytest.MonkeyPatch) -> None:
    """Answers behind approved rows can still be undone."""
    patch.setattr(batches, "_seal", lambda revision: None)


def train_on_what_is_held_out(patch: pytest.MonkeyPatch) -> None:
    def any_use(project: Any, *, besides: Any = None) -> ItemQuerySet:
        undecided = Batch.objects.undecided(project)
        if besides is not None:
            undecided = undecided.exclude(pk=besides.pk)
        known = DatasetRow.objects.in_chain(champion_dataset(project))
        settled = Item.objects.settled(project).exclude(truth__in=known.values("truth"))
        return settled.exclude(truth__in=rows_of(undecided).values("truth"))

    patch.setattr(revisions, "eligible_items", any_use)
    keep_twins_of_held_out_rows(patch)  # A held-out row is its own twin: it would be left out.


def keep_twins_of_held_out_rows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(revisions, "find_near_duplicates", lambda rows, *, of: [])


def keep_retired_rows(patch: pytest.MonkeyPatch) -> None:
    """A corrected row is learned beside its correction."""
    patch.setattr(revisions, "retired_truths", lambda parent: [])


def promote_without_moving_the_line(patch: pytest.MonkeyPatch) -> None:
    """The batch is promoted, and the old version stays live."""

    def leave(*, expected: Any, version: Any, **_: Any) -> Deployment | None:
        return Deployment.objects.current(version.project_id)

    patch.setattr(promotion, "deploy", leave)


def roll_back_to_what_was_left(patch: pytest.MonkeyPatch) -> None:
    """A second rollback leads to the version that was rolled back a moment ago."""

    def line_of(project: Any) -> list[Any]:
        lines = Deployment.objects.champions(project.pk).select_related("version")
        return [line.version for line in lines.order_by("sequence")]

    patch.setattr(live_line, "standing_versions", line_of)


def keep_receipts_after_a_rollback(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(receipts, "_doubtful", lambda line: Receipt.objects.none())


def send_receipts_unseen(patch: pytest.MonkeyPatch) -> None:
    """Nobody compares what the version answers with what is right."""
    patch.setattr(receipts, "as_standing", lambda case: mock.Mock(right_answer=mock.ANY))


def forget_flags_accepted_late(patch: pytest.MonkeyPatch) -> None:
    """A flag that is accepted after the promotion waits for the next one."""
    patch.setattr(receipt_jobs, "check_accepted_flag", lambda flag, *, at: None)


def promote_against_another_champion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(promotion, "_judged", lambda batch, champion: promotion._newest(batch))


def start_what_is_no_longer_current(patch: pytest.MonkeyPatch) -> None:
    """What changed after the approval is looked at no more."""
    patch.setattr(training, "difference_of", lambda revision: mock.Mock(holds=True))


def fold_without_an_event(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(datasets, "record", lambda *_, **__: None)


# What shows them needs two versions and a change at one moment: their runs begin with that.
AIMED: dict[Change, tuple[str, str]] = {
    keep_retired_rows: ("complaint", "a learned row changes"),
    forget_flags_accepted_late: ("promotion", "a flag waits"),
    start_what_is_no_longer_current: ("start", "a row changes"),
    promote_against_another_champion: ("promotion", "the champion changes"),
}


def machine_for(change: Change) -> type[LoopMachine]:
    if change not in AIMED:
        return LoopMachine

    class Aimed(LoopMachine):
        @initialize(overlap=st.integers(1, 2))
        def begin(self, overlap: int) -> None:
            super().begin(overlap=overlap, steps=14, is_hard=False, meddling=AIMED[change])

    return Aimed


@pytest.mark.parametrize(
    "change",
    [
        approve_what_was_not_shown,
        forget_to_seal,
        train_on_what_is_held_out,
        keep_twins_of_held_out_rows,
        keep_retired_rows,
        promote_without_moving_the_line,
        roll_back_to_what_was_left,
        keep_receipts_after_a_rollback,
        send_receipts_unseen,
        forget_flags_accepted_late,
        promote_against_another_champion,
        start_what_is_no_longer_current,
        fold_without_an_event,
    ],
)
def test_the_loop_machine_catches(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("a mutant tests the rig, not the database: SQLite is enough")
    change(monkeypatch)

    with pytest.raises(CAUGHT):
        play(machine_for(change), settings(UNTIL_CAUGHT, max_examples=150))
