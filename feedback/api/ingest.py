"""Predictions come in over HTTP: one answer for each line, and one status for all."""

from __future__ import annotations

import msgspec
from django.db import IntegrityError
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from feedback.api.bodies import SentLines
from feedback.api.serializers import IngestReportSerializer, PredictionBodySerializer
from feedback.ingestion import Answer, Ingested, Result, store_predictions
from jobs import clock
from projects.errors import Invalid
from projects.idempotency import check_same_body, clean_key, find_answer, remember_answer
from projects.models import IdempotentAnswer, Project

SINGLE = {
    Result.ACCEPTED: 201,
    Result.DUPLICATE: 200,
    Result.CONFLICT: 409,
    Result.REJECTED: 422,
}
SOME_NOT_STORED = 207
ALL, PROBLEMS = "all", "problems"
MOST_NAMED = 50  # A model whose answers are no classes at all would fill the report.

document = extend_schema(
    summary="Send predictions",
    description=(
        "NDJSON (one prediction in every line, any number, may be gzip), or JSON: one prediction "
        "or an array. Every line is answered; a bad line never costs a good one. The same line "
        "again is a duplicate and stored once; the same external_id and model_version with "
        "another body is a conflict. An unknown model_version is registered as an external one. "
        "An output that is no class of the project is stored and named in unknown_outputs.\n\n"
        "Status: 200 all lines are stored, 207 some are not, 422 or 409 none is. For a single "
        "JSON object: 201 accepted, 200 duplicate, 409 conflict, 422 rejected."
    ),
    request={
        "application/x-ndjson": PredictionBodySerializer,
        "application/json": PredictionBodySerializer,
    },
    parameters=[
        OpenApiParameter(
            "answers", str, enum=[ALL, PROBLEMS], description="Which lines the answer lists."
        ),
        OpenApiParameter(
            "Idempotency-Key",
            str,
            OpenApiParameter.HEADER,
            description="The same key and body again is given the first answer, for seven days.",
        ),
    ],
    responses={
        200: IngestReportSerializer,
        201: IngestReportSerializer,
        207: IngestReportSerializer,
        409: IngestReportSerializer,
        413: IngestReportSerializer,
        422: IngestReportSerializer,
    },
)


class Report(msgspec.Struct):
    """What a request is answered."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    unknown_outputs: dict[str, int]
    lines: list[Answer]


def receive_predictions(request: Request, project: Project) -> HttpResponse:
    """Store the lines of the body; with an Idempotency-Key the answer is kept with them."""
    wanted = request.query_params.get("answers", ALL)
    if wanted not in {ALL, PROBLEMS}:
        raise Invalid(f"answers must be {ALL!r} or {PROBLEMS!r}.")
    key = clean_key(request.headers.get("Idempotency-Key", ""))
    sent = SentLines(request._request, project)
    if earlier := find_answer(project, key):
        sent.read_all()
        return _replay(earlier, sent)
    at = clock.now()

    def remember(ingested: Ingested) -> None:
        if sent.stopped_by is None and ingested.answers:
            remember_answer(
                project=project,
                key=key,
                body_hash=sent.body_hash,
                status=_status(ingested, sent),
                response=msgspec.to_builtins(_report(ingested, wanted)),
                at=at,
            )

    try:
        ingested = store_predictions(
            project=project, lines=sent.lines(), at=at, with_last=remember if key else None
        )
    except IntegrityError:
        # The same request came twice at once; the other one has stored the lines and the answer.
        if earlier := find_answer(project, key):
            return _replay(earlier, sent)
        raise
    if not ingested.answers:
        raise Invalid("The body holds no line. Send one prediction in every line.")
    return _answer(_status(ingested, sent), msgspec.json.encode(_report(ingested, wanted)))


def _replay(earlier: IdempotentAnswer, sent: SentLines) -> HttpResponse:
    check_same_body(earlier, sent.body_hash)
    response = _answer(earlier.status, msgspec.json.encode(earlier.response))
    response["Idempotent-Replayed"] = "true"
    return response


def _status(ingested: Ingested, sent: SentLines) -> int:
    if sent.stopped_by is not None:
        return sent.stopped_by.status
    if sent.is_single:
        return SINGLE[ingested.answers[0].result]
    if ingested.stored == len(ingested.answers):
        return 200
    if ingested.stored:
        return SOME_NOT_STORED
    return SINGLE[Result.REJECTED if ingested.counts[Result.REJECTED] else Result.CONFLICT]


def _report(ingested: Ingested, wanted: str) -> Report:
    lines = ingested.answers
    if wanted == PROBLEMS:
        lines = [answer for answer in lines if answer.reason]
    return Report(
        accepted=ingested.counts[Result.ACCEPTED],
        duplicates=ingested.counts[Result.DUPLICATE],
        conflicts=ingested.counts[Result.CONFLICT],
        rejected=ingested.counts[Result.REJECTED],
        unknown_outputs=dict(ingested.unknown_outputs.most_common(MOST_NAMED)),
        lines=lines,
    )


def _answer(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")
