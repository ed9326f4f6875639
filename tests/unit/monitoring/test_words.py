"""How estimates are told in cells."""

from __future__ import annotations

from monitoring.accuracy import GroupEstimate
from monitoring.intervals import wilson_interval
from monitoring.views.words import group_row


def test_a_group_with_too_few_answers_says_how_many_it_needs() -> None:
    row = group_row(GroupEstimate("el", wilson_interval(6, 9)), 0.9)

    assert row["cells"] == [
        {"text": "needs 1 more", "tone": "none"},
        {"text": "", "tone": "none"},
        {"text": "9", "tone": "none"},
    ]
