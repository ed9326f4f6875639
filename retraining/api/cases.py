"""Broken regression cases by API: read them, say whether one counts, pin one."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.api.sightings import note_seen
from jobs import clock
from projects.api.requests import checked, person_of, project_of
from projects.models import Role
from projects.policies import members
from retraining.api.case_serializers import BrokenCaseSerializer, PinSerializer, VerdictSerializer
from retraining.batches import access_batch
from retraining.case_reviews import access_case, pin_case, review_case
from retraining.comparison import broken_cases

READERS = members(Role.LEAD, Role.REVIEWER, Role.ENGINEER, scopes={"read"})


class BrokenCaseList(APIView):
    """Cases that the live model answers right and the batch's version wrong; waiting ones first."""

    policy = READERS

    @extend_schema(responses=BrokenCaseSerializer(many=True))
    def get(self, request: Request, slug: str, number: int) -> Response:
        batch = access_batch(project_of(request), number)
        evaluation = batch.evaluations.order_by("-pk").first()
        cases = broken_cases(evaluation) if evaluation else []
        note_seen(request, [case.item.identity for case in cases])
        return Response(BrokenCaseSerializer(cases, many=True).data)


class BrokenCaseReview(APIView):
    """Say whether a broken case counts against the batch's version."""

    policy = members(Role.REVIEWER)
    problems = (409, 422)

    @extend_schema(request=VerdictSerializer, responses={204: None})
    def post(self, request: Request, slug: str, number: int, pk: int) -> Response:
        given = checked(VerdictSerializer(data=request.data))
        review_case(
            batch=access_batch(project_of(request), number),
            case=access_case(project_of(request), pk),
            verdict=given["verdict"],
            by=person_of(request),
            at=clock.now(),
            reason=given["reason"],
        )
        return Response(status=204)


class CasePin(APIView):
    """Pin a case, which then may never break, or take the pin away with a reason."""

    policy = members(Role.LEAD)
    problems = (422,)

    @extend_schema(request=PinSerializer, responses={204: None})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        given = checked(PinSerializer(data=request.data))
        pin_case(
            case=access_case(project_of(request), pk),
            is_pinned=given["is_pinned"],
            by=person_of(request),
            at=clock.now(),
            reason=given["reason"],
        )
        return Response(status=204)
