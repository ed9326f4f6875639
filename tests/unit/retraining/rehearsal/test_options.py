"""A rehearsal's options are checked before anything is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projects.errors import Invalid
from retraining.rehearsal.options import RehearsalOptions, parse_annotators, parse_mix

PLAYABLE = RehearsalOptions(data=Path("a.csv"))
MIX = {"flagged": 0.5, "uncertain": 0.25, "audit": 0.25}


def test_a_file_alone_can_be_played() -> None:
    PLAYABLE.check()


def test_digits_alone_can_be_played() -> None:
    RehearsalOptions(data=None, digits=True).check()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": None}, "--data FILE, or --digits"),
        ({"digits": True}, "--data FILE, or --digits"),
        ({"labels": 0}, "--labels"),
        ({"base": 0}, "--base"),
        ({"frozen": 0}, "--frozen"),
        ({"typos": float("nan")}, "--typos .* between 0 and 1, not nan"),
        ({"new_share": 1.01}, "--new-share .* not 1.01"),
        ({"flag_recall": -0.01}, "--flag-recall .* not -0.01"),
        ({"false_flags": 2.0}, "--false-flags .* not 2"),
        ({"annotators": (0.9, 0.9, 1.1)}, "--annotators .* not 1.1"),
        ({"mix": {**MIX, "flagged": 1.5, "audit": -0.75}}, "--mix .* not 1.5"),
        ({"mix": {**MIX, "audit": 0.2}}, "add up to 1"),
        ({"mix": {**MIX, "audit": 0.252}}, "add up to 1"),
        ({"overlap": 4}, "--annotators"),
        ({"overlap": 0}, "--annotators"),
        ({"new_class_count": -1}, "--new-classes"),
    ],
)
def test_what_cannot_be_played_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        replace(PLAYABLE, **changes).check()


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": 1, "base": 1, "frozen": 1},
        {"typos": 0, "new_share": 1, "flag_recall": 1.0, "false_flags": 0.0},
        {"annotators": (0.0, 0.5, 1.0)},
        {"overlap": 3},
        {"overlap": 1},
        {"mix": {**MIX, "audit": 0.2505}},
        {"new_class_count": 0},
    ],
)
def test_every_bound_itself_can_be_played(changes: dict[str, Any]) -> None:
    replace(PLAYABLE, **changes).check()


def test_the_labels_are_shared_out_by_the_mix() -> None:
    options = replace(PLAYABLE, labels=400)

    assert [options.wanted(source) for source in ("flagged", "uncertain", "audit")] == [
        200,
        100,
        100,
    ]


@pytest.mark.parametrize("labels", [1, 2, 3, 7, 99, 101])
def test_what_rounding_leaves_goes_to_the_uncertain(labels: int) -> None:
    options = replace(PLAYABLE, labels=labels)

    wanted = {source: options.wanted(source) for source in ("flagged", "uncertain", "audit")}

    assert sum(wanted.values()) == labels
    assert (wanted["flagged"], wanted["audit"]) == (round(labels / 2), round(labels / 4))


def test_a_mix_is_read_in_any_order_with_spaces_and_what_is_left_out_has_none() -> None:
    assert parse_mix("audit=0.4, flagged = 0.6") == {"flagged": 0.6, "uncertain": 0, "audit": 0.4}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("drawn=0.5,flagged=0.5", "flagged, uncertain, audit, not 'drawn'"),
        ("flagged", "--mix: '' is not a number"),
        ("flagged=half", "--mix: 'half' is not a number"),
        ("", "not ''"),
        ("flagged=0.5,", "not ''"),
    ],
)
def test_a_mix_that_cannot_be_read_names_what(raw: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        parse_mix(raw)


def test_shares_are_read_in_their_order() -> None:
    assert parse_annotators("0.95, 0.8,1") == (0.95, 0.8, 1.0)


@pytest.mark.parametrize("raw", ["", "0.9,", "0.9;0.8", "often"])
def test_shares_that_are_no_numbers_are_refused(raw: str) -> None:
    with pytest.raises(Invalid, match=r"--annotators: .* is not a number"):
        parse_annotators(raw)
