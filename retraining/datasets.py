"""Fold approved revisions into immutable dataset versions; imports pyarrow: workers only.

A version is its parent's shards plus new ones, minus superseded rows: folding costs what is new,
not what is there. A shard row is one pinned ground truth, by its id.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import Max

from events.recording import record
from projects.files import read_file, store_file
from projects.models import Project, StoredFile
from retraining.models import Batch, BatchRevision, BatchRow, DatasetRow, DatasetVersion
from retraining.raw_inputs import raw_input

FORMAT = "setright dataset manifest 1"
PARQUET = "application/vnd.apache.parquet"
SHARD_ROWS = 20_000
INSERT_AT_ONCE = 2_000

Hold = Callable[[], None]  # Raises unless the run that folds still owns its job.


@dataclass(frozen=True)
class Shard:
    """One immutable Parquet file of rows."""

    digest: str
    rows: int


@dataclass(frozen=True)
class DatasetManifest:
    """What a dataset version is made of."""

    shards: tuple[Shard, ...]
    superseded: tuple[str, ...]  # Row ids in the shards that are not part of it.
    row_count: int
    counts: dict[str, dict[str, int]]

    @property
    def files(self) -> dict[str, bytes]:
        """The shards by file name, checked against their digests."""
        return {f"{shard.digest}.parquet": read_file(shard.digest) for shard in self.shards}


NOTHING = DatasetManifest(shards=(), superseded=(), row_count=0, counts={})


def fold_batch(*, batch: Batch, at: datetime, hold: Hold) -> DatasetVersion:
    """The dataset version of the approved revision; folded once, however often it is asked for."""
    revision = batch.approved_revision
    if revision is None:
        raise ValueError("Only an approved revision is folded.")
    if batch.dataset is not None:
        return batch.dataset
    shards = [_store_shard(rows, batch.project, at=at) for rows in _slices(revision)]
    parent = read_manifest(revision.parent) if revision.parent else NOTHING
    manifest = _joined(parent, revision, tuple(shards))
    stored = _store_manifest(manifest, revision, at=at)
    return _create(batch, revision, manifest, stored, at=at, hold=hold)


def read_manifest(dataset: DatasetVersion) -> DatasetManifest:
    content = json.loads(read_file(dataset.manifest_id))
    return DatasetManifest(
        shards=tuple(Shard(**shard) for shard in content["shards"]),
        superseded=tuple(content["superseded"]),
        row_count=content["row_count"],
        counts=content["counts"],
    )


def read_rows(dataset: DatasetVersion) -> Iterator[dict[str, object]]:
    """Every row a model trained on this version learns from, shard by shard."""
    manifest = read_manifest(dataset)
    gone = set(manifest.superseded)
    for shard in manifest.shards:
        for row in read_shard(shard.digest):
            if row["row_id"] not in gone:
                yield row


def read_shard(digest: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(io.BytesIO(read_file(digest))).to_pylist()
    return rows


def _slices(revision: BatchRevision) -> Iterator[list[BatchRow]]:
    rows = (
        revision.rows.select_related("item", "truth__answer")
        .order_by("item__identity")
        .iterator(chunk_size=INSERT_AT_ONCE)
    )
    while part := list(islice(rows, SHARD_ROWS)):
        yield part


def _store_shard(rows: list[BatchRow], project: Project, *, at: datetime) -> Shard:
    columns = {
        "row_id": [str(row.truth_id) for row in rows],
        "item": [str(row.item.code) for row in rows],
        "identity": [row.item.identity for row in rows],
        "input": [raw_input(row.item.input) for row in rows],
        "label": [_label(row) for row in rows],
        "segments": [json.dumps(row.item.segments, sort_keys=True) for row in rows],
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    stored = store_file(content=out.getvalue(), media_type=PARQUET, at=at, project=project)
    return Shard(stored.digest, len(rows))


def _joined(
    parent: DatasetManifest, revision: BatchRevision, shards: tuple[Shard, ...]
) -> DatasetManifest:
    gone = DatasetRow.objects.standing(revision.parent).filter(truth_id__in=revision.retired)
    taken = _count(gone.values_list("truth__answer__name", "item__segments"))
    added = _count(revision.rows.values_list("truth__answer__name", "item__segments"))
    return DatasetManifest(
        shards=(*parent.shards, *shards),
        superseded=tuple(
            sorted({*parent.superseded, *(str(truth_id) for truth_id in revision.retired)})
        ),
        row_count=parent.row_count + sum(shard.rows for shard in shards) - gone.count(),
        counts=_sum(parent.counts, added, taken),
    )


def _count(rows: Iterable[tuple[str, dict[str, str]]]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {"classes": Counter()}
    for name, segments in rows:
        counts["classes"][name] += 1
        for key, value in segments.items():
            counts.setdefault(f"segment {key}", Counter())[value] += 1
    return counts


def _sum(
    before: dict[str, dict[str, int]],
    added: dict[str, Counter[str]],
    taken: dict[str, Counter[str]],
) -> dict[str, dict[str, int]]:
    total = {}
    for group in sorted({*before, *added}):
        counts = Counter(before.get(group, {}))
        counts.update(added.get(group, {}))
        counts.subtract(taken.get(group, {}))
        total[group] = {name: count for name, count in sorted(counts.items()) if count > 0}
    return total


def _store_manifest(
    manifest: DatasetManifest, revision: BatchRevision, *, at: datetime
) -> StoredFile:
    content = {
        "format": FORMAT,
        "parent": revision.parent.manifest_id if revision.parent else None,
        "revision": revision.hash,
        "shards": [vars(shard) for shard in manifest.shards],
        "superseded": manifest.superseded,
        "row_count": manifest.row_count,
        "counts": manifest.counts,
    }
    return store_file(
        content=json.dumps(content, sort_keys=True, ensure_ascii=False).encode(),
        media_type="application/json",
        at=at,
        project=revision.project,
    )


@transaction.atomic
def _create(
    batch: Batch,
    revision: BatchRevision,
    manifest: DatasetManifest,
    stored: StoredFile,
    *,
    at: datetime,
    hold: Hold,
) -> DatasetVersion:
    hold()
    project = Project.objects.select_for_update().get(pk=batch.project_id)
    last = DatasetVersion.objects.filter(project=project).aggregate(last=Max("number"))["last"]
    dataset = DatasetVersion.objects.create(
        project=project,
        number=(last or 0) + 1,
        parent=revision.parent,
        manifest=stored,
        row_count=manifest.row_count,
        added_count=revision.rows.count(),
        superseded=revision.retired,
        counts=manifest.counts,
        created_at=at,
    )
    DatasetRow.objects.bulk_create(
        (
            DatasetRow(project=project, dataset=dataset, item_id=item_id, truth_id=truth_id)
            for item_id, truth_id in revision.rows.values_list("item_id", "truth_id")
        ),
        batch_size=INSERT_AT_ONCE,
    )
    Batch.objects.filter(pk=batch.pk).update(dataset=dataset)
    batch.dataset = dataset
    record("dataset.folded", subject=dataset, at=at, rows=dataset.row_count, batch=batch.pk)
    return dataset


def _label(row: BatchRow) -> str:
    if row.truth.answer is None:
        raise ValueError(f"Row {row.pk} pins an answer outside every class.")
    return row.truth.answer.name
