"""Add a trigger, switch it, take it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from events.recording import record
from projects.errors import Conflict, Invalid, NotFound
from projects.models import Project, User
from retraining.models import Trigger
from retraining.triggers import clean_condition


def access_trigger(project: Project, pk: int) -> Trigger:
    found = Trigger.objects.filter(project=project, pk=pk).first()
    if found is None:
        raise NotFound("There is no such rule in this project.")
    return found


def clean_rule(
    *, join: str, conditions: Sequence[Mapping[str, Any]], cool_down_hours: int
) -> dict[str, Any]:
    """The fields as a trigger stores them, whichever way they came; Invalid says what to do."""
    if join not in Trigger.Join.values:
        raise Invalid(f"A rule joins its conditions by any or all, not by {join!r}.")
    if cool_down_hours < 0:
        raise Invalid("A rule's cool-down is a number of hours, 0 or more.")
    return {
        "join": Trigger.Join(join),
        "conditions": [clean_condition(condition) for condition in conditions],
        "cool_down_hours": cool_down_hours,
    }


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
                **clean_rule(join=join, conditions=conditions, cool_down_hours=cool_down_hours),
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
