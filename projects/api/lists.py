"""Lists of what belongs to one project."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from rest_framework import generics

from projects.api.requests import project_of
from projects.models import Project

Row = TypeVar("Row", bound=Model)


class ProjectListView(generics.ListAPIView[Row]):
    """The rows of the project in the address; `model` is what they are."""

    model: type[Row]

    def rows_of(self, project: Project) -> QuerySet[Row]:
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Row]:
        if getattr(self, "swagger_fake_view", False):  # The schema is made without a project.
            return self.model._default_manager.none()
        return self.rows_of(project_of(self.request))
