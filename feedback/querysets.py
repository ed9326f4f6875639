"""Reads of predictions, flags and issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Q

if TYPE_CHECKING:
    from feedback.models import Flag, Issue, Prediction
    from projects.models import Project, User


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def of(self, project: Project) -> PredictionQuerySet:
        return self.filter(project=project).select_related("version")


class FlagQuerySet(models.QuerySet["Flag"]):
    def by(self, user: User, project: Project) -> FlagQuerySet:
        """The person's flags, newest first, with what their pages show."""
        return (
            self.filter(agent=user, project=project)
            .select_related("prediction__version", "issue__fixed_in", "suggested")
            .order_by("-created_at")
        )

    def open(self) -> FlagQuerySet:
        return self.filter(state__in=["open", "still wrong"])

    def waiting(self, project: Project) -> FlagQuerySet:
        """Flags on ids that have not arrived yet."""
        return self.filter(project=project, prediction=None).exclude(external_id="")

    def unrouted(self) -> FlagQuerySet:
        return self.filter(routed_at=None, state="open").exclude(identity="")


class IssueQuerySet(models.QuerySet["Issue"]):
    def of(self, project: Project) -> IssueQuerySet:
        """The project's issues with how many flags that stand, and customers, each has."""
        stands = ~Q(flags__state="withdrawn")
        return (
            self.filter(project=project)
            .exclude(state="merged")
            .annotate(
                flag_count=Count("flags", distinct=True, filter=stands),
                customer_count=Count(
                    "flags__prediction__customer_ref",
                    distinct=True,
                    filter=stands & ~Q(flags__prediction__customer_ref=""),
                ),
            )
        )

    def in_group(self, name: str) -> IssueQuerySet:
        """The tabs of the list: `open` is whatever has not ended."""
        if name == "open":
            return self.unfinished()
        return self if name == "all" else self.filter(state=name)

    def unfinished(self) -> IssueQuerySet:
        return self.exclude(state__in=["fixed", "declined", "merged"])
