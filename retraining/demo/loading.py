"""Build the demo's projects, and drop and build them again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from events.models import Event
from events.recording import record
from feedback.models import FlagDecision
from jobs.errors import JobFailed
from jobs.models import Job
from jobs.supervisor import end_with_parent
from projects.errors import Refused
from projects.models import Project
from retraining.demo.desks import DESKS
from retraining.demo.people import demo_accounts
from retraining.demo.story import play

SEED = 7
TOLD = "demo.told"
LONGEST_SECONDS = 900


def is_demo_loaded() -> bool:
    """Only a desk whose history was told to its end counts; an interrupted one is built anew."""
    demo = Project.objects.filter(is_demo=True).values("pk")
    told = Event.objects.filter(name=TOLD, project_id__in=demo)
    return told.values("project_id").distinct().count() == len(DESKS)


def load_demo(*, report: Callable[[int, int, str], None]) -> None:
    """All desks with their history; half-built ones from an earlier try are dropped first.

    Each is told in a process of its own: a story sets its process's clock, and two cores are
    twice as fast as one. Raises JobFailed when one could not be told.
    """
    _check_is_on()
    drop_demo()
    demo_accounts()
    children = {slug: _start(slug) for slug in DESKS}
    try:
        for number, (slug, child) in enumerate(children.items()):
            report(number, len(DESKS), slug)
            if child.wait(LONGEST_SECONDS):
                raise JobFailed(f"The demo's {slug} could not be built; see above.")
    finally:
        for child in children.values():
            child.kill()
            child.wait()
    report(len(DESKS), len(DESKS), "ready")


def load_desk(*, slug: str, at: datetime) -> Project:
    """One desk with its history, told by this process."""
    _check_is_on()
    _commit_lightly()
    desk = DESKS[slug](SEED)
    project = play(desk=desk, people=demo_accounts(), until=at, seed=SEED)
    record(TOLD, subject=project, at=at)
    return project


def _start(slug: str) -> subprocess.Popen[bytes]:
    """Quietly: a broker that is not there yet is no news while the jobs run in that process."""
    return subprocess.Popen(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo", "--desk", slug],
        env={"LOG_LEVEL": "ERROR", **os.environ},
        preexec_fn=end_with_parent,
    )


def _check_is_on() -> None:
    if not settings.DEMO:
        raise Refused("The demo is off. Set DEMO=yes where you want it; never in production.")


def drop_demo() -> None:
    """Every row of every demo project, its events and jobs; accounts stay."""
    for project in Project.objects.filter(is_demo=True):
        _drop(project)


def _commit_lightly() -> None:
    """Thousands of small transactions that can be played again need no wait for the disk each.

    In SQLite's write-ahead mode NORMAL cannot damage the file; it holds for this process only.
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
