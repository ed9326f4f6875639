"""What the page of the demo's rebuilding shows, from its job."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from jobs.models import Job

Context = dict[str, object]


def rebuild_context(job: Job, *, at: datetime) -> Context:
    """For retraining/rebuild_page.html and its part `progress`."""
    return {
        "work": {
            "title": _title(job),
            "steps": [],
            "done": job.done_count,
            "total": job.total_count or 1,
            "left": _passed(job, at),
            "log": [],
            "cancel_url": None,
            "poll_url": reverse("retraining:demo-rebuild"),
            "is_over": job.has_ended,
        },
        "problem": job.error if job.has_ended else "",
        "reset_url": reverse("retraining:demo-reset"),
    }


def _title(job: Job) -> str:
    if job.state != Job.State.RUNNING:
        return "Waiting for a worker"
    return job.note or "The old projects are taken away"


def _passed(job: Job, at: datetime) -> str:
    """What is known: the days of a story take unlike times, so what is left is not told."""
    if job.state != Job.State.RUNNING or job.started_at is None:
        return ""
    return f"for {round((at - job.started_at).total_seconds())} s"
