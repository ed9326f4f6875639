"""A rehearsal's options are checked before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.errors import Invalid
from retraining.rehearsal.options import RehearsalOptions, parse_annotators, parse_mix


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (RehearsalOptions(data=None), "--data"),
        (RehearsalOptions(data=Path("a.csv"), labels=0), "--labels"),
        (RehearsalOptions(data=Path("a.csv"), typos=float("nan")), "--typos .* between 0 and 1"),
        (RehearsalOptions(data=Path("a.csv"), new_share=2), "--new-share .* not 2"),
        (RehearsalOptions(data=Path("a.csv"), annotators=(0.9, -1)), "--annotators .* not -1"),
        (RehearsalOptions(data=Path("a.csv"), overlap=4), "--annotators"),
        (RehearsalOptions(data=Path("a.csv"), new_class_count=-1), "--new-classes"),
    ],
)
def test_what_cannot_be_played_is_refused(options: RehearsalOptions, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        options.check()


def test_what_is_no_number_is_told_with_its_option() -> None:
    with pytest.raises(Invalid, match="--annotators: 'good'"):
        parse_annotators("0.9,good")
    with pytest.raises(Invalid, match="--mix: 'half'"):
        parse_mix("flagged=half")
