"""The one clock: the database's time, which demo, rehearsal and tests may set."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import timezone as fixed

from django.db import connection

UTC = fixed.utc


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    at: datetime

    def advance(self, step: timedelta) -> None:
        self.at += step


_set_clock: ContextVar[SetClock | None] = ContextVar("set_clock", default=None)


def now() -> datetime:
    """The time that leases, jobs and facts are stamped with, in UTC."""
    clock = _set_clock.get()
    return clock.at if clock else _database_time()


@contextmanager
def set_to(at: datetime) -> Iterator[SetClock]:
    """Within the block, `now()` is `at`, moved only by `advance`."""
    clock = SetClock(at)
    token = _set_clock.set(clock)
    try:
        yield clock
    finally:
        _set_clock.reset(token)


def _database_time() -> datetime:
    if connection.vendor != "postgresql":
        return datetime.now(UTC)  # SQLite runs in this process: its time is ours.
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at.astimezone(UTC)
