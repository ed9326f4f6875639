"""The people of the tests and a project they work in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from labeling.models import Queue
from projects.creating import give_role
from projects.models import ModelVersion, Project, Role, User
from projects.versions import deploy, external_version
from retraining.project_file import ProjectSpec, QueueSpec
from retraining.setting_up import set_up_project


@dataclass(frozen=True)
class Team:
    """Olga owns and holds every role; the others hold one each; Mallory is outside."""

    project: Project
    queue: Queue
    version: ModelVersion
    olga: User
    ada: User  # agent
    alan: User  # agent
    bob: User  # annotator
    beth: User  # annotator
    bill: User  # annotator
    rita: User  # reviewer
    lena: User  # ML lead
    ed: User  # engineer
    vera: User  # viewer
    mallory: User


MEMBERS = {
    "ada": Role.AGENT,
    "alan": Role.AGENT,
    "bob": Role.ANNOTATOR,
    "beth": Role.ANNOTATOR,
    "bill": Role.ANNOTATOR,
    "rita": Role.REVIEWER,
    "lena": Role.LEAD,
    "ed": Role.ENGINEER,
    "vera": Role.VIEWER,
}


def make_person(name: str) -> User:
    return User.objects.create_user(name, f"{name}@example.org", first_name=name.title())


def make_team(
    *,
    at: datetime,
    name: str = "Intents",
    classes: tuple[str, ...] = ("billing", "delivery", "refund"),
    overlap: int = 1,
    is_blind: bool = True,
    audit_rate: float = 0.0,
    suffix: str = "",
) -> Team:
    """A project with one queue, one external version that is live, and everybody in place."""
    people = {name: make_person(name + suffix) for name in ["olga", *MEMBERS, "mallory"]}
    spec = ProjectSpec(
        name=name,
        classes=list(classes),
        audit_rate=audit_rate,
        guideline="Judge the message.",
        queues=[QueueSpec(overlap=overlap, is_blind=is_blind)],
    )
    project = set_up_project(spec=spec, owner=people["olga"], at=at)
    for person, role in MEMBERS.items():
        give_role(project=project, user=people[person], role=role, at=at, by=people["olga"])
    version = external_version(project, "v1", at=at)
    deploy(version=version, expected=None, cause="first", at=at, by=people["lena"])
    return Team(project=project, queue=project.queues.get(), version=version, **people)
