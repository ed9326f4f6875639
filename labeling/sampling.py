"""Ask about predictions that nobody flagged and no audit drew: those the model was unsure of.

Least confidence (Lewis and Gale 1994, "A sequential algorithm for training text classifiers").
Such items teach, but they are chosen for their difficulty, so they never estimate accuracy.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from events.recording import record
from feedback.models import Prediction
from labeling.models import Item, ItemSource
from labeling.queueing import queue_input
from projects.models import Project, User

LOOK_AHEAD = 4  # Predictions looked at per item wanted: several may be of one input.


@transaction.atomic
def queue_uncertain(
    *, project: Project, count: int, since: datetime, at: datetime, by: User | None = None
) -> list[Item]:
    """Queue the inputs of the least confident predictions since then that are no items yet."""
    known = Item.objects.filter(project=project, identity=OuterRef("identity"))
    unsure = (
        Prediction.objects.filter(
            ~Exists(known), project=project, occurred_at__gt=since, confidence__isnull=False
        )
        .order_by("confidence", "id")
        .select_related("project")
    )
    items: dict[int, Item] = {}
    for prediction in unsure[: count * LOOK_AHEAD]:
        item = queue_input(
            project=project,
            value=prediction.input,
            context=prediction.context,
            segments=prediction.segments,
            source=ItemSource.Kind.UNCERTAINTY,
            reference=prediction.pk,
            at=at,
        )
        items[item.pk] = item
        if len(items) == count:
            break
    record("items.sampled", subject=project, at=at, actor=by, count=len(items))
    return list(items.values())
