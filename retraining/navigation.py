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
        "Helping",
        (
            Entry("Find", "feedback:prediction-find", _for(AGENT, REVIEWER, LEAD, ENGINEER)),
            Entry("My flags", "feedback:flag-mine", _for(AGENT), "my_flags"),
            Entry("Issues", "feedback:issue-list", _for(AGENT, REVIEWER, LEAD), "issues"),
        ),
    ),
    Section(
        "Labeling",
        (
            Entry("Work", "labeling:work-start", _for(ANNOTATOR), "work"),
            Entry("My work", "labeling:annotation-mine", _for(ANNOTATOR)),
            Entry("To settle", "labeling:item-next_disputed", _for(REVIEWER), "disputed"),
        ),
    ),
    Section(
        "Deciding",
        (
            Entry("Batches", "retraining:batch-list", _for(LEAD, REVIEWER, ENGINEER), "batches"),
            Entry("Coverage", "retraining:coverage-show", _for(LEAD, REVIEWER), "proposals"),
            Entry("Models", "retraining:model-list", _for(LEAD, ENGINEER)),
            Entry("Triggers", "retraining:trigger-list", _for(LEAD, ENGINEER)),
        ),
    ),
    Section(
        "Watching",
        (
            Entry("Monitor", "monitoring:monitor-show", _for(LEAD, REVIEWER, ENGINEER)),
            Entry("Report", "monitoring:report-show", _for(LEAD, VIEWER)),
        ),
    ),
    Section(
        "Engineering",
        (
            Entry("Set-up", "retraining:project-edit", _for(ENGINEER)),
            Entry("Imports", "labeling:import-list", _for(ENGINEER)),
            Entry("API keys", "projects:key-list", _for(ENGINEER)),
            Entry("Members", "projects:member-list", _for(ENGINEER, LEAD)),
            Entry("Operations", "retraining:operations-show", _for(ENGINEER), "failed_jobs"),
        ),
    ),
)


def sections_for(roles: frozenset[Role]) -> list[Section]:
    """What holders of these roles can use; sections without a link are left out."""
    shown = [
        Section(section.title, tuple(entry for entry in section.entries if entry.roles & roles))
        for section in NAVIGATION
    ]
    return [section for section in shown if section.entries]
