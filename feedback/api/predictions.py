"""Predictions by API: send many, find some, read one."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.access import access_prediction
from feedback.api import ingest
from feedback.api.serializers import PredictionPageSerializer, PredictionSerializer
from feedback.api.sightings import note_seen
from feedback.search import find_predictions, read_filters
from projects.api.requests import page_size, project_of
from projects.models import Role
from projects.policies import members

READERS = members(Role.AGENT, Role.REVIEWER, Role.LEAD, Role.ENGINEER, scopes={"read"})
SENDERS = members(Role.ENGINEER, scopes={"ingest"})
PAGING = {"cursor", "limit"}

FILTERS = [
    OpenApiParameter("q", str, description="An id, a customer, a ticket, or words of the input."),
    OpenApiParameter("external_id", str),
    OpenApiParameter("customer", str),
    OpenApiParameter("version", str),
    OpenApiParameter("output", str),
    OpenApiParameter("min_confidence", float),
    OpenApiParameter("max_confidence", float),
    OpenApiParameter("since", str, description="A day or a time; that is the first one."),
    OpenApiParameter("until", str, description="A day, which is in, or a time, which is not."),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
    OpenApiParameter("limit", int, description="1 to 200; 50 where it is left out."),
]


class PredictionList(APIView):
    """Send predictions, or find them."""

    policy = READERS
    policies = {"POST": SENDERS}  # noqa: RUF012  Declared, never changed.
    problems = (409, 411, 413, 422)

    @ingest.document
    def post(self, request: Request, slug: str) -> HttpResponse:
        return ingest.receive_predictions(request, project_of(request))

    @extend_schema(
        operation_id="projects_predictions_list",
        summary="Find predictions",
        description="Newest first. `segment.NAME=VALUE` narrows by a declared segment.",
        parameters=FILTERS,
        responses=PredictionPageSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_of(request)
        asked = request.query_params.dict()
        filters = {name: value for name, value in asked.items() if name not in PAGING}
        page = find_predictions(
            project=project,
            filters=read_filters(project, filters),
            cursor=asked.get("cursor", ""),
            limit=page_size(request),
        )
        note_seen(request, [prediction.identity for prediction in page.rows])
        rows = PredictionSerializer(page.rows, many=True).data
        return Response({"results": rows, "next_cursor": page.next_cursor})


class PredictionDetail(APIView):
    """One prediction by the id that lists give."""

    policy = READERS

    @extend_schema(summary="Read one prediction", responses=PredictionSerializer)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        found = access_prediction(project_of(request), pk)
        note_seen(request, [found.identity])
        return Response(PredictionSerializer(found).data)
