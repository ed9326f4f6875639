"""Rehearse the loop with five seeds and print each figure's mean and spread."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SEEDS = range(5)
SHOWN = [
    "true_accuracy_before", "true_accuracy_after", "ground_truth_accuracy", "labels",
    "annotations", "receipts", "receipts_untrue", "seconds", "peak_memory_mb",
]  # fmt: skip
MUST_BE_ZERO = ["receipts_wrong", "trained_on_evaluation_rows"]


def main() -> int:
    given = sys.argv[1:] or ["--digits", "--new-class", "8", "--new-class", "9"]
    with tempfile.TemporaryDirectory() as folder:
        runs = [rehearse(given, seed, Path(folder)) for seed in SEEDS]
    print(f"\n{'figure':24} {'mean':>9} {'least':>9} {'most':>9}")
    for name in [*SHOWN, *MUST_BE_ZERO]:
        values = [float(run[name]) for run in runs]
        mean = statistics.mean(values)
        print(f"{name:24} {mean:9.3f} {min(values):9.3f} {max(values):9.3f}")
    return int(any(run[name] for run in runs for name in MUST_BE_ZERO))


def rehearse(given: list[str], seed: int, folder: Path) -> dict[str, Any]:
    """One seed, through the command that users run."""
    out = folder / f"{seed}.json"
    command = [sys.executable, "manage.py", "rehearse", *given, "--seed", str(seed)]
    subprocess.run([*command, "--json", str(out)], cwd=ROOT, check=True)
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


if __name__ == "__main__":
    sys.exit(main())
