"""API keys: made, shown once with a first request to copy, revoked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from projects.api_keys import issue_key, revoke_key
from projects.errors import NotFound
from projects.first_request import first_request
from projects.forms import KeyForm
from projects.models import ApiKey, Role
from projects.policies import members, policy
from projects.requests import ProjectRequest

ENGINEERS = members(Role.ENGINEER)
Context = dict[str, object]


@policy(ENGINEERS)
@require_GET
def key_list(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request, KeyForm())


@policy(ENGINEERS)
@require_POST
def key_create(request: ProjectRequest, slug: str) -> HttpResponse:
    """The key itself is in this answer and nowhere else."""
    form, at = KeyForm(request.POST), clock.now()
    if not form.is_valid():
        return _show(request, form, status=422)
    _, secret = issue_key(
        project=request.project,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        by=request.user,
        at=at,
        expires_at=form.expires_at(at),
    )
    return _show(request, KeyForm(), new_key=secret)


@policy(ENGINEERS)
@require_POST
def key_revoke(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    key = request.project.api_keys.filter(pk=pk).first()
    if key is None:
        raise NotFound("There is no such key in this project.")
    revoke_key(key=key, by=request.user, at=clock.now())
    messages.success(request, f"“{key.name}” is revoked")
    return redirect("projects:key-list", slug=slug)


def _show(
    request: ProjectRequest, form: KeyForm, *, new_key: str = "", status: int = 200
) -> HttpResponse:
    base_url, at = request.build_absolute_uri("/"), clock.now()
    keys = request.project.api_keys.order_by("-pk")
    context: Context = {
        "project": request.project,
        "new_key": new_key,
        "snippet": first_request(request.project, base_url=base_url, key=new_key),
        "keys": [_row(key, is_usable=ApiKey.objects.usable(at).contains(key)) for key in keys],
        "form": form,
    }
    return render(request, "projects/api_keys_page.html", context, status=status)


def _row(key: ApiKey, *, is_usable: bool) -> Context:
    state = (
        ("revoked", "")
        if key.revoked_at
        else ("active", "good")
        if is_usable
        else ("expired", "warn")
    )
    return {
        "pk": key.pk,
        "name": key.name,
        "prefix": f"sr_{key.prefix}",
        "scopes_words": ", ".join(key.scopes),
        "created_at": key.created_at,
        "expires_words": f"until {key.expires_at:%-d %b %Y}"
        if key.expires_at
        else "does not expire",
        "used_at": key.used_at,
        "state_words": state[0],
        "tone": state[1],
        "can_revoke": key.revoked_at is None,
    }
