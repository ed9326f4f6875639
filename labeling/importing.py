"""Rows that a team has labelled itself: its base training set and its own test set.

They become items like all others, resolved by their import, so that one identity is one item
with one use: a test row equal to a training row is refused, and the other way round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice

from django.db import transaction

from events.recording import record
from feedback.models import Import
from labeling.models import GroundTruth, Item, ItemSource
from projects.classes import add_class
from projects.identity import identity_of
from projects.models import LabelClass, Project
from projects.task_types.base import Input

CHUNK = 1_000


class RowResult(StrEnum):
    """What became of one row."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class LabelledInput:
    """A row to import; `line` is where it stands in its file."""

    line: int
    value: Input
    label: str
    segments: dict[str, str] = field(default_factory=dict)
    context: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowAnswer:
    line: int
    result: RowResult
    reason: str = ""


OTHER_USE = {
    Item.Use.EVALUATION: "equals an input used for training, so it cannot test",
    Item.Use.TRAIN: "equals an input used for evaluation, so it cannot train",
}


def store_labelled_rows(
    *,
    imported: Import,
    rows: Iterable[LabelledInput],
    use: str,
    at: datetime,
    add_classes: bool = False,
) -> Iterator[list[RowAnswer]]:
    """Store the rows chunk by chunk, each chunk in one transaction; yields what became of them."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield _store_chunk(imported, chunk, use=use, at=at, add_classes=add_classes)


@transaction.atomic
def _store_chunk(
    imported: Import, chunk: list[LabelledInput], *, use: str, at: datetime, add_classes: bool
) -> list[RowAnswer]:
    project = imported.project
    classes = {c.name: c for c in project.classes.filter(retired_at=None)}
    identities = [identity_of(project, row.value, row.context) for row in chunk]
    known = dict(
        Item.objects.filter(project=project, identity__in=identities).values_list("identity", "use")
    )
    answers, new = [], {}
    for row, identity in zip(chunk, identities, strict=True):
        if add_classes and row.label not in classes:
            classes[row.label] = add_class(project=project, name=row.label, at=at, by=imported.by)
        answer = _judge(row, known.get(identity), use, classes)
        if answer.result == RowResult.ACCEPTED:
            known[identity] = use
            new[identity] = row
        answers.append(answer)
    _create(project, imported, new, use=use, at=at, classes=classes)
    counts = Counter(answer.result for answer in answers)
    record("rows.imported", subject=imported, at=at, actor=imported.by, **_named(counts))
    return answers


def _judge(
    row: LabelledInput, known_use: str | None, use: str, classes: dict[str, LabelClass]
) -> RowAnswer:
    if row.label not in classes:
        return RowAnswer(row.line, RowResult.REJECTED, f"{row.label!r} is not a class")
    if known_use is None:
        return RowAnswer(row.line, RowResult.ACCEPTED)
    if known_use != use:
        return RowAnswer(row.line, RowResult.CONFLICT, OTHER_USE[Item.Use(use)])
    return RowAnswer(row.line, RowResult.DUPLICATE)


def _create(
    project: Project,
    imported: Import,
    new: dict[str, LabelledInput],
    *,
    use: str,
    at: datetime,
    classes: dict[str, LabelClass],
) -> None:
    items = Item.objects.bulk_create(
        Item(
            project=project,
            identity=identity,
            input=dict(row.value),
            context=row.context,
            segments=row.segments,
            use=use,
            state=Item.State.RESOLVED,
            created_at=at,
            resolved_at=at,
        )
        for identity, row in new.items()
    )
    truths = GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item=item,
            round=item.round,
            revision=1,
            answer=classes[row.label],
            method=GroundTruth.Method.IMPORT,
            confidence=1.0,
            by=imported.by,
            at=at,
        )
        for item, row in zip(items, new.values(), strict=True)
    )
    _point_to_truths(items, truths)
    ItemSource.objects.bulk_create(
        ItemSource(
            project=project,
            item=item,
            kind=ItemSource.Kind.IMPORT,
            reference=imported.pk,
            at=at,
        )
        for item in items
    )


def _point_to_truths(items: Sequence[Item], truths: Sequence[GroundTruth]) -> None:
    for item, truth in zip(items, truths, strict=True):
        item.truth = truth
    Item.objects.bulk_update(items, ["truth"], batch_size=CHUNK)


def _named(counts: Counter[RowResult]) -> dict[str, int]:
    return {str(result): count for result, count in counts.items()}
