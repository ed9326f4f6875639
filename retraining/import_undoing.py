"""Take a whole import back, until something refers to its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet

from events.recording import record
from feedback import search_index
from feedback.models import AuditDraw, Flag, Import, Prediction
from labeling.models import Item, ItemSource, Lease
from projects.errors import Conflict, NotFound
from projects.models import Project, User
from retraining.models import DroppedRow, Evaluation

BATCH = 500
ENDED = {Import.State.DONE, Import.State.FAILED}
OF_PREDICTIONS = {ItemSource.Kind.UNCERTAINTY, ItemSource.Kind.NOVELTY}


def access_import(project: Project, pk: int) -> Import:
    found = Import.objects.filter(project=project, pk=pk).select_related("project").first()
    if found is None:
        raise NotFound("There is no such import in this project.")
    return found


def undo_import(*, imported: Import, by: User, at: datetime) -> int:
    """Remove every row that this import brought, or none; returns how many there were."""
    try:
        with transaction.atomic():
            return _undo(imported, by, at)
    except (ProtectedError, IntegrityError):
        raise _in_use("Something has come to refer to its rows.") from None


def _undo(imported: Import, by: User, at: datetime) -> int:
    ended = Import.objects.filter(pk=imported.pk, state__in=ENDED)
    if not ended.update(state=Import.State.UNDONE):
        raise Conflict("Only an import that has ended can be undone, and only once.")
    if imported.kind == Import.Kind.PREDICTIONS:
        removed = _remove_predictions(imported)
    else:
        removed = _remove_items(imported)
    record("import.undone", subject=imported, at=at, actor=by, removed=removed)
    return removed


def _remove_predictions(imported: Import) -> int:
    mine = Prediction.objects.filter(imported=imported)
    draws = AuditDraw.objects.filter(prediction__imported=imported)
    queued = ItemSource.objects.filter(
        project=imported.project, kind__in=OF_PREDICTIONS, reference__in=mine.values("pk")
    )
    _refuse_if(Flag.objects.filter(prediction__imported=imported), "flagged")
    _refuse_if(draws.exclude(routed_at=None), "drawn for audit and queued")
    _refuse_if(queued, "queued for an answer")
    search_index.forget(mine.values_list("pk", flat=True).iterator())
    draws.delete()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # Else a flag is only seen at the end.
        cursor.execute("DELETE FROM feedback_prediction WHERE imported_id = %s", [imported.pk])
        return int(cursor.rowcount)


def _remove_items(imported: Import) -> int:
    """Items that this import made and no other names; the rest only lose it as a source."""
    sources = ItemSource.objects.filter(
        project=imported.project, kind=ItemSource.Kind.IMPORT, reference=imported.pk
    )
    earlier = ItemSource.objects.filter(item=OuterRef("item"), pk__lt=OuterRef("pk"))
    made = Item.objects.filter(pk__in=sources.filter(~Exists(earlier)).values("item"))
    others = ItemSource.objects.filter(item__in=made).exclude(pk__in=sources.values("pk"))
    _refuse_if(others.exclude(kind=ItemSource.Kind.IMPORT), "flagged, drawn or queued since")
    _refuse_if(Lease.objects.filter(item__in=made), "given to annotators")
    _refuse_if(DroppedRow.objects.filter(evaluation_item__in=made), "compared with training rows")
    _refuse_if(DroppedRow.objects.filter(item__in=made), "part of a batch")
    if imported.kind == Import.Kind.EVALUATION:
        measured = Evaluation.objects.filter(project=imported.project, at__gte=imported.created_at)
        _refuse_if(measured, "used to measure a candidate")
    gone = list(made.exclude(pk__in=others.values("item")).values_list("pk", flat=True))
    sources.delete()
    for start in range(0, len(gone), BATCH):
        Item.objects.filter(pk__in=gone[start : start + BATCH]).delete()
    return len(gone)


def _refuse_if(rows: QuerySet[Any], what: str) -> None:
    if count := rows.count():
        raise _in_use(f"{count:,} of its rows have been {what}.")


def _in_use(why: str) -> Conflict:
    return Conflict(f"{why} An import can be undone until something refers to its rows.")
