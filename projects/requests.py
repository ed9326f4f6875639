"""What a view's request carries once the policy has been checked."""

from django.http import HttpRequest  # noqa: TID251  The type of a front door's argument.
from django_htmx.middleware import HtmxDetails

from projects.models import Project, Role, User

ID_DIGITS = 19  # As many, or more, are no row's id.


class SignedInRequest(HttpRequest):
    """A request of a signed-in person."""

    user: User
    htmx: HtmxDetails


class ProjectRequest(SignedInRequest):
    """A request on a project the person is a member of."""

    project: Project
    roles: frozenset[Role]


def is_row_id(raw: str) -> bool:
    """Whether a sent text can be a row's id: a number that a database takes."""
    return raw.isdecimal() and len(raw) < ID_DIGITS
