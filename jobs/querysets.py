"""Reads of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from jobs.models import Job


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> JobQuerySet:
        return self.filter(state__in=["queued", "running"])

    def claimable(self, at: datetime) -> JobQuerySet:
        """Due and queued, or running under a lease that has run out."""
        return self.filter(
            Q(state="queued", due_at__lte=at) | Q(state="running", lease_until__lt=at)
        )

    def failed(self) -> JobQuerySet:
        return self.filter(state="failed")
