"""Open a stored version's model and answer with it; imports scikit-learn: not for web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from projects.models import ModelVersion
from projects.task_types.base import Input
from retraining.artifacts import load_pipeline
from retraining.model_answers import ModelAnswer
from retraining.model_files import read_model_file
from retraining.raw_inputs import raw_input
from retraining.trainers import TRAINERS, Trainer


@dataclass(frozen=True)
class OpenModel:
    """A verified model in memory; answering is safe from several threads at once."""

    version: ModelVersion
    trainer: Trainer
    pipeline: Pipeline

    def answer(self, values: Sequence[Input]) -> list[ModelAnswer]:
        answers = self.trainer.answer(self.pipeline, [raw_input(value) for value in values])
        return [
            ModelAnswer(label, confidence, dict(zip(answers.classes, scores, strict=True)))
            for label, confidence, scores in zip(
                answers.labels, answers.confidences, answers.scores.tolist(), strict=True
            )
        ]


def open_version(version: ModelVersion) -> OpenModel:
    """Signature, then hash, then open; raises ArtifactRefused."""
    content = read_model_file(version)
    slug = version.manifest["trainer"]
    pipeline = load_pipeline(content, trainer=slug)  # Refuses a trainer that is unknown here.
    return OpenModel(version, TRAINERS[slug], pipeline)
