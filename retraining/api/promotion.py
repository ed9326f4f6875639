"""Promotion, rollback and receipts by API; decisions are a person's, keys only read."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from feedback.api.sightings import note_seen
from jobs import clock
from projects.api.lists import ProjectListView
from projects.api.paging import NumberedPages
from projects.api.requests import checked, person_of, project_of
from projects.api.serializers import ReasonSerializer
from projects.errors import NotFound
from projects.models import ApiKey, Deployment, Project, Role
from projects.policies import members
from retraining import promotion, receipts
from retraining.api.promotion_serializers import (
    DeploymentSerializer,
    NoteSerializer,
    PromotionSerializer,
    ReceiptSerializer,
    WaiverSerializer,
)
from retraining.api.serializers import GateSerializer
from retraining.batches import access_batch
from retraining.models import GateResult, Receipt

LEADS = members(Role.LEAD)
READERS = members(Role.LEAD, Role.REVIEWER, Role.ENGINEER, Role.VIEWER, scopes={"read"})
RECEIPT_READERS = members(
    Role.AGENT, Role.LEAD, Role.REVIEWER, Role.ENGINEER, Role.VIEWER, scopes={"read"}
)
SEE_ALL = {Role.LEAD, Role.REVIEWER, Role.ENGINEER, Role.VIEWER}


class NewestDeployment(NumberedPages):
    ordering = "-sequence"


class NewestReceipt(NumberedPages):
    ordering = "-id"


class BatchPromotion(APIView):
    """Make the batch's version live; its receipts follow."""

    policy = LEADS

    @extend_schema(request=PromotionSerializer, responses=DeploymentSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(PromotionSerializer(data=request.data))
        line = promotion.promote(
            batch=access_batch(project_of(request), number),
            by=person_of(request),
            at=clock.now(),
            confirm_not_enough=given["confirm_not_enough"],
        )
        return Response(DeploymentSerializer(line).data)


class BatchDecisionAgainst(APIView):
    """Leave the live version as it is, with a reason."""

    policy = LEADS

    @extend_schema(request=ReasonSerializer, responses={204: None})
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(ReasonSerializer(data=request.data))
        promotion.do_not_promote(
            batch=access_batch(project_of(request), number),
            by=person_of(request),
            at=clock.now(),
            reason=given["reason"],
        )
        return Response(status=204)


class GateWaiver(APIView):
    """Let a failed gate of the newest evaluation no longer block, with a reason."""

    policy = LEADS

    @extend_schema(request=WaiverSerializer, responses=GateSerializer)
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(WaiverSerializer(data=request.data))
        batch = access_batch(project_of(request), number)
        gates = GateResult.objects.filter(
            evaluation__batch=batch, slug=given["slug"], group=given["group"]
        )
        gate = gates.order_by("-evaluation_id").first()
        if gate is None:
            raise NotFound("The newest evaluation of this batch has no such gate.")
        promotion.waive_gate(
            gate=gate, by=person_of(request), at=clock.now(), reason=given["reason"]
        )
        gate.refresh_from_db()
        return Response(GateSerializer(gate).data)


class Rollback(APIView):
    """Make the earlier live version live again, at once."""

    policy = LEADS

    @extend_schema(request=ReasonSerializer, responses=DeploymentSerializer)
    def post(self, request: Request, slug: str) -> Response:
        given = checked(ReasonSerializer(data=request.data))
        line = promotion.roll_back(
            project=project_of(request),
            by=person_of(request),
            at=clock.now(),
            reason=given["reason"],
        )
        return Response(DeploymentSerializer(line).data)


class DeploymentList(ProjectListView[Deployment]):
    """What was live when, newest first."""

    model = Deployment
    policy = READERS
    serializer_class = DeploymentSerializer
    pagination_class = NewestDeployment

    def rows_of(self, project: Project) -> QuerySet[Deployment]:
        return Deployment.objects.champions(project.pk).select_related("version")


class ReceiptList(ProjectListView[Receipt]):
    """Receipts, newest first; an agent sees their own."""

    model = Receipt
    policy = RECEIPT_READERS
    serializer_class = ReceiptSerializer
    pagination_class = NewestReceipt

    def rows_of(self, project: Project) -> QuerySet[Receipt]:
        found = Receipt.objects.filter(project=project).select_related("flag", "version", "project")
        return found if _sees_all(self.request) else found.filter(flag__agent=self.request.user.pk)

    def get_serializer(self, *given: Any, **options: Any) -> BaseSerializer[Receipt]:
        """Whoever reads a model's answer here is left out of that input's blind queue."""
        serializer = super().get_serializer(*given, **options)
        if given:
            note_seen(self.request, [receipt.flag.identity for receipt in given[0]])
        return serializer


class ReceiptStillWrong(APIView):
    """The agent says that it is not fixed."""

    policy = members(Role.AGENT)

    @extend_schema(request=NoteSerializer, responses={204: None})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        given = checked(NoteSerializer(data=request.data))
        person = person_of(request)
        mine = Receipt.objects.filter(project=project_of(request), flag__agent=person, pk=pk)
        receipt = mine.select_related("flag", "version").first()
        if receipt is None:
            raise NotFound("You have no such receipt.")
        receipts.mark_still_wrong(receipt=receipt, by=person, at=clock.now(), note=given["note"])
        return Response(status=204)


def _sees_all(request: Request) -> bool:
    if isinstance(request.auth, ApiKey):
        return True
    roles: frozenset[Role] = request.roles  # type: ignore[attr-defined]  # Put there by HasPolicy.
    return bool(roles & SEE_ALL)
