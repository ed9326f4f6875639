"""Add a trigger, switch it, take it away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from events.recording import record
from projects.errors import Conflict, Invalid, NotFound
from projects.models import Project, User
from retraining.models import Trigger
from retraining.triggers import CONDITIONS


def access_trigger(project: Project, pk: int) -> Trigger:
    found = Trigger.objects.filter(project=project, pk=pk).first()
    if found is None:
        raise NotFound("There is no such rule in this project.")
    return found


@transaction.atomic
def add_trigger(
    *,
    project: Project,
    name: str,
    join: str,
    conditions: list[dict[str, Any]],
    cool_down_hours: int,
    by: User,
    at: datetime,
) -> Trigger:
    if not conditions:
        raise Invalid("A rule needs at least one condition.")
    try:
        with transaction.atomic():
            trigger = Trigger.objects.create(
                project=project,
                name=name.strip(),
                join=Trigger.Join(join),
                conditions=[CONDITIONS[c["kind"]].clean(c) for c in conditions],
                cool_down_hours=cool_down_hours,
                created_at=at,
            )
    except IntegrityError:
        raise Conflict(f"There is a rule named {name!r} already. Choose another name.") from None
    record("trigger.added", subject=trigger, at=at, actor=by)
    return trigger


def switch_trigger(*, trigger: Trigger, is_enabled: bool, by: User, at: datetime) -> None:
    changed = Trigger.objects.filter(pk=trigger.pk, is_enabled=not is_enabled)
    with transaction.atomic():
        if changed.update(is_enabled=is_enabled):
            record("trigger.switched", subject=trigger, at=at, actor=by, on=is_enabled)


@transaction.atomic
def delete_trigger(*, trigger: Trigger, by: User, at: datetime) -> None:
    """Batches it proposed keep their explanation."""
    record("trigger.deleted", subject=trigger, at=at, actor=by)
    trigger.delete()
