"""The audited accuracy by day as a chart reads it, with what happened meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from feedback.models import AuditDraw, Flag
from jobs.clock import UTC
from labeling.models import Item
from monitoring.models import AccuracyPoint
from projects.models import Deployment, Project

MOST_DAYS = 120


@dataclass(frozen=True)
class DayPoint:
    at: datetime
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Happening:
    at: datetime
    title: str


def points_of(project: Project) -> list[DayPoint]:
    """Oldest first, at most the newest MOST_DAYS."""
    newest = AccuracyPoint.objects.filter(project=project).order_by("-day")[:MOST_DAYS]
    return [
        DayPoint(datetime.combine(p.day, time(12), UTC), p.estimate, p.low, p.high)
        for p in reversed(newest)
    ]


def happenings_of(project: Project) -> list[Happening]:
    """The first flag, and every version that went live."""
    lines = Deployment.objects.champions(project.pk).select_related("version").order_by("at")
    happened = [Happening(line.at, f"{line.version.name} live") for line in lines]
    first = Flag.objects.filter(project=project).order_by("created_at").first()
    return ([Happening(first.created_at, "first flag")] if first else []) + happened


def below_since(points: list[DayPoint], target: float) -> datetime | None:
    """From which day on the whole interval has been under the target, without a break."""
    since = None
    for point in reversed(points):
        if point.high >= target:
            break
        since = point.at
    return since


@dataclass(frozen=True)
class Draws:
    """How many answers were drawn, and how many of them wait for their truth."""

    drawn: int
    waiting: int


def draws_of(project: Project) -> Draws:
    draws = AuditDraw.objects.filter(project=project)
    known = Item.objects.filter(project=project, truth__isnull=False).values("identity")
    waiting = draws.exclude(prediction__identity__in=known)
    return Draws(draws.count(), waiting.count())
