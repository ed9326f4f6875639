"""Home: what waits for this person, most urgent first; not a menu."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from jobs import clock
from labeling.models import Annotation
from monitoring.models import AccuracyPoint
from projects.creating import may_create
from projects.models import Project, Role, User
from projects.policies import SIGNED_IN, members, policy
from projects.requests import ProjectRequest, SignedInRequest
from projects.versions import find_champion
from retraining.next_actions import next_actions

PAGE = "projects/home_page.html"
MEASURED = {Role.LEAD, Role.VIEWER, Role.ENGINEER}
Context = dict[str, object]


@policy(SIGNED_IN)
@require_GET
def home_show(request: SignedInRequest) -> HttpResponseBase:
    """Across all of the person's projects; the only one is shown with its pages."""
    projects = list(Project.objects.of(request.user))
    if len(projects) == 1:
        return redirect("retraining:project-home", slug=projects[0].slug)
    context = _context(request.user, projects, at=clock.now())
    context["projects"] = [_project(project) for project in projects]
    return render(request, PAGE, context)


@policy(members(*Role))
@require_GET
def project_home(request: ProjectRequest, slug: str) -> HttpResponse:
    at = clock.now()
    context = _context(request.user, [request.project], at=at)
    context["figures"] = _figures(request, at)
    return render(request, PAGE, context)


def _context(person: User, projects: list[Project], *, at: datetime) -> Context:
    greeting = "Good morning" if at.hour < 12 else "Good day" if at.hour < 18 else "Good evening"
    return {
        "greeting": f"{greeting}, {person}",
        "actions": next_actions(person, projects),
        "can_create": may_create(person),
        "create_url": reverse("retraining:project-create"),
    }


def _project(project: Project) -> Context:
    champion = find_champion(project)
    return {
        "name": project.name,
        "url": reverse("retraining:project-home", kwargs={"slug": project.slug}),
        "note": f"{champion.name} is live" if champion else "no live model yet",
        "tone": "good" if champion else "",
    }


def _figures(request: ProjectRequest, at: datetime) -> list[Context]:
    """The two or three numbers that matter to this person."""
    figures: list[Context] = []
    if Role.ANNOTATOR in request.roles:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        mine = Annotation.objects.answers().filter(
            project=request.project, annotator=request.user, at__gte=midnight
        )
        figures.append({"value": f"{mine.count():,}", "caption": "answers of yours today"})
    points = AccuracyPoint.objects.filter(project=request.project).order_by("-day")
    if request.roles & MEASURED and (newest := points.first()):
        figures.append(
            {
                "value": f"{newest.estimate:.2f}",
                "interval": f"{newest.low:.2f} to {newest.high:.2f}",
                "caption": f"right answers, measured on {newest.day:%-d %B}",
            }
        )
    return figures
