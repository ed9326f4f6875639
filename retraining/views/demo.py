"""Demo only: be somebody else, hide the tour, build the demo anew."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from jobs import clock
from jobs.adding import add_job
from projects.demo_people import access_demo_person
from projects.errors import Invalid
from projects.policies import SIGNED_IN, policy
from projects.requests import SignedInRequest, is_row_id
from retraining.demo_frame import TOUR_HIDDEN

HOME = "retraining:home-show"
RESET = "retraining.reset_demo"


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
    access_demo_person(actor=request.user, person_id=request.user.pk)
    add_job(RESET, at=clock.now(), key="demo")
    messages.success(request, "The demo is being built again. This takes a minute or two.")
    return redirect(HOME)


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
