"""From an uploaded file to an import: what it holds, which column is what, and start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from feedback.models import Import
from feedback.prediction_imports import PredictionMapping, start_prediction_import
from feedback.table_reading import Table
from labeling.row_imports import RowMapping, start_row_import
from projects.models import Project, User

EXAMPLE_ROWS = 20  # Looked through for a cell that is not empty.


@dataclass(frozen=True)
class Part:
    """Something a column can be; `guesses` are names it often has."""

    name: str
    label: str
    is_required: bool
    guesses: frozenset[str]
    help: str = ""


def _part(name: str, label: str, *guesses: str, needed: bool = False, help: str = "") -> Part:
    return Part(name, label, needed, frozenset({name, *guesses}), help)


_INPUT = _part(
    "input", "The input", "text", "message", "question", "utterance", "query", "body", needed=True
)
_LABEL = _part(
    "label", "The right class", "class", "intent", "category", "truth", "answer", needed=True
)
PARTS: dict[str, tuple[Part, ...]] = {
    Import.Kind.PREDICTIONS: (
        _INPUT,
        _part("output", "The model's answer", "answer", "prediction", "predicted", needed=True),
        _part("external_id", "Its id", "id", "uuid", "key", help="Else the line number is used."),
        _part("confidence", "How sure it was", "score", "probability", "prob"),
        _part("model_version", "The model's version", "version", "model"),
        _part("occurred_at", "When", "time", "timestamp", "date", "created_at"),
        _part("customer_ref", "The customer", "customer", "customer_id", "user", "account"),
    ),
    Import.Kind.TRAINING: (
        _INPUT,
        _LABEL,
        _part(
            "trained_on_column",
            "Whether the live model was trained on the row",
            "trained_on",
            help="A column of yes and no. Those rows are never used to measure it.",
        ),
    ),
    Import.Kind.EVALUATION: (_INPUT, _LABEL),
}


@dataclass(frozen=True)
class Column:
    name: str
    example: str


@dataclass(frozen=True)
class Choices:
    """What a person said beside the columns."""

    version: str = ""
    trained_on: bool = False
    add_classes: bool = False


def columns_of(table: Table) -> list[Column]:
    """Each with the first cell that is not empty."""
    rows = list(islice(table.rows(), EXAMPLE_ROWS))
    return [
        Column(name, next((str(r.fields[name]) for r in rows if r.fields.get(name)), ""))
        for name in table.columns
    ]


def guess(part: Part, columns: list[Column]) -> str:
    """A column by its name; for the input else the one with the longest example."""
    named = [c.name for c in columns if c.name.strip().lower() in part.guesses]
    if named or part.name != "input":
        return named[0] if named else ""
    return max(columns, key=lambda column: len(column.example)).name if columns else ""


def start(
    *,
    project: Project,
    kind: str,
    content: bytes,
    file_name: str,
    chosen: Mapping[str, str],
    choices: Choices,
    columns: list[str],
    by: User,
    at: datetime,
) -> None:
    """Segments and context come along where the file has columns of those names."""
    segments = [key for key in project.segment_keys if key in columns]
    context = [key for key in project.context_fields if key in columns]
    if kind == Import.Kind.PREDICTIONS:
        version = "" if chosen.get("model_version") else choices.version
        mapping = PredictionMapping(**chosen, version=version, segments=segments, context=context)
        start_prediction_import(
            project=project, content=content, file_name=file_name, mapping=mapping, by=by, at=at
        )
        return
    rows = RowMapping(
        input=chosen.get("input", ""),
        label=chosen.get("label", ""),
        trained_on_column=chosen.get("trained_on_column", ""),
        segments=segments,
        context=context,
        trained_on=choices.trained_on and not chosen.get("trained_on_column"),
        add_classes=choices.add_classes,
    )
    start_row_import(
        project=project, kind=kind, content=content, file_name=file_name, mapping=rows, by=by, at=at
    )
