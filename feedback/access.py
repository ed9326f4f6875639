"""Fetch one object of feedback, or raise: outsiders cannot tell that it exists."""

from __future__ import annotations

from uuid import UUID

from feedback.models import Flag, Issue, Prediction
from projects.errors import NotFound
from projects.models import Project, User


def access_prediction(project: Project, pk: int) -> Prediction:
    found = Prediction.objects.of(project).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such answer in this project.")
    found.project = project
    return found


def access_flag(user: User, project: Project, code: UUID) -> Flag:
    """A flag of this person's own."""
    found = Flag.objects.by(user, project).filter(code=code).first()
    if found is None:
        raise NotFound("There is no such flag of yours in this project.")
    return found


def access_issue(project: Project, number: int) -> Issue:
    issues = Issue.objects.filter(project=project).select_related("merged_into", "fixed_in")
    found = issues.filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no issue {number} in this project.")
    return found
