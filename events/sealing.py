"""Give events their positions and chain them, per project; and check the chain.

Each digest is SHA-256 over the previous digest and the event's canonical JSON, so a line
cannot be changed, dropped or moved without breaking every digest after it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from events.models import Event

FIRST = "0" * 64


@dataclass(frozen=True)
class BrokenLine:
    """The first line whose digest or position is not what the chain says."""

    event_id: int
    position: int
    reason: str


def digest_of(event: Event, *, previous: str, position: int) -> str:
    line = {
        "project": event.project_id,
        "position": position,
        "name": event.name,
        "subject": [event.subject_type, event.subject_id],
        "actor": event.actor_id,
        "data": event.data,
        "at": event.at.isoformat(),
    }
    canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def seal_events(*, limit: int = 5_000) -> int:
    """Seal what is committed and unsealed; one sealer at a time is enough, two do no harm."""
    projects = Event.objects.unsealed().values_list("project_id", flat=True).distinct()
    return sum(_seal_project(project_id, limit) for project_id in list(projects))


@transaction.atomic
def _seal_project(project_id: int, limit: int) -> int:
    head = Event.objects.sealed(project_id).select_for_update().last()
    position, previous = (head.position or 0, head.digest) if head else (0, FIRST)
    waiting = Event.objects.unsealed().filter(project_id=project_id).order_by("id")[:limit]
    for event in waiting:
        position += 1
        previous = digest_of(event, previous=previous, position=position)
        Event.objects.seal(event_id=event.pk, position=position, digest=previous)
    return len(waiting)


def verify_events(project_id: int) -> BrokenLine | None:
    """None when the chain holds, else the first line that does not."""
    return next(_broken_lines(project_id), None)


def _broken_lines(project_id: int) -> Iterator[BrokenLine]:
    previous, expected = FIRST, 1
    for event in Event.objects.sealed(project_id).iterator():
        position = event.position or 0
        if position != expected:
            yield BrokenLine(event.pk, position, f"expected position {expected}")
        if event.digest != digest_of(event, previous=previous, position=position):
            yield BrokenLine(event.pk, position, "digest differs from the content")
        previous, expected = event.digest, position + 1
