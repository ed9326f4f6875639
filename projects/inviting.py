"""Bring people into a project by user name or e-mail, change their roles, take them out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from events.recording import record
from projects.creating import give_role, take_role
from projects.demo_people import is_of_demo
from projects.errors import Conflict, Invalid, NotFound
from projects.models import Membership, Project, Role, User

LONGEST_NAME = 30
NOT_IN_NAMES = re.compile(r"[^\w.+-]")


@dataclass(frozen=True)
class Invited:
    """The person, and whether their account was made for this: then they need a password."""

    user: User
    is_new: bool


@transaction.atomic
def invite(*, project: Project, address: str, role: str, by: User, at: datetime) -> Invited:
    """Give a role to an account; an unknown e-mail gets an account without a password."""
    address = address.strip()
    known = User.objects.filter(Q(username__iexact=address) | Q(email__iexact=address))
    user = known.filter(is_active=True).order_by("pk").first()
    is_new = user is None
    if user is None:
        user = _make_account(address)
    elif project.is_demo and not is_of_demo(user):
        raise Invalid(
            "Anybody can act as the people of the demo, so nobody's own account joins it. Give an "
            "e-mail address that has no account yet."
        )
    give_role(project=project, user=user, role=role, at=at, by=by)
    return Invited(user, is_new)


def awaiting_password(project: Project) -> QuerySet[User]:
    """Members who have never set a password, and whose account opens nothing but this project."""
    roles = Membership.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(
        Exists(roles.filter(project=project)),
        ~Exists(roles.exclude(project=project)),
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
        is_active=True,
        is_staff=False,
        is_superuser=False,
    )


@transaction.atomic
def renew_invitation(*, project: Project, user: User, by: User, at: datetime) -> User:
    """Void every link that the person was given; whoever calls makes the next one."""
    waiting = awaiting_password(project).select_for_update().filter(pk=user.pk).first()
    if waiting is None:
        raise Conflict(
            f"A new link for {user} cannot be made here: it would open more than an account that "
            "nobody has used. Whoever runs Setright can set a password (manage.py changepassword)."
        )
    waiting.set_unusable_password()  # Another one each time, and links are bound to it.
    waiting.save(update_fields=["password"])
    record("invitation.renewed", subject=project, at=at, actor=by, user=waiting.pk)
    return waiting


def access_member(project: Project, user_id: int) -> User:
    found = User.objects.filter(memberships__project=project, pk=user_id).distinct().first()
    if found is None:
        raise NotFound("There is no such member in this project.")
    return found


@transaction.atomic
def set_roles(
    *, project: Project, user: User, roles: Iterable[str], by: User, at: datetime
) -> None:
    """Exactly these roles; at least one, or the person would be out unawares."""
    wanted = {Role(role) for role in roles}
    if not wanted:
        raise Invalid("Choose at least one role, or remove the person from the project.")
    for role in wanted:
        give_role(project=project, user=user, role=role, at=at, by=by)
    held = Membership.objects.filter(project=project, user=user)
    for membership in held.exclude(role__in=wanted).select_related("project"):
        take_role(membership=membership, at=at, by=by)


@transaction.atomic
def remove_member(*, project: Project, user: User, by: User, at: datetime) -> None:
    """Take a person out; what they did stays."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    if user.pk == project.owner_id:
        raise Conflict("The owner stays in the project. Make somebody else the owner first.")
    held = Membership.objects.filter(project=project, user=user).select_related("project")
    for membership in held:
        take_role(membership=membership, at=at, by=by)


@transaction.atomic
def name_owner(*, project: Project, user: User, by: User, at: datetime) -> None:
    """Make a member the owner; the one before keeps their roles."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    access_member(project, user.pk)
    if project.owner_id == user.pk:
        return
    if is_of_demo(user) != is_of_demo(project.owner):
        raise Conflict(
            "Anybody can act as the people of the demo: they own what they made themselves, and "
            "nothing else."
        )
    record("project.owner_named", subject=project, at=at, actor=by, user=user.pk)
    project.owner = user
    project.save(update_fields=["owner"])


def _make_account(address: str) -> User:
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(
            "Nobody was added. Give a user name exactly as it is, or an e-mail address, which gets "
            "an account where it has none."
        ) from None
    wanted = NOT_IN_NAMES.sub("", address.partition("@")[0])[:LONGEST_NAME] or "person"
    taken = set(
        User.objects.filter(username__istartswith=wanted).values_list("username", flat=True)
    )
    lowered = {name.lower() for name in taken}
    names = [wanted, *(f"{wanted}{number}" for number in range(2, len(lowered) + 3))]
    free = next(name for name in names if name.lower() not in lowered)
    return User.objects.create_user(free, address)
