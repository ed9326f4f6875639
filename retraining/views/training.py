"""A training under way: steps, log and figures, asked again every second; cancel, try again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from projects.errors import Conflict
from projects.models import Role
from projects.policies import members, policy
from projects.rendering import render_part
from projects.requests import ProjectRequest
from projects.telling import telling
from retraining import batches
from retraining.batches import access_batch
from retraining.views.training_context import training_context

LEADS = members(Role.LEAD)
TRAINING = "retraining:training-show"


@policy(members(Role.LEAD, Role.REVIEWER, Role.ENGINEER))
@require_GET
def training_show(request: ProjectRequest, slug: str, number: int) -> HttpResponse:
    batch = access_batch(request.project, number)
    context = training_context(batch, roles=request.roles, at=clock.now())
    return render_part(request, "retraining/training_page.html#progress", context)


@policy(LEADS)
@require_POST
def training_cancel(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    batch = access_batch(request.project, number)
    with telling(request, "Asked to stop; it ends within seconds"):
        batches.cancel_batch(batch=batch, by=request.user, at=clock.now())
    return redirect(TRAINING, slug=slug, number=number)


@policy(LEADS)
@require_POST
def batch_start(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    """Train a failed revision again, if it still stands."""
    batch = access_batch(request.project, number)
    try:
        batches.retry_batch(batch=batch, by=request.user, at=clock.now())
    except Conflict as refusal:
        messages.error(request, refusal.message)
    return redirect(TRAINING, slug=slug, number=number)


@policy(LEADS)
@require_POST
def batch_evaluate(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    """Compare with today's live version, which a later promotion needs."""
    batch = access_batch(request.project, number)
    batches.ask_for_evaluation(batch=batch, by=request.user, at=clock.now())
    return redirect(TRAINING, slug=slug, number=number)
