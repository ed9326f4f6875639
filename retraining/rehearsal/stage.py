"""The rehearsal's project and people: made by the same functions as anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.clock import UTC
from labeling.models import Queue
from projects.creating import give_role, tell_again_alike
from projects.models import Project, Role, User
from retraining.project_file import ProjectSpec, QueueSpec, TriggerSpec
from retraining.rehearsal.options import RehearsalOptions
from retraining.setting_up import set_up_project

OPENING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
AGENTS = 5
LONG_LEASE_MINUTES = 600.0  # The set clock moves in steps; nobody walks away in a rehearsal.
# Nothing fires by itself: the batch is proposed when the labels are used up.
NEVER = TriggerSpec("Two years", [{"kind": "time", "days": 730}])


@dataclass(frozen=True)
class Stage:
    """Where and by whom the loop is played."""

    project: Project
    queue: Queue
    owner: User
    lead: User
    reviewer: User
    agents: list[User]
    annotators: list[User]


def opening(seed: int) -> datetime:
    """The first moment of the rehearsal's clock; another seed is another day."""
    return OPENING + timedelta(days=seed)


def set_stage(*, options: RehearsalOptions, classes: list[str], at: datetime) -> Stage:
    """The project with its known classes, the lead, the reviewer, agents and annotators."""
    kind = "image" if options.digits else "text"
    owner = _person("owner")
    spec = ProjectSpec(
        name="Rehearsal",
        task_type=kind,
        trainer=kind,
        classes=classes,
        segment_keys=list(options.segment_columns),
        audit_rate=0.0,
        guideline="Simulated people know the true class, but for their error rate.",
        queues=[QueueSpec(overlap=options.overlap, lease_minutes=LONG_LEASE_MINUTES)],
        triggers=[NEVER],
    )
    project = set_up_project(spec=spec, owner=owner, at=at)
    tell_again_alike(project, story=f"rehearsal {options.seed}")
    return Stage(
        project=project,
        queue=project.queues.get(),
        owner=owner,
        lead=_member(project, owner, "lead", Role.LEAD, at),
        reviewer=_member(project, owner, "reviewer", Role.REVIEWER, at),
        agents=[_member(project, owner, f"agent {n}", Role.AGENT, at) for n in range(AGENTS)],
        annotators=[
            _member(project, owner, f"annotator {n}", Role.ANNOTATOR, at)
            for n in range(len(options.annotators))
        ],
    )


def _member(project: Project, owner: User, name: str, role: Role, at: datetime) -> User:
    person = _person(name)
    give_role(project=project, user=person, role=role, at=at, by=owner)
    return person


def _person(name: str) -> User:
    return User.objects.create(username=name.replace(" ", "-"), first_name=name)
