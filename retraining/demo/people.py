"""The demo's people: plainly demo, the same in both projects, one for each role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from labeling.models import Queue
from projects.creating import give_role
from projects.demo_people import DEMO_PASSWORD
from projects.models import Project, Role, User
from retraining.rehearsal.stage import Stage
from retraining.tour import VISITOR_AGENT, VISITOR_ANNOTATOR, VISITOR_LEAD

OWNER = "demo-engineer"
ANNOTATORS = ("demo-annotator-1", "demo-annotator-2", VISITOR_ANNOTATOR)
FLAGGING_AGENTS = ("demo-agent-2", "demo-agent-3", "demo-agent-4")
OTHERS = {
    VISITOR_AGENT: Role.AGENT,
    "demo-reviewer": Role.REVIEWER,
    VISITOR_LEAD: Role.LEAD,
    "demo-viewer": Role.VIEWER,
}


@dataclass(frozen=True)
class DemoPeople:
    owner: User
    by_name: dict[str, User]

    def join(self, project: Project, *, at: datetime) -> None:
        """Give everybody their role in the project."""
        roles = {
            **OTHERS,
            **dict.fromkeys(ANNOTATORS, Role.ANNOTATOR),
            **dict.fromkeys(FLAGGING_AGENTS, Role.AGENT),
        }
        for name, role in roles.items():
            give_role(project=project, user=self.by_name[name], role=role, at=at, by=self.owner)

    def stage(self, project: Project, queue: Queue) -> Stage:
        return Stage(
            project=project,
            queue=queue,
            owner=self.owner,
            lead=self.by_name[VISITOR_LEAD],
            reviewer=self.by_name["demo-reviewer"],
            agents=[self.by_name[name] for name in FLAGGING_AGENTS],
            annotators=[self.by_name[name] for name in ANNOTATORS],
        )


def demo_accounts() -> DemoPeople:
    """The accounts, made where they are missing."""
    names = [OWNER, *OTHERS, *ANNOTATORS, *FLAGGING_AGENTS]
    # Hashed once: everybody knows this password, and a hash costs a quarter of a second.
    password = make_password(DEMO_PASSWORD)
    by_name = {name: _account(name, password) for name in names}
    return DemoPeople(by_name[OWNER], by_name)


def _account(name: str, password: str) -> User:
    words = name.removeprefix("demo-").replace("-", " ")
    person, _ = User.objects.get_or_create(
        username=name, defaults={"first_name": "Demo", "last_name": words, "password": password}
    )
    return person
