"""Batches by API: read them, and decide on them as a person with the lead's role."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import clock
from projects.api.lists import ProjectListView
from projects.api.paging import NumberedPages
from projects.api.requests import checked, person_of, project_of
from projects.api.serializers import NothingSerializer, ReasonSerializer
from projects.models import Project, Role
from projects.policies import members
from retraining import batches, revisions
from retraining.api.serializers import (
    ApprovalSerializer,
    BatchDetailSerializer,
    BatchSerializer,
    GateSerializer,
    WishSerializer,
)
from retraining.models import Batch, GateResult
from retraining.proposing import propose_by_person

READERS = members(Role.LEAD, Role.REVIEWER, Role.ENGINEER, Role.VIEWER, scopes={"read"})
LEADS = members(Role.LEAD)


class NewestFirst(NumberedPages):
    ordering = "-number"


class BatchList(ProjectListView[Batch]):
    """Every batch of the project, newest first."""

    model = Batch
    policy = READERS
    serializer_class = BatchSerializer
    pagination_class = NewestFirst

    def rows_of(self, project: Project) -> QuerySet[Batch]:
        return Batch.objects.filter(project=project).select_related("version")


class BatchDetail(APIView):
    """One batch with the revision to read, and what has changed under it."""

    policy = READERS

    @extend_schema(responses=BatchDetailSerializer)
    def get(self, request: Request, slug: str, number: int) -> Response:
        batch = batches.access_batch(project_of(request), number)
        return Response(BatchDetailSerializer(batch).data)


class BatchGates(APIView):
    """The gates of the newest evaluation; empty before there is one."""

    policy = READERS

    @extend_schema(responses=GateSerializer(many=True))
    def get(self, request: Request, slug: str, number: int) -> Response:
        batch = batches.access_batch(project_of(request), number)
        newest = batch.evaluations.order_by("-pk").values("pk")[:1]
        gates = GateResult.objects.filter(evaluation__in=newest).order_by("pk")
        return Response(GateSerializer(gates, many=True).data)


class BatchProposal(APIView):
    """Propose a batch now: no quota has to be met."""

    policy = LEADS

    @extend_schema(request=WishSerializer, responses={201: BatchDetailSerializer})
    def post(self, request: Request, slug: str) -> Response:
        wish = checked(WishSerializer(data=request.data))
        batch = propose_by_person(
            project=project_of(request),
            by=person_of(request),
            at=clock.now(),
            reason=wish["reason"],
        )
        return Response(BatchDetailSerializer(batch).data, status.HTTP_201_CREATED)


class BatchApproval(APIView):
    """Approve the revision that was read; refused with the difference where it has changed."""

    policy = LEADS

    @extend_schema(request=ApprovalSerializer, responses=BatchDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(ApprovalSerializer(data=request.data))
        batch = batches.approve_by_hash(
            batch=batches.access_batch(project_of(request), number),
            digest=given["revision"],
            by=person_of(request),
            at=clock.now(),
        )
        return Response(BatchDetailSerializer(batch).data)


class BatchRejection(APIView):
    """Reject a proposal with a reason; its labels stay."""

    policy = LEADS

    @extend_schema(request=ReasonSerializer, responses=BatchDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(ReasonSerializer(data=request.data))
        batch = batches.access_batch(project_of(request), number)
        batches.reject_batch(
            batch=batch, reason=given["reason"], by=person_of(request), at=clock.now()
        )
        return Response(BatchDetailSerializer(batch).data)


class BatchCancellation(APIView):
    """Withdraw a proposal, or stop a training."""

    policy = LEADS

    @extend_schema(request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        checked(NothingSerializer(data=request.data))
        batch = batches.access_batch(project_of(request), number)
        ended = batches.cancel_batch(batch=batch, by=person_of(request), at=clock.now())
        return Response(BatchDetailSerializer(ended).data)


class BatchRetry(APIView):
    """Train an approved batch again that failed."""

    policy = LEADS

    @extend_schema(request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        checked(NothingSerializer(data=request.data))
        batch = batches.access_batch(project_of(request), number)
        again = batches.retry_batch(batch=batch, by=person_of(request), at=clock.now())
        return Response(BatchDetailSerializer(again).data)


class BatchRefresh(APIView):
    """Make a new revision from what is there now."""

    policy = LEADS

    @extend_schema(request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        checked(NothingSerializer(data=request.data))
        batch = batches.access_batch(project_of(request), number)
        revisions.refresh_batch(batch=batch, by=person_of(request), at=clock.now())
        return Response(BatchDetailSerializer(batch).data)
