"""Ticks of monitoring."""

from datetime import datetime, timedelta

from jobs.registry import tick
from monitoring import accuracy


@tick("monitoring.measure", every=timedelta(minutes=10))
def measure(at: datetime) -> None:
    accuracy.measure_all(at=at)
