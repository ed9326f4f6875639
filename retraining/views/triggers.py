"""When a batch is proposed: rules as sentences, how each stands, when it would have fired."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from projects.errors import Conflict
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest
from retraining.forms import TriggerForm
from retraining.trigger_rules import access_trigger, add_trigger, delete_trigger, switch_trigger
from retraining.views.trigger_context import triggers_context

LEADS = members(Role.LEAD)
TRIGGERS = "retraining:trigger-list"


@policy(members(Role.LEAD, Role.ENGINEER))
@require_GET
def trigger_list(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request, TriggerForm())


@policy(LEADS)
@require_POST
def trigger_create(request: ProjectRequest, slug: str) -> HttpResponseBase:
    form = TriggerForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    try:
        add_trigger(
            project=request.project,
            name=form.cleaned_data["name"],
            join=form.cleaned_data["join"],
            conditions=form.conditions,
            cool_down_hours=form.cleaned_data["cool_down_hours"],
            by=request.user,
            at=clock.now(),
        )
    except Conflict as error:
        form.add_error("name", error.message)
        return _show(request, form, status=422)
    messages.success(request, "The rule is on")
    return redirect(TRIGGERS, slug=slug)


@policy(LEADS)
@require_POST
def trigger_switch(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    trigger = access_trigger(request.project, pk)
    is_on = request.POST.get("on") == "yes"
    switch_trigger(trigger=trigger, is_enabled=is_on, by=request.user, at=clock.now())
    return redirect(TRIGGERS, slug=slug)


@policy(LEADS)
@require_POST
def trigger_delete(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    trigger = access_trigger(request.project, pk)
    delete_trigger(trigger=trigger, by=request.user, at=clock.now())
    messages.success(request, "The rule is gone")
    return redirect(TRIGGERS, slug=slug)


def _show(request: ProjectRequest, form: TriggerForm, status: int = 200) -> HttpResponse:
    context = triggers_context(request.project, roles=request.roles, form=form, at=clock.now())
    return render(request, "retraining/triggers_page.html", context, status=status)
