"""Write an event in the transaction of the change it tells of."""

import json
from datetime import datetime
from typing import Protocol

from django.db import connection

LONGEST_WORD = 80
# Written with every change of anything, so without the cost of building a statement each time.
INSERT = """
INSERT INTO events_event (project_id, name, subject_type, subject_id, actor_id, data, at, digest)
VALUES (%s, %s, %s, %s, %s, %s, %s, '')
"""

Scalar = str | int | float | bool | None
Value = Scalar | list[int] | list[str]


class Subject(Protocol):
    """A row of a project: what an event can be about."""

    @property
    def pk(self) -> int: ...

    @property
    def project_id(self) -> int: ...


class Actor(Protocol):
    pk: int


def record(
    name: str, *, subject: Subject, at: datetime, actor: Actor | None = None, **data: Value
) -> None:
    """Store one line; `data` holds ids, state names and numbers, never free text."""
    line: list[str | int | None] = [
        subject.project_id,
        name,
        _label(subject),
        subject.pk,
        actor.pk if actor else None,
        json.dumps(_checked(data)),
        connection.ops.adapt_datetimefield_value(at),
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, line)


def _label(subject: Subject) -> str:
    meta = getattr(subject, "_meta", None)
    if meta is None:
        raise TypeError("An event is about a stored row.")
    return str(meta.label_lower)


def _checked(data: dict[str, Value]) -> dict[str, Value]:
    for key, value in data.items():
        if isinstance(value, str) and len(value) > LONGEST_WORD:
            raise ValueError(f"{key} is too long to be a state name; free text is a row of its own")
    return data
