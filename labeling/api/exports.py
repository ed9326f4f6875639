"""Exports by API: JSON lines that begin at once, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from labeling.exporting import export_items, export_truths
from labeling.models import Item
from projects.api.requests import project_of
from projects.errors import Invalid
from projects.models import Role
from projects.policies import members

READERS = members(Role.REVIEWER, Role.LEAD, Role.ENGINEER, scopes={"read"})
NDJSON = "application/x-ndjson"
PARAMETERS = [
    OpenApiParameter("after", int, description="Only lines with a higher id: what is new."),
    OpenApiParameter("use", str, enum=Item.Use.values),
]
LARGEST_ID = 2**63 - 1


class LinesRenderer(JSONRenderer):
    """So that asking for what is answered is not refused; problems are JSON as ever."""

    media_type = NDJSON


RENDERERS: list[type[BaseRenderer]] = [JSONRenderer, LinesRenderer]


class ItemExport(APIView):
    """Every item with its use and state, and once it is settled its sources."""

    policy = READERS
    renderer_classes = RENDERERS

    @extend_schema(
        summary="Export items",
        parameters=PARAMETERS,
        responses={(200, NDJSON): OpenApiTypes.STR},
    )
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        return _stream(request, export_items)


class GroundTruthExport(APIView):
    """The accepted answers that stand now."""

    policy = READERS
    renderer_classes = RENDERERS

    @extend_schema(
        summary="Export ground truth",
        description="Rows for evaluation are named so: train on none of them.",
        parameters=PARAMETERS,
        responses={(200, NDJSON): OpenApiTypes.STR},
    )
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        return _stream(request, export_truths)


def _stream(request: Request, export: Callable[..., Iterator[bytes]]) -> StreamingHttpResponse:
    raw, use = request.query_params.get("after", "0"), request.query_params.get("use", "")
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 20 and int(raw) <= LARGEST_ID):
        raise Invalid("after must be the id of a line.")
    if use and use not in Item.Use.values:
        raise Invalid(f"use must be one of: {', '.join(Item.Use.values)}.")
    lines = export(project=project_of(request), after=int(raw), use=use)
    return StreamingHttpResponse(lines, content_type=NDJSON)
