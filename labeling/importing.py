"""Rows that a team has labeled itself: its base training set and its own test set.

They become items like all others, resolved by their import, so that one identity is one item
with one use: a test row equal to a training row is refused, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice

from django.db import transaction
from django.db.models import OuterRef, Subquery

from events.recording import record
from feedback.models import Import
from labeling.models import GroundTruth, Item, ItemSource
from projects.classes import add_class, clean_class_name
from projects.errors import Invalid
from projects.identity import code_of, identity_of
from projects.models import LabelClass
from projects.task_types.base import Input

CHUNK = 1_000


class RowResult(StrEnum):
    """What became of one row."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    REFUSED = "refused"  # Known for the other use: training never sees an evaluation row.


@dataclass(frozen=True, slots=True)
class LabeledInput:
    """A row to import, its value cleaned; `line` is where it stands in its file."""

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


@dataclass(frozen=True, slots=True)
class _Known:
    """What is there, or comes earlier in the same chunk, under a row's identity."""

    use: str
    answer_id: int | None
    where: str
    item: Item | None = None


def store_labeled_rows(
    *,
    imported: Import,
    rows: Iterable[LabeledInput],
    use: str,
    at: datetime,
    add_classes: bool = False,
) -> Iterator[list[RowAnswer]]:
    """Store the rows chunk by chunk, each chunk in one transaction; yields what became of them."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield store_chunk(imported=imported, rows=chunk, use=use, at=at, add_classes=add_classes)


@transaction.atomic
def store_chunk(
    *,
    imported: Import,
    rows: Sequence[LabeledInput],
    use: str,
    at: datetime,
    add_classes: bool = False,
) -> list[RowAnswer]:
    """Make items of the inputs that are new, and judge the rest by what is there."""
    classes = _Classes(imported, at=at, may_add=add_classes)
    identities = [identity_of(imported.project, row.value, row.context) for row in rows]
    known = _known(imported, identities)
    new: dict[str, tuple[LabeledInput, LabelClass]] = {}
    same: list[Item] = []
    answers = []
    for row, identity in zip(rows, identities, strict=True):
        try:
            label = classes.access(row.label)
        except Invalid as error:
            answers.append(RowAnswer(row.line, RowResult.REJECTED, error.message))
            continue
        if there := known.get(identity):
            answer = _judge(row, label, there, use)
            if answer.result == RowResult.DUPLICATE and there.item:
                same.append(there.item)
        else:
            answer = RowAnswer(row.line, RowResult.ACCEPTED)
            known[identity] = _Known(use, label.pk, f"is {label.name!r} in line {row.line}")
            new[identity] = (row, label)
        answers.append(answer)
    made = _make_items(imported, new, use=use, at=at)
    _note_source(imported, [*made, *same], at=at)
    if made:
        record("items.imported", subject=imported, at=at, count=len(made), use=use)
    return answers


class _Classes:
    """The project's classes by name; accepts unknown ones where that was asked for."""

    def __init__(self, imported: Import, *, at: datetime, may_add: bool) -> None:
        self.imported = imported
        self.at = at
        self.may_add = may_add
        self.by_name = {found.name: found for found in imported.project.classes.all()}

    def access(self, raw: str) -> LabelClass:
        name = clean_class_name(raw)
        found = self.by_name.get(name)
        if found is None and self.may_add:
            found = self.by_name[name] = add_class(
                project=self.imported.project, name=name, at=self.at, by=self.imported.by
            )
        if found is None:
            raise Invalid(
                f"{name!r} is not a class of this project. Add it first, "
                "or import with 'add classes'."
            )
        if found.retired_at is not None:
            raise Invalid(f"the class {name!r} is retired.")
        return found


def _known(imported: Import, identities: list[str]) -> dict[str, _Known]:
    items = Item.objects.filter(project=imported.project, identity__in=identities)
    return {
        item.identity: _Known(
            use=item.use,
            answer_id=item.truth.answer_id if item.truth else None,
            where=_where(item),
            item=item,
        )
        for item in items.select_related("truth__answer")
    }


def _where(item: Item) -> str:
    if item.truth is None:
        return "waits for its answer in a queue"
    name = item.truth.answer.name if item.truth.answer else "none of these"
    return f"has been accepted as {name!r}"


def _judge(row: LabeledInput, label: LabelClass, there: _Known, use: str) -> RowAnswer:
    if there.use != use:
        reason = f"the same input is known for {there.use}, so it is never used for {use}."
        return RowAnswer(row.line, RowResult.REFUSED, reason)
    if there.answer_id == label.pk:
        return RowAnswer(row.line, RowResult.DUPLICATE)
    return RowAnswer(row.line, RowResult.CONFLICT, f"the same input {there.where}.")


def _make_items(
    imported: Import,
    new: dict[str, tuple[LabeledInput, LabelClass]],
    *,
    use: str,
    at: datetime,
) -> list[Item]:
    """Resolved items, each with its first ground truth."""
    items = Item.objects.bulk_create(
        Item(
            code=code_of(imported.project, identity=identity),
            project=imported.project,
            identity=identity,
            input=dict(row.value),
            context=row.context,
            segments=row.segments,
            use=use,
            state=Item.State.RESOLVED,
            created_at=at,
            resolved_at=at,
        )
        for identity, (row, _) in new.items()
    )
    GroundTruth.objects.bulk_create(
        GroundTruth(
            project=imported.project,
            item=item,
            round=item.round,
            revision=1,
            answer=new[item.identity][1],
            method=GroundTruth.Method.IMPORT,
            confidence=1.0,
            by=imported.by,
            at=at,
        )
        for item in items
    )
    first = GroundTruth.objects.filter(item=OuterRef("pk")).values("pk")[:1]
    Item.objects.filter(pk__in=[item.pk for item in items]).update(truth_id=Subquery(first))
    return items


def _note_source(imported: Import, items: list[Item], *, at: datetime) -> None:
    """Also items that were there: this import says the same of them."""
    ItemSource.objects.bulk_create(
        [
            ItemSource(
                project=imported.project,
                item=item,
                kind=ItemSource.Kind.IMPORT,
                reference=imported.pk,
                at=at,
            )
            for item in items
        ],
        ignore_conflicts=True,
    )
