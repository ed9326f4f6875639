"""A project's pictures, for its own members."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from projects.errors import NotFound
from projects.files import access_file, read_file
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest

SHOWN = re.compile(r"image/(png|jpeg|gif|webp)")  # Re-encoded when they came in; never SVG.
YEAR_SECONDS = 31_536_000


@policy(members(*Role))
@require_GET
def file_show(request: ProjectRequest, slug: str, digest: str) -> HttpResponse:
    """The name is the hash of the bytes, so a browser may keep it for good."""
    stored = access_file(request.project, digest)
    if not SHOWN.fullmatch(stored.media_type):
        raise NotFound("There is no such picture in this project.")
    response = HttpResponse(read_file(digest), content_type=stored.media_type)
    response["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
    response["Content-Disposition"] = "attachment"  # Shown by <img>, never as a page.
    return response
