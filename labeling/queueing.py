"""Items come in, get their slots, and open again in a new round."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from events.recording import record
from labeling import flag_verdicts
from labeling.models import GroundTruth, Item, ItemSource, Queue, RoutingRule, Slot
from projects.errors import Conflict, Invalid
from projects.identity import code_of, identity_of, use_of
from projects.models import Project, User
from projects.task_types.base import Input


@transaction.atomic
def queue_input(
    *,
    project: Project,
    value: Input,
    source: str,
    reference: int,
    at: datetime,
    context: dict[str, object] | None = None,
    segments: dict[str, str] | None = None,
    severity: int = 0,
) -> Item:
    """The item of this input, made and queued if it is new; it keeps every source.

    A resolved item is not asked again: an audit or a flag reuses its ground truth.
    """
    identity = identity_of(project, value, context)
    rule = route(project=project, source=source, severity=severity)
    item, is_new = Item.objects.get_or_create(
        project=project,
        identity=identity,
        defaults={
            "code": code_of(project, identity=identity),
            "input": dict(value),
            "context": context or {},
            "segments": segments or {},
            "use": use_of(
                project,
                identity=identity,
                group=str((context or {}).get(project.group_field, "")),
            ),
            "queue": rule.queue,
            "created_at": at,
            "queued_at": at,
        },
    )
    ItemSource.objects.get_or_create(
        project=project, item=item, kind=source, reference=reference, defaults={"at": at}
    )
    if is_new:
        record("item.queued", subject=item, at=at, use=item.use, source=source)
        _open_slots(item, at=at, head_start=timedelta(hours=rule.head_start_hours))
    else:
        _bring_forward(item, at=at, head_start=timedelta(hours=rule.head_start_hours))
    return item


def route(*, project: Project, source: str, severity: int = 0) -> RoutingRule:
    """The first rule that matches; raises Invalid when the project has no queue for it."""
    found = find_route(project=project, source=source, severity=severity)
    if found is None:
        raise Invalid(f"No routing rule sends {source!r} to a queue. Add one on the set-up page.")
    return found


def find_route(*, project: Project, source: str, severity: int = 0) -> RoutingRule | None:
    for rule in project.routing_rules.select_related("queue"):
        if rule.source in {"", source} and severity >= rule.least_severity:
            return rule
    return None


@transaction.atomic
def requeue_item(*, item: Item, at: datetime, by: User | None, reason: str) -> Item:
    """Open a resolved item in a new round; its ground truth is revised to none."""
    item = Item.objects.lock(item.pk)
    if item.state != Item.State.RESOLVED:
        raise Conflict("Only an item with an accepted answer can be opened again.")
    if item.queue is None:
        item.queue = route(project=item.project, source="").queue
    withdraw_truth(item=item, at=at, by=by)
    item.round += 1
    item.state = Item.State.OPEN
    item.queued_at, item.resolved_at = at, None
    item.save(update_fields=["queue", "round", "state", "queued_at", "resolved_at"])
    record("item.requeued", subject=item, at=at, actor=by, round=item.round, reason=reason)
    _open_slots(item, at=at, head_start=timedelta(0))
    return item


def withdraw_truth(*, item: Item, at: datetime, by: User | None = None) -> None:
    """Revise the ground truth to none; the earlier revisions stay."""
    if item.truth is None:
        return
    GroundTruth.objects.create(
        project_id=item.project_id,
        item=item,
        round=item.round,
        revision=item.truth.revision + 1,
        method=GroundTruth.Method.NONE,
        by=by,
        at=at,
    )
    item.truth = None
    item.save(update_fields=["truth"])
    flag_verdicts.withdraw_verdicts(item=item, at=at)


def order_key(*, queued_at: datetime, head_start: timedelta) -> int:
    """Milliseconds: older first, and a head start counts as age, so nothing starves."""
    return int((queued_at - head_start).timestamp() * 1000)


def _open_slots(item: Item, *, at: datetime, head_start: timedelta) -> None:
    queue: Queue | None = item.queue
    if queue is None:
        raise Invalid("An item without a queue has no slots.")
    key = order_key(queued_at=at, head_start=head_start)
    Slot.objects.bulk_create(
        Slot(
            project_id=item.project_id,
            queue=queue,
            item=item,
            round=item.round,
            number=number,
            order_key=key,
        )
        for number in range(1, queue.overlap + 1)
    )


def _bring_forward(item: Item, *, at: datetime, head_start: timedelta) -> None:
    """A second, more urgent source moves the open slots ahead, never back."""
    key = order_key(queued_at=item.queued_at or at, head_start=head_start)
    Slot.objects.filter(
        item=item, round=item.round, state=Slot.State.OPEN, order_key__gt=key
    ).update(order_key=key)
