"""Traffic that version 1 answers, and the agents who flag some of its answers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from feedback.flagging import Report, flag_prediction
from feedback.ingestion import store_predictions
from feedback.models import Flag, Prediction
from jobs.clock import SetClock
from labeling.models import Item
from labeling.routing import route_new_flags
from projects.classes import find_class
from projects.errors import DomainError
from projects.models import Project
from projects.task_types.base import Input
from retraining.open_models import OpenModel
from retraining.rehearsal.stage import Stage

CHUNK = 500
PREDICTION_EVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class Message:
    """One input of the traffic with the truth that only the simulated people know."""

    value: Input
    label: str
    segments: dict[str, str]
    customer: str = ""


def ingest(
    *, project: Project, model: OpenModel, messages: Sequence[Message], name: str, clock: SetClock
) -> Iterator[int]:
    """Record the model's answers chunk by chunk; yields how many are stored so far."""
    for start in range(0, len(messages), CHUNK):
        chunk = messages[start : start + CHUNK]
        answers = model.answer([message.value for message in chunk])
        lines = []
        for number, (message, answer) in enumerate(zip(chunk, answers, strict=True), start):
            clock.advance(PREDICTION_EVERY)
            body = {
                "external_id": f"{name}-{number}",
                "model_version": model.version.name,
                "input": message.value,
                "output": answer.label,
                "confidence": min(1.0, max(0.0, answer.confidence)),
                "segments": message.segments,
                "customer_ref": message.customer,
                "occurred_at": clock.at,
            }
            lines.append((number, msgspec.json.encode(body)))
        stored = store_predictions(project=project, lines=lines, at=clock.at)
        if stored.stored != len(chunk):
            reason = next(answer.reason for answer in stored.answers if answer.reason)
            raise DomainError(f"A prediction was refused: {reason}")
        yield start + len(chunk)


@dataclass(frozen=True)
class FlaggingAgents:
    """Agents notice a share of the wrong answers, and take some right ones for wrong."""

    stage: Stage
    truth_of: dict[str, str]  # By identity.
    recall: float
    false_flags: float
    draw: random.Random

    def flag_until(self, wanted: int, *, since: datetime, clock: SetClock) -> int:
        """Flag in random order until that many inputs that were no items before are queued."""
        noticed = [p for p in self._predictions(since) if self._notices(p)]
        self.draw.shuffle(noticed)
        known = set(self._identities())
        new: set[str] = set()
        for number, prediction in enumerate(noticed):
            if len(new) == wanted:
                break
            agent = self.stage.agents[number % len(self.stage.agents)]
            clock.advance(timedelta(seconds=1))
            flag_prediction(
                prediction=prediction, agent=agent, report=self._report(prediction), at=clock.at
            )
            if prediction.identity not in known:
                new.add(prediction.identity)
        while route_new_flags(at=clock.at):
            pass
        return len(new)

    def _predictions(self, since: datetime) -> Iterator[Prediction]:
        newer = Prediction.objects.filter(project=self.stage.project, occurred_at__gt=since)
        return newer.select_related("project", "version").order_by("id").iterator()

    def _identities(self) -> Iterator[str]:
        items = Item.objects.filter(project=self.stage.project)
        return items.values_list("identity", flat=True).iterator()

    def _notices(self, prediction: Prediction) -> bool:
        is_wrong = self.truth_of[prediction.identity] != prediction.output
        return self.draw.random() < (self.recall if is_wrong else self.false_flags)

    def _report(self, prediction: Prediction) -> Report:
        """What the agent believes: the truth, or some other class where the model was right."""
        truth = self.truth_of[prediction.identity]
        if truth == prediction.output:
            return Report(reason=Flag.Reason.WRONG_CLASS)
        suggested = find_class(self.stage.project, truth)
        if suggested is not None:
            return Report(reason=Flag.Reason.WRONG_CLASS, suggested=suggested)
        return Report(reason=Flag.Reason.MISSING_CLASS, proposed_name=truth)
