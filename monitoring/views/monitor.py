"""How the live model does in use: the two accuracies side by side, and where it is worst."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from monitoring.audit_plans import change_audit_rate
from monitoring.forms import AuditPlanForm
from monitoring.views.monitor_context import monitor_context
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest


@policy(members(Role.LEAD, Role.REVIEWER, Role.ENGINEER))
@require_GET
def monitor_show(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request, None)


@policy(members(Role.LEAD))
@require_POST
def plan_change(request: ProjectRequest, slug: str) -> HttpResponseBase:
    """A new rate from now on; what was drawn keeps the probability it had."""
    form = AuditPlanForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    share = form.cleaned_data["percent"] / 100
    change_audit_rate(project=request.project, rate=share, at=clock.now(), by=request.user)
    messages.success(request, "The rate is changed")
    return redirect("monitoring:monitor-show", slug=slug)


def _show(request: ProjectRequest, form: AuditPlanForm | None, status: int = 200) -> HttpResponse:
    context = monitor_context(request.project, roles=request.roles, form=form, at=clock.now())
    return render(request, "monitoring/monitor_page.html", context, status=status)
