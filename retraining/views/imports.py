"""Take a whole import back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from jobs import clock
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest
from retraining.import_undoing import access_import, undo_import


@policy(members(Role.ENGINEER))
@require_POST
def import_undo(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    imported = access_import(request.project, pk)
    removed = undo_import(imported=imported, by=request.user, at=clock.now())
    messages.success(request, f"{imported.file_name} is undone: {removed:,} rows removed")
    return redirect("labeling:import-list", slug=slug)
