"""Monitoring measures from draws and ground truth; it stores only what it decided."""

from __future__ import annotations

from django.db import models

from projects.models import Project


class AccuracyPoint(models.Model):
    """One day's audited accuracy with its interval, as it was known on that day."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="accuracy_points")
    day = models.DateField()
    estimate = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    answers = models.PositiveIntegerField()
    flagged_right = models.PositiveIntegerField()
    flagged_answers = models.PositiveIntegerField()
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["project", "day"], name="one_point_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.estimate:.3f}"
