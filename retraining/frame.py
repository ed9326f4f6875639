"""What stands around every page: projects, navigation by role, the person, and the demo's extras.

It is built only when a template looks at it, so parts for htmx and the API pay nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest  # noqa: TID251  A context processor's argument.
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from projects.models import Deployment, Membership, Project, Role, User
from retraining.demo_frame import DemoFrame, DemoSignIn, demo_frame, demo_sign_ins
from retraining.navigation import Section, sections_for
from retraining.waiting import MOST_COUNTED, waiting_count

PLAIN_ROLES = frozenset({Role.AGENT, Role.ANNOTATOR, Role.VIEWER})  # They never read "champion".


@dataclass(frozen=True)
class Link:
    url: str
    title: str
    note: str = ""
    is_current: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    links: list[Link]


@dataclass(frozen=True)
class ProjectLink:
    name: str
    note: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class Person:
    name: str
    initials: str
    roles: str


@dataclass(frozen=True)
class Frame:
    """The context key `frame` of layouts/base.html and layouts/focus.html."""

    home_url: str
    logout_url: str = ""
    search_url: str = ""
    project: ProjectLink | None = None
    projects: list[ProjectLink] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    person: Person | None = None
    account_links: list[Link] = field(default_factory=list)
    demo: DemoFrame | None = None
    demo_accounts: list[DemoSignIn] = field(default_factory=list)


def frame(request: HttpRequest) -> dict[str, object]:
    """The context processor."""
    return {"frame": SimpleLazyObject(partial(build_frame, request))}


def build_frame(request: HttpRequest) -> Frame:
    user = getattr(request, "user", None)
    home_url = reverse("retraining:home-show")
    if not isinstance(user, User) or not user.is_authenticated:
        return Frame(home_url, demo_accounts=demo_sign_ins() if settings.DEMO else [])
    held = _roles_by_project(user)
    current = getattr(request, "project", None)
    roles = held.get(current, frozenset())
    sections = sections_for(roles) if current else []
    return Frame(
        home_url=home_url,
        logout_url=reverse("account_logout"),
        search_url=_search_url(current, sections),
        project=next((p for p in _project_links(held, current) if p.is_current), None),
        projects=_project_links(held, current),
        groups=[_group(section, current, user, request.path) for section in sections if current],
        person=_person(user, roles),
        account_links=[Link(reverse("account_change_password"), "Change password")],
        demo=demo_frame(request, user=user, project=current) if settings.DEMO else None,
    )


def _roles_by_project(user: User) -> dict[Project | None, frozenset[Role]]:
    """The person's projects by name, each with the live version's name on it."""
    champion = Deployment.objects.filter(project=OuterRef("project"), role="champion")
    memberships = (
        Membership.objects.filter(user=user)
        .select_related("project")
        .annotate(live_name=Subquery(champion.order_by("-sequence").values("version__name")[:1]))
        .order_by("project__name", "project_id")
    )
    held: dict[Project | None, set[Role]] = defaultdict(set)
    for membership in memberships:
        membership.project.live_name = membership.live_name  # type: ignore[attr-defined]  # Annotated.
        held[membership.project].add(Role(membership.role))
    return {project: frozenset(roles) for project, roles in held.items()}


def _project_links(
    held: dict[Project | None, frozenset[Role]], current: Project | None
) -> list[ProjectLink]:
    return [
        ProjectLink(
            name=project.name,
            note=_live_words(getattr(project, "live_name", None), roles),
            url=reverse("retraining:project-home", kwargs={"slug": project.slug}),
            is_current=project == current,
        )
        for project, roles in held.items()
        if project
    ]


def _live_words(live_name: str | None, roles: frozenset[Role]) -> str:
    if not live_name:
        return "no live model yet"
    return f"live model {live_name}" if roles <= PLAIN_ROLES else f"champion {live_name}"


def _group(section: Section, project: Project, person: User, path: str) -> Group:
    links = []
    for entry in section.entries:
        url = reverse(entry.url_name, kwargs={"slug": project.slug})
        count = waiting_count(entry.counted, project=project, person=person) if entry.counted else 0
        note = "" if not count else f"{count}+" if count >= MOST_COUNTED else str(count)
        links.append(Link(url, entry.title, note, is_current=path.startswith(url)))
    return Group(section.title, links)


def _search_url(project: Project | None, sections: Iterable[Section]) -> str:
    names = {entry.url_name for section in sections for entry in section.entries}
    if project is None or "feedback:prediction-find" not in names:
        return ""
    return reverse("feedback:prediction-find", kwargs={"slug": project.slug})


def _person(user: User, roles: frozenset[Role]) -> Person:
    name = str(user)
    words = name.split()
    initials = words[0][0] + words[-1][0] if len(words) > 1 else name[:2]
    titles = [role.label for role in Role if role in roles]
    return Person(name, initials.upper(), ", ".join(titles) if len(titles) < len(Role) else "Owner")
