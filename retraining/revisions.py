"""A batch's immutable revisions: what is pinned, under one hash, and whether it still stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from events.recording import record
from labeling.models import GroundTruth, Item
from projects.errors import Conflict, NotFound
from projects.identity import EVALUATION
from projects.models import Project, User
from projects.versions import find_champion
from retraining.eligible import champion_dataset, eligible_items
from retraining.models import (
    Batch,
    BatchRevision,
    BatchRow,
    DatasetRow,
    DatasetVersion,
    DroppedRow,
)
from retraining.near_duplicates import NearDuplicate, Row, find_near_duplicates
from retraining.words import count_of

INSERT_AT_ONCE = 2_000
TEXT = "text"


@dataclass(frozen=True)
class Correction:
    """A pinned row whose accepted answer is another one now, or none."""

    item_id: int
    was: str
    now: str  # Empty: the answer was withdrawn.


@dataclass(frozen=True)
class Difference:
    """What has happened to a revision since it was made."""

    corrected: tuple[Correction, ...]
    has_lost_rows: bool  # By erasure: the pinned rows are no longer those of the hash.
    champion_then: str
    champion_now: str
    retired_classes: tuple[str, ...]
    newer_count: int  # Rows that came since; they wait for the next batch.

    @property
    def holds(self) -> bool:
        """Whether the revision can still be approved, or started, as it is."""
        is_same_champion = self.champion_then == self.champion_now
        return not (self.corrected or self.has_lost_rows or self.retired_classes) and (
            is_same_champion
        )

    @property
    def sentences(self) -> list[str]:
        """For the page and for the refusal."""
        said = []
        if self.corrected:
            first = self.corrected[0]
            said.append(
                f"Corrected since: {count_of(len(self.corrected), 'row')}, "
                f"the first from {first.was!r} to {first.now or 'no answer'!r}."
            )
        if self.has_lost_rows:
            said.append("Rows of it were erased.")
        if self.retired_classes:
            said.append(f"Retired since: {', '.join(self.retired_classes)}.")
        if self.champion_then != self.champion_now:
            then, now = self.champion_then or "none", self.champion_now or "none"
            said.append(f"The live version was {then} and is {now} now.")
        if self.newer_count:
            said.append(f"Newer, for the next batch: {count_of(self.newer_count, 'row')}.")
        return said


def make_revision(*, batch: Batch, by: User | None, at: datetime) -> BatchRevision:
    """Pin what is eligible now; the caller holds the batch's lock."""
    project = batch.project
    parent = champion_dataset(project)
    candidates = eligible_items(project, besides=batch)
    near = near_duplicates_of(project, candidates)
    rows = candidates.exclude(pk__in=[one.key for one in near]).order_by("pk")
    retired = retired_truths(parent)
    last = batch.revisions.order_by("number").last()
    revision = BatchRevision.objects.create(
        project=project,
        batch=batch,
        number=last.number + 1 if last else 1,
        hash="",
        parent=parent,
        champion=find_champion(project),
        retired=retired,
        classes=_classes(project, parent, rows),
        trainer=project.trainer,
        created_at=at,
    )
    _pin(revision, rows, near)
    revision.hash = hash_of(revision)
    revision.save(update_fields=["hash"])
    number = revision.number
    record("batch.revised", subject=batch, at=at, actor=by, revision=number, hash=revision.hash)
    return revision


@transaction.atomic
def refresh_batch(*, batch: Batch, by: User, at: datetime) -> BatchRevision:
    """A new revision from what is there now; the same content is the same revision."""
    locked = Batch.objects.select_for_update().select_related("project").get(pk=batch.pk)
    if locked.state != Batch.State.PROPOSED:
        raise Conflict(f"Batch {locked.number} is {locked.state}: it can no longer change.")
    newest = newest_revision(locked)
    with transaction.atomic():
        revision = make_revision(batch=locked, by=by, at=at)
        if not revision.rows.exists():
            raise Conflict("Nothing would be left in this batch. Reject it instead.")
        if revision.hash == newest.hash:
            transaction.set_rollback(True)
            return newest
    return revision


def newest_revision(batch: Batch) -> BatchRevision:
    """What a person reads on the batch's page, until one is approved."""
    revision = batch.revisions.select_related("parent", "champion").order_by("number").last()
    if revision is None:
        raise NotFound(f"Batch {batch.number} has no revision.")
    return revision


