"""Propose a batch: when a trigger fires, when a person asks, or for the first import."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from events.recording import record
from projects.errors import Conflict, DomainError
from projects.models import Project, User
from retraining.firing import Firing, evaluate_trigger, situation_of
from retraining.models import Batch, Trigger
from retraining.revisions import make_revision
from retraining.triggers import CONDITIONS, Situation


def propose_due_batches(*, at: datetime) -> list[Batch]:
    """One batch for every project whose trigger fires and that has none under way."""
    busy = Batch.objects.filter(state__in=["proposed", "approved", "training"])
    projects = Project.objects.filter(triggers__is_enabled=True).exclude(
        pk__in=busy.values("project")
    )
    proposed = (_propose_if_due(project, at=at) for project in projects.distinct())
    return [batch for batch in proposed if batch is not None]


def propose_by_person(*, project: Project, by: User, at: datetime, reason: str = "") -> Batch:
    """A person asks: no quota has to be met."""
    asked = situation_of(project, at=at)
    situation = Situation(
        at=at,
        coverage=asked.coverage,
        since=asked.since,
        since_words=asked.since_words,
        asked_by=str(by),
        reason=reason.strip(),
    )
    verdict = CONDITIONS["manual"].check({}, situation)
    return propose_batch(
        project=project, cause=Batch.Cause.PERSON, explanation=[verdict.sentence], by=by, at=at
    )


def propose_import_batch(*, project: Project, at: datetime, by: User | None = None) -> Batch:
    """The first version is a batch too: from the rows that were imported."""
    count = situation_of(project, at=at).coverage.eligible_count
    return propose_batch(
        project=project,
        cause=Batch.Cause.IMPORT,
        explanation=[f"{count} imported rows make the first dataset"],
        by=by,
        at=at,
    )


@transaction.atomic
def propose_batch(
    *,
    project: Project,
    cause: str,
    explanation: list[str],
    at: datetime,
    by: User | None = None,
    trigger: Trigger | None = None,
) -> Batch:
    """A batch with its first revision; a project has one proposed batch at most."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    if waiting := Batch.objects.filter(project=project, state=Batch.State.PROPOSED).first():
        raise Conflict(f"Batch {waiting.number} waits for a decision already. Decide it first.")
    last = Batch.objects.filter(project=project).aggregate(last=Max("number"))["last"]
    batch = Batch.objects.create(
        project=project,
        number=(last or 0) + 1,
        cause=cause,
        explanation=explanation,
        trigger=trigger,
        proposed_by=by,
        proposed_at=at,
    )
    record("batch.proposed", subject=batch, at=at, actor=by, cause=cause)
    revision = make_revision(batch=batch, by=by, at=at)
    if not revision.rows.exists():
        raise Conflict("There is nothing to train on: no accepted label for training is new.")
    return batch


def _propose_if_due(project: Project, *, at: datetime) -> Batch | None:
    situation = situation_of(project, at=at)
    for trigger in project.triggers.filter(is_enabled=True).order_by("pk"):
        firing = evaluate_trigger(trigger, situation)
        if firing.fires:
            return _fire(trigger, firing, at=at)
    return None


def _fire(trigger: Trigger, firing: Firing, *, at: datetime) -> Batch | None:
    try:
        with transaction.atomic():
            batch = propose_batch(
                project=trigger.project,
                cause=Batch.Cause.TRIGGER,
                explanation=firing.explanation,
                trigger=trigger,
                at=at,
            )
            Trigger.objects.filter(pk=trigger.pk).update(fired_at=at)
            record("trigger.fired", subject=trigger, at=at, batch=batch.pk)
    except DomainError:
        return None  # Somebody was quicker, or every new row is too close to an evaluation row.
    return batch
