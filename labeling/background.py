"""Jobs and ticks of labeling."""

from datetime import datetime, timedelta

from jobs.registry import job, tick
from labeling import claims, routing, row_imports, settlement

job(row_imports.JOB)(row_imports.import_rows)


@tick("labeling.route", every=timedelta(seconds=1))
def route(at: datetime) -> None:
    routing.route_new_flags(at=at)
    routing.route_new_draws(at=at)


@tick("labeling.free_expired", every=timedelta(seconds=5))
def free_expired(at: datetime) -> None:
    claims.free_expired_slots(at=at)


@tick("labeling.settle_passed_on", every=timedelta(seconds=30))
def settle_passed_on(at: datetime) -> None:
    settlement.settle_passed_on(at=at)