def access_revision(batch: Batch, digest: str) -> BatchRevision:
    """The newest revision with that hash."""
    found = batch.revisions.filter(hash=digest).order_by("number").last()
    if found is None:
        raise Conflict("This batch has no such revision. Reload the page and read it again.")
    return found


def hash_of(revision: BatchRevision) -> str:
    """SHA-256 over canonical JSON of what is pinned: equal content, equal hash."""
    rows = revision.rows.values_list("item__identity", "truth__revision", "truth__answer__name")
    retired = GroundTruth.objects.filter(pk__in=revision.retired)
    content = {
        "parent": revision.parent.manifest_id if revision.parent else None,
        "rows": sorted(list(row) for row in rows),
        "retired": sorted(list(row) for row in retired.values_list("item__identity", "revision")),
        "classes": revision.classes,
        "trainer": revision.trainer,
        "parameters": revision.parameters,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def difference_of(revision: BatchRevision) -> Difference:
    """What has changed under a revision since it was made."""
    project = revision.project
    champion = find_champion(project)
    retired = revision.rows.filter(truth__answer__retired_at__isnull=False)
    newer = eligible_items(project, besides=revision.batch)
    return Difference(
        corrected=tuple(
            Correction(item_id, was, now or "")
            for item_id, was, now in no_longer_current(revision).values_list(
                "item_id", "truth__answer__name", "item__truth__answer__name"
            )
        ),
        has_lost_rows=hash_of(revision) != revision.hash,
        champion_then=revision.champion.name if revision.champion else "",
        champion_now=champion.name if champion else "",
        retired_classes=tuple(sorted(set(retired.values_list("truth__answer__name", flat=True)))),
        newer_count=newer.exclude(truth__in=revision.rows.values("truth"))
        .exclude(pk__in=revision.dropped.values("item"))
        .count(),
    )


def no_longer_current(revision: BatchRevision) -> QuerySet[BatchRow]:
    """Pinned rows that are not their item's accepted answer any more."""
    stands = Q(item__truth=F("truth"), item__state=Item.State.RESOLVED)
    return revision.rows.exclude(stands).order_by("item_id")


def retired_truths(parent: DatasetVersion | None) -> list[int]:
    """The parent's rows that no longer stand: corrected, withdrawn, or of a retired class."""
    stands = Q(item__truth=F("truth"), truth__answer__retired_at=None)
    gone = DatasetRow.objects.standing(parent).exclude(stands)
    return sorted(gone.values_list("truth_id", flat=True))


def near_duplicates_of(project: Project, items: QuerySet[Item]) -> list[NearDuplicate]:
    """Those of the items that are too close to an evaluation row; for texts."""
    if project.task_type != TEXT:
        return []
    held_out = Item.objects.filter(project=project, use=EVALUATION).exclude(
        state=Item.State.WITHDRAWN
    )
    return find_near_duplicates(_texts(project, items), of=_texts(project, held_out))


def _texts(project: Project, items: QuerySet[Item]) -> Iterable[Row]:
    fields = project.context_fields
    for pk, value, context in items.order_by("pk").values_list("pk", "input", "context"):
        yield Row(pk, value["text"], tuple(str(context.get(field, "")) for field in fields))


def _classes(project: Project, parent: DatasetVersion | None, rows: QuerySet[Item]) -> list[str]:
    """The classes the version will know, in the project's order."""
    learned = set(rows.values_list("truth__answer__name", flat=True).distinct())
    learned |= set(parent.counts.get("classes", {})) if parent else set()
    active = project.classes.filter(retired_at=None)
    return [name for name in active.values_list("name", flat=True) if name in learned]


def _pin(revision: BatchRevision, rows: QuerySet[Item], near: list[NearDuplicate]) -> None:
    BatchRow.objects.bulk_create(
        (
            BatchRow(
                project_id=revision.project_id,
                revision=revision,
                item_id=item_id,
                truth_id=truth_id,
            )
            for item_id, truth_id in rows.values_list("pk", "truth_id")
        ),
        batch_size=INSERT_AT_ONCE,
    )
    DroppedRow.objects.bulk_create(
        DroppedRow(
            project_id=revision.project_id,
            revision=revision,
            item_id=one.key,
            evaluation_item_id=one.other,
            similarity=one.similarity,
        )
        for one in near
    )
