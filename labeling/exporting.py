"""Items and ground truth as JSON lines, read from the database as they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import F

from labeling.models import GroundTruth, Item
from projects.models import Project

ROWS_AT_ONCE = 2_000


class ItemLine(msgspec.Struct):
    """One item, without what anybody or any model says about it."""

    id: int
    code: str
    use: str
    state: str
    round: int
    input: dict[str, Any]
    context: dict[str, Any]
    segments: dict[str, str]
    sources: list[str] | None
    created_at: datetime
    resolved_at: datetime | None


class TruthLine(msgspec.Struct):
    """The accepted answer for one item, as it stands now."""

    id: int
    item: int
    use: str
    input: dict[str, Any]
    context: dict[str, Any]
    segments: dict[str, str]
    answer: str | None
    is_outside: bool
    proposed_name: str
    method: str
    confidence: float | None
    revision: int
    guideline: int | None
    at: datetime


def export_items(*, project: Project, after: int = 0, use: str = "") -> Iterator[bytes]:
    """A line for each item with a higher id, in their order."""
    items = Item.objects.filter(project=project, pk__gt=after).order_by("pk")
    if use:
        items = items.filter(use=use)
    rows = items.prefetch_related("sources").iterator(chunk_size=ROWS_AT_ONCE)
    for item in rows:
        yield _line(
            ItemLine(
                id=item.pk,
                code=str(item.code),
                use=item.use,
                state=item.state,
                round=item.round,
                input=item.input,
                context=item.context,
                segments=item.segments,
                sources=_sources(item),
                created_at=item.created_at,
                resolved_at=item.resolved_at,
            )
        )


def export_truths(*, project: Project, after: int = 0, use: str = "") -> Iterator[bytes]:
    """A line for each ground truth that stands and has a higher id, in their order."""
    standing = GroundTruth.objects.filter(project=project, pk__gt=after, item__state="resolved")
    truths = standing.filter(item__truth=F("pk")).order_by("pk")
    if use:
        truths = truths.filter(item__use=use)
    rows = truths.select_related("item", "answer", "guideline").iterator(chunk_size=ROWS_AT_ONCE)
    for truth in rows:
        yield _line(
            TruthLine(
                id=truth.pk,
                item=truth.item_id,
                use=truth.item.use,
                input=truth.item.input,
                context=truth.item.context,
                segments=truth.item.segments,
                answer=truth.answer.name if truth.answer else None,
                is_outside=truth.is_outside,
                proposed_name=truth.proposed_name,
                method=truth.method,
                confidence=truth.confidence,
                revision=truth.revision,
                guideline=truth.guideline.number if truth.guideline else None,
                at=truth.at,
            )
        )


def _sources(item: Item) -> list[str] | None:
    """Not before it is settled: in a blind queue nobody may learn that it was flagged."""
    if item.state in {Item.State.OPEN, Item.State.DISPUTED}:
        return None
    return sorted({source.kind for source in item.sources.all()})


def _line(row: msgspec.Struct) -> bytes:
    return msgspec.json.encode(row) + b"\n"
