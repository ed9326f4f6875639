"""Celery's front doors: a lost message costs no request, and signs of life cost no worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection
from kombu.exceptions import OperationalError

from jobs import sweeping, tasks
from jobs.clock import SetClock
from jobs.heartbeat import EVERY_SECONDS, HEARTBEAT, Heartbeat
from jobs.models import Job, WorkerBeat

pytestmark = pytest.mark.django_db


class Named:
    """A worker that consumes these queues, as Celery introduces it."""

    def __init__(self, *queues: str) -> None:
        self.app = self
        self.amqp = self
        self.queues = self
        self.consume_from = dict.fromkeys(queues)


@pytest.fixture
def time_of(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of the heartbeat; the test moves its only member."""
    now = [1_000.0]
    monkeypatch.setattr("jobs.heartbeat.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Closings of the connection, which the test still needs."""
    seen: list[bool] = []
    monkeypatch.setattr(connection, "close", lambda: seen.append(True))
    return seen


def test_a_worker_is_woken_by_its_jobs_number_on_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda **message: sent.append(message))

    tasks.wake_worker(7, "training")

    assert sent == [{"args": (7,), "queue": "training", "retry": False}]


def test_a_broker_that_is_away_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**message: object) -> None:
        raise OperationalError("nobody there")

    monkeypatch.setattr(tasks.run_job, "apply_async", away)

    tasks.wake_worker(7, "light")


def test_the_message_runs_the_row(clock: SetClock) -> None:
    job = Job.objects.create(kind="nobody knows this", created_at=clock.at, due_at=clock.at)

    tasks.run_job(job.pk)

    assert Job.objects.get().state == Job.State.FAILED


def test_a_sweep_says_that_it_swept(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[object] = []
    monkeypatch.setattr(sweeping, "sweep", swept.append)
    monkeypatch.setattr(HEARTBEAT, "name", "sweep@here")

    tasks.sweep()

    assert swept == [clock.at]
    beat = WorkerBeat.objects.get()
    assert (beat.name, beat.lane, beat.seen_at) == ("sweep@here/swept", "swept", clock.at)


def test_a_sweep_that_failed_does_not_say_that_it_swept(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(at: object) -> None:
        raise ExceptionGroup("Ticks failed", [KeyError("days")])

    monkeypatch.setattr(sweeping, "sweep", fails)

    with pytest.raises(ExceptionGroup):
        tasks.sweep()

    assert not WorkerBeat.objects.exists()


def test_a_worker_shows_life_on_each_of_its_lanes(clock: SetClock, time_of: list[float]) -> None:
    beating = Heartbeat()
    beating.learn("worker@here", Named("training", "light"))

    beating.note()

    seen = WorkerBeat.objects.order_by("name").values_list("name", "lane", "seen_at")
    assert list(seen) == [
        ("worker@here/light", "light", clock.at),
        ("worker@here/training", "training", clock.at),
    ]


def test_a_worker_writes_a_sign_of_life_every_few_seconds_and_not_with_each_beat(
    clock: SetClock, time_of: list[float]
) -> None:
    beating = Heartbeat()
    beating.learn("worker@here", Named("light"))
    written = []
    for step in (0.0, EVERY_SECONDS - 0.1, 0.1):
        time_of[0] += step
        beating.note()
        written.append(WorkerBeat.objects.count())
        WorkerBeat.objects.all().delete()

    assert written == [1, 0, 1]


def test_a_database_that_is_away_stops_no_worker(
    time_of: list[float], closed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**beat: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("jobs.heartbeat.note_beat", away)
    beating = Heartbeat()
    beating.learn("worker@here", Named("light"))

    beating.note()

    assert closed == [True]
