"""Ticks of the lowest layers."""

from datetime import datetime, timedelta

from events.sealing import seal_events
from jobs.registry import tick
from projects.idempotency import forget_old_answers


@tick("events.seal", every=timedelta(seconds=2))
def seal(at: datetime) -> None:
    seal_events()


@tick("projects.forget_answers", every=timedelta(hours=1))
def forget_answers(at: datetime) -> None:
    forget_old_answers(at=at)
