"""Labeled rows from a file, as a job: which column is what, and each row with its class."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction

from feedback.importing import Checkpoint, Tally, run_import, start_import
from feedback.inputs import InputReader
from feedback.models import Import
from feedback.prediction_body import check_depth, check_segments, holds_nul
from feedback.prediction_imports import as_text
from feedback.table_reading import Row
from jobs.running import JobRun
from labeling.importing import LabeledInput, RowAnswer, RowResult, store_chunk
from labeling.models import Item
from projects.errors import Invalid
from projects.models import Project, User

JOB = "labeling.import_rows"
USE_OF = {Import.Kind.TRAINING: Item.Use.TRAIN, Import.Kind.EVALUATION: Item.Use.EVALUATION}
YES = frozenset({"1", "yes", "y", "true", "t"})
NO = frozenset({"0", "no", "n", "false", "f", ""})


class RowMapping(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Names of columns, and what is true of all rows."""

    input: str
    label: str
    segments: list[str] = []
    context: list[str] = []
    # The live model was trained on these rows: on all of them, or where the column says so.
    trained_on: bool = False
    trained_on_column: str = ""
    # Of a file with such a column this import takes one kind of rows; its twin takes the other.
    takes: bool | None = None
    # Accept a class that is not known yet, instead of refusing its rows.
    add_classes: bool = False

    @property
    def columns(self) -> list[str]:
        return [*self.needed, *(name for name in [*self.segments, *self.context] if name)]

    @property
    def needed(self) -> list[str]:
        """What every row has to say; a line of JSON may leave the rest out."""
        return [name for name in [self.input, self.label, self.trained_on_column] if name]


@transaction.atomic
def start_row_import(
    *,
    project: Project,
    kind: str,
    content: bytes,
    file_name: str,
    mapping: RowMapping,
    by: User | None,
    at: datetime,
) -> list[Import]:
    """Check the mapping against the file, and add the job; two where a column tells rows apart."""
    if kind not in USE_OF:
        raise Invalid("Labeled rows come in for training or for evaluation.")
    if kind == Import.Kind.EVALUATION and (mapping.trained_on or mapping.trained_on_column):
        raise Invalid(
            "Rows that the live model was trained on cannot measure it. Import them for training."
        )
    parts = [mapping]
    if mapping.trained_on_column:
        parts = [
            msgspec.structs.replace(mapping, takes=takes, trained_on=takes)
            for takes in (True, False)
        ]
    return [
        start_import(
            project=project,
            kind=kind,
            job=JOB,
            content=content,
            file_name=file_name,
            mapping=part,
            columns=mapping.columns,
            by=by,
            at=at,
        )
        for part in parts
    ]


def import_rows(run: JobRun, *, import_id: int) -> None:
    """The job: every good row becomes a resolved item, every other one a problem with its line."""
    run_import(run, import_id=import_id, store_chunk=partial(_store_rows, run))


def _store_rows(run: JobRun, imported: Import, rows: list[Row], checkpoint: Checkpoint) -> None:
    at, tally = run.now(), Tally()
    reader = _RowReader(imported, at=at)
    read = [row for row in (reader.read(raw, tally) for raw in rows) if row]
    with transaction.atomic():
        answers = store_chunk(
            imported=imported,
            rows=read,
            use=USE_OF[Import.Kind(imported.kind)],
            at=at,
            add_classes=reader.mapping.add_classes,
        )
        for answer in answers:
            _count(tally, answer)
        checkpoint(tally)


class _RowReader:
    """Reads the rows of one import; a bad one is counted and told, and costs no other."""

    def __init__(self, imported: Import, *, at: datetime) -> None:
        self.mapping = msgspec.convert(imported.mapping, RowMapping)
        self.inputs = InputReader(imported.project, at=at)

    def read(self, row: Row, tally: Tally) -> LabeledInput | None:
        try:
            return self._labeled(row) if self._is_taken(row) else None
        except Invalid as error:
            _count(tally, RowAnswer(row.line, RowResult.REJECTED, error.message))
            return None

    def _is_taken(self, row: Row) -> bool:
        """Rows that cannot be told apart are told once: by the twin of the other rows."""
        if self.mapping.takes is None:
            return True
        said = as_text(row.fields.get(self.mapping.trained_on_column)).lower()
        return self.mapping.takes if said in YES else not self.mapping.takes

    def _labeled(self, row: Row) -> LabeledInput:
        if row.problem:
            raise Invalid(row.problem)
        cells, mapping = row.fields, self.mapping
        for name in mapping.needed:
            if name not in cells:
                raise Invalid(f"the line has no {name!r}.")
        if mapping.takes is False and as_text(cells[mapping.trained_on_column]).lower() not in NO:
            raise Invalid(f"{mapping.trained_on_column}: say yes or no.")
        context = {name: cells[name] for name in mapping.context if name in cells}
        segments = {
            name: text for name in mapping.segments if (text := as_text(cells.get(name))) != ""
        }
        check_depth(context)
        if holds_nul([context, segments]):
            raise Invalid("the line holds a NUL character; remove it and import the file again.")
        check_segments(segments)
        value = self.inputs.read(cells[mapping.input])
        return LabeledInput(row.line, value, as_text(cells[mapping.label]), segments, context)


COUNTED_AS = {
    RowResult.ACCEPTED: "accepted",
    RowResult.DUPLICATE: "duplicates",
    RowResult.CONFLICT: "conflicts",
    RowResult.REJECTED: "rejected",
    RowResult.REFUSED: "refused",
}


def _count(tally: Tally, answer: RowAnswer) -> None:
    name = COUNTED_AS[answer.result]
    setattr(tally, name, getattr(tally, name) + 1)
    if answer.reason:
        tally.add_problem(answer.line, answer.reason)
