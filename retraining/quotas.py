"""How many new labels are wanted: change the quotas, and accept a class with its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from events.recording import record
from labeling.class_proposals import accept_class
from labeling.guidelines import add_to_guideline
from labeling.models import ClassProposal
from projects.models import LabelClass, Project, User
from retraining.models import CoverageQuota


@transaction.atomic
def set_class_quotas(
    *, project: Project, wanted: Mapping[LabelClass, int | None], by: User, at: datetime
) -> None:
    """One quota per class over all segments; None takes a class's quota away."""
    for label_class, number in wanted.items():
        quota = CoverageQuota.objects.filter(
            project=project, label_class=label_class, segment_key="", segment_value=""
        )
        if number is None:
            quota.delete()
        elif not quota.update(wanted=number):
            CoverageQuota.objects.create(project=project, label_class=label_class, wanted=number)
    record("quotas.changed", subject=project, at=at, actor=by)


@transaction.atomic
def accept_with_quota(
    *, proposal: ClassProposal, wanted: int, description: str, by: User, at: datetime
) -> LabelClass:
    """The class, how to tell it and how many labels of it are wanted, in one step."""
    label_class = accept_class(proposal=proposal, by=by, at=at, description=description)
    if description.strip():
        paragraph = f"{label_class.name}: {description.strip()}"
        add_to_guideline(project=proposal.project, text=paragraph, by=by, at=at)
    set_class_quotas(project=proposal.project, wanted={label_class: wanted}, by=by, at=at)
    return label_class
