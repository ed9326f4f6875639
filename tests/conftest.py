"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.conf import settings

from jobs import clock as the_clock

pytest_plugins: list[str] = []

START = datetime(2026, 3, 2, 9, 0, tzinfo=the_clock.UTC)  # A Monday morning.


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite tests use a file, as the product does: threads and processes share it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        name = database.get("TEST", {}).get("NAME") or "test.sqlite3"
        database.setdefault("TEST", {})["NAME"] = str(settings.DATA_DIR / name)


@pytest.fixture
def clock() -> Iterator[the_clock.SetClock]:
    """The one clock, standing still until the test moves it."""
    with the_clock.set_to(START) as moved:
        yield moved
