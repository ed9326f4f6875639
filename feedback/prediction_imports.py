"""Predictions from a file: which column is what, and each row as a sent prediction."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from feedback.importing import Checkpoint, Tally, run_import, start_import
from feedback.ingestion import Content, Ingested, Result, Unreadable, store_predictions
from feedback.models import Import
from feedback.prediction_body import check_is_flat, convert_body
from feedback.table_reading import Row
from jobs.clock import UTC
from jobs.running import JobRun
from projects.errors import Invalid
from projects.models import Project, User

JOB = "feedback.import_predictions"


class PredictionMapping(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Names of columns; an empty one is not in the file."""

    input: str
    output: str
    # Without a column, rows are known by the file and their line.
    external_id: str = ""
    model_version: str = ""
    # The version of every row, where no column says it.
    version: str = ""
    confidence: str = ""
    customer_ref: str = ""
    occurred_at: str = ""
    segments: list[str] = []
    context: list[str] = []

    @property
    def columns(self) -> list[str]:
        single = [self.confidence, self.customer_ref, self.occurred_at]
        optional = [*single, *self.segments, *self.context]
        return [*self.needed, *(name for name in optional if name)]

    @property
    def needed(self) -> list[str]:
        """What every row has to say; a line of JSON may leave the rest out."""
        single = [self.input, self.output, self.external_id, self.model_version]
        return [name for name in single if name]


def start_prediction_import(
    *,
    project: Project,
    content: bytes,
    file_name: str,
    mapping: PredictionMapping,
    by: User | None,
    at: datetime,
) -> Import:
    """Check the mapping against the file, and add the job."""
    if bool(mapping.version.strip()) == bool(mapping.model_version):
        raise Invalid("Say which model version answered: a name for all rows, or a column.")
    if not (mapping.input and mapping.output):
        raise Invalid("Name the columns of the input and of the model's answer.")
    return start_import(
        project=project,
        kind=Import.Kind.PREDICTIONS,
        job=JOB,
        content=content,
        file_name=file_name,
        mapping=mapping,
        columns=mapping.columns,
        by=by,
        at=at,
    )


def import_predictions(run: JobRun, *, import_id: int) -> None:
    """The job: every good row becomes a prediction, every other one a problem with its line."""
    run_import(run, import_id=import_id, store_chunk=partial(_store_chunk, run))


def _store_chunk(run: JobRun, imported: Import, rows: list[Row], checkpoint: Checkpoint) -> None:
    mapping = msgspec.convert(imported.mapping, PredictionMapping)
    prefix = imported.file_digest[:12]

    def finish(ingested: Ingested) -> None:
        checkpoint(_tally(ingested))

    store_predictions(
        project=imported.project,
        lines=[(row.line, _content(row, mapping, prefix)) for row in rows],
        at=run.now(),
        imported=imported,
        with_last=finish,
    )


def _content(row: Row, mapping: PredictionMapping, prefix: str) -> Content:
    if row.problem:
        return Unreadable(row.problem)
    missing = [name for name in mapping.needed if name not in row.fields]
    if missing:
        return Unreadable(f"the line has no {missing[0]!r}.")
    try:
        return convert_body(_fields(row, mapping, prefix))
    except Invalid as error:
        return Unreadable(error.message)


def _fields(row: Row, mapping: PredictionMapping, prefix: str) -> dict[str, Any]:
    cells = row.fields
    id_column, version_column = mapping.external_id, mapping.model_version
    return {
        "external_id": as_text(cells[id_column]) if id_column else f"{prefix}-{row.line}",
        "model_version": as_text(cells[version_column]) if version_column else mapping.version,
        "input": cells[mapping.input],
        "output": as_text(cells[mapping.output]),
        "confidence": _share(cells.get(mapping.confidence)),
        "customer_ref": as_text(cells.get(mapping.customer_ref)),
        "occurred_at": _time(cells.get(mapping.occurred_at)),
        "segments": {name: cells[name] for name in mapping.segments if cells.get(name, "") != ""},
        "context": {name: cells[name] for name in mapping.context if name in cells},
    }


def as_text(cell: object) -> str:
    """A cell as a text: numbers of JSON lines are taken, an empty one is nothing.

    Raises Invalid for an object or a list.
    """
    check_is_flat(cell)
    return "" if cell is None else str(cell).strip()


def _share(cell: object) -> float | None:
    text = as_text(cell)
    try:
        number = float(text) if text else None
    except ValueError:
        raise Invalid(f"confidence: {text[:40]!r} is not a number.") from None
    if number is not None and not 0 <= number <= 1:
        raise Invalid(f"confidence: {text[:40]!r} is not between 0 and 1.")
    return number


def _time(cell: object) -> datetime | None:
    """ISO 8601; a time without a zone is taken as UTC, because files often leave it out."""
    text = as_text(cell)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"occurred_at: {text[:40]!r} is not a time such as 2026-03-01T10:00:00Z."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _tally(ingested: Ingested) -> Tally:
    tally = Tally(
        accepted=ingested.counts[Result.ACCEPTED],
        duplicates=ingested.counts[Result.DUPLICATE],
        conflicts=ingested.counts[Result.CONFLICT],
        rejected=ingested.counts[Result.REJECTED],
    )
    for answer in ingested.answers:
        if answer.reason:
            tally.add_problem(answer.line, answer.reason)
    return tally
