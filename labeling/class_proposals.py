"""Names proposed for what is none of the classes, and a lead's decision on them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from events.recording import record
from labeling.models import Annotation, ClassProposal, Item
from labeling.queueing import requeue_item
from projects.classes import add_class, clean_class_name
from projects.errors import Conflict
from projects.models import LabelClass, Project, User
from projects.task_types.text_classification import canonical_text

MOST_EXAMPLES = 3


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
    return items_outside(proposal.project)[proposal.canonical]


def items_outside(project: Project) -> dict[str, list[Item]]:
    """Items whose accepted answer is "none of these", by the canonical form of their name."""
    outside = Item.objects.filter(
        project=project, state=Item.State.RESOLVED, truth__is_outside=True
    ).select_related("truth", "queue", "project")
    by_name: dict[str, list[Item]] = defaultdict(list)
    for item in outside.order_by("pk"):
        if item.truth:
            by_name[canonical_text(item.truth.proposed_name)].append(item)
    return by_name


def people_who_said(project: Project) -> dict[str, int]:
    """How many people gave each name, by its canonical form."""
    said = Annotation.objects.answers().filter(project=project, is_outside=True)
    pairs = said.exclude(proposed_name="").values_list("proposed_name", "annotator_id")
    people = {(canonical_text(name), person) for name, person in pairs.distinct()}
    return Counter(name for name, _ in people)


@dataclass(frozen=True)
class WaitingProposal:
    """A name to decide on: the items that it would open again, and how many people gave it."""

    proposal: ClassProposal
    items: list[Item]
    people_count: int

    @property
    def item_count(self) -> int:
        return len(self.items)

    @property
    def examples(self) -> list[Item]:
        return self.items[:MOST_EXAMPLES]


def waiting_proposals(project: Project) -> list[WaitingProposal]:
    """Open proposals; those that name most items first."""
    named, people = items_outside(project), people_who_said(project)
    proposals = ClassProposal.objects.filter(project=project, state=ClassProposal.State.PROPOSED)
    found = [WaitingProposal(p, named[p.canonical], people.get(p.canonical, 0)) for p in proposals]
    return sorted(found, key=lambda waiting: -waiting.item_count)
