"""Audit draws: decided by a keyed hash of the external id alone, so flags cannot sway them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feedback.models import AuditDraw, AuditPlan
from projects.models import Project


def plan_in_force(project: Project, *, at: datetime) -> AuditPlan | None:
    """The newest plan that has begun."""
    begun = AuditPlan.objects.filter(project=project, since__lte=at)
    return begun.order_by("-since", "-id").first()


def store_draws(*, plan: AuditPlan, prediction_ids: Iterable[int], at: datetime) -> None:
    """Keep each draw with the probability it had."""
    AuditDraw.objects.bulk_create(
        (
            AuditDraw(
                project_id=plan.project_id,
                plan=plan,
                prediction_id=prediction_id,
                probability=plan.rate,
                drawn_at=at,
            )
            for prediction_id in prediction_ids
        ),
        batch_size=1000,
    )
