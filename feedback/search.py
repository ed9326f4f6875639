"""Find predictions by what was typed and by declared filters, newest first, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import Exact

from feedback.models import Prediction
from feedback.querysets import PredictionQuerySet
from feedback.search_index import query_words
from jobs.clock import UTC
from projects.errors import Invalid
from projects.models import Project

SEGMENT = "segment."
BY_ID = "SELECT id FROM feedback_prediction WHERE project_id = %s AND external_id = %s"
BY_CUSTOMER = """
    SELECT id FROM feedback_prediction
    WHERE project_id = %s AND customer_ref = %s AND NOT (customer_ref = '')
"""
BY_TICKET = {
    vendor: f"""
    SELECT prediction_id FROM feedback_flag
    WHERE project_id = %s AND prediction_id IS NOT NULL AND {position}(lower(ticket_url), %s) > 0
    """  # noqa: S608  Constant text.
    for vendor, position in {"postgresql": "strpos", "sqlite": "instr"}.items()
}
LARGEST_ID = 2**63 - 1
LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class PredictionFilters:
    """What a list is narrowed by; an empty field does not narrow."""

    text: str = ""
    external_id: str = ""
    customer: str = ""
    version: str = ""
    output: str = ""
    least_confidence: float | None = None
    most_confidence: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    segments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """Some predictions, and where the next ones begin; empty at the end."""

    rows: list[Prediction]
    next_cursor: str


def find_predictions(
    *, project: Project, filters: PredictionFilters, cursor: str = "", limit: int = 50
) -> Found:
    """The newest predictions that fit, after the cursor."""
    rows = narrowed(project=project, filters=filters)
    if cursor:
        at, pk = _read_cursor(cursor)
        rows = rows.filter(
            Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=pk), occurred_at__lte=at
        )
    found = list(rows.order_by("-occurred_at", "-pk")[: limit + 1])
    held = found[:limit]
    return Found(held, _cursor(held[-1]) if len(found) > limit else "")


def narrowed(*, project: Project, filters: PredictionFilters) -> PredictionQuerySet:
    rows = Prediction.objects.of(project)
    if filters.text.strip():
        rows = rows.filter(matching(project, filters.text))
    exact = {
        "external_id": filters.external_id,
        "customer_ref": filters.customer,
        "version__name": filters.version,
        "output": filters.output,
        "confidence__gte": filters.least_confidence,
        "confidence__lte": filters.most_confidence,
        "occurred_at__gte": filters.since,
        "occurred_at__lt": filters.until,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value not in {None, ""}})
    for key, value in filters.segments.items():
        rows = rows.filter(Exact(KeyTextTransform(key, "segments"), value))
    return rows


def matching(project: Project, typed: str) -> Q:
    """An id, a customer, a ticket, or words of the input: whatever was typed, it is a condition.

    One list of ids, where it is short, and not conditions joined by OR, which no index can serve.
    """
    wanted = typed.strip().replace("\x00", "")
    statements = [BY_ID, BY_CUSTOMER, BY_TICKET[connection.vendor]]
    values: list[str | int] = [project.pk, wanted, project.pk, wanted, project.pk, wanted.lower()]
    words = query_words(project, typed)
    if words and words.is_common():
        return Q(pk__in=_union(statements, values)) | Q(words.of_this_row())
    if words:
        statements, values = [*statements, words.statement], [*values, *words.values]
    return Q(pk__in=_union(statements, values))


def _union(statements: list[str], values: list[str | int]) -> RawSQL:
    return RawSQL(" UNION ".join(statements), values)  # noqa: S611  Only constants of these modules.


def read_filters(project: Project, asked: Mapping[str, str]) -> PredictionFilters:
    """The filters of an address; raises Invalid for one that is not declared, or a bad value."""
    values: dict[str, Any] = {"segments": {}}
    for name, raw in asked.items():
        key = name.removeprefix(SEGMENT)
        if name in _READ:
            target, read = _READ[name]
            values[target] = read(name, raw)
        elif key != name and key in project.segment_keys:
            values["segments"][key] = _text(name, raw)
        else:
            segments = [f"{SEGMENT}{known}" for known in project.segment_keys]
            known = ", ".join([*_READ, *segments])
            raise Invalid(f"There is no filter {name[:80]!r}. Choose of: {known}.")
    return PredictionFilters(**values)


def _text(name: str, raw: str) -> str:
    if "\x00" in raw:
        raise Invalid(f"{name} holds a NUL character.")
    return raw


def _share(name: str, raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise Invalid(f"{name} must be a number between 0 and 1.")
    return value


def _since(name: str, raw: str) -> datetime:
    try:
        return _read_time(raw)
    except (ValueError, OverflowError):
        raise Invalid(f"{name} must be a day or a time such as 2026-03-01T10:00:00Z.") from None


def _until(name: str, raw: str) -> datetime:
    """A time is the first left out; a day is the last that is in."""
    at = _since(name, raw)
    if "T" in raw:
        return at
    return at + timedelta(days=1) if at < LAST_DAY else LAST_DAY


def _read_time(raw: str) -> datetime:
    # A plus sign of an address arrives as a space.
    at = datetime.fromisoformat(raw.replace(" ", "+") if "T" in raw else raw)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


_READ: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "q": ("text", _text),
    "external_id": ("external_id", _text),
    "customer": ("customer", _text),
    "version": ("version", _text),
    "output": ("output", _text),
    "min_confidence": ("least_confidence", _share),
    "max_confidence": ("most_confidence", _share),
    "since": ("since", _since),
    "until": ("until", _until),
}


def _cursor(last: Prediction) -> str:
    plain = f"{last.occurred_at.astimezone(UTC).isoformat()} {last.pk}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, _, pk = plain.partition(" ")
        read = datetime.fromisoformat(at).replace(tzinfo=UTC), int(pk)
    except (ValueError, binascii.Error):
        raise Invalid("This cursor is not one of ours. Begin again without it.") from None
    if not 0 < read[1] <= LARGEST_ID:
        raise Invalid("This cursor is not one of ours. Begin again without it.")
    return read
