"""How many new ground truths there are, per quota and per class and segment."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from projects.models import Project
from retraining.eligible import eligible_items, new_items
from retraining.models import CoverageQuota

PACE_WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class NewTruth:
    """One eligible ground truth that no batch has held yet."""

    class_id: int
    segments: dict[str, str]
    at: datetime


@dataclass(frozen=True)
class QuotaProgress:
    """A quota against what is there; `have` counts only what no batch has held yet."""

    quota_id: int
    class_name: str  # Empty: any class.
    segment_key: str  # Empty: any segment.
    segment_value: str
    wanted: int
    have: int
    per_day: float  # Over the last week.

    @property
    def name(self) -> str:
        parts = [self.class_name, self.segment_value]
        return ", ".join(part for part in parts if part) or "any class"

    @property
    def missing(self) -> int:
        return max(self.wanted - self.have, 0)

    @property
    def is_met(self) -> bool:
        return not self.missing

    @property
    def days_left(self) -> int | None:
        """At the pace of the last week; None when it would never be there."""
        if self.is_met:
            return 0
        return math.ceil(self.missing / self.per_day) if self.per_day else None


@dataclass(frozen=True)
class Coverage:
    """What a project has towards its next batch."""

    quotas: tuple[QuotaProgress, ...]
    new_count: int
    eligible_count: int  # What a batch would take: with rows of batches that led to nothing.

    @property
    def is_met(self) -> bool:
        """Whether there are quotas and all are met."""
        return bool(self.quotas) and all(quota.is_met for quota in self.quotas)

    @property
    def missing(self) -> tuple[QuotaProgress, ...]:
        """Quotas that are not met, those furthest from it first."""
        short = [quota for quota in self.quotas if not quota.is_met]
        return tuple(sorted(short, key=lambda quota: (-quota.missing, quota.name)))


@dataclass(frozen=True)
class Cell:
    """New ground truths of one class in one segment value; `wanted` where a quota says so."""

    have: int
    wanted: int | None


@dataclass(frozen=True)
class GridRow:
    class_name: str
    cells: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True)
class Grid:
    """Classes by the values of one segment key; without a key, totals only."""

    segment_key: str
    values: tuple[str, ...]
    rows: tuple[GridRow, ...]


def coverage_of(project: Project, *, at: datetime) -> Coverage:
    """Every quota with what counts towards it."""
    truths = new_truths(project)
    quotas = project.quotas.select_related("label_class").order_by("label_class__position", "id")
    return Coverage(
        quotas=tuple(progress_of(quota, truths, at=at) for quota in quotas),
        new_count=len(truths),
        eligible_count=eligible_items(project).count(),
    )


def new_truths(project: Project) -> list[NewTruth]:
    rows = new_items(project).values_list("truth__answer_id", "segments", "truth__at")
    return [NewTruth(*row) for row in rows]


def progress_of(quota: CoverageQuota, truths: Iterable[NewTruth], *, at: datetime) -> QuotaProgress:
    """The quota against these ground truths."""
    counted = [truth for truth in truths if _counts(quota, truth)]
    recent = sum(truth.at > at - PACE_WINDOW for truth in counted)
    return QuotaProgress(
        quota_id=quota.pk,
        class_name=quota.label_class.name if quota.label_class else "",
        segment_key=quota.segment_key,
        segment_value=quota.segment_value,
        wanted=quota.wanted,
        have=len(counted),
        per_day=recent / PACE_WINDOW.days,
    )


def grid_of(project: Project, *, segment_key: str = "") -> Grid:
    """New ground truths by class and segment value, empty cells included."""
    truths = new_truths(project)
    quotas = list(project.quotas.all())
    values = sorted(
        {truth.segments[segment_key] for truth in truths if truth.segments.get(segment_key)}
        | {q.segment_value for q in quotas if segment_key and q.segment_key == segment_key}
    )
    counts = Counter((t.class_id, t.segments.get(segment_key, "")) for t in truths)
    totals = Counter(truth.class_id for truth in truths)
    wanted = {(q.label_class_id, q.segment_key, q.segment_value): q.wanted for q in quotas}
    return Grid(
        segment_key=segment_key,
        values=tuple(values),
        rows=tuple(
            GridRow(
                class_name=label_class.name,
                cells=tuple(
                    Cell(counts[pk, value], wanted.get((pk, segment_key, value)))
                    for value in values
                ),
                total=Cell(totals[pk], wanted.get((pk, "", ""))),
            )
            for label_class in project.classes.filter(retired_at=None)
            for pk in [label_class.pk]
        ),
    )


def name_quotas(quotas: Sequence[QuotaProgress]) -> str:
    """`Greek: 104 of 60, Turkish: 61 of 60`: for sentences; a class may be called 8."""
    return ", ".join(f"{quota.name}: {quota.have} of {quota.wanted}" for quota in quotas)


def _counts(quota: CoverageQuota, truth: NewTruth) -> bool:
    if quota.label_class_id is not None and quota.label_class_id != truth.class_id:
        return False
    if not quota.segment_key:
        return True
    return truth.segments.get(quota.segment_key) == quota.segment_value
