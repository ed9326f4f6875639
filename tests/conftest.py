"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from jobs import clock as the_clock

pytest_plugins = ["tests.stack"]

START = datetime(2026, 3, 2, 9, 0, tzinfo=the_clock.UTC)  # A Monday morning.


@pytest.fixture
def clock() -> Iterator[the_clock.SetClock]:
    """The one clock, standing still until the test moves it."""
    with the_clock.set_to(START) as moved:
        yield moved
