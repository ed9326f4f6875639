"""Flags and issues by API: report a wrong answer, and follow what became of it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from feedback import flagging
from feedback.api.serializers import FlagBodySerializer, FlagSerializer, IssueSerializer
from feedback.api.sightings import note_seen
from feedback.models import Flag, Issue, IssueInput, Prediction
from jobs import clock
from projects.api.lists import ProjectListView
from projects.api.paging import NumberedPages
from projects.api.requests import checked, person_of, project_of
from projects.classes import access_class, clean_class_name
from projects.errors import Invalid
from projects.models import Project, Role
from projects.policies import members

READERS = members(Role.AGENT, Role.REVIEWER, Role.LEAD, Role.ENGINEER, scopes={"read"})
REPORTERS = members(Role.AGENT, scopes={"flag"})


class NewestFlag(NumberedPages):
    ordering = "-id"


class NewestIssue(NumberedPages):
    ordering = "-number"


class FlagList(ProjectListView[Flag]):
    """Report a wrong answer, or read the reports, newest first."""

    model = Flag
    policy = READERS
    policies = {"POST": REPORTERS}  # noqa: RUF012  Declared, never changed.
    problems = (422,)
    serializer_class = FlagSerializer
    pagination_class = NewestFlag

    def rows_of(self, project: Project) -> QuerySet[Flag]:
        flags = Flag.objects.filter(project=project)
        state = _choice(self.request, "state", Flag.State.values)
        narrowed = flags.filter(state=state) if state else flags
        return narrowed.select_related("issue", "suggested", "agent")

    @extend_schema(
        summary="Read flags",
        parameters=[OpenApiParameter("state", str, enum=Flag.State.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def paginate_queryset(self, queryset: Any) -> Any:
        """Every list row shows the model's answer to whoever asks."""
        page = super().paginate_queryset(queryset)
        identities = [flag.identity for flag in page or [] if flag.identity]
        note_seen(self.request, identities)
        return page

    @extend_schema(
        summary="Flag a prediction",
        description="201 for a new flag, 200 where this person has flagged the prediction before.",
        request=FlagBodySerializer,
        responses={200: FlagSerializer, 201: FlagSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        project, agent, at = project_of(request), person_of(request), clock.now()
        fields = checked(FlagBodySerializer(data=request.data))
        report, external_id = _report(project, fields), fields["external_id"]
        prediction = _newest(project, external_id, fields["model_version"])
        before = Flag.objects.filter(project=project, agent=agent, external_id=external_id)
        is_known = before.filter(prediction=prediction).exists()
        if prediction is None:
            flag = flagging.flag_unseen_id(
                project=project, external_id=external_id, agent=agent, report=report, at=at
            )
        else:
            flag = flagging.flag_prediction(
                prediction=prediction, agent=agent, report=report, at=at
            )
        code = status.HTTP_200_OK if is_known else status.HTTP_201_CREATED
        return Response(FlagSerializer(flag).data, code)


class IssueList(ProjectListView[Issue]):
    """The issues of the project, newest first."""

    model = Issue
    policy = READERS
    serializer_class = IssueSerializer
    pagination_class = NewestIssue

    def rows_of(self, project: Project) -> QuerySet[Issue]:
        issues = Issue.objects.of(project).select_related("fixed_in")
        state = _choice(self.request, "state", Issue.State.values)
        return issues.filter(state=state) if state else issues

    @extend_schema(
        summary="Read issues",
        parameters=[OpenApiParameter("state", str, enum=Issue.State.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def paginate_queryset(self, queryset: Any) -> Any:
        """A title tells what the model answered to the issue's inputs."""
        page = super().paginate_queryset(queryset)
        inputs = IssueInput.objects.filter(issue__in=[issue.pk for issue in page or []])
        note_seen(self.request, inputs.values_list("identity", flat=True))
        return page


def _report(project: Project, fields: dict[str, Any]) -> flagging.Report:
    suggested, proposed = fields["suggested"], fields["proposed_name"]
    if suggested and proposed:
        raise Invalid("Give a suggested class or a proposed name, and not both.")
    return flagging.Report(
        reason=fields["reason"],
        suggested=access_class(project, suggested) if suggested else None,
        proposed_name=clean_class_name(proposed) if proposed else "",
        severity=fields["severity"],
        note=fields["note"],
        ticket_url=fields["ticket_url"],
    )


def _newest(project: Project, external_id: str, version: str) -> Prediction | None:
    found = Prediction.objects.of(project).filter(external_id=external_id)
    if version:
        found = found.filter(version__name=version)
    prediction = found.order_by("-occurred_at", "-pk").first()
    if prediction:
        prediction.project = project
    return prediction


def _choice(request: Request, name: str, choices: list[str]) -> str:
    chosen = request.query_params.get(name, "")
    if chosen and chosen not in choices:
        raise Invalid(f"{name} must be one of: {', '.join(choices)}.")
    return chosen
