"""Insert many predictions at once, and tell the new ones from those that were there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from feedback.models import Prediction

# Rows of one transaction. SQLite has one writer at a time, who must not hold up the others.
CHUNK_ROWS = {"sqlite": 1_000, "postgresql": 10_000}

Key = tuple[str, int]  # external id, version


class PredictionRow(NamedTuple):
    """The columns of one prediction that differ from row to row, ready for the database."""

    external_id: str
    version_id: int
    input: str
    context: str
    output: str
    confidence: float | None
    scores: str | None
    segments: str
    customer_ref: str
    occurred_at: datetime
    identity: str
    body_hash: str

    @property
    def key(self) -> Key:
        return self.external_id, self.version_id


@dataclass(frozen=True)
class Insertion:
    """What became of the rows: ids of the new ones, hashes of those that were there before."""

    new_ids: dict[Key, int]
    known_hashes: dict[Key, str]


@dataclass(frozen=True)
class Shared:
    """The columns that are equal in all rows of a call."""

    project_id: int
    received_at: datetime
    import_id: int | None


COLUMNS = ", ".join(PredictionRow._fields)
TABLE = Prediction._meta.db_table

CREATE_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_prediction (
    external_id text, version_id bigint, input jsonb, context jsonb, output text,
    confidence double precision, scores jsonb, segments jsonb, customer_ref text,
    occurred_at timestamptz, identity text, body_hash text
) ON COMMIT DELETE ROWS
"""
EMPTY_STAGE = "DELETE FROM incoming_prediction"
COPY_TO_STAGE = f"COPY incoming_prediction ({COLUMNS}) FROM STDIN"
# In one order in every transaction, so that two that send the same ids cannot block each other.
INSERT_FROM_STAGE = f"""
INSERT INTO {TABLE} ({COLUMNS}, project_id, received_at, imported_id)
SELECT {COLUMNS}, %s, %s, %s FROM incoming_prediction ORDER BY external_id, version_id
ON CONFLICT (project_id, external_id, version_id) DO NOTHING
RETURNING external_id, version_id, id
"""  # noqa: S608  Only names from this module.
INSERT_ROWS = f"""
INSERT INTO {TABLE} ({COLUMNS}, project_id, received_at, imported_id)
VALUES ({", ".join(["%s"] * 15)}) ON CONFLICT DO NOTHING
"""  # noqa: S608  Only names from this module.


def insert_rows(rows: Sequence[PredictionRow], shared: Shared) -> Insertion:
    """Insert rows with distinct keys; those whose key is taken stay as they are."""
    if not rows:
        return Insertion({}, {})
    insert = _insert_by_copy if connection.vendor == "postgresql" else _insert_one_by_one
    new_ids = insert(rows, shared)
    known = [row.external_id for row in rows if row.key not in new_ids]
    return Insertion(new_ids, _hashes(shared.project_id, known))


def _insert_by_copy(rows: Sequence[PredictionRow], shared: Shared) -> dict[Key, int]:
    with connection.cursor() as cursor:
        cursor.execute(CREATE_STAGE)
        cursor.execute(EMPTY_STAGE)
        with cursor.copy(COPY_TO_STAGE) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(INSERT_FROM_STAGE, [shared.project_id, shared.received_at, shared.import_id])
        return {(external_id, version_id): pk for external_id, version_id, pk in cursor}


def _insert_one_by_one(rows: Sequence[PredictionRow], shared: Shared) -> dict[Key, int]:
    """SQLite: the transaction holds the only writer, so every higher id is one of ours."""
    before = Prediction.objects.aggregate(last=Max("id"))["last"] or 0
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_ROWS, [_as_stored(row, shared) for row in rows])
    added = Prediction.objects.filter(id__gt=before).values_list("external_id", "version_id", "id")
    return {(external_id, version_id): pk for external_id, version_id, pk in added}


def _as_stored(row: PredictionRow, shared: Shared) -> tuple[str | float | None, ...]:
    """The values in the order of the columns, times as this database keeps them."""
    keep = connection.ops.adapt_datetimefield_value
    fields = {**row._asdict(), "occurred_at": keep(row.occurred_at)}
    return *fields.values(), shared.project_id, keep(shared.received_at), shared.import_id


def _hashes(project_id: int, external_ids: Iterable[str]) -> dict[Key, str]:
    found = Prediction.objects.filter(project_id=project_id, external_id__in=list(external_ids))
    rows = found.values_list("external_id", "version_id", "body_hash")
    return {(name, version): body_hash for name, version, body_hash in rows}
