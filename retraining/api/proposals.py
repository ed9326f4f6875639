"""Proposed classes by API: read what waits, accept one with guideline and quota, decline one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.api.serializers import InputField
from jobs import clock
from labeling.access import access_proposal
from labeling.class_proposals import decline_class, waiting_proposals
from projects.api.requests import checked, person_of, project_of
from projects.api.serializers import NothingSerializer
from projects.models import Role
from projects.policies import members
from retraining.quotas import accept_with_quota

READERS = members(Role.LEAD, Role.REVIEWER, Role.ENGINEER, scopes={"read", "decide"})
LEADS = members(Role.LEAD, scopes={"decide"})


class ExampleSerializer(serializers.Serializer[Any]):
    input = InputField()


class WaitingProposalSerializer(serializers.Serializer[Any]):
    """A name that people gave to what is none of the classes."""

    id = serializers.IntegerField(source="proposal.pk")
    name = serializers.CharField(source="proposal.name")
    item_count = serializers.IntegerField(help_text="Items that would be asked again.")
    people_count = serializers.IntegerField(help_text="People who gave this name.")
    examples = ExampleSerializer(many=True)
    proposed_at = serializers.DateTimeField(source="proposal.proposed_at")


class AcceptanceSerializer(serializers.Serializer[Any]):
    """How many labels of the class are wanted, and how to tell it."""

    wanted = serializers.IntegerField(min_value=1, max_value=100_000)
    description = serializers.CharField(
        max_length=2_000, allow_blank=True, default="", help_text="Goes into the guideline."
    )


class AcceptedClassSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()


class ProposalList(APIView):
    """Names that wait for a decision; those that stand for most items first."""

    policy = READERS

    @extend_schema(summary="Read proposed classes", responses=WaitingProposalSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        waiting = waiting_proposals(project_of(request))
        return Response(WaitingProposalSerializer(waiting, many=True).data)


class ProposalAcceptance(APIView):
    """Class, guideline and quota in one step; the items of this name are asked again."""

    policy = LEADS
    problems = (409, 422)

    @extend_schema(
        summary="Accept a class", request=AcceptanceSerializer, responses=AcceptedClassSerializer
    )
    def post(self, request: Request, slug: str, pk: int) -> Response:
        given = checked(AcceptanceSerializer(data=request.data))
        proposal = access_proposal(project_of(request), pk)
        accepted = accept_with_quota(
            proposal=proposal, by=person_of(request), at=clock.now(), **given
        )
        return Response(AcceptedClassSerializer(accepted).data)


class ProposalRefusal(APIView):
    """The name stays outside every class."""

    policy = LEADS

    @extend_schema(summary="Decline a class", request=None, responses={204: None})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        checked(NothingSerializer(data=request.data))
        proposal = access_proposal(project_of(request), pk)
        decline_class(proposal=proposal, by=person_of(request), at=clock.now())
        return Response(status=204)
