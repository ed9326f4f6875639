"""Wake a worker: a message with an id and nothing else. A lost one costs seconds only."""

from collections.abc import Callable

Nudge = Callable[[int, str], None]


def _nobody(job_id: int, lane: str) -> None:
    """Without a broker the sweep finds the row."""


_nudge: Nudge = _nobody


def use(nudge: Nudge) -> None:
    """Set how a worker is woken; the Celery front door does, at start-up."""
    global _nudge  # noqa: PLW0603  One process has one way to wake workers.
    _nudge = nudge


def nudge(job_id: int, lane: str) -> None:
    _nudge(job_id, lane)
