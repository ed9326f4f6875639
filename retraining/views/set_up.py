"""A project from a form or from project.yaml; both say the same."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jobs import clock
from projects.creating import check_may_create
from projects.errors import Conflict, Invalid
from projects.first_request import first_request
from projects.models import Role
from projects.policies import SIGNED_IN, members, policy
from projects.requests import ProjectRequest, SignedInRequest
from retraining.changing_setup import change_project
from retraining.first_steps import first_steps
from retraining.project_file import (
    PRESETS,
    ProjectSpec,
    project_spec,
    read_project_file,
    write_project_file,
)
from retraining.setting_up import describe_project, set_up_project
from retraining.setup_form import DEFAULT_PRESET, SetupForm, preset_choices

ENGINEERS = members(Role.ENGINEER)
EDIT = "retraining:project-edit"
PAGE = "projects/setup_page.html"


@policy(SIGNED_IN)
@require_http_methods(["GET", "POST"])
def project_create(request: SignedInRequest) -> HttpResponseBase:
    check_may_create(request.user)
    if request.method == "GET":
        return _show_new(request, SetupForm())
    form, preset = SetupForm(request.POST), request.POST.get("preset", DEFAULT_PRESET)
    if not form.is_valid():
        return _show_new(request, form, status=422)
    try:
        return _create(request, form.described(preset))
    except (Conflict, Invalid) as error:
        form.add_error(None, error.message)
        return _show_new(request, form, status=422)


@policy(SIGNED_IN)
@require_POST
def project_create_from_file(request: SignedInRequest) -> HttpResponseBase:
    check_may_create(request.user)
    text = request.POST.get("yaml", "")
    try:
        return _create(request, read_project_file(text))
    except (Conflict, Invalid) as error:
        return _show_new(request, SetupForm(), yaml=text, problem=error.message, status=422)


@policy(ENGINEERS)
@require_GET
def project_edit(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request, SetupForm(spec=describe_project(request.project)))


@policy(ENGINEERS)
@require_POST
def project_change(request: ProjectRequest, slug: str) -> HttpResponseBase:
    form = SetupForm(request.POST, spec=describe_project(request.project))
    if not form.is_valid():
        return _show(request, form, status=422)
    try:
        return _change(request, form.described())
    except (Conflict, Invalid) as error:
        form.add_error(None, error.message)
        return _show(request, form, status=422)


@policy(ENGINEERS)
@require_POST
def project_change_from_file(request: ProjectRequest, slug: str) -> HttpResponseBase:
    text = request.POST.get("yaml", "")
    try:
        return _change(request, read_project_file(text))
    except (Conflict, Invalid) as error:
        form = SetupForm(spec=describe_project(request.project))
        return _show(request, form, yaml=text, problem=error.message, status=422)


@policy(ENGINEERS)
@require_GET
def project_file(request: ProjectRequest, slug: str) -> HttpResponse:
    """Reads back to an equal project."""
    content = write_project_file(describe_project(request.project))
    response = HttpResponse(content, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.yaml"'
    return response


def _create(request: SignedInRequest, spec: ProjectSpec) -> HttpResponseBase:
    project = set_up_project(spec=spec, owner=request.user, at=clock.now())
    messages.success(request, f"{project} is there")
    return redirect(EDIT, slug=project.slug)


def _change(request: ProjectRequest, spec: ProjectSpec) -> HttpResponseBase:
    change_project(project=request.project, spec=spec, by=request.user, at=clock.now())
    messages.success(request, "Saved")
    return redirect(EDIT, slug=request.project.slug)


def _show_new(
    request: SignedInRequest,
    form: SetupForm,
    *,
    yaml: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    preset = request.POST.get("preset", DEFAULT_PRESET)
    example = project_spec({**PRESETS[DEFAULT_PRESET], "name": "?", "classes": ["one", "two"]})
    example.name = ""
    context = {
        "project": None,
        "presets": preset_choices(preset),
        "form": form,
        "yaml": yaml or write_project_file(example),
        "yaml_problem": problem,
    }
    return render(request, PAGE, context, status=status)


def _show(
    request: ProjectRequest,
    form: SetupForm,
    *,
    yaml: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    steps, base_url = first_steps(request.project), request.build_absolute_uri("/")
    context = {
        "project": request.project,
        "form": form,
        "yaml": yaml or write_project_file(describe_project(request.project)),
        "yaml_problem": problem,
        "steps": steps,
        "snippet": first_request(request.project, base_url=base_url) if steps else "",
    }
    return render(request, PAGE, context, status=status)
