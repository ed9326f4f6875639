"""Rehearse the loop with five seeds; print each figure's mean and spread, and a bare script's.

    python -m bench.rehearsals --clinc FOLDER      # The yardstick: 128 intents, 8 new.
    python -m bench.rehearsals --digits --new-class 8 --new-class 9
    python -m bench.rehearsals --languages         # The demo's language desk.
    python -m bench.rehearsals --data FILE ...     # Any options of `manage.py rehearse`.

The bare script is plain scikit-learn on the very rows that the challenger learned from; on texts
the two may not lie further apart than a hundredth.
"""

from __future__ import annotations

import csv
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.bare_loop import accuracy, fit, read_rows, write_corpus
from retraining.demo_data.language_desk import NEW, language_messages

ROOT = Path(__file__).resolve().parent.parent
SEEDS = range(5)
DIGITS = ["--digits", "--new-class", "8", "--new-class", "9"]
SHOWN = [
    "true_accuracy_before", "true_accuracy_after", "bare_accuracy_after", "bare_difference",
    "true_production_accuracy", "ground_truth_accuracy", "labels", "annotations",
    "audited_evaluation_rows", "flags", "receipts", "receipts_untrue", "seconds", "peak_memory_mb",
]  # fmt: skip
MUST_BE_ZERO = ["receipts_wrong", "trained_on_evaluation_rows"]
FURTHEST_FROM_BARE = 0.01


def main() -> int:
    given = sys.argv[1:] or DIGITS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given[0] == "--clinc":
            write_corpus(Path(given[1]) / "data_full.json", folder, seed=0)
            given = [*_clinc(folder), *given[2:]]
        elif given[0] == "--languages":
            given = [*_languages(folder / "languages.csv"), *given[1:]]
        runs = [rehearse(given, seed, folder) for seed in SEEDS]
    print(f"\n{'figure':28} {'mean':>9} {'least':>9} {'most':>9}")
    for name in [*SHOWN, *MUST_BE_ZERO]:
        values = [float(run[name]) for run in runs if name in run]
        if values:
            mean = statistics.mean(values)
            print(f"{name:28} {mean:9.3f} {min(values):9.3f} {max(values):9.3f}")
    return int(any(is_broken(run) for run in runs))


def _clinc(folder: Path) -> list[str]:
    return [
        "--data", str(folder / "history.csv"), "--test", str(folder / "test.csv"),
        "--input", "text", "--label", "intent", "--new-classes", "8",
    ]  # fmt: skip


def _languages(path: Path) -> list[str]:
    """The demo's messages; it starts from as many as the demo's champion has."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = [
            (message.text, language, message.app, message.length)
            for language, messages in language_messages(seed=0).items()
            for message in messages
        ]
        csv.writer(out).writerows([("text", "language", "app", "length"), *rows])
    return [
        "--data", str(path), "--input", "text", "--label", "language",
        "--segment", "app", "--segment", "length", "--base", "100", "--frozen", "20",
        *(word for name in NEW for word in ("--new-class", name)),
    ]  # fmt: skip


def rehearse(given: list[str], seed: int, folder: Path) -> dict[str, Any]:
    """One seed, through the command that users run; a bare script learns from the same rows."""
    out, rows = folder / f"{seed}.json", folder / f"rows-{seed}"
    command = [sys.executable, "manage.py", "rehearse", *given, "--seed", str(seed)]
    subprocess.run([*command, "--json", str(out), "--rows", str(rows)], cwd=ROOT, check=True)
    figures: dict[str, Any] = json.loads(out.read_text())
    if "--digits" not in given:
        bare = accuracy(fit(read_rows(rows / "train.jsonl")), read_rows(rows / "test.jsonl"))
        figures["bare_accuracy_after"] = bare
        figures["bare_difference"] = figures["true_accuracy_after"] - bare
    return figures


def is_broken(run: dict[str, Any]) -> bool:
    """Whether a promise was broken; a better or worse model is no broken promise."""
    return (
        any(run[name] for name in MUST_BE_ZERO)
        or abs(run.get("bare_difference", 0.0)) > FURTHEST_FROM_BARE
    )


if __name__ == "__main__":
    sys.exit(main())
