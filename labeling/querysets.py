"""Reads of items, slots, leases, annotations and ground truth."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, models
from django.db.models import Exists, OuterRef, Q

if TYPE_CHECKING:
    from labeling.models import Annotation, GroundTruth, Item, Lease, Slot
    from projects.models import Project


class ItemQuerySet(models.QuerySet["Item"]):
    def lock(self, item_id: int) -> Item:
        """The item, held until the transaction ends: every settlement goes through here."""
        return self.select_for_update().get(pk=item_id)

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
        return self.filter(
            Q(order_key__gt=order_key) | Q(order_key=order_key, id__gt=slot_id),
            order_key__gte=order_key,
        )

    def expired(self, at: datetime) -> SlotQuerySet:
        return self.filter(state="leased", lease_until__lt=at)

    def skip_locked(self) -> SlotQuerySet:
        """Rows that nobody else is claiming, where the database can tell."""
        if connection.features.has_select_for_update_skip_locked:
            return self.select_for_update(skip_locked=True, of=("self",))
        return self


class LeaseQuerySet(models.QuerySet["Lease"]):
    def newest(self, *, annotator_id: int, queue_id: int) -> Lease | None:
        mine = self.filter(annotator_id=annotator_id, queue_id=queue_id)
        return mine.order_by("-id").first()


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def answers(self) -> AnnotationQuerySet:
        """Answers that have not been undone."""
        undo = self.model.objects.filter(undoes=OuterRef("pk"))
        return self.filter(~Exists(undo), undoes=None)

    def counting(self, *, item_id: int, round_number: int) -> AnnotationQuerySet:
        """What fills the item's slots in this round."""
        return self.answers().filter(
            item_id=item_id, round=round_number, slot__isnull=False, slot__state="filled"
        )


class GroundTruthQuerySet(models.QuerySet["GroundTruth"]):
    def history(self, item_id: int) -> GroundTruthQuerySet:
        return self.filter(item_id=item_id).order_by("revision")
