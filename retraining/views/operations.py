"""Background work: what failed and why, what waits, which workers are there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from jobs.adding import retry_job
from jobs.models import Job
from jobs.watching import lanes, workers
from projects.errors import Conflict, NotFound
from projects.models import Role
from projects.paging import page_of
from projects.policies import members, policy
from projects.requests import ProjectRequest

ENGINEERS = members(Role.ENGINEER)
OPERATIONS = "retraining:operations-show"
TABS = {"failed": "Failed", "open": "Waiting and running", "all": "All"}
TONES = {"done": "good", "failed": "bad", "running": "info", "queued": "info", "cancelled": ""}
LOG_LINES = 8
Context = dict[str, object]


@policy(ENGINEERS)
@require_GET
def operations_show(request: ProjectRequest, slug: str) -> HttpResponse:
    at, asked = clock.now(), request.GET.get("state", "")
    tab = asked if asked in TABS else "failed"
    jobs = Job.objects.filter(project_id=request.project.pk).order_by("-pk")
    if tab == "failed":
        jobs = jobs.filter(state=Job.State.FAILED)
    if tab == "open":
        jobs = jobs.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    page = page_of(jobs, request.GET)
    context = {
        "project": request.project,
        "tabs": [
            {"title": title, "url": f"?state={name}", "is_current": name == tab}
            for name, title in TABS.items()
        ],
        "lanes": lanes(at=at),
        "workers": workers(at=at),
        "jobs": [_row(job) for job in page.rows],
        **page.links,
    }
    return render(request, "retraining/operations_page.html", context)


@policy(ENGINEERS)
@require_POST
def job_retry(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    """Three attempts more."""
    job = Job.objects.filter(project_id=request.project.pk, pk=pk).first()
    if job is None:
        raise NotFound("There is no such work in this project.")
    if not retry_job(job, at=clock.now()):
        raise Conflict("Only failed work can be tried again. Reload the page.")
    messages.success(request, "It is tried again")
    return redirect(OPERATIONS, slug=slug)


def _row(job: Job) -> Context:
    return {
        "pk": job.pk,
        "kind": job.kind,
        "lane": job.lane,
        "state": job.state,
        "tone": TONES[job.state],
        "attempt": job.attempt,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
        "note": job.note,
        "error": job.error,
        "log": job.log.splitlines()[-LOG_LINES:],
        "can_retry": job.state == Job.State.FAILED,
    }
