"""The rows behind a rehearsal's figures, for whoever wants to train on them with other tools."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from retraining.datasets import read_rows
from retraining.models import Batch
from retraining.raw_inputs import raw_input
from retraining.rehearsal.traffic import Message


def keep_rows(folder: Path, *, batch: Batch, test: Iterable[Message]) -> None:
    """`train.jsonl`, what the challenger learned from, and `test.jsonl`, what it was tested on.

    A line is `{"input": ..., "label": ...}`; images are in base64.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = read_rows(batch.dataset) if batch.dataset else iter(())
    _write(folder / "train.jsonl", ((row["input"], row["label"]) for row in trained))
    _write(folder / "test.jsonl", ((raw_input(row.value), row.label) for row in test))


def _write(path: Path, rows: Iterable[tuple[object, object]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for value, label in rows:
            text = base64.b64encode(value).decode() if isinstance(value, bytes) else value
            out.write(json.dumps({"input": text, "label": label}, ensure_ascii=False) + "\n")
