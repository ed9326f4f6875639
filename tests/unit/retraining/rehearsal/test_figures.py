"""What a rehearsal prints is what its page says, and what was measured."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from django.conf import settings

from retraining.rehearsal.figures import RehearsalFigures

FIGURES = RehearsalFigures(
    seed=3,
    rows=1_700,
    classes=10,
    new_classes=["8", "9"],
    true_accuracy_before=0.81249,
    true_accuracy_after=0.9375,
    true_production_accuracy=0.75,
    audited_accuracy={"estimate": 0.7712, "low": 0.6, "high": 0.8999},
    flagged_accuracy=0.125,
    labels=80,
    annotations=241,
    ground_truths=79,
    ground_truth_accuracy=0.9746,
    evaluation_rows=96,
    audited_evaluation_rows=16,
    dataset_rows={"base": 240, "added": 55},
    trained_on_evaluation_rows=2,
    flags=44,
    issues=7,
    receipts=31,
    receipts_wrong=4,
    receipts_untrue=5,
    gates=[
        {"name": "No worse overall", "value": 0.05, "bound": -0.02, "result": "passed"},
        {"name": "Class 8", "value": -0.25, "bound": -0.1, "result": "failed"},
        {"name": "Class 9", "value": None, "bound": -0.1, "result": "not enough"},
        {"name": "Broken share", "value": 0.0, "bound": 0.02, "result": "not enough"},
    ],
    promoted=False,
    champion="v1",
    seconds=61.6,
    peak_memory_mb=512.4,
    notes=["No class is new, so no traffic is."],
)


def lines_of(figures: RehearsalFigures) -> list[str]:
    """The table's lines with single spaces."""
    return [" ".join(line.split()) for line in figures.as_table().splitlines()]


def test_every_figure_is_explained_on_the_page() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "how-to" / "rehearse.md").read_text()

    assert [f.name for f in fields(RehearsalFigures) if f"`{f.name}`" not in page] == []


def test_every_figure_is_in_the_json() -> None:
    written = json.loads(json.dumps(FIGURES.as_json()))

    assert {f.name for f in fields(RehearsalFigures)} == set(written)
    assert (written["receipts_wrong"], written["dataset_rows"]["added"]) == (4, 55)


@pytest.mark.parametrize(
    "line",
    [
        "Right before 0.812 version 1 on the test set",
        "Right after 0.938 the challenger on the test set",
        "In production 0.750 version 1, drifted traffic",
        "audited 0.771 (0.600 to 0.900) the same, estimated from draws",
        "flagged 0.125 of flagged answers right after all",
        "Asked 80 items 241 answers",
        "Ground truths 79 97.5% equal the true label",
        "Evaluation rows 96 16 from audits",
        "Dataset 240 + 55 2 of them evaluation rows",
        "Flags 44 7 issues",
        "Receipts 31 4 wrong, 5 untrue",
        "Promoted no champion is v1",
        "Took 62 s 512 MB at the peak",
        "passed No worse overall: 0.050 (bound -0.020)",
        "failed Class 8: -0.250 (bound -0.100)",
        "not enough 2 more, which the lead confirmed",
        "No class is new, so no traffic is.",
    ],
)
def test_the_table_says(line: str) -> None:
    assert line in lines_of(FIGURES)


def test_a_gate_that_decided_nothing_is_only_counted() -> None:
    assert not any("Class 9" in line for line in lines_of(FIGURES))


def test_where_every_gate_decided_none_is_counted() -> None:
    decided = replace(FIGURES, gates=FIGURES.gates[:2])

    assert not any("more, which" in line for line in lines_of(decided))


def test_what_nobody_drew_or_flagged_is_said_so() -> None:
    unknown = dict.fromkeys(("estimate", "low", "high"))

    lines = lines_of(replace(FIGURES, audited_accuracy=unknown, flagged_accuracy=None))

    assert "audited no answers the same, estimated from draws" in lines
    assert "flagged - of flagged answers right after all" in lines


def test_a_promotion_is_said() -> None:
    lines = lines_of(replace(FIGURES, promoted=True, champion="v2"))

    assert "Promoted yes champion is v2" in lines
