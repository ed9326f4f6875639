"""Rows of a history as the product stores them: texts as they are, images as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedback.images import store_image
from labeling.importing import LabeledInput
from projects.models import Project
from projects.task_types import TASK_TYPES
from projects.task_types.base import Input
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.traffic import Message


def canonical_form(value: str | bytes) -> str:
    """What "the same input" means before there is a project: equal texts, equal bytes."""
    if isinstance(value, bytes):
        return value.hex()
    return TASK_TYPES["text"].canonical({"text": value})


def stored_input(project: Project, value: str | bytes, *, at: datetime) -> Input:
    if isinstance(value, bytes):
        return {"image": store_image(project=project, content=value, at=at).digest}
    return {"text": value}


def messages(project: Project, rows: Sequence[LabeledRow], *, at: datetime) -> list[Message]:
    """Traffic with the truth beside it."""
    return [
        Message(stored_input(project, row.input, at=at), row.label, dict(row.segments))
        for row in rows
    ]


def labeled_inputs(
    project: Project, rows: Sequence[LabeledRow], *, at: datetime
) -> list[LabeledInput]:
    """Rows of a team's own training or test set."""
    return [
        LabeledInput(
            line=number,
            value=stored_input(project, row.input, at=at),
            label=row.label,
            segments=dict(row.segments),
        )
        for number, row in enumerate(rows, start=1)
    ]
