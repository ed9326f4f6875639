"""Answer with the live version, and record every answer before it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from feedback.inputs import InputReader
from feedback.prediction_body import PredictionBody
from projects.errors import DomainError, Invalid, NotFound
from projects.identity import identity_of
from projects.models import ModelVersion, Project
from retraining.answer_recording import Draft, Outcome, Recorder
from retraining.live_models import LiveModels
from retraining.model_answers import ModelAnswer
from retraining.open_models import OpenModel
from retraining.questions import read_question

MOST_SCORES = 5  # Of many classes the best few say all that anybody looks at.


class Predictor:
    """The models, and the one writer; a process has one of these."""

    def __init__(self) -> None:
        self.models = LiveModels()
        self.recorder = Recorder()

    def start(self) -> None:
        self.models.start()

    def stop(self) -> None:
        self.models.stop()
        self.recorder.stop()

    def answer(self, *, project: Project, questions: Sequence[Any], at: datetime) -> list[Outcome]:
        """The stored answer to each question, or what is wrong with it, in their order."""
        with self.recorder.under_way():
            version, model = self.models.find(project)
            read = _read_all(project, questions, at=at)
            bodies = [body for body in read if isinstance(body, PredictionBody)]
            drafts = _drafts(project, bodies, version, model)
            recorded = self.recorder.record(project=project, drafts=drafts, at=at) if drafts else []
        outcomes = iter(recorded)
        return [next(outcomes) if isinstance(body, PredictionBody) else body for body in read]

    def answer_unrecorded(
        self, *, slug: str, value: object, at: datetime
    ) -> tuple[ModelVersion, ModelAnswer]:
        """What the live version says to an input; nothing is kept of it."""
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            raise NotFound("There is no such project.")
        version, model = self.models.find(project)
        return version, model.answer([InputReader(project, at=at).read(value)])[0]


def _read_all(
    project: Project, questions: Iterable[Any], *, at: datetime
) -> list[PredictionBody | DomainError]:
    reader = InputReader(project, at=at)
    return [_with_input(read_question(question), reader) for question in questions]


def _with_input(
    read: PredictionBody | DomainError, reader: InputReader
) -> PredictionBody | DomainError:
    if isinstance(read, DomainError):
        return read
    try:
        read.input = reader.read(read.input)
    except Invalid as error:
        return error
    return read


def _drafts(
    project: Project, bodies: list[PredictionBody], version: ModelVersion, model: OpenModel
) -> list[Draft]:
    inputs: list[Any] = [body.input for body in bodies]  # Cleaned: what is stored as an input.
    drafts = []
    for body, value, answer in zip(bodies, inputs, model.answer(inputs), strict=True):
        body.model_version, body.output = version.name, answer.label
        body.confidence = _share(answer.confidence)
        body.scores = _best(answer.scores)
        drafts.append(Draft(body, identity_of(project, value, body.context)))
    return drafts


def _best(scores: dict[str, float]) -> dict[str, float]:
    best = sorted(scores.items(), key=lambda pair: pair[1], reverse=True)[:MOST_SCORES]
    return {name: _share(score) for name, score in best}


def _share(value: float) -> float:
    return min(max(round(value, 6), 0.0), 1.0)


PREDICTOR = Predictor()
