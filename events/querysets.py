"""Reads of the event log; there is no way to change or delete a line through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models

if TYPE_CHECKING:
    from events.models import Event


class EventQuerySet(models.QuerySet["Event"]):
    def of(self, subject: models.Model) -> EventQuerySet:
        return self.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)

    def sealed(self, project_id: int) -> EventQuerySet:
        return self.filter(project_id=project_id, position__isnull=False).order_by("position")

    def unsealed(self) -> EventQuerySet:
        return self.filter(position__isnull=True)

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("Events are append-only.")

    def delete(self) -> NoReturn:
        raise TypeError("Events are append-only.")

    def forget_project(self, project_id: int) -> None:
        """Drop a whole project's log, when the demo is rebuilt."""
        self.filter(project_id=project_id)._raw_delete(self.db)
