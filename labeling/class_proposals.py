"""Names proposed for what is none of the classes, and a lead's decision on them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count

from events.recording import record
from labeling.models import ClassProposal, GroundTruth, Item
from labeling.queueing import requeue_item
from projects.classes import add_class, clean_class_name
from projects.errors import Conflict
from projects.models import LabelClass, Project, User
from projects.task_types.text_classification import canonical_text


def propose_class(*, project: Project, name: str, by: User | None, at: datetime) -> ClassProposal:
    """One proposal per name, however it is written."""
    name = clean_class_name(name)
    proposal, is_new = ClassProposal.objects.get_or_create(
        project=project,
        canonical=canonical_text(name),
        defaults={"name": name, "by": by, "proposed_at": at},
    )
    if is_new:
        record("class.proposed", subject=proposal, at=at, actor=by)
    return proposal


@transaction.atomic
def accept_class(
    *, proposal: ClassProposal, by: User, at: datetime, description: str = ""
) -> LabelClass:
    """Make it a class, and open again every item whose truth is "none of these" by this name."""
    if proposal.state == ClassProposal.State.ACCEPTED and proposal.label_class:
        return proposal.label_class
    label_class = add_class(
        project=proposal.project, name=proposal.name, at=at, by=by, description=description
    )
    decided = ClassProposal.objects.filter(
        pk=proposal.pk, state=ClassProposal.State.PROPOSED
    ).update(state=ClassProposal.State.ACCEPTED, label_class=label_class, by=by, decided_at=at)
    if not decided:
        raise Conflict("This proposal has been decided already. Reload the page.")
    for item in items_named(proposal):
        requeue_item(item=item, at=at, by=by, reason="class accepted")
    return label_class


@transaction.atomic
def decline_class(*, proposal: ClassProposal, by: User, at: datetime) -> None:
    declined = ClassProposal.objects.filter(
        pk=proposal.pk, state=ClassProposal.State.PROPOSED
    ).update(state=ClassProposal.State.DECLINED, decided_at=at)
    if not declined:
        raise Conflict("This proposal has been decided already. Reload the page.")
    record("class.declined", subject=proposal, at=at, actor=by)


def items_named(proposal: ClassProposal) -> list[Item]:
    """Items whose accepted answer is "none of these", under this name."""
    outside = Item.objects.filter(
        project=proposal.project, state=Item.State.RESOLVED, truth__is_outside=True
    ).select_related("truth", "queue", "project")
    return [
        item
        for item in outside
        if item.truth and canonical_text(item.truth.proposed_name) == proposal.canonical
    ]


def waiting_proposals(project: Project) -> list[tuple[ClassProposal, int]]:
    """Open proposals with the number of items each names, most first."""
    named = (
        GroundTruth.objects.filter(
            item__project=project, item__truth__isnull=False, is_outside=True
        )
        .values("proposed_name")
        .annotate(count=Count("item", distinct=True))
    )
    counts: dict[str, int] = {}
    for row in named:
        key = canonical_text(row["proposed_name"])
        counts[key] = counts.get(key, 0) + row["count"]
    proposals = ClassProposal.objects.filter(project=project, state=ClassProposal.State.PROPOSED)
    found = [(proposal, counts.get(proposal.canonical, 0)) for proposal in proposals]
    return sorted(found, key=lambda pair: -pair[1])
