"""Fetch one object of labeling for a person, or raise: outsiders cannot tell that it exists."""

from __future__ import annotations

from uuid import UUID

from labeling.models import Annotation, ClassProposal, Item, Lease, Queue
from projects.errors import NotFound
from projects.models import Project, User


def access_queue(project: Project, slug: str) -> Queue:
    found = project.queues.filter(slug=slug).first()
    if found is None:
        raise NotFound("There is no such queue in this project.")
    found.project = project
    return found


def access_lease(user: User, project: Project, code: UUID) -> Lease:
    """A lease the person was given, whether or not it still holds."""
    mine = Lease.objects.filter(project=project, annotator=user, code=code)
    found = mine.select_related("queue", "item", "slot", "annotator").first()
    if found is None:
        raise NotFound("This item was not given to you, or not in this project.")
    found.queue.project = found.item.project = project
    return found


def access_annotation(user: User, project: Project, code: UUID) -> Annotation:
    """An answer the person gave."""
    mine = Annotation.objects.filter(project=project, annotator=user, code=code)
    found = mine.select_related("item", "lease__queue", "annotator").first()
    if found is None:
        raise NotFound("There is no such answer of yours in this project.")
    found.lease.queue.project = project
    return found


def access_item(project: Project, code: UUID) -> Item:
    found = Item.objects.filter(project=project, code=code).select_related("queue").first()
    if found is None:
        raise NotFound("There is no such item in this project.")
    found.project = project
    return found


def access_disputed(project: Project, code: UUID) -> Item:
    found = Item.objects.disputed(project).filter(code=code).select_related("queue").first()
    if found is None:
        raise NotFound("There is no such item to settle in this project.")
    return found


def access_proposal(project: Project, pk: int) -> ClassProposal:
    found = ClassProposal.objects.filter(project=project, pk=pk).first()
    if found is None:
        raise NotFound("There is no such proposal in this project.")
    found.project = project
    return found
