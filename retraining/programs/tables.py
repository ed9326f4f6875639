"""Parquet in and out of programs."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retraining.programs.contract import plain_name

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One row of a dataset version."""

    row_id: str
    input: str | bytes
    label: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What a model says to one input."""

    id: str
    label: str
    confidence: float


def training_shard(rows: Sequence[TrainingRow]) -> bytes:
    """A Parquet shard of the rows, in their order."""
    return _write(
        {
            "row_id": [row.row_id for row in rows],
            "input": [row.input for row in rows],
            "label": [row.label for row in rows],
        }
    )


def input_table(inputs: Iterable[tuple[str, str | bytes]]) -> bytes:
    """A Parquet file of (id, input) to be answered."""
    pairs = list(inputs)
    return _write({"id": [pair[0] for pair in pairs], "input": [pair[1] for pair in pairs]})


def read_training_frame(
    folder: Path, *, shards: Sequence[str], superseded: Iterable[str] = ()
) -> pd.DataFrame:
    """All shards' rows in order, without the superseded; raises ValueError for a bad shard."""
    tables = [_read(folder / plain_name(name), ("row_id", "input", "label")) for name in shards]
    if not tables:
        return pd.DataFrame({"row_id": [], "input": [], "label": []})
    frame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    kept: pd.DataFrame = frame[~frame["row_id"].isin(set(superseded))].reset_index(drop=True)
    twice = kept["row_id"][kept["row_id"].duplicated()]
    if not twice.empty:
        raise ValueError(f"Row {twice.iloc[0]!r} stands twice in the dataset.")
    return kept


def read_inputs(
    folder: Path, names: Sequence[str]
) -> Iterator[tuple[list[str], list[str | bytes]]]:
    """Ids and inputs of every file, some thousand at a time."""
    for name in names:
        table = _read(folder / plain_name(name), ("id", "input"))
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            yield (
                batch.column("id").cast(pa.string()).to_pylist(),
                batch.column("input").to_pylist(),
            )


def count_inputs(folder: Path, names: Sequence[str]) -> int:
    return sum(pq.read_metadata(folder / plain_name(name)).num_rows for name in names)


def write_answers(path: Path, batches: Iterable[tuple[list[str], list[str], list[float]]]) -> int:
    """Ids, labels and confidences to one file, whole or not at all; returns the row count."""
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("confidence", pa.float64())])
    part = path.with_suffix(".part")
    rows = 0
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for ids, labels, confidences in batches:
            writer.write_table(pa.table([ids, labels, confidences], schema=schema))
            rows += len(ids)
    part.rename(path)
    return rows


def read_answers(path: Path) -> list[AnswerRow]:
    """What an evaluation wrote."""
    table = _read(path, ("id", "label", "confidence"))
    return [AnswerRow(**row) for row in table.to_pylist()]


def _read(path: Path, columns: tuple[str, ...]) -> pa.Table:
    try:
        return pq.read_table(path, columns=list(columns))
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise ValueError(f"{path.name} is not a Parquet file of {', '.join(columns)}.") from error


def _write(columns: dict[str, list[str] | list[str | bytes]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()
