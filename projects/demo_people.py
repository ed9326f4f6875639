"""Whom a visitor of the demo may act as: its people, and nobody who is in a real project."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from projects.errors import NotFound
from projects.models import Membership, User

DEMO_PASSWORD = "demo"  # noqa: S105  Only in demo mode, which is never on by accident.


def demo_people() -> QuerySet[User]:
    """Nobody where the demo is off."""
    mine = Membership.objects.filter(user=OuterRef("pk"))
    return demo_visitors().filter(Exists(mine.filter(project__is_demo=True)))


def demo_visitors() -> QuerySet[User]:
    """Who is in no real project: also the demo's people while its projects are being built."""
    if not settings.DEMO:
        return User.objects.none()
    mine = Membership.objects.filter(user=OuterRef("pk"))
    # What the people of the demo set up themselves while they look around is not real.
    real = mine.filter(project__is_demo=False).exclude(
        project__owner__memberships__project__is_demo=True
    )
    return User.objects.filter(~Exists(real), is_active=True, is_staff=False, is_superuser=False)


def is_of_demo(person: User) -> bool:
    """Whether anybody may act as this person where the demo is on, or might soon."""
    return Membership.objects.filter(user=person, project__is_demo=True).exists()


def check_demo_visitor(person: User) -> None:
    """The demo's passwords are on its sign-in page: whoever may be one of its people is let in."""
    if not demo_visitors().filter(pk=person.pk).exists():
        raise NotFound("There is nothing of that kind here.")


def access_demo_person(*, actor: User, person_id: int) -> User:
    """The person to act as; only demo people may switch, and only to each other."""
    wanted = demo_people().filter(pk__in=[actor.pk, person_id]).in_bulk()
    if actor.pk not in wanted or person_id not in wanted:
        raise NotFound("There is nobody of that kind in the demo.")
    return wanted[person_id]
