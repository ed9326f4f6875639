"""`manage.py rehearse` from end to end: the loop's own yardstick, small enough for every run."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT

SMALL = [
    "--digits", "--new-class", "8", "--new-class", "9", "--base", "30", "--labels", "80",
    "--flag-recall", "0.6",
]  # fmt: skip
DIFFER = {"seconds", "peak_memory_mb"}

pytestmark = pytest.mark.timeout(600)


def rehearse(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "rehearse", *arguments, "--json", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def read_rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def trained_from(folder: Path) -> list[str]:
    """What was approved for each version trained, in the database that was kept."""
    with closing(sqlite3.connect(folder / "rehearsal.sqlite3")) as kept:
        rows = kept.execute("SELECT approved_hash FROM projects_modelversion ORDER BY id")
        return [digest for (digest,) in rows]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """Figures, what was printed, and the folder of the rows."""
    folder = tmp_path_factory.mktemp("rehearsal")
    made = rehearse(folder / "one.json", *SMALL, "--rows", str(folder), "--keep", str(folder))
    assert made.returncode == 0, made.stderr
    return json.loads((folder / "one.json").read_text()), made.stdout, folder


def test_the_loop_makes_the_model_better_and_keeps_its_promises(
    played: tuple[dict[str, Any], str, Path],
) -> None:
    figures, printed, _ = played

    assert figures["promoted"]
    assert figures["true_accuracy_after"] >= figures["true_accuracy_before"] + 0.05
    assert figures["labels"] == 80
    assert figures["annotations"] >= 3 * figures["labels"]
    assert figures["receipts"] > 0
    assert figures["receipts_wrong"] == 0
    assert figures["trained_on_evaluation_rows"] == 0
    assert figures["audited_evaluation_rows"] > 0
    audited = figures["audited_accuracy"]
    assert audited["low"] <= figures["true_production_accuracy"] <= audited["high"]
    assert figures["flagged_accuracy"] < figures["true_production_accuracy"]
    assert "Right after" in printed


def test_the_rows_kept_are_those_that_were_counted(
    played: tuple[dict[str, Any], str, Path],
) -> None:
    figures, _, folder = played

    trained, tested = read_rows(folder / "train.jsonl"), read_rows(folder / "test.jsonl")

    assert len(trained) == sum(figures["dataset_rows"].values())
    assert {"8", "9"} <= {row["label"] for row in trained}
    assert not {row["input"] for row in trained} & {row["input"] for row in tested}


def test_the_same_seed_gives_the_same_figures_from_the_same_datasets(
    played: tuple[dict[str, Any], str, Path], tmp_path: Path
) -> None:
    first, _, folder = played

    made = rehearse(tmp_path / "two.json", *SMALL, "--keep", str(tmp_path))

    assert made.returncode == 0, made.stderr
    second = json.loads((tmp_path / "two.json").read_text())
    assert {name for name in first if first[name] != second[name]} <= DIFFER
    assert trained_from(folder) == trained_from(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "missing.csv"], "missing.csv"),
        (["--digits", "--new-class", "eleven"], "'eleven' cannot be a new class"),
        (["--digits", "--mix", "flagged=0.5"], "must add up to 1"),
        (["--digits", "--overlap", "4"], "--overlap needs as many --annotators"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    made = rehearse(tmp_path / "out.json", *arguments)

    assert made.returncode == 1
    assert words in made.stderr
    assert "Traceback" not in made.stderr
    assert not (tmp_path / "out.json").exists()
