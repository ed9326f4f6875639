"""Home: what waits for this person, most urgent first."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from jobs import clock
from projects.models import Project, Role
from projects.policies import SIGNED_IN, members, policy
from projects.requests import ProjectRequest, SignedInRequest
from retraining.next_actions import home_of


@policy(SIGNED_IN)
@require_GET
def home_show(request: SignedInRequest) -> HttpResponse:
    """Across all of the person's projects."""
    projects = list(Project.objects.of(request.user))
    context = home_of(person=request.user, projects=projects, at=clock.now())
    return render(request, "projects/home_page.html", context)


@policy(members(*Role))
@require_GET
def project_home(request: ProjectRequest, slug: str) -> HttpResponse:
    context = home_of(person=request.user, projects=[request.project], at=clock.now())
    return render(request, "projects/home_page.html", context)
