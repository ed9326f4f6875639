"""The annotator's work by API: take an item, answer or skip it, hold it, take an answer back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import clock
from labeling import claims, desk
from labeling.access import access_annotation, access_lease, access_queue
from labeling.annotating import skip_item, submit_annotation, undo_annotation
from labeling.api.serializers import (
    AnnotationSerializer,
    AnswerBodySerializer,
    HeldSerializer,
    NextItemSerializer,
    QueueSerializer,
    SkipBodySerializer,
    UndoneSerializer,
    answer_in,
    asked_about,
)
from labeling.models import Annotation, Lease
from projects.api.requests import checked, person_of, project_of
from projects.api.serializers import NothingSerializer
from projects.models import Role
from projects.policies import members

ANNOTATORS = members(Role.ANNOTATOR, scopes={"label"})


class QueueList(APIView):
    """The queues of the project; every annotator may work in each."""

    policy = ANNOTATORS

    @extend_schema(summary="Read queues", responses=QueueSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        queues = project_of(request).queues.order_by("pk")
        return Response(QueueSerializer(queues, many=True).data)


class QueueTake(APIView):
    """Take the item that this person holds in the queue already, or the next one."""

    policy = ANNOTATORS

    @extend_schema(summary="Take an item", request=None, responses=NextItemSerializer)
    def post(self, request: Request, slug: str, queue: str) -> Response:
        checked(NothingSerializer(data=request.data))
        at, annotator = clock.now(), person_of(request)
        chosen = access_queue(project_of(request), queue)
        lease = claims.lease_next_slot(queue=chosen, annotator=annotator, at=at)
        if lease is None:
            empty = desk.why_empty(queue=chosen, annotator=annotator)
            return Response(NextItemSerializer({"item": None, "empty": empty}).data)
        lease.queue = chosen
        return Response(NextItemSerializer({"item": _shown(lease, at), "empty": None}).data)


class LeaseAnswer(APIView):
    """Answer an item that was taken; the same answer twice is kept once."""

    policy = ANNOTATORS
    problems = (409, 422)

    @extend_schema(
        summary="Answer an item",
        description="201 for a new answer, 200 where this one had been given under this lease. "
        "One that comes late counts while a place is free, and is kept otherwise: see `counts`.",
        request=AnswerBodySerializer,
        responses={200: AnnotationSerializer, 201: AnnotationSerializer},
    )
    def post(self, request: Request, slug: str, code: UUID) -> Response:
        at, lease = clock.now(), access_lease(person_of(request), project_of(request), code)
        answer = answer_in(checked(AnswerBodySerializer(data=request.data)), project_of(request))
        is_known = Annotation.objects.filter(lease=lease, undoes=None).exists()
        annotation = submit_annotation(
            lease=lease, answer=answer, at=at, seconds=(at - lease.given_at).total_seconds()
        )
        told = status.HTTP_200_OK if is_known else status.HTTP_201_CREATED
        return Response(AnnotationSerializer(annotation).data, told)


class LeaseSkip(APIView):
    """Pass on an item for this round; others can take it."""

    policy = ANNOTATORS

    @extend_schema(summary="Skip an item", request=SkipBodySerializer, responses={204: None})
    def post(self, request: Request, slug: str, code: UUID) -> Response:
        lease = access_lease(person_of(request), project_of(request), code)
        given = checked(SkipBodySerializer(data=request.data))
        skip_item(lease=lease, at=clock.now(), **given)
        return Response(status=204)


class LeaseRenewal(APIView):
    """Hold an item for another full length; three times that length at the most."""

    policy = ANNOTATORS

    @extend_schema(summary="Hold an item longer", request=None, responses=HeldSerializer)
    def post(self, request: Request, slug: str, code: UUID) -> Response:
        checked(NothingSerializer(data=request.data))
        lease = access_lease(person_of(request), project_of(request), code)
        until = desk.keep_lease(lease=lease, at=clock.now())
        return Response(HeldSerializer({"held_until": until}).data)


class AnnotationUndo(APIView):
    """Take an answer back, until a batch that holds it is approved; its item is held again."""

    policy = ANNOTATORS

    @extend_schema(summary="Undo an answer", request=None, responses=UndoneSerializer)
    def post(self, request: Request, slug: str, code: UUID) -> Response:
        checked(NothingSerializer(data=request.data))
        at, project = clock.now(), project_of(request)
        annotation = access_annotation(person_of(request), project, code)
        lease = undo_annotation(annotation=annotation, at=at)
        if lease is None:
            return Response(UndoneSerializer({"item": None}).data)
        lease.queue.project = project
        return Response(UndoneSerializer({"item": _shown(lease, at)}).data)


def _shown(lease: Lease, at: datetime) -> dict[str, object]:
    """A lease that was given, or renewed, this moment."""
    return {
        **asked_about(lease.item, lease.queue, lease.queue.project),
        "lease": lease.code,
        "held_until": at + lease.queue.lease_length,
    }
