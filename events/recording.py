"""Write an event in the transaction of the change it tells of."""

from datetime import datetime
from typing import Protocol

from events.models import Event

LONGEST_WORD = 80

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
) -> Event:
    """Store one line; `data` holds ids, state names and numbers, never free text."""
    return Event.objects.create(
        project_id=subject.project_id,
        name=name,
        subject_type=_label(subject),
        subject_id=subject.pk,
        actor_id=actor.pk if actor else None,
        data=_checked(data),
        at=at,
    )


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
