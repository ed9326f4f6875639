"""Build the demo's projects, and drop and build them again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from events.models import Event
from events.recording import record
from feedback.models import FlagDecision
from jobs.models import Job
from projects.errors import Refused
from projects.models import Project
from retraining.demo.desks import DESKS
from retraining.demo.people import demo_accounts
from retraining.demo.story import play

SEED = 7
TOLD = "demo.told"


def is_demo_loaded() -> bool:
    """Only a desk whose history was told to its end counts; an interrupted one is built anew."""
    demo = Project.objects.filter(is_demo=True).values("pk")
    told = Event.objects.filter(name=TOLD, project_id__in=demo)
    return told.values("project_id").distinct().count() == len(DESKS)


def load_demo(*, at: datetime, report: Callable[[int, int, str], None]) -> list[Project]:
    """Both desks with their history; half-built ones from an earlier try are dropped first."""
    if not settings.DEMO:
        raise Refused("The demo is off. Set DEMO=yes where you want it; never in production.")
    _commit_lightly()
    drop_demo()
    people = demo_accounts()
    projects = []
    for number, make_desk in enumerate(DESKS):
        desk = make_desk(SEED)
        report(number, len(DESKS), desk.spec.name)
        project = play(desk=desk, people=people, until=at, seed=SEED)
        record(TOLD, subject=project, at=at)
        projects.append(project)
    report(len(DESKS), len(DESKS), "ready")
    return projects


def drop_demo() -> None:
    """Every row of every demo project, its events and jobs; accounts stay."""
    for project in Project.objects.filter(is_demo=True):
        _drop(project)


def _commit_lightly() -> None:
    """Thousands of small transactions that can be played again need no wait for the disk each.

    In SQLite's write-ahead mode NORMAL cannot damage the file; only this process uses it.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")


@transaction.atomic
def _drop(project: Project) -> None:
    """Foreign keys are checked at the end of the transaction, so the order does not matter."""
    FlagDecision.objects.filter(flag__project=project)._raw_delete(connection.alias)
    for model in apps.get_models():
        names = {field.name for field in model._meta.get_fields()}
        if model._meta.app_label in _OURS and "project" in names:
            model._base_manager.filter(project=project)._raw_delete(connection.alias)
    Event.objects.forget_project(project.pk)
    Job.objects.filter(project_id=project.pk)._raw_delete(connection.alias)
    Project.objects.filter(pk=project.pk)._raw_delete(connection.alias)


_OURS = {"projects", "feedback", "labeling", "monitoring", "retraining"}
