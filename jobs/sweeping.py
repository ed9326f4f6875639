"""Find what was missed: wake workers for stale rows and run the ticks that are due."""

from datetime import datetime, timedelta

from jobs import nudging
from jobs.models import Job, Tick
from jobs.registry import TICKS

NUDGE_AFTER = timedelta(seconds=3)
MOST_NUDGES = 500


def sweep(at: datetime) -> None:
    try:
        run_ticks(at)
    finally:
        renudge(at)


def renudge(at: datetime) -> int:
    """Wake workers again for rows that nobody took, or whose worker died."""
    stale = Job.objects.claimable(at - NUDGE_AFTER).order_by("due_at")[:MOST_NUDGES]
    for job in stale:
        nudging.nudge(job.pk, job.lane)
    return len(stale)


def run_ticks(at: datetime) -> list[str]:
    """Run every tick that is due, each by at most one worker; returns their names.

    One that fails stops no other: the failures are raised together when all had their turn.
    """
    ran, failures = [], []
    for name in TICKS:
        try:
            if _take_turn(name, at):
                ran.append(name)
        except Exception as failure:  # noqa: BLE001  Raised below.
            failure.add_note(f"In the tick {name}.")
            failures.append(failure)
    if failures:
        raise ExceptionGroup("Ticks failed", failures)
    return ran


def _take_turn(name: str, at: datetime) -> bool:
    periodic = TICKS[name]
    Tick.objects.get_or_create(name=name, defaults={"due_at": at})
    taken = Tick.objects.filter(name=name, due_at__lte=at).update(
        due_at=at + periodic.every, ran_at=at
    )
    if taken:
        periodic.run(at)
    return bool(taken)
