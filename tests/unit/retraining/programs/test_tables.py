"""Parquet in and out of programs: rows once, in order, and files that are what they should be."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retraining.programs.tables import (
    AnswerRow,
    TrainingRow,
    count_inputs,
    input_table,
    read_answers,
    read_inputs,
    read_training_frame,
    training_shard,
    write_answers,
)


def shard(folder: Path, name: str, *rows: tuple[str, str | bytes, str]) -> str:
    (folder / name).write_bytes(training_shard([TrainingRow(*row) for row in rows]))
    return name


def inputs(folder: Path, name: str, *pairs: tuple[str, str | bytes]) -> str:
    (folder / name).write_bytes(input_table(pairs))
    return name


def test_superseded_rows_are_left_out_of_every_shard(tmp_path: Path) -> None:
    shards = [
        shard(tmp_path, "a", ("1", "x", "yes"), ("2", "y", "no")),
        shard(tmp_path, "b", ("3", "z", "yes"), ("4", "w", "no")),
    ]

    frame = read_training_frame(tmp_path, shards=shards, superseded=["4", "1", "9"])

    assert frame["row_id"].tolist() == ["2", "3"]
    assert frame.index.tolist() == [0, 1]


def test_a_row_that_stands_twice_is_refused_by_its_id(tmp_path: Path) -> None:
    shards = [shard(tmp_path, "a", ("1", "x", "yes")), shard(tmp_path, "b", ("1", "y", "no"))]

    with pytest.raises(ValueError, match="Row '1' stands twice"):
        read_training_frame(tmp_path, shards=shards)


def test_a_row_that_stands_twice_and_is_superseded_is_not_missed(tmp_path: Path) -> None:
    shards = [
        shard(tmp_path, "a", ("1", "x", "yes"), ("2", "x", "yes")),
        shard(tmp_path, "b", ("1", "y", "no")),
    ]

    frame = read_training_frame(tmp_path, shards=shards, superseded=["1"])

    assert frame["row_id"].tolist() == ["2"]


def test_no_shards_are_a_frame_without_rows(tmp_path: Path) -> None:
    frame = read_training_frame(tmp_path, shards=[])

    assert (len(frame), list(frame.columns)) == (0, ["row_id", "input", "label"])


def test_a_shard_without_rows_beside_one_with_images_is_read(tmp_path: Path) -> None:
    shards = [shard(tmp_path, "a"), shard(tmp_path, "b", ("1", b"\x89PNG", "yes"))]

    frame = read_training_frame(tmp_path, shards=shards)

    assert frame["input"].tolist() == [b"\x89PNG"]


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "sub/a", "", ".", ".."])
def test_a_shard_outside_its_folder_is_not_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        read_training_frame(tmp_path, shards=[name])


def test_what_is_no_shard_is_refused_with_the_columns_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"no parquet")
    inputs(tmp_path, "other", ("1", "x"))

    for name in ("noise", "other", "missing"):
        with pytest.raises(ValueError, match=f"{name} is not a Parquet file of row_id, input, la"):
            read_training_frame(tmp_path, shards=[name])


def test_inputs_come_in_their_order_some_thousand_at_a_time(tmp_path: Path) -> None:
    many = [(str(number), f"text {number}") for number in range(4_500)]
    names = [inputs(tmp_path, "a", *many), inputs(tmp_path, "b", ("last", "text"))]

    parts = list(read_inputs(tmp_path, names))

    assert [len(ids) for ids, _ in parts] == [2_000, 2_000, 500, 1]
    assert [id_ for ids, _ in parts for id_ in ids] == [*map(str, range(4_500)), "last"]
    assert parts[1][1][0] == "text 2000"
    assert count_inputs(tmp_path, names) == 4_501


def test_ids_that_were_written_as_numbers_are_read_as_texts(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [7, 8], "input": ["x", "y"]}), tmp_path / "a")

    ((ids, texts),) = read_inputs(tmp_path, ["a"])

    assert (ids, texts) == (["7", "8"], ["x", "y"])


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"

    rows = write_answers(path, [(["1"], ["ja"], [0.5]), (["2", "3"], ["nein", "été"], [1.0, 0.0])])

    assert rows == 3
    assert read_answers(path) == [
        AnswerRow("1", "ja", 0.5),
        AnswerRow("2", "nein", 1.0),
        AnswerRow("3", "été", 0.0),
    ]


def test_no_answers_are_a_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"

    assert write_answers(path, []) == 0
    assert read_answers(path) == []


def test_answers_that_broke_off_are_no_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"

    def breaking() -> object:
        yield ["1"], ["yes"], [0.5]
        raise MemoryError

    with pytest.raises(MemoryError):
        write_answers(path, breaking())  # type: ignore[arg-type]  # A generator of one batch.

    assert not path.exists()
