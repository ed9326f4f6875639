"""Ticks of the lowest layers."""

from datetime import datetime, timedelta

from events.sealing import seal_events
from jobs.registry import tick


@tick("events.seal", every=timedelta(seconds=2))
def seal(at: datetime) -> None:
    seal_events()
