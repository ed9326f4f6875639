"""Create a project with its owner, and give people roles in it."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.core.validators import slug_re
from django.db import transaction
from django.utils.text import slugify

from events.recording import record
from projects.classes import add_classes
from projects.errors import Conflict, Invalid, Refused
from projects.models import Membership, Project, Role, User
from projects.task_types import TASK_TYPES

LONGEST_SLUG = 60


@transaction.atomic
def create_project(
    *,
    name: str,
    task_type: str,
    trainer: str,
    owner: User,
    at: datetime,
    slug: str = "",
    question: str = "",
    classes: Iterable[str] = (),
    segment_keys: Iterable[str] = (),
    context_fields: Iterable[str] = (),
    group_field: str = "",
    evaluation_share: float = 0.2,
    accuracy_target: float = 0.9,
    is_demo: bool = False,
) -> Project:
    """A project whose owner holds every role, so that one person can try the whole loop."""
    slug = slug or slugify(name)[:LONGEST_SLUG].strip("-")
    if not slug:
        raise Invalid("Give the project a name with letters or digits.")
    if len(slug) > LONGEST_SLUG or not slug_re.fullmatch(slug):
        raise Invalid(
            f"slug: {slug[:80]!r} is to be part of addresses. Use letters, digits, hyphens and "
            f"underscores, at most {LONGEST_SLUG}."
        )
    if Project.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a project at {slug!r} already; choose another name.")
    project = Project.objects.create(
        slug=slug,
        name=name,
        question=question or Project._meta.get_field("question").default,
        task_type=TASK_TYPES[task_type].slug,
        trainer=trainer,
        owner=owner,
        segment_keys=list(segment_keys),
        context_fields=list(context_fields),
        group_field=group_field,
        evaluation_share=evaluation_share,
        accuracy_target=accuracy_target,
        is_demo=is_demo,
        created_at=at,
    )
    record("project.created", subject=project, at=at, actor=owner)
    add_classes(project=project, names=classes, at=at, by=owner)
    for role in Role:
        give_role(project=project, user=owner, role=role, at=at, by=owner)
    return project


def tell_again_alike(project: Project, *, story: str) -> None:
    """The same story gets the same uses and draws each time it is told.

    Only for projects of simulated people: a real project's key is random, so that nobody can
    tell beforehand what an input will be used for.
    """
    project.identity_key = hashlib.sha256(story.encode()).hexdigest()
    project.save(update_fields=["identity_key"])


def may_create(user: User) -> bool:
    """Engineers make projects, and so do people who are in none: somebody has to be first."""
    roles = set(Membership.objects.filter(user=user).values_list("role", flat=True))
    return not roles or Role.ENGINEER in roles or user.is_staff


def check_may_create(user: User) -> None:
    if not may_create(user):
        raise Refused("Only engineers make new projects. Ask one of your project's engineers.")


def give_role(*, project: Project, user: User, role: str, at: datetime, by: User) -> Membership:
    """One more role for a person; the same one twice is one."""
    membership, is_new = Membership.objects.get_or_create(
        project=project, user=user, role=Role(role), defaults={"given_at": at}
    )
    if is_new:
        record("membership.given", subject=membership, at=at, actor=by, user=user.pk, role=role)
    return membership


@transaction.atomic
def take_role(*, membership: Membership, at: datetime, by: User) -> None:
    """Take a role away; a project keeps at least one engineer, or nobody could set it up."""
    engineers = Membership.objects.filter(project=membership.project, role=Role.ENGINEER)
    if membership.role == Role.ENGINEER and engineers.count() == 1:
        raise Conflict("This is the project's last engineer. Give somebody else the role first.")
    record(
        "membership.taken",
        subject=membership,
        at=at,
        actor=by,
        user=membership.user_id,
        role=membership.role,
    )
    membership.delete()
