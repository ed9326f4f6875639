"""Flag in one click, several at once, or by a pasted id; take a flag back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from feedback import flagging
from feedback.access import access_flag, access_prediction
from feedback.forms import ChosenForm, FlagForm, PastedFlagForm, problem_of
from feedback.models import Flag, Prediction
from feedback.views.find import give_back
from jobs import clock
from projects.classes import accepted_classes
from projects.errors import Invalid, NotFound
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest

AGENTS = members(Role.AGENT)
MINE = "feedback:flag-mine"


@policy(AGENTS)
@require_POST
def prediction_me_too(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    prediction = access_prediction(request.project, pk)
    flag = flagging.say_me_too(prediction=prediction, agent=request.user, at=clock.now())
    return say_flagged(request, flag)


@policy(AGENTS)
@require_POST
def flag_create(request: ProjectRequest, slug: str) -> HttpResponseBase:
    """By id: on the prediction if it is there, else the flag waits for it."""
    form = PastedFlagForm(request.POST, classes=accepted_classes(request.project))
    is_fine, found = form.is_valid(), Prediction.objects.of(request.project)
    named = found.filter(external_id=form.cleaned_data.get("external_id", ""))
    known = named.select_related("project").order_by("-occurred_at")[:1]
    if not is_fine:
        return give_back(request, known, problem=problem_of(form))
    try:
        flag = _flag_pasted(request, form, known.first())
    except Invalid as error:
        return give_back(request, known, problem=error.message)
    return say_flagged(request, flag)


def _flag_pasted(
    request: ProjectRequest, form: PastedFlagForm, prediction: Prediction | None
) -> Flag:
    if prediction is not None:
        return flagging.flag_prediction(
            prediction=prediction, agent=request.user, report=form.report, at=clock.now()
        )
    return flagging.flag_unseen_id(
        project=request.project,
        external_id=form.cleaned_data["external_id"],
        agent=request.user,
        report=form.report,
        at=clock.now(),
    )


@policy(AGENTS)
@require_POST
def flag_several(request: ProjectRequest, slug: str) -> HttpResponseBase:
    """One report on every row that was marked."""
    chosen = ChosenForm(request.POST)
    if not chosen.is_valid():
        raise Invalid("Mark at least one answer.")
    found = Prediction.objects.of(request.project).select_related("project")
    marked = found.filter(pk__in=chosen.cleaned_data["prediction"])
    if not marked:
        raise NotFound("None of these answers is in this project. Find them again.")
    form = FlagForm(request.POST, classes=accepted_classes(request.project))
    if not form.is_valid():
        return give_back(request, marked, problem=problem_of(form))
    try:
        flags = flagging.flag_together(
            predictions=marked, agent=request.user, report=form.report, at=clock.now()
        )
    except Invalid as error:
        return give_back(request, marked, problem=error.message)
    messages.success(request, f"{len(flags)} flagged")
    return redirect(MINE, slug=slug)


@policy(AGENTS)
@require_POST
def flag_withdraw(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    flag = access_flag(request.user, request.project, code)
    flagging.withdraw_flag(flag=flag, at=clock.now())
    messages.success(request, "Your flag is taken back")
    return redirect(_page_of(flag, slug))


def say_flagged(request: ProjectRequest, flag: Flag) -> HttpResponseBase:
    """Back to the page, with five seconds to undo."""
    slug = request.project.slug
    undo_url = reverse("feedback:flag-withdraw", kwargs={"slug": slug, "code": flag.code})
    messages.success(request, "Flagged", extra_tags=undo_url)
    return redirect(_page_of(flag, slug))


def _page_of(flag: Flag, slug: str) -> str:
    if flag.prediction_id is None:
        return reverse(MINE, kwargs={"slug": slug})
    return reverse("feedback:prediction-show", kwargs={"slug": slug, "pk": flag.prediction_id})
