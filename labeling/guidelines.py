"""Numbered versions of the instructions; every annotation names the one it followed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from events.recording import record
from labeling.models import Guideline
from projects.errors import Invalid
from projects.models import Project, User

LONGEST = 50_000


def newest_guideline(project: Project) -> Guideline | None:
    return project.guidelines.order_by("-number").first()


@transaction.atomic
def write_guideline(*, project: Project, text: str, by: User | None, at: datetime) -> Guideline:
    """The next version; the same text again is the version that is there."""
    cleaned = text.strip()
    if not cleaned:
        raise Invalid("A guideline needs some words.")
    if len(cleaned) > LONGEST:
        raise Invalid(f"A guideline has at most {LONGEST:,} characters.")
    newest = newest_guideline(project)
    if newest and newest.text == cleaned:
        return newest
    Project.objects.select_for_update().get(pk=project.pk)
    last = Guideline.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    guideline = Guideline.objects.create(
        project=project, number=last + 1, text=cleaned, by=by, at=at
    )
    record("guideline.written", subject=guideline, at=at, actor=by, number=guideline.number)
    return guideline


def add_to_guideline(*, project: Project, text: str, by: User, at: datetime) -> Guideline:
    """The newest version with one paragraph more, unless it has it: a request may come twice."""
    newest, added = newest_guideline(project), text.strip()
    if newest and f"\n\n{added}\n\n" in f"\n\n{newest.text}\n\n":
        return newest
    before = f"{newest.text}\n\n" if newest else ""
    return write_guideline(project=project, text=f"{before}{added}", by=by, at=at)
