"""Imports from the command line."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feedback.models import Prediction
from jobs.clock import SetClock
from labeling.models import Item
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_predictions_come_in_and_the_counts_are_printed(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("id,text,answer\na,Hello,billing\nb,,billing\n")

    printed = run(
        *["import_predictions", str(file), "--project", team.project.slug, "--input", "text"],
        *["--output", "answer", "--id", "id", "--model-version", "v1"],
    )

    assert Prediction.objects.get().external_id == "a"
    assert "answers.csv: 1 accepted, 1 rejected (done)" in printed
    assert "line 3: input must be a text" in printed


def test_labeled_rows_come_in_and_the_counts_are_printed(team: Team, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("input,label\na,billing\nb,telex\n")

    printed = run(
        *["import_rows", str(file), "--project", team.project.slug, "--use", "evaluation"],
        "--add-classes",
    )

    assert Item.objects.filter(use="evaluation").count() == 2
    assert "rows.csv: 2 accepted (done)" in printed


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["import_rows", "FILE", "--project", "none", "--use", "train"], "no project 'none'"),
        (["import_rows", "/no/such", "--project", "intents", "--use", "train"], "No such file"),
        (["import_rows", "FILE", "--project", "intents", "--use", "train"], "no column 'input'"),
        (["import_predictions", "FILE", "--project", "intents"], "which model version"),
        (["import_predictions", "/no/such", "--project", "intents"], "No such file"),
        (["import_predictions", "FILE", "--project", "none"], "no project 'none'"),
    ],
    ids=["project", "file", "column", "version", "predictions file", "predictions project"],
)
def test_what_cannot_work_says_why(
    team: Team, tmp_path: Path, words: list[str], expected: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\na,billing\n")

    with pytest.raises(CommandError, match=expected):
        run(*[str(file) if word == "FILE" else word for word in words])
