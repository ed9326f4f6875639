"""How a program tells its progress and ends: a line of JSON, an exit code, one line of errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.errors import Invalid
from retraining.program_output import Progress, parse_progress
from retraining.programs import reporting
from retraining.programs.contract import EXIT_MEMORY, EXIT_REFUSED

Program = Callable[[Path, Path], None]


def raising(error: BaseException) -> Program:
    def program(folder_in: Path, folder_out: Path) -> None:
        raise error

    return program


@pytest.fixture
def called_with_two_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["program", "in", "out"])


def test_a_reported_line_is_what_the_parent_reads(capsys: pytest.CaptureFixture[str]) -> None:
    reporting.report("answering", 0.123456, "7 of 9 inputs.")

    line = capsys.readouterr().out
    assert line.endswith("\n")
    assert parse_progress(line.encode()) == Progress("answering", 0.1235, "7 of 9 inputs.")


def test_a_report_is_one_line_whatever_its_note_holds(capsys: pytest.CaptureFixture[str]) -> None:
    reporting.report("reading", 0.0, "first\nsecond")

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["note"] == "first\nsecond"


@pytest.mark.usefixtures("called_with_two_folders")
def test_a_program_is_called_with_its_two_folders_and_ends_well() -> None:
    given: list[Path] = []

    assert reporting.run(lambda one, two: given.extend([one, two])) == 0
    assert given == [Path("in"), Path("out")]


@pytest.mark.usefixtures("called_with_two_folders")
@pytest.mark.parametrize(
    "error", [Invalid("Training needs\n two classes."), ValueError("Training needs\ntwo classes.")]
)
def test_what_the_data_is_to_blame_for_ends_refused_in_one_line(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reporting.run(raising(error)) == EXIT_REFUSED
    assert capsys.readouterr().err == "Training needs two classes.\n"


@pytest.mark.usefixtures("called_with_two_folders")
def test_no_memory_ends_with_a_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert reporting.run(raising(MemoryError())) == EXIT_MEMORY
    assert capsys.readouterr().err == "MemoryError\n"


@pytest.mark.usefixtures("called_with_two_folders")
def test_what_the_program_is_to_blame_for_goes_on_up_with_its_trace() -> None:
    with pytest.raises(ZeroDivisionError):
        reporting.run(raising(ZeroDivisionError()))


@pytest.mark.parametrize("arguments", [[], ["in"], ["in", "out", "more"]])
def test_a_call_without_two_folders_is_told_how_to_call(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["program", *arguments])

    assert reporting.run(raising(AssertionError())) == EXIT_REFUSED
    assert capsys.readouterr().err.startswith("usage: ")
