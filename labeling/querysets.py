"""Reads of items, slots, leases, annotations and ground truth."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models import Exists, F, Max, OuterRef, Subquery, Value
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

if TYPE_CHECKING:
    from labeling.models import Annotation, GroundTruth, Item, Slot
    from projects.models import Project


class ItemQuerySet(models.QuerySet["Item"]):
    def lock(self, item_id: int) -> Item:
        """The item, held until the transaction ends: every settlement goes through here."""
        # No key: rows that refer to the item, as leases do, are written without waiting for it.
        return self.select_for_update(no_key=True).get(pk=item_id)

    def disputed(self, project: Project) -> ItemQuerySet:
        return self.filter(project=project, state="disputed").order_by("queued_at", "id")

    def settled(self, project: Project) -> ItemQuerySet:
        """Resolved with a class: what can be folded or evaluated."""
        return self.filter(
            project=project, state="resolved", truth__answer__isnull=False
        ).select_related("truth__answer")


class SlotQuerySet(models.QuerySet["Slot"]):
    def open_in(self, queue_id: int) -> SlotQuerySet:
        return self.filter(queue_id=queue_id, state="open").order_by("order_key", "id")

    def after(self, order_key: int, slot_id: int) -> SlotQuerySet:
        """Behind a place in the order, found in the index also where many keys are equal."""
        place = Tuple(F("order_key"), F("id"))
        return self.filter(TupleGreaterThan(place, (order_key, slot_id)))

    def without(self, rows: models.QuerySet[Any]) -> SlotQuerySet:
        """Leave out slots that have such a row, looked up slot by slot.

        A scalar subquery, because from NOT EXISTS a planner may make an anti join that reads
        everything a person ever did, for one slot; and a truth value, because of IS NULL it
        believes that it holds for one row in two hundred, and then sorts the whole queue.
        """
        found = Subquery(rows.values_list(Value(True))[:1], output_field=models.BooleanField())
        return self.filter(Exact(Coalesce(found, False), False))

    def expired(self, at: datetime) -> SlotQuerySet:
        return self.filter(state="leased", lease_until__lt=at)

    def skip_locked(self) -> SlotQuerySet:
        """Rows that nobody else is claiming, where the database can tell."""
        if connection.features.has_select_for_update_skip_locked:
            return self.select_for_update(skip_locked=True, of=("self",))
        return self


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def answers(self) -> AnnotationQuerySet:
        """Answers that have not been undone."""
        undo = self.model.objects.filter(undoes=OuterRef("pk"))
        return self.filter(~Exists(undo), undoes=None)

    def counting(self, *, item_id: int, round_number: int) -> AnnotationQuerySet:
        """What fills the item's slots in this round."""
        return self._in_places().filter(item_id=item_id, round=round_number)

    def counting_of(self, items: Collection[Item]) -> AnnotationQuerySet:
        """The same for some items, each in its own round."""
        return self._in_places().filter(item__in=items, round=F("item__round"))

    def _in_places(self) -> AnnotationQuerySet:
        return self.answers().filter(slot__isnull=False, slot__state="filled")


class GroundTruthQuerySet(models.QuerySet["GroundTruth"]):
    def history(self, item_id: int) -> GroundTruthQuerySet:
        return self.filter(item_id=item_id).order_by("revision")

    def next_revision(self, item_id: int) -> int:
        """For whoever holds the item's lock."""
        last: int | None = self.filter(item_id=item_id).aggregate(last=Max("revision"))["last"]
        return (last or 0) + 1
