"""`python -m retraining.programs.evaluate DIR_IN DIR_OUT`: a model and inputs in, answers out."""

import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from sklearn.pipeline import Pipeline

from retraining.artifacts import load_pipeline
from retraining.programs import reporting
from retraining.programs.contract import (
    ANSWERS,
    MODEL,
    RESULT,
    SPEC,
    EvaluateResult,
    EvaluateSpec,
    read_message,
    write_message,
)
from retraining.programs.tables import count_inputs, read_inputs, write_answers
from retraining.signatures import ArtifactRefused
from retraining.trainers import TRAINERS


def evaluate(folder_in: Path, folder_out: Path) -> None:
    """Answer every input; the parent has verified the signature, the digest is checked here."""
    started = time.monotonic()
    reporting.report("reading", 0.0)
    spec = read_message(folder_in / SPEC, EvaluateSpec)
    pipeline = _open(folder_in / MODEL, spec)
    rows = write_answers(folder_out / ANSWERS, _answer(pipeline, spec, folder_in))
    seconds = round(time.monotonic() - started, 3)
    write_message(folder_out / RESULT, EvaluateResult(rows=rows, seconds=seconds))
    reporting.report("done", 1.0, f"{rows} answers.")


def _open(path: Path, spec: EvaluateSpec) -> Pipeline:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != spec.digest:
        raise ValueError("The model file is not the one that was named.")
    try:
        return load_pipeline(content, trainer=spec.trainer)
    except ArtifactRefused as error:
        raise ValueError(str(error)) from error


def _answer(
    pipeline: Pipeline, spec: EvaluateSpec, folder: Path
) -> Iterator[tuple[list[str], list[str], list[float]]]:
    trainer = TRAINERS[spec.trainer]
    total = max(count_inputs(folder, spec.inputs), 1)
    done = 0
    for ids, inputs in read_inputs(folder, spec.inputs):
        answers = trainer.answer(pipeline, inputs)
        yield ids, answers.labels, answers.confidences
        done += len(ids)
        reporting.report("answering", 0.1 + 0.9 * done / total, f"{done} of {total} inputs.")


if __name__ == "__main__":
    sys.exit(reporting.run(evaluate))
