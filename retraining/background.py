"""Ticks of retraining."""

from datetime import datetime, timedelta

from jobs.registry import tick
from retraining import lost_batches, proposing, regression_cases


@tick("retraining.propose", every=timedelta(seconds=5))
def propose(at: datetime) -> None:
    proposing.propose_due_batches(at=at)


@tick("retraining.keep_cases", every=timedelta(seconds=5))
def keep_cases(at: datetime) -> None:
    regression_cases.keep_accepted_flags(at=at)


@tick("retraining.end_lost", every=timedelta(seconds=5))
def end_lost(at: datetime) -> None:
    lost_batches.end_lost_batches(at=at)
