"""Find recorded answers: what was typed, and a closed list of filters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KeyTransform

from feedback.models import Flag, Prediction
from feedback.querysets import PredictionQuerySet
from feedback.search import matching
from projects.models import Project
from projects.requests import is_row_id

MOST_COUNTED = 1000
SAMPLED = 300  # Newest answers whose segments are offered as filters.
UNSURE, SURE = 0.6, 0.9
TIMES = {"1": "Today", "7": "Last 7 days", "30": "Last 30 days"}

Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Filter:
    """One choice on the page."""

    name: str
    label: str
    options: Options
    chosen: str


def find_answers(*, project: Project, asked: Mapping[str, str], at: datetime) -> PredictionQuerySet:
    """Newest first; anything that is no declared filter is ignored."""
    found = Prediction.objects.of(project)
    if words := asked.get("q", "").strip():
        found = found.filter(matching(project, words))
    for name, narrow in _NARROW.items():
        if value := asked.get(name, ""):
            found = narrow(found, value, at)
    key, _, wanted = asked.get("segment", "").partition("=")
    if key in project.segment_keys:
        # Not as a lookup: a key may be called "contains", or hold two underscores.
        found = found.alias(segment=KeyTransform(key, "segments")).filter(segment=wanted)
    return found.order_by("-occurred_at", "-pk")


def filters_of(*, project: Project, asked: Mapping[str, str]) -> list[Filter]:
    versions = project.versions.order_by("-pk").values_list("pk", "name")[:50]
    classes = project.classes.values_list("name", flat=True)
    offered: dict[str, tuple[str, Options]] = {
        "version": ("Any version", [(str(pk), name) for pk, name in versions]),
        "answer": ("Any answer", [(name, name) for name in classes]),
        "confidence": ("Any confidence", [("low", "Unsure"), ("high", "Very sure")]),
        "days": ("Any time", list(TIMES.items())),
        "kind": ("All answers", [("audited", "Drawn at random"), ("flagged", "Flagged")]),
        "segment": ("Any group", _segments(project)),
    }
    return [
        Filter(name, label, options, asked.get(name, ""))
        for name, (label, options) in offered.items()
        if options
    ]


def flags_on(predictions: Iterable[Prediction]) -> dict[int, set[int]]:
    """For each prediction the people whose flag on it stands."""
    flags = Flag.objects.filter(prediction__in=list(predictions))
    by_prediction: dict[int, set[int]] = defaultdict(set)
    for pk, agent_id in flags.exclude(state=Flag.State.WITHDRAWN).values_list(
        "prediction_id", "agent_id"
    ):
        by_prediction[pk or 0].add(agent_id)
    return by_prediction


def _segments(project: Project) -> Options:
    newest = Prediction.objects.filter(project=project).order_by("-occurred_at", "-pk")
    pairs = {
        f"{key}={segments[key]}": f"{key}: {segments[key]}"
        for segments in newest.values_list("segments", flat=True)[:SAMPLED]
        for key in project.segment_keys
        if key in segments
    }
    return sorted(pairs.items())


def _by_version(found: PredictionQuerySet, value: str, at: datetime) -> PredictionQuerySet:
    return found.filter(version_id=int(value)) if is_row_id(value) else found


def _by_answer(found: PredictionQuerySet, value: str, at: datetime) -> PredictionQuerySet:
    return found.filter(output=value)


def _by_confidence(found: PredictionQuerySet, value: str, at: datetime) -> PredictionQuerySet:
    bounds = {"low": Q(confidence__lt=UNSURE), "high": Q(confidence__gte=SURE)}
    return found.filter(bounds[value]) if value in bounds else found


def _by_days(found: PredictionQuerySet, value: str, at: datetime) -> PredictionQuerySet:
    return (
        found.filter(occurred_at__gt=at - timedelta(days=int(value))) if value in TIMES else found
    )


def _by_kind(found: PredictionQuerySet, value: str, at: datetime) -> PredictionQuerySet:
    if value == "audited":
        return found.filter(draw__isnull=False)
    standing = Flag.objects.filter(prediction=OuterRef("pk")).exclude(state=Flag.State.WITHDRAWN)
    return found.filter(Exists(standing)) if value == "flagged" else found


_NARROW: dict[str, Callable[[PredictionQuerySet, str, datetime], PredictionQuerySet]] = {
    "version": _by_version,
    "answer": _by_answer,
    "confidence": _by_confidence,
    "days": _by_days,
    "kind": _by_kind,
}
