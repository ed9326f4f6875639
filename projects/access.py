"""Who may see and do what: one function that fetches a project with a role, or raises."""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser

from projects.errors import NotFound, Refused
from projects.models import Membership, Project, Role, User

ANY_ROLE = frozenset(Role)


def access_project(
    user: User | AnonymousUser, slug: str, roles: Iterable[str] = ANY_ROLE
) -> tuple[Project, frozenset[Role]]:
    """The project and the person's roles in it; outsiders cannot tell that it exists."""
    memberships = Membership.objects.select_related("project", "project__owner").filter(
        project__slug=slug, user_id=user.pk or 0
    )
    held = {membership.role: membership.project for membership in memberships}
    if not held:
        raise NotFound("There is no such project, or you are not a member of it.")
    project = next(iter(held.values()))
    if not held.keys() & set(roles):
        wanted = ", ".join(sorted(Role(role).label for role in roles))
        whom = "engineers" if project.owner_id == user.pk else "owner"
        raise Refused(f"This needs one of these roles: {wanted}. Ask the project's {whom}.")
    return project, frozenset(Role(role) for role in held)
