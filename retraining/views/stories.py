"""An answer, a person's flags, an issue: each with its story up to the receipt."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from feedback.access import access_flag, access_issue, access_prediction
from feedback.flagging import flag_prediction, note_sightings
from feedback.forms import FlagForm, problem_of
from feedback.models import Flag
from feedback.views.flags import say_flagged
from jobs import clock
from projects.classes import accepted_classes
from projects.errors import Conflict, Invalid
from projects.models import Role
from projects.paging import page_of
from projects.policies import members, policy
from projects.requests import ProjectRequest
from retraining.receipts import mark_still_wrong
from retraining.views.flag_context import flag_tab, flag_tabs, my_flags_context
from retraining.views.issue_context import issue_context
from retraining.views.prediction_context import prediction_context

AGENTS = members(Role.AGENT)
READERS = members(Role.AGENT, Role.REVIEWER, Role.LEAD, Role.ENGINEER)


@policy(READERS)
@require_GET
def prediction_show(request: ProjectRequest, slug: str, pk: int) -> HttpResponse:
    return _show_prediction(request, pk)


@policy(AGENTS)
@require_POST
def prediction_flag(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    prediction = access_prediction(request.project, pk)
    form = FlagForm(request.POST, classes=accepted_classes(request.project))
    if not form.is_valid():
        return _show_prediction(request, pk, problem=problem_of(form), status=422)
    try:
        flag = flag_prediction(
            prediction=prediction, agent=request.user, report=form.report, at=clock.now()
        )
    except Invalid as error:
        return _show_prediction(request, pk, problem=error.message, status=422)
    return say_flagged(request, flag)


@policy(AGENTS)
@require_GET
def flag_mine(request: ProjectRequest, slug: str) -> HttpResponse:
    """What this agent flagged; a receipt counts as read once it has been on the screen."""
    at, tab = clock.now(), flag_tab(request.GET.get("state", ""))
    page = page_of(tab.of(Flag.objects.by(request.user, request.project)), request.GET, size=20)
    context = my_flags_context(page.rows, project=request.project, at=at)
    note_sightings(
        project=request.project,
        user=request.user,
        identities=[flag.identity for flag in page.rows if flag.identity],
        at=at,
    )
    tabs = flag_tabs(request.user, request.project, tab)
    return render(
        request,
        "feedback/my_flags_page.html",
        {"tabs": tabs, **context, **page.links},
    )


@policy(AGENTS)
@require_POST
def flag_reopen(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    """The agent says that what counts as fixed is still wrong."""
    flag = access_flag(request.user, request.project, code)
    receipt = flag.receipts.filter(revoked_at=None).order_by("-pk").first()
    if receipt is None:
        raise Conflict("This flag is not marked as fixed any more. Reload the page.")
    mark_still_wrong(receipt=receipt, by=request.user, at=clock.now())
    messages.success(request, "Noted: it is still wrong")
    return redirect("feedback:flag-mine", slug=slug)


@policy(members(Role.AGENT, Role.REVIEWER, Role.LEAD, Role.VIEWER))
@require_GET
def issue_show(request: ProjectRequest, slug: str, number: int) -> HttpResponse:
    issue = access_issue(request.project, number)
    context, identities = issue_context(
        issue, project=request.project, reader=request.user, roles=request.roles
    )
    note_sightings(
        project=request.project, user=request.user, identities=identities, at=clock.now()
    )
    return render(request, "feedback/issue_page.html", context)


def _show_prediction(
    request: ProjectRequest, pk: int, *, problem: str = "", status: int = 200
) -> HttpResponse:
    at, prediction = clock.now(), access_prediction(request.project, pk)
    note_sightings(
        project=request.project, user=request.user, identities=[prediction.identity], at=at
    )
    context = prediction_context(
        prediction,
        reader=request.user,
        roles=request.roles,
        sent=request.POST.dict(),
        problem=problem,
        at=at,
    )
    return render(request, "feedback/prediction_page.html", context, status=status)
