"""A project's pictures, for its own members."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from projects.files import access_picture, read_file
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest

YEAR_SECONDS = 31_536_000


@policy(members(*Role))
@require_GET
def file_show(request: ProjectRequest, slug: str, digest: str) -> HttpResponse:
    """The name is the hash of the bytes, so a browser may keep it for good."""
    stored = access_picture(request.project, digest)
    response = HttpResponse(read_file(digest), content_type=stored.media_type)
    response["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
    response["Content-Disposition"] = "attachment"  # Shown by <img>, never as a page.
    return response
