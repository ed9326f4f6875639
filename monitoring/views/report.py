"""The report: for the people who pay for the model."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from jobs import clock
from monitoring.report import build_report
from monitoring.views.report_context import report_context
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest


@policy(members(Role.VIEWER, Role.LEAD))
@require_GET
def report_show(request: ProjectRequest, slug: str) -> HttpResponse:
    report = build_report(project=request.project, at=clock.now())
    return render(request, "monitoring/report_page.html", report_context(request.project, report))
