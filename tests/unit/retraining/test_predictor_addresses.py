"""The predictor denies by default, and says in which words it refuses."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config import predictor_urls
from config.predictor_policies import PredictorMiddleware
from projects.policies import policy_of


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


def test_every_address_declares_a_policy() -> None:
    silent = [one.name for one in predictor_urls.urlpatterns if policy_of(one.callback) is None]

    assert silent == []


def test_an_address_without_a_policy_answers_nobody() -> None:
    middleware = PredictorMiddleware(answer)

    refusal = middleware.process_view(RequestFactory().get("/new"), answer, (), {})

    assert refusal is not None
    assert (refusal.status_code, json.loads(refusal.content)["code"]) == (403, "refused")
