"""What a rehearsal came to is counted against the true labels that nobody in it was shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from feedback.models import Prediction
from jobs.clock import SetClock
from jobs.running import drain_jobs
from labeling.queueing import queue_input
from monitoring.audit_plans import change_audit_rate
from projects.identity import EVALUATION, TRAIN, identity_of
from projects.versions import deploy
from retraining import promotion
from retraining.models import Batch, Receipt
from retraining.open_models import open_version
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.counting import count, share_right
from retraining.rehearsal.figures import RehearsalFigures
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.splitting import Parts
from retraining.rehearsal.traffic import Message, ingest
from tests.flagged import settle_input, text_of_use
from tests.people import Team, make_team
from tests.stories import flagged
from tests.trained import (
    NEW_WORLD,
    OLD_WORLD,
    make_evaluated_batch,
    make_trained_version,
)

pytestmark = pytest.mark.django_db


def message(text: str, label: str) -> Message:
    return Message({"text": text}, label, {})


class Played:
    """A small history: an older model answered three messages, of which two were about parcels."""

    def __init__(self, team: Team, clock: SetClock) -> None:
        self.team, self.clock = team, clock
        older = make_trained_version(team, "v2", at=clock.at, rows=OLD_WORLD)
        deploy(version=older, expected=team.version, cause="promotion", at=clock.at, by=None)
        self.before = open_version(older)
        newer = make_trained_version(team, "v3", at=clock.at, rows=NEW_WORLD)
        self.after = open_version(newer)
        self.batch = make_evaluated_batch(
            team, newer, at=clock.at, gates={"delivery": "passed", "refund": "not enough"}
        )
        self.drift_at = clock.at
        self.truths: dict[str, str] = {}

    def send(self, *messages: Message) -> list[Prediction]:
        self.truths |= {identity_of(self.team.project, one.value): one.label for one in messages}
        list(
            ingest(
                project=self.team.project,
                model=self.before,
                messages=messages,
                name=f"sent {len(self.truths)}",
                clock=self.clock,
            )
        )
        return list(Prediction.objects.order_by("-pk")[: len(messages)])[::-1]

    def promote(self) -> None:
        promotion.promote(
            batch=self.batch, by=self.team.lena, at=self.clock.at, confirm_not_enough=True
        )
        drain_jobs()

    def count(self, **changes: Any) -> RehearsalFigures:
        rows = [LabeledRow("a", "x")]
        return count(
            **{
                "project": self.team.project,
                "parts": Parts(
                    known_classes=("billing", "refund"),
                    new_classes=("delivery",),
                    base=rows * 5,
                    frozen=rows * 4,
                    clean=rows * 3,
                    drifted=rows * 2,
                    test=rows,
                    notes=("a note",),
                ),
                "options": RehearsalOptions(data=Path("a.csv"), seed=9),
                "truths": self.truths,
                "batch": Batch.objects.get(pk=self.batch.pk),
                "is_promoted": True,
                "before": self.before,
                "after": self.after,
                "drifted": [],
                "test": [message("where is my parcel", "delivery")],
                "drift_at": self.drift_at,
                "seconds": 61.26,
                "peak_memory_mb": 99.94,
                **changes,
            }
        )


@pytest.fixture
def played(clock: SetClock) -> Played:
    made = Played(make_team(at=clock.at), clock)
    made.send(
        message("where is my parcel", "delivery"),
        message("the parcel is late", "delivery"),
        message("i want my money back", "refund"),
    )
    return made


def test_what_was_asked_for_is_in_the_figures(played: Played) -> None:
    figures = played.count()

    assert (figures.seed, figures.rows, figures.classes) == (9, 15, 3)
    assert (figures.new_classes, figures.notes) == (["delivery"], ["a note"])
    assert (figures.seconds, figures.peak_memory_mb, figures.promoted) == (61.3, 99.9, True)


def test_each_model_is_measured_by_the_true_labels_of_the_test_rows(played: Played) -> None:
    test = [
        message("where is my parcel", "delivery"),
        message("parcel not delivered", "delivery"),
        message("my invoice is wrong", "billing"),
        message("the bill is too high", "refund"),
    ]

    figures = played.count(test=test)

    # The older one knows no parcels; both take the bill for what it says.
    assert (figures.true_accuracy_before, figures.true_accuracy_after) == (0.25, 0.75)
    assert share_right(played.after, test[:2]) == 1.0


def test_production_is_measured_over_all_drifted_traffic_and_no_other(played: Played) -> None:
    assert played.count().true_production_accuracy == pytest.approx(1 / 3)

    later = played.clock.at
    played.send(message("please refund the shoes", "refund"))

    assert played.count(drift_at=later).true_production_accuracy == 1.0


def test_the_champion_is_named_by_what_is_live_now(played: Played) -> None:
    assert played.count().champion == "v2"

    played.promote()

    assert played.count().champion == "v3"


def test_labels_and_ground_truths_are_those_of_people(played: Played) -> None:
    team, at = played.team, played.clock.at
    settle_input(team, "where is my parcel", "delivery", at=at)
    settle_input(team, "the parcel is late", "refund", at=at)
    queue_input(
        project=team.project,
        value={"text": "i want my money back"},
        source="flag",
        reference=1,
        at=at,
    )

    figures = played.count()

    assert (figures.labels, figures.ground_truths) == (3, 2)
    assert figures.ground_truth_accuracy == 0.5


def test_without_ground_truths_their_accuracy_is_none_of_all(played: Played) -> None:
    figures = played.count()

    assert (figures.ground_truths, figures.ground_truth_accuracy) == (0, 0.0)


def flag_and_settle(played: Played, text: str, truth: str) -> None:
    prediction = Prediction.objects.get(identity=identity_of(played.team.project, {"text": text}))
    flagged(prediction, played.team.ada, at=played.clock.at)
    settle_input(played.team, text, truth, at=played.clock.at)


def test_a_receipt_whose_answer_is_right_is_neither_wrong_nor_untrue(played: Played) -> None:
    flag_and_settle(played, "where is my parcel", "delivery")
    played.promote()

    figures = played.count()

    assert (figures.flags, figures.issues, figures.receipts) == (1, 1, 1)
    assert (figures.receipts_wrong, figures.receipts_untrue) == (0, 0)


def test_a_receipt_that_rests_on_a_label_that_is_not_true_is_untrue(played: Played) -> None:
    flag_and_settle(played, "where is my parcel", "delivery")
    played.promote()
    played.truths = {**played.truths, **dict.fromkeys(played.truths, "billing")}

    figures = played.count()

    assert (figures.receipts_wrong, figures.receipts_untrue) == (0, 1)


def test_a_receipt_whose_answer_is_not_the_ground_truth_is_wrong(played: Played) -> None:
    flag_and_settle(played, "where is my parcel", "delivery")
    played.promote()

    figures = played.count(after=played.before)  # It does not know parcels.

    assert Receipt.objects.count() == 1
    assert (figures.receipts_wrong, figures.receipts_untrue) == (1, 1)


def test_evaluation_rows_are_counted_and_how_many_of_them_audits_gave(
    played: Played, clock: SetClock
) -> None:
    team = played.team
    change_audit_rate(project=team.project, rate=1.0, at=clock.at, by=team.lena)
    clock.advance(timedelta(seconds=1))
    drawn, chosen, learned = (
        text_of_use(team.project, EVALUATION),
        text_of_use(team.project, EVALUATION, "parcel"),
        text_of_use(team.project, TRAIN),
    )
    played.send(message(drawn, "delivery"))
    for text in (drawn, chosen, learned):
        played.truths[identity_of(team.project, {"text": text})] = "delivery"
        settle_input(team, text, "delivery", at=clock.at)

    figures = played.count()

    assert (figures.evaluation_rows, figures.audited_evaluation_rows) == (2, 1)
    assert figures.audited_accuracy["estimate"] == 0.0  # Taken for something else by v2.


def test_what_nobody_audited_or_flagged_has_no_estimate(played: Played) -> None:
    figures = played.count()

    assert figures.audited_accuracy["estimate"] is None
    assert figures.flagged_accuracy is None


def test_flagged_answers_are_measured_apart(played: Played) -> None:
    flag_and_settle(played, "where is my parcel", "delivery")
    flag_and_settle(played, "i want my money back", "refund")

    assert played.count().flagged_accuracy == 0.5


def test_a_batch_without_a_dataset_has_no_rows(played: Played) -> None:
    assert played.count().dataset_rows == {"base": 0, "added": 0}


def test_every_gate_is_told_with_its_group(played: Played) -> None:
    gates = played.count().gates

    assert [(gate["name"], gate["result"]) for gate in gates] == [
        ("Class keeps delivery", "passed"),
        ("Class keeps refund", "not enough"),
    ]


def test_another_projects_history_is_not_counted(played: Played, clock: SetClock) -> None:
    other = Played(make_team(at=clock.at, name="Other", suffix="2"), clock)
    other.send(message("where is my parcel", "delivery"))
    flag_and_settle_of(other, "where is my parcel")

    figures = played.count()

    assert (figures.flags, figures.issues, figures.labels, figures.receipts) == (0, 0, 0, 0)
    assert figures.true_production_accuracy == pytest.approx(1 / 3)


def flag_and_settle_of(played: Played, text: str) -> None:
    prediction = Prediction.objects.of(played.team.project).get()
    flagged(prediction, played.team.ada, at=played.clock.at)
    settle_input(played.team, text, "delivery", at=played.clock.at)
    played.promote()
