"""What programs and their parents hand each other is whole, plain and of the agreed shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retraining.programs.contract import (
    EvaluateResult,
    EvaluateSpec,
    TrainSpec,
    plain_name,
    read_message,
    write_input,
    write_message,
)

SPEC = TrainSpec(
    trainer="text",
    shards=("a.parquet", "b.parquet"),
    parameters={"balance": 0.5, "longest_words": 2},
    seed=7,
    superseded=("12", "13"),
)


def test_a_specification_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_input(tmp_path / "in", spec=SPEC, files={})

    assert read_message(tmp_path / "in" / "spec.json", TrainSpec) == SPEC


def test_the_input_folder_is_read_only_with_all_its_files(tmp_path: Path) -> None:
    write_input(tmp_path / "in", spec=SPEC, files={"a.parquet": b"rows"})

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "in").iterdir()}
    assert modes == {"spec.json": 0o444, "a.parquet": 0o444}
    assert (tmp_path / "in").stat().st_mode & 0o777 == 0o555


def test_a_file_that_would_leave_the_folder_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        write_input(tmp_path / "in", spec=SPEC, files={"../escaped": b"x"})

    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("name", ["a.parquet", "model.skops", "..a", "a b", "é"])
def test_a_name_without_a_folder_is_plain(name: str) -> None:
    assert plain_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a/", "./a"])
def test_a_name_with_a_folder_is_not(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        plain_name(name)


def test_a_result_is_read_as_it_was_written_and_leaves_no_part(tmp_path: Path) -> None:
    result = EvaluateResult(rows=3, seconds=0.25)

    write_message(tmp_path / "result.json", result)

    assert read_message(tmp_path / "result.json", EvaluateResult) == result
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_result_that_is_no_json_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_message(tmp_path / "result.json", EvaluateResult(rows=3, seconds=float("nan")))

    assert not (tmp_path / "result.json").exists()


def test_a_message_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no result\.json\."):
        read_message(tmp_path / "result.json", EvaluateResult)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"rows": 3}',
        b'{"rows": "three", "seconds": 1}',
        b'{"rows": 3.5, "seconds": 1}',
        b'{"rows": null, "seconds": 1}',
    ],
)
def test_a_message_of_another_shape_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "result.json").write_bytes(content)

    with pytest.raises(ValueError, match=r"result\.json cannot be read"):
        read_message(tmp_path / "result.json", EvaluateResult)


def test_what_may_be_left_out_of_a_specification_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"trainer": "text", "shards": ["a"]}))

    read = read_message(tmp_path / "spec.json", TrainSpec)

    assert (read.parameters, read.seed, read.superseded) == ({}, 0, ())


def test_one_kind_of_specification_is_not_read_as_the_other(tmp_path: Path) -> None:
    write_input(tmp_path / "in", spec=SPEC, files={})

    with pytest.raises(ValueError, match="digest"):
        read_message(tmp_path / "in" / "spec.json", EvaluateSpec)
