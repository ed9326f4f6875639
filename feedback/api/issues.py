"""What a reviewer or a lead may do to an issue, by API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.access import access_issue
from feedback.flagging import decline_open_flags
from feedback.issues import merge_issues, rename_issue
from jobs import clock
from projects.api.requests import checked, person_of, project_of
from projects.api.serializers import ReasonSerializer
from projects.models import Role
from projects.policies import members

DECIDERS = members(Role.REVIEWER, Role.LEAD, scopes={"decide"})


class MergeSerializer(serializers.Serializer[Any]):
    """The number of the issue that takes the flags of this one."""

    into = serializers.IntegerField(min_value=1)


class TitleSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200)


class DeclinedSerializer(serializers.Serializer[Any]):
    declined_flags = serializers.IntegerField()


class IssueMerge(APIView):
    """Move all flags and inputs of an issue into another; later flags follow."""

    policy = DECIDERS
    problems = (409, 422)

    @extend_schema(summary="Merge an issue", request=MergeSerializer, responses={204: None})
    def post(self, request: Request, slug: str, number: int) -> Response:
        given, project = checked(MergeSerializer(data=request.data)), project_of(request)
        merge_issues(
            issue=access_issue(project, number),
            into=access_issue(project, given["into"]),
            at=clock.now(),
            by=person_of(request),
        )
        return Response(status=204)


class IssueRename(APIView):
    """Give an issue words that people recognise."""

    policy = DECIDERS
    problems = (422,)

    @extend_schema(summary="Rename an issue", request=TitleSerializer, responses={204: None})
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(TitleSerializer(data=request.data))
        issue = access_issue(project_of(request), number)
        rename_issue(issue=issue, title=given["title"], at=clock.now(), by=person_of(request))
        return Response(status=204)


class IssueDecline(APIView):
    """Decline every open flag of an issue; each agent reads the reason."""

    policy = DECIDERS

    @extend_schema(
        summary="Decline an issue", request=ReasonSerializer, responses=DeclinedSerializer
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        given = checked(ReasonSerializer(data=request.data))
        issue = access_issue(project_of(request), number)
        count = decline_open_flags(
            issue=issue, by=person_of(request), at=clock.now(), reason=given["reason"]
        )
        return Response(DeclinedSerializer({"declined_flags": count}).data)
