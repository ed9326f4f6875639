"""How often the model is right, from random draws; and, apart, from flagged predictions.

Only draws estimate accuracy: flags seek out errors, so their share is shown beside it and never
called an accuracy. Estimates are over predictions, so two draws of one input count twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import BooleanField, CharField, Exists, OuterRef, Subquery

from feedback.models import AuditDraw, Flag, Prediction
from labeling.models import Item
from monitoring.intervals import Drawn, Estimate, weighted_interval, wilson_interval
from monitoring.models import AccuracyPoint
from projects.models import Deployment, ModelVersion, Project

WINDOW = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class AuditedAnswer:
    """A drawn prediction whose ground truth is known."""

    prediction_id: int
    version: str
    output: str
    truth: str  # A class name; empty for "none of these".
    probability: float
    occurred_at: datetime
    segments: dict[str, str]

    @property
    def is_right(self) -> bool:
        return self.output == self.truth


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """The audited accuracy of one value of a segment, a version or a class."""

    value: str
    estimate: Estimate


def audited_answers(
    project: Project,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    version: ModelVersion | None = None,
) -> list[AuditedAnswer]:
    """Draws with a known ground truth, oldest first."""
    draws = AuditDraw.objects.filter(project=project)
    if since is not None:
        draws = draws.filter(prediction__occurred_at__gt=since)
    if until is not None:
        draws = draws.filter(prediction__occurred_at__lte=until)
    if version is not None:
        draws = draws.filter(prediction__version=version)
    rows = (
        draws.annotate(
            truth=_of_item("truth__answer__name", CharField(), "prediction__identity"),
            outside=_of_item("truth__is_outside", BooleanField(), "prediction__identity"),
        )
        .filter(outside__isnull=False)
        .order_by("prediction__occurred_at", "id")
        .values_list(
            "prediction_id",
            "prediction__version__name",
            "prediction__output",
            "truth",
            "probability",
            "prediction__occurred_at",
            "prediction__segments",
        )
    )
    return [AuditedAnswer(*row[:3], row[3] or "", *row[4:]) for row in rows]


def find_unmeasured(project: Project, answers: list[AuditedAnswer]) -> Deployment | None:
    """The live version, where none of these answers is its own."""
    line = Deployment.objects.current(project.pk)
    is_measured = line is None or line.version.name in {answer.version for answer in answers}
    return None if is_measured else line


def audited_accuracy(answers: Iterable[AuditedAnswer]) -> Estimate:
    """The share right among all predictions, with its 95 % interval."""
    drawn = [Drawn(answer.is_right, answer.probability) for answer in answers]
    if len({row.probability for row in drawn}) == 1:
        return wilson_interval(sum(row.is_right for row in drawn), len(drawn))
    return weighted_interval(drawn)


def accuracy_by_segment(answers: list[AuditedAnswer], key: str) -> list[GroupEstimate]:
    """One estimate per value of the segment, fewest answers last."""
    return _by_group((answer.segments.get(key, ""), answer) for answer in answers)


def accuracy_by_version(answers: list[AuditedAnswer]) -> list[GroupEstimate]:
    return _by_group((answer.version, answer) for answer in answers)


def flagged_accuracy(
    project: Project, *, since: datetime | None = None, version: ModelVersion | None = None
) -> Estimate:
    """The share of flagged predictions that were right after all: not an accuracy."""
    standing = Flag.objects.filter(prediction=OuterRef("pk")).exclude(state=Flag.State.WITHDRAWN)
    flagged = Prediction.objects.filter(Exists(standing), project=project)
    if since is not None:
        flagged = flagged.filter(occurred_at__gt=since)
    if version is not None:
        flagged = flagged.filter(version=version)
    judged = flagged.annotate(
        truth=_of_item("truth__answer__name", CharField(), "identity"),
        outside=_of_item("truth__is_outside", BooleanField(), "identity"),
    ).filter(outside__isnull=False)
    rows = list(judged.values_list("pk", "output", "truth"))
    return wilson_interval(sum(output == truth for _, output, truth in rows), len(rows))


def measure_day(*, project: Project, day: date, at: datetime) -> AccuracyPoint | None:
    """Store what is known on that day about the last WINDOW; None without any answer."""
    answers = audited_answers(project, since=at - WINDOW, until=at)
    estimate = audited_accuracy(answers)
    if estimate.value is None:
        return None
    flagged = flagged_accuracy(project, since=at - WINDOW)
    point, _ = AccuracyPoint.objects.update_or_create(
        project=project,
        day=day,
        defaults={
            "estimate": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "answers": estimate.rows,
            "flagged_right": round((flagged.value or 0) * flagged.rows),
            "flagged_answers": flagged.rows,
            "measured_at": at,
        },
    )
    return point


def measure_all(*, at: datetime) -> int:
    """Today's point of every project; a later measurement of the same day replaces it."""
    projects = Project.objects.all()
    return sum(measure_day(project=p, day=at.date(), at=at) is not None for p in projects)


def _by_group(pairs: Iterable[tuple[str, AuditedAnswer]]) -> list[GroupEstimate]:
    groups: dict[str, list[AuditedAnswer]] = defaultdict(list)
    for value, answer in pairs:
        groups[value].append(answer)
    estimates = [GroupEstimate(value, audited_accuracy(rows)) for value, rows in groups.items()]
    return sorted(estimates, key=lambda group: (-group.estimate.rows, group.value))


def _of_item(field: str, output: CharField[str, str] | BooleanField[bool, bool], identity: str):  # type: ignore[no-untyped-def]  # Subquery's generics cannot be written in Django 5.2's stubs.
    """A field of the resolved item that has the same identity."""
    item = Item.objects.filter(
        project=OuterRef("project"), identity=OuterRef(identity), truth__isnull=False
    )
    return Subquery(item.values(field)[:1], output_field=output)
