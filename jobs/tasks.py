"""Celery's front door: one task that runs a row, and the sweep on a queue of its own."""

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from jobs import clock, running, sweeping
from jobs.beats import note_beat
from jobs.heartbeat import HEARTBEAT

log = structlog.get_logger()


@shared_task(name="jobs.run_job")
def run_job(job_id: int) -> None:
    running.run_job(job_id)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    at = clock.now()
    sweeping.sweep(at)
    note_beat(name=f"{HEARTBEAT.name}/swept", lane="swept", at=at)


def wake_worker(job_id: int, lane: str) -> None:
    """Publishing never fails the request that caused the work: the sweep will find the row."""
    try:
        run_job.apply_async(args=(job_id,), queue=lane, retry=False)
    except OperationalError:
        log.warning("nudge_lost", job_id=job_id)
