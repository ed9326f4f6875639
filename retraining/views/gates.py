"""The new model beside the live one: read the gates, waive one, promote, keep the live model."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from feedback.flagging import note_sightings
from jobs import clock
from projects.errors import Conflict, Invalid, NotFound
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest, is_row_id
from projects.telling import telling
from retraining import promotion
from retraining.batches import access_batch
from retraining.case_reviews import access_case, pin_case, review_case
from retraining.forms import ReasonForm, problem_of
from retraining.models import CaseReview, Evaluation, GateResult
from retraining.views.gate_context import gates_context

LEADS = members(Role.LEAD)
GATES = "retraining:gates-show"


@policy(members(Role.LEAD, Role.REVIEWER, Role.ENGINEER))
@require_GET
def gates_show(request: ProjectRequest, slug: str, number: int) -> HttpResponse:
    batch = access_batch(request.project, number)
    evaluations = Evaluation.objects.filter(batch=batch).select_related("champion", "challenger")
    evaluation = evaluations.order_by("-pk").first()
    if evaluation is None:
        raise NotFound("This batch has not been compared with the live model yet.")
    context, identities = gates_context(batch, evaluation, roles=request.roles)
    note_sightings(
        project=request.project, user=request.user, identities=identities, at=clock.now()
    )
    return render(request, "retraining/gates_page.html", context)


@policy(LEADS)
@require_POST
def batch_promote(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    """Live from this second on; receipts follow by a job."""
    batch = access_batch(request.project, number)
    try:
        line = promotion.promote(
            batch=batch,
            by=request.user,
            at=clock.now(),
            confirm_not_enough=request.POST.get("confirm") == "yes",
        )
    except Conflict as refusal:
        messages.error(request, refusal.message)
        return redirect(GATES, slug=slug, number=number)
    messages.success(request, f"{line.version.name} is live")
    return redirect("retraining:model-list", slug=slug)


@policy(LEADS)
@require_POST
def batch_keep(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    batch = access_batch(request.project, number)
    with telling(request, "The live model stays"):
        promotion.do_not_promote(
            batch=batch, by=request.user, at=clock.now(), reason=_reason(request)
        )
    return redirect(GATES, slug=slug, number=number)


@policy(LEADS)
@require_POST
def gate_waive(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    gates = GateResult.objects.filter(project=request.project, pk=pk)
    gate = gates.select_related("evaluation__batch").first()
    if gate is None:
        raise NotFound("There is no such gate in this project.")
    with telling(request, "Waived; your name and reason stay beside it"):
        promotion.waive_gate(gate=gate, by=request.user, at=clock.now(), reason=_reason(request))
    return redirect(GATES, slug=slug, number=gate.evaluation.batch.number)


@policy(members(Role.REVIEWER))
@require_POST
def case_review(request: ProjectRequest, slug: str, number: int, pk: int) -> HttpResponseBase:
    """A broken case counts, or does not: for this answer of the new model."""
    counts = request.POST.get("verdict") == CaseReview.Verdict.COUNTS
    with telling(request, "It counts" if counts else "It does not count; your reason stays"):
        review_case(
            batch=access_batch(request.project, number),
            case=access_case(request.project, pk),
            verdict=CaseReview.Verdict.COUNTS if counts else CaseReview.Verdict.EXCUSED,
            by=request.user,
            at=clock.now(),
            reason="" if counts else _reason(request),
        )
    return redirect(GATES, slug=slug, number=number)


@policy(LEADS)
@require_POST
def case_pin(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    """A pinned case may never break; taking the pin away asks for a reason.

    Back to the comparison whose batch the address names, else to the flagged answer.
    """
    case = access_case(request.project, pk)
    is_pinned = request.POST.get("pinned") == "yes"
    pin_case(
        case=case,
        is_pinned=is_pinned,
        by=request.user,
        at=clock.now(),
        reason="" if is_pinned else _reason(request),
    )
    messages.success(request, "Pinned: it may never break" if is_pinned else "No longer pinned")
    number = request.GET.get("batch", "")
    if is_row_id(number):
        return redirect(GATES, slug=slug, number=access_batch(request.project, int(number)).number)
    if case.flag.prediction_id is None:
        return redirect("feedback:prediction-find", slug=slug)
    return redirect("feedback:prediction-show", slug=slug, pk=case.flag.prediction_id)


def _reason(request: ProjectRequest) -> str:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid(problem_of(form))
    reason: str = form.cleaned_data["reason"]
    return reason
