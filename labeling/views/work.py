"""The annotator's work: one item, one key, the next item in the same round trip."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from labeling import claims, desk
from labeling.access import access_annotation, access_lease, access_queue
from labeling.annotating import (
    skip_item,
    submit_and_lease_next,
    submit_annotation,
    undo_annotation,
)
from labeling.forms import AnswerForm, SkipForm, problem_of
from labeling.guidelines import newest_guideline
from labeling.models import Lease, Queue
from labeling.views.work_context import (
    Context,
    answered,
    empty_context,
    work_context,
    work_url,
)
from projects.classes import accepted_classes
from projects.errors import Conflict, NotFound
from projects.models import Role
from projects.policies import members, policy
from projects.rendering import render_part, wants_part
from projects.requests import ProjectRequest

ANNOTATORS = members(Role.ANNOTATOR)
SKIPPED = "Skipped; others can take it"


@policy(ANNOTATORS)
@require_GET
def work_start(request: ProjectRequest, slug: str) -> HttpResponseBase:
    """On to the queue where somebody is waited for longest."""
    queue = desk.next_queue(project=request.project, annotator=request.user)
    if queue is None:
        raise NotFound("This project has no queue yet. An engineer adds one in its set-up.")
    return redirect("labeling:queue-work", slug=slug, queue=queue.slug)


@policy(ANNOTATORS)
@require_GET
def queue_work(request: ProjectRequest, slug: str, queue: str) -> HttpResponse:
    """The item this person holds, or the next one."""
    return _give_next(request, access_queue(request.project, queue), at=clock.now())


@policy(ANNOTATORS)
@require_GET
def lease_show(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    """One item this person still holds, else the next one."""
    at, lease = clock.now(), access_lease(request.user, request.project, code)
    if not claims.renew_lease(lease=lease, at=at):
        return redirect(work_url(lease.queue))
    return _show(request, lease, at=at)


@policy(ANNOTATORS)
@require_POST
def lease_answer(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    at, lease = clock.now(), access_lease(request.user, request.project, code)
    form = AnswerForm(
        request.POST, project=request.project, classes=accepted_classes(request.project)
    )
    if not form.is_valid():
        return _show(request, lease, at=at, problem=problem_of(form), status=422)
    seconds = (at - lease.given_at).total_seconds()
    try:
        if not wants_part(request):
            annotation = submit_annotation(lease=lease, answer=form.given, at=at, seconds=seconds)
            return _go_on(request, lease.queue, at=at, last=answered(annotation, request.project))
        annotation, following = submit_and_lease_next(
            lease=lease, answer=form.given, at=at, seconds=seconds
        )
    except Conflict as refusal:
        return _go_on(request, lease.queue, at=at, problem=refusal.message)
    last = answered(annotation, request.project)
    return _show_next(request, lease.queue, following, at=at, last=last)


@policy(ANNOTATORS)
@require_POST
def lease_skip(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    at, lease = clock.now(), access_lease(request.user, request.project, code)
    form = SkipForm(request.POST)
    if not form.is_valid():
        return _show(request, lease, at=at, problem=problem_of(form), status=422)
    try:
        skip_item(lease=lease, at=at, **form.cleaned_data)
    except Conflict as refusal:
        return _go_on(request, lease.queue, at=at, problem=refusal.message)
    return _go_on(request, lease.queue, at=at, last={"text": SKIPPED})


@policy(ANNOTATORS)
@require_POST
def lease_keep(request: ProjectRequest, slug: str, code: UUID) -> HttpResponse:
    """Sent now and then by an open page, so that the item stays this person's."""
    lease = access_lease(request.user, request.project, code)
    until = desk.keep_lease(lease=lease, at=clock.now())
    seconds = round(lease.queue.lease_length.total_seconds()) if until else 0
    context: Context = {"project": request.project, "lease": lease, "seconds_left": seconds}
    return render(request, "labeling/_held.html", context)


@policy(ANNOTATORS)
@require_POST
def annotation_undo(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    """The answer is taken back and its item is on the screen again."""
    at, annotation = clock.now(), access_annotation(request.user, request.project, code)
    queue = annotation.lease.queue
    try:
        lease = undo_annotation(annotation=annotation, at=at)
    except Conflict as refusal:
        return _go_on(request, queue, at=at, problem=refusal.message)
    if lease is None:
        return _go_on(request, queue, at=at, last={"text": "Answer taken back"})
    if not wants_part(request):
        return redirect("labeling:lease-show", slug=slug, code=lease.code)
    return _show(request, access_lease(request.user, request.project, lease.code), at=at)


def _go_on(
    request: ProjectRequest,
    queue: Queue,
    *,
    at: datetime,
    last: Context | None = None,
    problem: str = "",
) -> HttpResponseBase:
    """The next item to htmx; without script a redirect to it, which says what happened."""
    if wants_part(request):
        return _give_next(request, queue, at=at, last=last, problem=problem)
    if problem:
        messages.error(request, problem)
    elif last:
        messages.success(request, str(last["text"]), extra_tags=str(last.get("undo_url", "")))
    return redirect(work_url(queue))


def _give_next(
    request: ProjectRequest,
    queue: Queue,
    *,
    at: datetime,
    last: Context | None = None,
    problem: str = "",
) -> HttpResponse:
    lease = claims.lease_next_slot(queue=queue, annotator=request.user, at=at)
    return _show_next(request, queue, lease, at=at, last=last, problem=problem)


def _show_next(
    request: ProjectRequest,
    queue: Queue,
    lease: Lease | None,
    *,
    at: datetime,
    last: Context | None = None,
    problem: str = "",
) -> HttpResponse:
    if lease is None:
        context = empty_context(queue=queue, annotator=request.user, at=at, last=last)
        return render_part(request, "labeling/work_empty.html#next", context | {"problem": problem})
    lease.queue = queue
    return _show(request, lease, at=at, last=last, problem=problem)


def _show(
    request: ProjectRequest,
    lease: Lease,
    *,
    at: datetime,
    last: Context | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = work_context(
        lease=lease, classes=accepted_classes(request.project), at=at, last=last, problem=problem
    )
    if not wants_part(request):
        context["guideline"] = newest_guideline(request.project)
    return render_part(request, "labeling/work_page.html#next", context, status)
