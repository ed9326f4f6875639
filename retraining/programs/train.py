"""`python -m retraining.programs.train DIR_IN DIR_OUT`: a dataset in, a model file out."""

import hashlib
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from retraining.artifacts import dump_pipeline
from retraining.programs import reporting
from retraining.programs.contract import (
    MODEL,
    RESULT,
    SPEC,
    TrainResult,
    TrainSpec,
    read_message,
    write_message,
)
from retraining.programs.tables import read_training_frame
from retraining.trainers import TRAINERS

LIBRARIES = ("scikit-learn", "numpy", "scipy", "pandas", "skops")
FITTING = (0.1, 0.9)  # The part of the whole that the trainer's own progress fills.


def train(folder_in: Path, folder_out: Path) -> None:
    """Fit and write; the result is written last."""
    started = time.monotonic()
    reporting.report("reading", 0.0)
    spec = read_message(folder_in / SPEC, TrainSpec)
    trainer = TRAINERS[spec.trainer]
    frame = read_training_frame(folder_in, shards=spec.shards, superseded=spec.superseded)
    parameters = trainer.entry.clean_parameters(spec.parameters)
    pipeline = trainer.fit(frame, parameters=parameters, seed=spec.seed, report=_report_fitting)
    reporting.report("writing", FITTING[1])
    content = dump_pipeline(pipeline)
    part = folder_out / f"{MODEL}.part"
    part.write_bytes(content)
    part.rename(folder_out / MODEL)
    counts = frame["label"].value_counts().sort_index()
    result = TrainResult(
        trainer=spec.trainer,
        parameters=parameters,
        seed=spec.seed,
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        rows=len(frame),
        classes={str(label): int(count) for label, count in counts.items()},
        seconds=round(time.monotonic() - started, 3),
        environment=_environment(),
    )
    write_message(folder_out / RESULT, result)
    reporting.report("done", 1.0, f"{len(frame)} rows, {len(counts)} classes.")


def _report_fitting(step: str, share: float, note: str) -> None:
    low, high = FITTING
    reporting.report(step, low + (high - low) * share, note)


def _environment() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


if __name__ == "__main__":
    sys.exit(reporting.run(train))
