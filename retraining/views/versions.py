"""Model versions: what was live when, and the way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from projects.errors import Conflict, Invalid, NotFound
from projects.models import Deployment, ModelVersion, Role
from projects.policies import members, policy
from projects.requests import ProjectRequest
from projects.versions import deploy
from retraining.forms import ReasonForm, problem_of
from retraining.live_line import find_rollback_target
from retraining.model_files import read_model_file
from retraining.promotion import roll_back
from retraining.views.version_context import models_context

READERS = members(Role.LEAD, Role.ENGINEER)
MODELS = "retraining:model-list"


@policy(READERS)
@require_GET
def model_list(request: ProjectRequest, slug: str) -> HttpResponse:
    context = models_context(request.project, roles=request.roles)
    return render(request, "retraining/models_page.html", context)


@policy(members(Role.LEAD))
@require_POST
def version_roll_back(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    """Effective at once; agents whose cases it unfixes are told by a job."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid(problem_of(form))
    target = find_rollback_target(request.project)
    if target is None or target.pk != pk:
        raise Conflict("The live model has changed meanwhile. Reload the page and decide again.")
    reason = form.cleaned_data["reason"]
    line = roll_back(project=request.project, by=request.user, at=clock.now(), reason=reason)
    messages.success(request, f"{line.version.name} is live again")
    return redirect(MODELS, slug=slug)


@policy(READERS)
@require_POST
def version_deploy_first(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    """Say which version is live, while Setright does not know of any."""
    version = ModelVersion.objects.filter(project=request.project, pk=pk).first()
    if version is None:
        raise NotFound("There is no such version in this project.")
    deploy(
        version=version,
        expected=None,
        cause=Deployment.Cause.FIRST,
        at=clock.now(),
        by=request.user,
    )
    messages.success(request, f"{version} is the live model")
    return redirect(MODELS, slug=slug)


@policy(READERS)
@require_GET
def version_file(request: ProjectRequest, slug: str, pk: int) -> HttpResponse:
    """The model's file, checked against its signature."""
    versions = ModelVersion.objects.filter(project=request.project, pk=pk)
    version = versions.select_related("artifact").first()
    if version is None or version.artifact is None:
        raise NotFound("There is no file of that version in this project.")
    response = HttpResponse(read_model_file(version), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{slug}-{version.pk}.skops"'
    return response
