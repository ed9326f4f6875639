"""Read what feedback wrote, on a tick: new flags and draws become items in queues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from feedback import issues
from feedback.models import AuditDraw, Flag, Issue
from labeling.flag_verdicts import judge_flags
from labeling.models import Item, ItemSource
from labeling.queueing import queue_input
from projects.errors import Invalid

BATCH = 500
# What rules can tell apart: imported rows have their answer, and nothing else comes to a queue.
SOURCES = (ItemSource.Kind.FLAG, ItemSource.Kind.AUDIT)
Sent = TypeVar("Sent", Flag, AuditDraw)


def route_new_flags(*, at: datetime) -> int:
    """Queue the inputs of flags that have not been routed; resolved ones are judged at once."""
    flags = Flag.objects.unrouted().select_related("prediction__project", "issue")
    return _route_each(flags, _route_flag, at=at)


def route_new_draws(*, at: datetime) -> int:
    """Queue every drawn prediction; one whose input is resolved reuses its ground truth."""
    draws = AuditDraw.objects.filter(routed_at=None).select_related("prediction__project")
    return _route_each(draws, _route_draw, at=at)


def _route_each(rows: QuerySet[Sent], route: Callable[..., bool], *, at: datetime) -> int:
    """A project without a rule for a row stops no other project; it is told at the end.

    Its rows stay and come first each time, so the others are looked for behind them.
    """
    count = 0
    stuck: dict[int, Invalid] = {}
    while True:
        known = set(stuck)
        for row in rows.exclude(project__in=known).order_by("id")[:BATCH]:
            try:
                count += route(row, at=at)
            except Invalid as error:
                stuck[row.project_id] = error
        if known == set(stuck):
            break
    if stuck:
        raise next(iter(stuck.values()))
    return count


@transaction.atomic
def _route_flag(flag: Flag, *, at: datetime) -> bool:
    if not Flag.objects.filter(pk=flag.pk, routed_at=None).update(routed_at=at):
        return False
    prediction = flag.prediction
    if prediction is None:
        return False
    item = queue_input(
        project=prediction.project,
        value=prediction.input,
        context=prediction.context,
        segments=prediction.segments,
        source=ItemSource.Kind.FLAG,
        reference=flag.pk,
        severity=flag.severity,
        at=at,
    )
    if item.state == Item.State.RESOLVED:
        judge_flags(item=item, at=at)
    elif flag.issue is not None:
        issues.move_issue(issue=flag.issue, state=Issue.State.LABELING, at=at)
    return True


@transaction.atomic
def _route_draw(draw: AuditDraw, *, at: datetime) -> bool:
    if not AuditDraw.objects.filter(pk=draw.pk, routed_at=None).update(routed_at=at):
        return False
    prediction = draw.prediction
    queue_input(
        project=prediction.project,
        value=prediction.input,
        context=prediction.context,
        segments=prediction.segments,
        source=ItemSource.Kind.AUDIT,
        reference=draw.pk,
        at=at,
    )
    return True
