"""Model versions and the line of deployments."""

from datetime import datetime

from django.db import IntegrityError, transaction

from events.recording import record
from projects.errors import Conflict
from projects.models import Deployment, ModelVersion, Project, User


def find_champion(project: Project) -> ModelVersion | None:
    """The live version, or None before the first deployment."""
    line = Deployment.objects.current(project.pk)
    return line.version if line else None


def external_version(project: Project, name: str, *, at: datetime) -> ModelVersion:
    """The version of that name; an unknown one is registered as external."""
    version, _ = ModelVersion.objects.get_or_create(
        project=project,
        name=name,
        defaults={"kind": ModelVersion.Kind.EXTERNAL, "created_at": at},
    )
    return version


@transaction.atomic
def deploy(
    *,
    version: ModelVersion,
    expected: ModelVersion | None,
    cause: str,
    at: datetime,
    by: User | None,
    reason: str = "",
) -> Deployment:
    """Make the version the champion, if the champion is still the expected one."""
    current = Deployment.objects.current(version.project_id)
    if (current.version if current else None) != expected:
        raise Conflict("The live version has changed meanwhile. Reload and decide again.")
    try:
        with transaction.atomic():
            line = Deployment.objects.create(
                project_id=version.project_id,
                version=version,
                cause=cause,
                sequence=current.sequence + 1 if current else 1,
                reason=reason,
                by=by,
                at=at,
            )
    except IntegrityError:
        raise Conflict("Somebody else has just changed the live version. Reload.") from None
    record("version.deployed", subject=line, at=at, actor=by, version=version.pk, cause=cause)
    return line
