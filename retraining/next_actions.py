"""Each role's next action, for home: what waits, why, and the one button for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from projects.models import Membership, Project, Role, User
from retraining.waiting import waiting_count


@dataclass(frozen=True)
class Action:
    """One thing to do."""

    title: str
    text: str
    label: str
    url: str
    tone: str = ""
    since: datetime | None = None
    project_name: str = ""
    is_main: bool = False


def home_of(*, person: User, projects: list[Project], at: datetime) -> dict[str, object]:
    """The context of projects/home_page.html."""
    actions = [action for project in projects for action in _actions(person, project)]
    return {"greeting": f"Hello, {person}", "actions": actions, "projects": []}


def _actions(person: User, project: Project) -> Iterable[Action]:
    roles = set(
        Membership.objects.filter(user=person, project=project).values_list("role", flat=True)
    )
    waiting = waiting_count("work", project=project, person=person)
    if Role.ANNOTATOR in roles and waiting:
        url = reverse("labeling:work-start", kwargs={"slug": project.slug})
        yield Action("Start labeling", f"{waiting} waiting", "Start", url)
