"""Which labels are there and which are missing; quotas and proposed classes are decided here."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from labeling.access import access_proposal
from labeling.class_proposals import decline_class
from projects.classes import accepted_classes
from projects.errors import Invalid
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest
from projects.telling import telling
from retraining.forms import AcceptClassForm, QuotaForm
from retraining.quotas import accept_with_quota, set_class_quotas
from retraining.views.coverage_context import coverage_context

LEADS = members(Role.LEAD)
COVERAGE = "retraining:coverage-show"


@policy(members(Role.LEAD, Role.REVIEWER, Role.ENGINEER))
@require_GET
def coverage_show(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request)


@policy(LEADS)
@require_POST
def quota_save(request: ProjectRequest, slug: str) -> HttpResponseBase:
    form = QuotaForm(request.POST, classes=accepted_classes(request.project))
    if not form.is_valid():
        return _show(request, form=form, status=422)
    set_class_quotas(project=request.project, wanted=form.wanted, by=request.user, at=clock.now())
    messages.success(request, "Quotas saved")
    return redirect(COVERAGE, slug=slug)


@policy(LEADS)
@require_POST
def proposal_accept(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    """Class, guideline, key and quota in one step; its items open again."""
    proposal = access_proposal(request.project, pk)
    form = AcceptClassForm(request.POST, proposal_pk=pk)
    if not form.is_valid():
        return _show(request, accepting=form, status=422)
    try:
        with telling(request, f"“{proposal.name}” is a class; its items are asked again"):
            accept_with_quota(
                proposal=proposal, by=request.user, at=clock.now(), **form.cleaned_data
            )
    except Invalid as error:
        form.add_error("description", error.message)
        return _show(request, accepting=form, status=422)
    return redirect(COVERAGE, slug=slug)


@policy(LEADS)
@require_POST
def proposal_decline(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    proposal = access_proposal(request.project, pk)
    with telling(request, f"“{proposal.name}” stays outside every class"):
        decline_class(proposal=proposal, by=request.user, at=clock.now())
    return redirect(COVERAGE, slug=slug)


def _show(
    request: ProjectRequest,
    *,
    form: QuotaForm | None = None,
    accepting: AcceptClassForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; a form that was refused is given back as it was sent."""
    context = coverage_context(
        request.project,
        roles=request.roles,
        segment_key=request.GET.get("segment", ""),
        form=form,
        accepting=accepting,
        at=clock.now(),
    )
    return render(request, "retraining/coverage_page.html", context, status=status)
