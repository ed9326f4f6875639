"""The rows that challenger and champion are compared on, and where each comes from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from feedback.models import AuditDraw, Prediction
from labeling.models import Item, ItemSource
from projects.models import ModelVersion, Project
from projects.task_types.base import Input
from retraining.gates.base import Source


@dataclass(frozen=True)
class EvaluationRow:
    """One held-out input with its accepted answer."""

    item_id: int
    truth_id: int
    identity: str
    input: Input
    segments: dict[str, str]
    label: str
    source: Source
    probability: float  # Of being drawn; 1 where it was not drawn.


def evaluation_rows(project: Project) -> list[EvaluationRow]:
    """Every resolved evaluation item; a drawn one is audited though it was flagged too."""
    items = Item.objects.settled(project).filter(
        use=Item.Use.EVALUATION, truth__answer__retired_at=None
    )
    weights = _weights(project)
    frozen = set(
        ItemSource.objects.filter(project=project, kind=ItemSource.Kind.IMPORT).values_list(
            "item_id", flat=True
        )
    )
    return [
        EvaluationRow(
            item_id=item.pk,
            truth_id=item.truth.pk,
            identity=item.identity,
            input=item.input,
            segments=item.segments,
            label=item.truth.answer.name,
            source=_source(item, weights, frozen),
            probability=1 / weights[item.identity] if item.identity in weights else 1.0,
        )
        for item in items.order_by("pk").iterator()
        if item.truth and item.truth.answer
    ]


def recorded_answers(version: ModelVersion, identities: set[str]) -> dict[str, str]:
    """What an external version answered to these inputs, where it was recorded."""
    answered = Prediction.objects.filter(project_id=version.project_id, version=version)
    return {
        identity: output
        for identity, output in answered.order_by("pk").values_list("identity", "output")
        if identity in identities
    }


def _weights(project: Project) -> dict[str, float]:
    """Per input, the sum of 1/probability over its draws: two draws are two predictions."""
    weights: dict[str, float] = defaultdict(float)
    draws = AuditDraw.objects.filter(project=project)
    for identity, probability in draws.values_list("prediction__identity", "probability"):
        weights[identity] += 1 / probability
    return dict(weights)


def _source(item: Item, weights: dict[str, float], frozen: set[int]) -> Source:
    if item.identity in weights:
        return Source.AUDITED
    return Source.FROZEN if item.pk in frozen else Source.FLAGGED
