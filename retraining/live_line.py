"""The line of champions: who holds it while it is changed, and where a rollback leads."""

from __future__ import annotations

from projects.models import Deployment, ModelVersion, Project
from projects.versions import find_champion


def hold_live_line(project_id: int) -> ModelVersion | None:
    """The champion, which nobody else changes until the caller's transaction ends."""
    # Weaker than a full lock: rows that refer to the project can still be written.
    project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
    return find_champion(project)


def find_rollback_target(project: Project) -> ModelVersion | None:
    """The champion before the current one in the order of deployment.

    A rollback takes its version off the line: rolling back again leads one further back, not to
    the version that was left a moment ago.
    """
    standing = standing_versions(project)
    return standing[-2] if len(standing) > 1 else None


def standing_versions(project: Project) -> list[ModelVersion]:
    """The champions that led to the current one, oldest first, without those rolled back."""
    standing: list[ModelVersion] = []
    lines = Deployment.objects.champions(project.pk).select_related("version").order_by("sequence")
    for line in lines:
        if line.cause == Deployment.Cause.ROLLBACK:
            while standing and standing[-1] != line.version:
                standing.pop()
        if not standing or standing[-1] != line.version:
            standing.append(line.version)
    return standing
