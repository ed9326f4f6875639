"""What the page of a training shows, from its job and its batch."""

from __future__ import annotations

import math
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from jobs.models import Job
from projects.models import Role
from retraining.batches import TRAIN
from retraining.models import Batch, BatchRevision
from retraining.trainer_catalog import TRAINER_CATALOG
from retraining.words import batch_words

STATE = Batch.State
ENDED_WELL = {STATE.EVALUATED, STATE.PROMOTED, STATE.NOT_PROMOTED}
UNDER_WAY = {STATE.APPROVED, STATE.TRAINING}
# The first share of the job's hundred that belongs to the step after it; see training.py.
FOLDED, TRAINED = 10, 70
STEPS = ((0, "Fold the dataset"), (FOLDED, "Train"), (TRAINED, "Compare with the live model"))
BEING_COMPARED = ("being compared", "info")
LOG_LINES = 12
SOON = 5  # Seconds.
Context = dict[str, object]


def training_context(batch: Batch, *, roles: frozenset[Role], at: datetime) -> Context:
    """For retraining/training_page.html and its part `progress`."""
    named = {"slug": batch.project.slug, "number": batch.number}
    job, is_over = batch.job, _is_over(batch)
    words, tone = BEING_COMPARED if _is_compared_anew(batch) else batch_words(batch.state)
    poll_url = reverse("retraining:training-show", kwargs=named)
    cancel_url = reverse("retraining:training-cancel", kwargs=named)
    can_cancel = Role.LEAD in roles and batch.state in UNDER_WAY
    return {
        "project": batch.project,
        "batch": batch,
        "state_words": words,
        "tone": tone,
        "work": {
            "title": job.note or "Waiting for a worker" if job and not is_over else "Training",
            "steps": _steps(batch, job),
            "done": _done(batch),
            "total": 100,
            "left": _left(batch, job, at) if not is_over else "",
            "log": job.log.splitlines()[-LOG_LINES:] if job else [],
            "cancel_url": cancel_url if can_cancel else None,
            "poll_url": poll_url,
            "is_over": is_over,
        },
        "problem": batch.error,
        "facts": _facts(batch),
        "figures": _figures(batch),
        "gates_url": reverse("retraining:gates-show", kwargs=named) if is_well(batch) else "",
        "can_retry": batch.state == STATE.FAILED and Role.LEAD in roles,
    }


def is_well(batch: Batch) -> bool:
    """Whether there is a comparison to read, and none under way."""
    return batch.state in ENDED_WELL and _is_over(batch)


def _is_over(batch: Batch) -> bool:
    """A batch that has been decided may be compared anew: then its job is open again."""
    is_busy = batch.job is not None and not batch.job.has_ended
    return batch.state not in UNDER_WAY and not is_busy


def _is_compared_anew(batch: Batch) -> bool:
    return batch.state in ENDED_WELL and not _is_over(batch)


def _done(batch: Batch) -> int:
    """Of a hundred; a new comparison starts where the training ended."""
    if is_well(batch):
        return 100
    done = batch.job.done_count if batch.job else 0
    return max(done, TRAINED) if _is_compared_anew(batch) else done


def _steps(batch: Batch, job: Job | None) -> list[Context]:
    if is_well(batch):
        return [{"title": title, "state": "done"} for _, title in STEPS]
    done = _done(batch)
    starts = [start for start, _ in STEPS] + [101]
    return [
        {"title": title, "state": _step_state(done, start, starts[number + 1], job)}
        for number, (start, title) in enumerate(STEPS)
    ]


def _step_state(done: int, start: int, end: int, job: Job | None) -> str:
    if done >= end:
        return "done"
    is_running = job is not None and job.state == Job.State.RUNNING
    return "now" if is_running and done >= start else "todo"


def _left(batch: Batch, job: Job | None, at: datetime) -> str:
    """From what the live model took; without that from the share done, once it means something.

    A trainer is silent while it fits, so by the share alone the time left would run upwards.
    """
    if job is None or job.started_at is None or job.state != Job.State.RUNNING:
        return "waiting"
    passed = (at - job.started_at).total_seconds()
    whole = _whole_seconds(batch) if job.kind == TRAIN else None
    if whole is not None:
        return _rounded(whole - passed) if passed < whole else "longer than the live one took"
    if job.done_count <= FOLDED or passed < SOON:
        return "just started"
    return _rounded(passed * (100 - job.done_count) / job.done_count)


def _whole_seconds(batch: Batch) -> float | None:
    """Of the whole job, if each row takes as long to learn as it took the live model."""
    revision = batch.approved_revision
    champion = revision.champion if revision else None
    facts = champion.manifest.get("facts", {}) if champion else {}
    if revision is None or not facts.get("seconds") or not facts.get("rows"):
        return None
    fitting: float = facts["seconds"] * _row_count(revision) / facts["rows"]
    return fitting * 100 / (TRAINED - FOLDED)


def _rounded(seconds: float) -> str:
    """As coarse as the estimate is: second by second it would run upwards between two reports."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {math.ceil(seconds / 10) * 10} s left"
    return f"about {round(seconds / 60)} min left"


def _facts(batch: Batch) -> list[tuple[str, str]]:
    revision = batch.approved_revision
    if revision is None:
        return []
    return [
        ("Trainer", TRAINER_CATALOG[revision.trainer].title),
        ("Rows", f"{_row_count(revision):,}"),
        ("Classes", str(len(revision.classes))),
        ("Seed", str(int(revision.hash[:8], 16))),
        ("Memory limit", f"{settings.TRAINING_MEMORY_MB:,} MB"),
        ("Time limit", f"{settings.TRAINING_SECONDS // 60} min"),
    ]


def _row_count(revision: BatchRevision) -> int:
    return (revision.parent.row_count if revision.parent else 0) + revision.rows.count()


def _figures(batch: Batch) -> list[Context]:
    manifest = batch.version.manifest if batch.version else {}
    facts = manifest.get("facts", {})
    figures = [
        ("Version", batch.version.name if batch.version else None),
        ("Trained in", _seconds(facts.get("seconds"))),
        ("Memory", f"{facts['peak_memory_mb']:.0f} MB" if facts.get("peak_memory_mb") else None),
    ]
    return [{"name": name, "value": value} for name, value in figures if value]


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"
