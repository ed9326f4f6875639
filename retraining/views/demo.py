"""Demo only: be somebody else, hide the tour, build the demo anew and watch that."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from jobs import clock
from jobs.models import Job
from projects.demo_people import access_demo_person, check_demo_visitor
from projects.errors import Invalid
from projects.models import Project
from projects.policies import SIGNED_IN, policy
from projects.rendering import render_part, wants_part
from projects.requests import SignedInRequest, is_row_id
from retraining.demo_frame import TOUR_HIDDEN, demo_frame
from retraining.demo_rebuild import ask_for_rebuild, is_being_rebuilt, last_rebuild
from retraining.views.rebuild_context import rebuild_context

HOME = "retraining:home-show"
REBUILD = "retraining:demo-rebuild"


@policy(SIGNED_IN)
@require_POST
def demo_act_as(request: SignedInRequest) -> HttpResponseBase:
    """Sign in as another person of the demo, in this browser."""
    chosen = request.POST.get("person", "")
    if not is_row_id(chosen):
        raise Invalid("Choose one of the people of the demo.")
    person = access_demo_person(actor=request.user, person_id=int(chosen))
    is_tour_hidden = request.session.get(TOUR_HIDDEN, False)
    login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[TOUR_HIDDEN] = is_tour_hidden
    return redirect(_next_url(request))


@policy(SIGNED_IN)
@require_POST
def demo_reset(request: SignedInRequest) -> HttpResponseBase:
    """Drop and rebuild the demo's projects, by a job."""
    check_demo_visitor(request.user)
    ask_for_rebuild(at=clock.now())
    return redirect(REBUILD)


@policy(SIGNED_IN)
@require_GET
def demo_rebuild(request: SignedInRequest) -> HttpResponseBase:
    """How far it is, asked again every second; leads home when it is done.

    Until it is done nothing tells who belongs to the demo, so anybody may see that.
    """
    if not is_being_rebuilt():
        check_demo_visitor(request.user)
    job = last_rebuild()
    if job is None or job.state == Job.State.DONE:
        return _go_home(request)
    context = rebuild_context(job, at=clock.now())
    return render_part(request, "retraining/rebuild_page.html#progress", context)


def _go_home(request: SignedInRequest) -> HttpResponseBase:
    messages.success(request, "The demo is ready.")
    if wants_part(request):
        return HttpResponseClientRedirect(reverse(HOME))
    return redirect(HOME)


@policy(SIGNED_IN)
@require_GET
def tour_show(request: SignedInRequest) -> HttpResponse:
    """The strip alone, where it is no longer the one that was seen."""
    project = Project.objects.of(request.user).filter(slug=request.GET.get("project", "")).first()
    demo = demo_frame(request, user=request.user, project=project)
    if demo and demo.strip_seen == request.GET.get("seen"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, "layouts/_tour.html", {"demo": demo})


@policy(SIGNED_IN)
@require_POST
def tour_hide(request: SignedInRequest) -> HttpResponseBase:
    request.session[TOUR_HIDDEN] = True
    return redirect(_next_url(request))


def _next_url(request: SignedInRequest) -> str:
    """Where the form says, if that is here; else home."""
    wanted = request.POST.get("next", "")
    is_here = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if is_here else HOME
