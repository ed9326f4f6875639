"""Which pages there are, for which roles: the navigation shows a person only these."""

from __future__ import annotations

from dataclasses import dataclass

from projects.models import Role

AGENT, ANNOTATOR, REVIEWER = Role.AGENT, Role.ANNOTATOR, Role.REVIEWER
LEAD, ENGINEER, VIEWER = Role.LEAD, Role.ENGINEER, Role.VIEWER


@dataclass(frozen=True)
class Entry:
    """One link; `counted` names the figure of `waiting.py` that stands beside it."""

    title: str
    url_name: str
    roles: frozenset[Role]
    counted: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


def _for(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


NAVIGATION = (
    Section(
        "Labeling",
        (Entry("Work", "labeling:work-start", _for(ANNOTATOR), "work"),),
    ),
)


def sections_for(roles: frozenset[Role]) -> list[Section]:
    """What holders of these roles can use; sections without a link are left out."""
    shown = [
        Section(section.title, tuple(entry for entry in section.entries if entry.roles & roles))
        for section in NAVIGATION
    ]
    return [section for section in shown if section.entries]
