"""Ticks of retraining."""

from datetime import datetime, timedelta
from functools import partial

from jobs.registry import tick
from retraining import lost_batches, proposing, receipt_jobs, regression_cases


@tick("retraining.propose", every=timedelta(seconds=5))
def propose(at: datetime) -> None:
    proposing.propose_due_batches(at=at)


@tick("retraining.keep_cases", every=timedelta(seconds=5))
def keep_cases(at: datetime) -> None:
    check = partial(receipt_jobs.check_accepted_flag, at=at)
    regression_cases.keep_accepted_flags(at=at, on_kept=check)


@tick("retraining.end_lost", every=timedelta(seconds=5))
def end_lost(at: datetime) -> None:
    lost_batches.end_lost_batches(at=at)
