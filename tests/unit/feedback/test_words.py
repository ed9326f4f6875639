"""Flags in the words of their pages."""

from __future__ import annotations

import pytest

from feedback.models import Flag
from feedback.words import severity_words


@pytest.mark.parametrize("severity", Flag.Severity.values)
def test_every_severity_has_words_that_can_follow_one_another(severity: int) -> None:
    words = severity_words(severity)

    assert words.split()[0] in {"hurts", "stops"}
    assert "hurts stops" not in words
