"""A person at the terminal sees a bar; a file gets one line per step."""

from __future__ import annotations

import io

from retraining.rehearsal.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(out: io.StringIO) -> list[str]:
    """What stood on the screen, in turn: each written over the one before."""
    return [line for line in out.getvalue().replace("\n", "\r").split("\r") if line]


def test_a_file_gets_each_step_once_and_no_bar() -> None:
    out = io.StringIO()
    progress = Progress(out)

    progress.step("Importing", total=10)
    progress.at(5)
    progress.at(10)
    progress.step("Counting")

    assert out.getvalue() == "Importing\nCounting\n"


def test_a_bar_grows_with_what_is_done() -> None:
    out = Terminal()
    progress = Progress(out)

    progress.step("Labeling", total=8)
    progress.at(2)
    progress.at(8)

    assert [line.split("[")[1] for line in lines(out)] == [
        " " * 24 + "]   0%",
        "#" * 6 + " " * 18 + "]  25%",
        "#" * 24 + "] 100%",
    ]


def test_more_than_was_expected_is_still_the_whole() -> None:
    out = Terminal()
    progress = Progress(out)
    progress.step("Labeling", total=3)

    progress.at(4)

    assert lines(out)[-1].endswith("[" + "#" * 24 + "] 100%")


def test_a_step_of_unknown_length_has_no_bar() -> None:
    out = Terminal()

    Progress(out).step("Training version 1")

    assert out.getvalue().strip() == "Training version 1"
    assert "[" not in out.getvalue()


def test_the_next_step_begins_on_a_line_of_its_own() -> None:
    out = Terminal()
    progress = Progress(out)

    progress.step("One")
    progress.step("Two")

    assert [line.strip() for line in out.getvalue().split("\n")] == ["One", "Two"]
