"""Signs of life of the processes that do background work."""

from datetime import datetime, timedelta

from jobs.models import WorkerBeat

FORGOTTEN_AFTER = timedelta(days=1)


def note_beat(*, name: str, lane: str, at: datetime) -> None:
    """Say that a process is alive; the rows of processes long gone are dropped on the way."""
    _, is_new = WorkerBeat.objects.update_or_create(
        name=name, defaults={"lane": lane, "seen_at": at}
    )
    if is_new:
        WorkerBeat.objects.filter(seen_at__lt=at - FORGOTTEN_AFTER).delete()
