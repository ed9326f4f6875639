"""Items on which the answers differ, by API: read them, settle one, or have it asked again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.api.sightings import note_seen
from jobs import clock
from labeling.access import access_disputed, access_item
from labeling.api.serializers import (
    AnswerBodySerializer,
    DisputedItemDetailSerializer,
    DisputedItemSerializer,
    SaidSerializer,
    answer_in,
    asked_about,
)
from labeling.disputes import given_answers, given_answers_of
from labeling.models import Item
from labeling.settlement import adjudicate, send_back
from projects.api.lists import ProjectListView
from projects.api.paging import NumberedPages
from projects.api.requests import checked, person_of, project_of
from projects.api.serializers import NothingSerializer
from projects.models import Project, Role
from projects.policies import members

REVIEWERS = members(Role.REVIEWER, scopes={"decide"})


class OldestItem(NumberedPages):
    ordering = "id"


class DisputedItemList(ProjectListView[Item]):
    """Items to settle, with what was said and not by whom."""

    model = Item
    policy = REVIEWERS
    serializer_class = DisputedItemSerializer
    pagination_class = OldestItem

    def rows_of(self, project: Project) -> QuerySet[Item]:
        return Item.objects.disputed(project).select_related("queue")

    @extend_schema(summary="Read items to settle")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def paginate_queryset(self, queryset: Any) -> Any:
        page: list[Item] = super().paginate_queryset(queryset) or []
        answers = given_answers_of(page)
        note_seen(self.request, [item.identity for item in page])
        return [
            {
                "code": item.code,
                "queue": item.queue.slug if item.queue else "",
                "input": item.input,
                "answers": answers[item.pk],
            }
            for item in page
        ]


class DisputedItemDetail(APIView):
    """One item to settle, with the classes and the guideline."""

    policy = REVIEWERS

    @extend_schema(summary="Read one item to settle", responses=DisputedItemDetailSerializer)
    def get(self, request: Request, slug: str, code: UUID) -> Response:
        project = project_of(request)
        item = access_disputed(project, code)
        note_seen(request, [item.identity])
        shown = {
            **asked_about(item, item.queue, project),
            "code": item.code,
            "answers": given_answers(item),
        }
        return Response(DisputedItemDetailSerializer(shown).data)


class DisputedItemSettlement(APIView):
    """Give the answer that stands; it need not be one of those that were given."""

    policy = REVIEWERS
    problems = (409, 422)

    @extend_schema(summary="Settle an item", request=AnswerBodySerializer, responses=SaidSerializer)
    def post(self, request: Request, slug: str, code: UUID) -> Response:
        project = project_of(request)
        item = access_item(project, code)
        answer = answer_in(checked(AnswerBodySerializer(data=request.data)), project)
        truth = adjudicate(item=item, answer=answer, reviewer=person_of(request), at=clock.now())
        return Response(SaidSerializer(truth).data)


class DisputedItemReturn(APIView):
    """Have other people asked; what was said so far is kept and does not count."""

    policy = REVIEWERS

    @extend_schema(summary="Send an item back", request=None, responses={204: None})
    def post(self, request: Request, slug: str, code: UUID) -> Response:
        checked(NothingSerializer(data=request.data))
        item = access_item(project_of(request), code)
        send_back(item=item, reviewer=person_of(request), at=clock.now())
        return Response(status=204)
