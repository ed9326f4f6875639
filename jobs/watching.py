"""Is background work done: how much waits, what failed, which workers were seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.models import Job, WorkerBeat

SEEN_WITHIN = timedelta(seconds=30)  # Three signs of life.
MOST_WORKERS = 50


@dataclass(frozen=True)
class Lane:
    """One kind of worker's queue."""

    name: str
    waiting: int
    running: int
    oldest_due_at: datetime | None
    workers_seen: int


@dataclass(frozen=True)
class Worker:
    name: str
    seen_at: datetime
    is_alive: bool


def lanes(*, at: datetime) -> list[Lane]:
    """Light work and training; figures of the whole install."""
    counts = Counter(Job.objects.open().values_list("lane", "state"))
    due = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=at).order_by("due_at")
    seen = WorkerBeat.objects.filter(seen_at__gt=at - SEEN_WITHIN)
    found = []
    for lane in Job.Lane.values:
        oldest = due.filter(lane=lane).values_list("due_at", flat=True).first()
        waiting, running = counts[lane, Job.State.QUEUED], counts[lane, Job.State.RUNNING]
        found.append(Lane(lane, waiting, running, oldest, seen.filter(lane=lane).count()))
    return found


def workers(*, at: datetime) -> list[Worker]:
    """Seen last, first."""
    beats = WorkerBeat.objects.order_by("-seen_at")[:MOST_WORKERS]
    return [Worker(beat.name, beat.seen_at, at - beat.seen_at < SEEN_WITHIN) for beat in beats]
