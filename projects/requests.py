"""What a view's request carries once the policy has been checked."""

from django.http import HttpRequest  # noqa: TID251  The type of a front door's argument.
from django_htmx.middleware import HtmxDetails

from projects.models import Project, Role, User


class SignedInRequest(HttpRequest):
    """A request of a signed-in person."""

    user: User
    htmx: HtmxDetails


class ProjectRequest(SignedInRequest):
    """A request on a project the person is a member of."""

    project: Project
    roles: frozenset[Role]
