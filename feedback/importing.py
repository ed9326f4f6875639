"""Bring in a file of rows as a job: in chunks with a checkpoint each, so that it can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Any

import msgspec
from django.db import transaction

from events.recording import record
from feedback.models import Import
from feedback.table_reading import Row, Table, read_table
from jobs.adding import add_job
from jobs.errors import JobCancelled, JobFailed
from jobs.running import JobRun
from projects.errors import Invalid
from projects.files import read_file, store_file
from projects.models import Project, User

CHUNK_ROWS = 1_000
MOST_PROBLEMS = 100  # Kept with the import; the counts are of all.
WHOLE_FILE = 0  # The line of a problem that is not of a line.
COUNTS = ("accepted", "duplicates", "conflicts", "rejected", "refused")


UNDER_WAY = [Import.State.WAITING, Import.State.RUNNING]


@dataclass
class Tally:
    """What became of a chunk of rows."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    refused: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)

    def add_problem(self, line: int, reason: str) -> None:
        self.problems.append({"line": line, "reason": reason})


# Writes the checkpoint; to be called in the transaction that stores the chunk.
Checkpoint = Callable[[Tally], None]
StoreChunk = Callable[[Import, list[Row], Checkpoint], None]


@transaction.atomic
def start_import(
    *,
    project: Project,
    kind: str,
    job: str,
    content: bytes,
    file_name: str,
    mapping: msgspec.Struct,
    columns: Iterable[str],
    by: User | None,
    at: datetime,
) -> Import:
    """Keep the file, check that it has the columns, and add the job that reads it."""
    read_table(content, file_name=file_name).check_columns(list(columns))
    stored = store_file(content=content, media_type="text/plain", at=at, project=project)
    imported = Import.objects.create(
        project=project,
        kind=kind,
        file_name=file_name[:200],
        file_digest=stored.digest,
        mapping=msgspec.to_builtins(mapping),
        by=by,
        created_at=at,
    )
    imported.job = add_job(
        job, at=at, project_id=project.pk, key=f"import {imported.pk}", import_id=imported.pk
    )
    imported.save(update_fields=["job"])
    imported.job.total_count = max(content.count(b"\n"), 1)  # About: a cell may hold several lines.
    imported.job.save(update_fields=["total_count"])
    record("import.started", subject=imported, at=at, actor=by, kind=kind)
    return imported


def run_import(run: JobRun, *, import_id: int, store_chunk: StoreChunk) -> None:
    """Read the file from the last checkpoint on; a second run of a finished one does nothing.

    One that failed goes on from there too: only the button that retries its job leads here.
    """
    imported = Import.objects.select_related("project").get(pk=import_id)
    if imported.state in {Import.State.DONE, Import.State.UNDONE}:
        return
    table = _open(run, imported)
    imported.problems = [told for told in imported.problems if told["line"] != WHOLE_FILE]
    Import.objects.filter(pk=import_id).update(
        state=Import.State.RUNNING, problems=imported.problems, ended_at=None
    )
    rows = islice(table.rows(), imported.next_row, None)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        if run.is_cancel_requested():
            _end(run, imported, Import.State.FAILED)
            raise JobCancelled(f"Stopped after {imported.next_row:,} rows; what is in stays.")
        store_chunk(imported, chunk, _checkpoint(run, imported, len(chunk)))
        run.progress(imported.next_row, note=f"{imported.accepted:,} rows accepted")
    _end(run, imported, Import.State.DONE)


def end_lost_imports(*, at: datetime) -> int:
    """Those whose job ended without ending them fail with the job's reason."""
    under_way = Import.objects.filter(state__in=UNDER_WAY).select_related("job", "project")
    lost = [one for one in under_way if one.job is None or one.job.has_ended]
    return sum(_end_lost(imported, at=at) for imported in lost)


@transaction.atomic
def _end_lost(imported: Import, *, at: datetime) -> bool:
    reason = (imported.job.error if imported.job else "") or "Its job ended without a result."
    told = f"It stopped after {imported.next_row:,} rows; what is in stays. {reason}"
    problems = [{"line": WHOLE_FILE, "reason": told}, *imported.problems][:MOST_PROBLEMS]
    ended = Import.objects.filter(pk=imported.pk, state__in=UNDER_WAY).update(
        state=Import.State.FAILED, problems=problems, ended_at=at
    )
    if ended:
        _record_end(imported, Import.State.FAILED, at=at)
    return bool(ended)


def _open(run: JobRun, imported: Import) -> Table:
    try:
        return read_table(read_file(imported.file_digest), file_name=imported.file_name)
    except Invalid as error:
        imported.problems = [{"line": WHOLE_FILE, "reason": error.message}]
        imported.save(update_fields=["problems"])
        _end(run, imported, Import.State.FAILED)
        raise JobFailed(error.message) from error


def _checkpoint(run: JobRun, imported: Import, row_count: int) -> Checkpoint:
    def write(tally: Tally) -> None:
        run.hold()
        for name in COUNTS:
            setattr(imported, name, getattr(imported, name) + getattr(tally, name))
        problems = sorted(tally.problems, key=itemgetter("line"))
        imported.problems = [*imported.problems, *problems][:MOST_PROBLEMS]
        imported.next_row += row_count
        imported.save(update_fields=[*COUNTS, "problems", "next_row"])

    return write


@transaction.atomic
def _end(run: JobRun, imported: Import, state: str) -> None:
    run.hold()
    at = run.now()
    Import.objects.filter(pk=imported.pk).update(state=state, ended_at=at)
    _record_end(imported, state, at=at)


def _record_end(imported: Import, state: str, *, at: datetime) -> None:
    record(
        "import.ended",
        subject=imported,
        at=at,
        state=state,
        **{name: getattr(imported, name) for name in COUNTS},
    )
