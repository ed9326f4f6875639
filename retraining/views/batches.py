"""Batches: the list, and one like a pull request, with its decisions."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from projects.errors import Conflict, Invalid
from projects.models import Role
from projects.paging import page_of
from projects.policies import members, policy
from projects.requests import ProjectRequest, is_row_id
from projects.telling import telling
from retraining import batches
from retraining.batches import access_batch
from retraining.forms import ReasonForm, problem_of
from retraining.models import Batch
from retraining.proposing import propose_by_person
from retraining.revisions import newest_revision, refresh_batch
from retraining.views.batch_context import batch_context, batch_list_rows

LEADS = members(Role.LEAD)
READERS = members(Role.LEAD, Role.REVIEWER, Role.ENGINEER)


@policy(READERS)
@require_GET
def batch_list(request: ProjectRequest, slug: str) -> HttpResponse:
    page = page_of(Batch.objects.listed(request.project), request.GET)
    context = {
        "project": request.project,
        "can_decide": Role.LEAD in request.roles,
        "can_propose": not request.project.batches.filter(state=Batch.State.PROPOSED).exists(),
        "propose_words": "Propose a batch from the labels that are there now?",
        "batches": batch_list_rows(page.rows),
        **page.links,
    }
    return render(request, "retraining/batch_list.html", context)


@policy(READERS)
@require_GET
def batch_show(request: ProjectRequest, slug: str, number: int) -> HttpResponse:
    batch = access_batch(request.project, number)
    context = batch_context(
        batch, roles=request.roles, tab=request.GET.get("tab", ""), query=request.GET
    )
    return render(request, "retraining/batch_page.html", context)


@policy(LEADS)
@require_POST
def batch_propose(request: ProjectRequest, slug: str) -> HttpResponseBase:
    """By hand: no quota has to be met."""
    reason = request.POST.get("reason", "")[:2000]
    try:
        batch = propose_by_person(
            project=request.project, by=request.user, at=clock.now(), reason=reason
        )
    except Conflict as refusal:
        messages.error(request, refusal.message)
        return redirect("retraining:coverage-show", slug=slug)
    return redirect(batch_url(batch))


@policy(LEADS)
@require_POST
def batch_approve(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    """Approves the revision that was read, by its hash, and goes on to its training."""
    batch = access_batch(request.project, number)
    digest = request.POST.get("revision", "")
    try:
        batches.approve_by_hash(batch=batch, digest=digest, by=request.user, at=clock.now())
    except Conflict as refusal:
        messages.error(request, refusal.message)
        return redirect(batch_url(batch))
    return redirect("retraining:training-show", slug=slug, number=number)


@policy(LEADS)
@require_POST
def batch_reject(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid(problem_of(form))
    batch = access_batch(request.project, number)
    with telling(request, "The batch is rejected"):
        batches.reject_batch(
            batch=batch, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
        )
    return redirect(batch_url(batch))


@policy(LEADS)
@require_POST
def batch_refresh(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    batch = access_batch(request.project, number)
    with telling(request, "This is what is there now", refusals=(Conflict, Invalid)):
        refresh_batch(batch=batch, by=request.user, at=clock.now())
    return redirect(batch_url(batch))


@policy(LEADS)
@require_POST
def batch_send_back(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    """Marked rows are labeled anew, and a revision without them is made."""
    batch = access_batch(request.project, number)
    chosen = {int(pk) for pk in request.POST.getlist("row") if is_row_id(pk)}
    with telling(
        request, f"{len(chosen)} sent back to be labeled anew", refusals=(Conflict, Invalid)
    ):
        rows = newest_revision(batch).rows.filter(pk__in=chosen)
        item_ids = list(rows.values_list("item_id", flat=True))
        batches.send_back_rows(batch=batch, item_ids=item_ids, by=request.user, at=clock.now())
    return redirect(batch_url(batch))


def batch_url(batch: Batch) -> str:
    named = {"slug": batch.project.slug, "number": batch.number}
    return reverse("retraining:batch-show", kwargs=named)
