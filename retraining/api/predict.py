"""The predictor's front door: its own process, so it may load the models' libraries."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from feedback.live_answer import LiveAnswer
from jobs import clock
from projects.errors import DomainError, Invalid
from projects.policies import INTERNAL, members, policy
from projects.requests import ProjectRequest
from retraining.answer_recording import Outcome, Recorded
from retraining.questions import decode_json, read_questions
from retraining.serving import PREDICTOR

OK = 200


@require_POST
@policy(members(scopes={"predict"}))
def predict(request: ProjectRequest, slug: str) -> HttpResponse:
    """Answer one question, or a list of them; every answer is stored before it is given."""
    questions, is_list = read_questions(request.body)
    outcomes = PREDICTOR.answer(project=request.project, questions=questions, at=clock.now())
    if is_list:
        return JsonResponse({"answers": [_as_json(outcome) for outcome in outcomes]})
    if isinstance(outcomes[0], DomainError):
        raise outcomes[0]
    return JsonResponse(_as_json(outcomes[0]))


@require_POST
@policy(INTERNAL)
def internal_answer(request: ProjectRequest) -> HttpResponse:
    """What the live version says to a stored input, for our pages."""
    asked = decode_json(request.body)
    if not isinstance(asked, dict):
        raise Invalid("Send the project's slug and an input.")
    version, answer = PREDICTOR.answer_unrecorded(
        slug=str(asked.get("project", "")), value=asked.get("input"), at=clock.now()
    )
    found = LiveAnswer(version.name, answer.label, answer.confidence)
    return HttpResponse(msgspec.json.encode(found), content_type="application/json")


def _as_json(outcome: Outcome) -> dict[str, object]:
    if not isinstance(outcome, Recorded):
        return {"status": outcome.status, "code": outcome.code, "detail": outcome.message}
    return {
        "status": OK,
        "external_id": outcome.external_id,
        "model_version": outcome.model_version,
        "answer": outcome.answer,
        "confidence": outcome.confidence,
        "scores": outcome.scores,
        "is_new": outcome.is_new,
    }
