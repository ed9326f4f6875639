"""Reads of projects, keys and deployments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from projects.models import ApiKey, Deployment, ModelVersion, Project, User


class ProjectQuerySet(models.QuerySet["Project"]):
    def of(self, user: User) -> ProjectQuerySet:
        return self.filter(memberships__user=user).distinct().order_by("name")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, at: datetime) -> ApiKeyQuerySet:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), revoked_at=None)


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def champions(self, project_id: int) -> DeploymentQuerySet:
        """The project's champions, newest first."""
        return self.filter(project_id=project_id, role="champion").order_by("-sequence")

    def current(self, project_id: int) -> Deployment | None:
        return self.champions(project_id).select_related("version").first()

    def live_at(self, project_id: int, at: datetime) -> ModelVersion | None:
        """The version that was live then."""
        line = self.champions(project_id).filter(at__lte=at).select_related("version").first()
        return line.version if line else None
