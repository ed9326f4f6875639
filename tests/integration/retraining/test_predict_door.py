"""The predictor's front door: who is let in, what is answered, and in which words it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from config import predictor_policies
from feedback.models import Prediction
from jobs.clock import SetClock
from projects.api_keys import issue_key
from projects.internal_signatures import signed_headers
from projects.models import ApiKey, ModelVersion, Project
from projects.versions import deploy
from retraining.api import predict
from retraining.serving import Predictor
from tests.people import Team, make_team
from tests.trained import make_trained_version

pytestmark = pytest.mark.django_db(transaction=True)

PARCEL = {"external_id": "p-1", "input": "where is my parcel"}
PROBLEM = "application/problem+json"
# One class more than what is answered of each.
SIX_CLASSES = {f"{word} please": f"class {word}" for word in ("a", "b", "c", "d", "e", "f")}


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def predictor(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Predictor]:
    """Its addresses and what is around them, as the process has them; nothing is remembered."""
    settings.ROOT_URLCONF = "config.predictor_urls"
    settings.MIDDLEWARE = ["config.predictor_policies.PredictorMiddleware"]
    made = Predictor()
    for module in (predict, predictor_policies):
        monkeypatch.setattr(module, "PREDICTOR", made)
    yield made
    made.stop()


@pytest.fixture
def key(team: Team, clock: SetClock) -> str:
    return key_of(team, clock)


def key_of(team: Team, clock: SetClock, *, scope: str = "predict", hours: int = 1) -> str:
    _, raw = issue_key(
        project=team.project,
        name="app",
        scopes=[scope],
        by=team.ed,
        at=clock.at,
        expires_at=clock.at + timedelta(hours=hours),
    )
    return raw


@pytest.fixture
def live(team: Team, clock: SetClock) -> ModelVersion:
    version = make_trained_version(team, "v2", at=clock.at)
    deploy(version=version, expected=team.version, cause="promotion", at=clock.at, by=None)
    return version


def ask(question: object, key: str = "", *, slug: str = "intents", **headers: str) -> Any:
    client = Client(raise_request_exception=False)
    if key:
        headers.setdefault("Authorization", f"Bearer {key}")
    sent = question if isinstance(question, bytes) else json.dumps(question).encode()
    path = f"/api/v1/projects/{slug}/predict"
    return client.post(path, sent, content_type="application/json", headers=headers)


def ask_from_inside(question: object, clock: SetClock) -> Any:
    body = json.dumps(question).encode()
    headers = signed_headers(body, at=clock.at)
    return Client().post("/internal/answer", body, content_type="application/json", headers=headers)


def said(response: Any) -> tuple[int, str]:
    """The status and the code of a refusal, which is a problem as RFC 9457 has them."""
    assert response["Content-Type"] == PROBLEM
    problem = response.json()
    assert problem["status"] == response.status_code
    return problem["status"], problem["code"]


@pytest.fixture
def _stored_nothing() -> Iterator[None]:
    yield
    assert not Prediction.objects.exists()


@pytest.mark.usefixtures("predictor", "live")
def test_an_answer_names_version_answer_and_scores(key: str) -> None:
    response = ask(PARCEL, key)

    assert response.status_code == 200
    answer = response.json()
    assert (answer["status"], answer["external_id"]) == (200, "p-1")
    assert (answer["model_version"], answer["answer"]) == ("v2", "delivery")
    assert answer["confidence"] == max(answer["scores"].values())
    assert answer["is_new"] is True


@pytest.mark.usefixtures("predictor")
def test_of_many_classes_the_five_best_scores_are_answered_and_stored(
    team: Team, key: str, clock: SetClock
) -> None:
    version = make_trained_version(team, "v2", at=clock.at, rows=SIX_CLASSES)
    deploy(version=version, expected=team.version, cause="promotion", at=clock.at, by=None)

    scores = ask({**PARCEL, "input": "c please"}, key).json()["scores"]

    assert len(scores) == 5
    assert next(iter(scores)) == "class c"
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert all(score == round(score, 6) for score in scores.values())
    assert Prediction.objects.get().scores == scores


@pytest.mark.usefixtures("predictor", "live")
def test_in_a_list_each_bad_question_is_told_in_its_place(key: str) -> None:
    response = ask([{"external_id": "p-0"}, PARCEL, {**PARCEL, "input": " "}], key)

    missing, good, empty = response.json()["answers"]
    assert (missing["status"], missing["code"]) == (422, "invalid")
    assert "input" in missing["detail"]
    assert (good["status"], good["external_id"]) == (200, "p-1")
    assert (empty["status"], set(empty)) == (422, {"status", "code", "detail"})


@pytest.mark.usefixtures("predictor", "live")
def test_a_list_of_nothing_but_bad_questions_is_answered_too(key: str) -> None:
    response = ask([{"external_id": "p-0"}, 7], key)

    assert response.status_code == 200
    assert [answer["status"] for answer in response.json()["answers"]] == [422, 422]


@pytest.mark.usefixtures("predictor", "live")
def test_a_question_nested_too_deeply_costs_no_other_its_answer(key: str) -> None:
    deep = b'{"external_id": "p-0", "input": ' + b'{"a":' * 700 + b"1" + b"}" * 701

    response = ask(b"[" + deep + b"," + json.dumps(PARCEL).encode() + b"]", key)

    assert [answer["status"] for answer in response.json()["answers"]] == [422, 200]


@pytest.mark.usefixtures("predictor", "live")
def test_declared_context_is_part_of_what_was_asked_and_other_context_is_not(
    team: Team, key: str
) -> None:
    Project.objects.filter(pk=team.project.pk).update(context_fields=["channel"])
    ask({**PARCEL, "context": {"channel": "mail", "browser": "one"}}, key)

    same = ask({**PARCEL, "context": {"channel": "mail", "browser": "two"}}, key)
    other = ask({**PARCEL, "context": {"channel": "chat", "browser": "one"}}, key)

    assert (same.status_code, same.json()["is_new"]) == (200, False)
    assert said(other) == (409, "conflict")


@pytest.mark.usefixtures("predictor")
def test_without_a_served_version_nothing_is_answered(key: str) -> None:
    response = ask(PARCEL, key)

    assert said(response) == (409, "not_served")
    assert not Prediction.objects.exists()


@pytest.mark.usefixtures("predictor", "live")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_as_http_reads_it(key: str, scheme: str) -> None:
    assert ask(PARCEL, Authorization=f"{scheme} {key}").status_code == 200


@pytest.mark.usefixtures("predictor", "live", "_stored_nothing")
@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Basic {key}", "{key}", "Bearer {key}x", "Bearer é"]
)
def test_what_is_no_key_is_told_how_to_send_one(key: str, sent: str) -> None:
    response = ask(PARCEL, Authorization=sent.format(key=key))

    assert said(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer sr_" in response.json()["detail"]


@pytest.mark.usefixtures("predictor", "live", "_stored_nothing")
def test_a_key_is_refused_from_the_moment_it_expires(team: Team, clock: SetClock) -> None:
    key = key_of(team, clock, hours=1)
    clock.advance(timedelta(hours=1))

    assert said(ask(PARCEL, key)) == (401, "not_authenticated")


@pytest.mark.usefixtures("predictor", "live", "_stored_nothing")
@pytest.mark.parametrize("scope", sorted(set(ApiKey.Scope.values) - {"predict"}))
def test_every_other_scope_is_refused_and_the_missing_one_named(
    team: Team, clock: SetClock, scope: str
) -> None:
    response = ask(PARCEL, key_of(team, clock, scope=scope))

    assert said(response) == (403, "refused")
    assert response.json()["detail"].endswith(": predict.")


@pytest.mark.usefixtures("predictor", "live", "_stored_nothing")
def test_another_projects_key_is_answered_as_for_a_project_that_is_not_there(
    clock: SetClock,
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    key = key_of(other, clock)

    theirs, nobodys = ask(PARCEL, key), ask(PARCEL, key, slug="no-such-project")

    assert said(theirs) == (404, "not_found")
    assert theirs.content == nobodys.content


@pytest.mark.usefixtures("predictor", "live")
def test_a_body_over_the_bound_is_refused_before_anybody_is_asked_who_it_is(
    settings: Settings,
) -> None:
    settings.MAX_PREDICT_BYTES = 20

    response = ask(b"x" * 21)

    assert said(response) == (413, "too_large")
    assert "has 21 bytes; MAX_PREDICT_BYTES is 20" in response.json()["detail"]
    assert said(ask(b"x" * 20)) == (401, "not_authenticated")


@pytest.mark.usefixtures("predictor", "live", "_stored_nothing")
def test_while_the_database_is_away_it_says_to_ask_again(key: str) -> None:
    def refuse(*given: object) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        response = ask(PARCEL, key)

    assert said(response) == (503, "unavailable")
    assert response["Retry-After"] == "1"
    assert "gone" not in response.json()["detail"]


@pytest.mark.usefixtures("predictor")
def test_only_what_may_be_asked_again_soon_says_so(key: str) -> None:
    assert "Retry-After" not in ask(PARCEL, key)
    assert "WWW-Authenticate" not in ask(PARCEL, key)


@pytest.mark.usefixtures("predictor", "live")
def test_what_nobody_foresaw_is_an_answer_in_json_without_its_insides(team: Team, key: str) -> None:
    Project.objects.filter(pk=team.project.pk).update(context_fields=7)

    response = ask(PARCEL, key)

    assert (response.status_code, response.json()["code"]) == (500, "failed")
    assert set(response.json()) == {"title", "status", "code", "detail", "request_id"}
    assert "iterable" not in response.content.decode()


@pytest.mark.usefixtures("predictor")
def test_an_address_that_is_not_there_is_answered_in_json() -> None:
    assert said(Client().get("/p/intents/items")) == (404, "not_found")


@pytest.mark.usefixtures("predictor", "live")
def test_no_answer_is_kept_by_anything_in_between(key: str) -> None:
    answered = [ask(PARCEL, key), ask(PARCEL), Client().get("/nowhere"), Client().get("/readyz")]

    assert [response["Cache-Control"] for response in answered] == ["no-store"] * 4


@pytest.mark.usefixtures("predictor", "live")
def test_our_pages_are_told_version_answer_and_confidence(clock: SetClock) -> None:
    response = ask_from_inside({"project": "intents", "input": {"text": PARCEL["input"]}}, clock)

    assert response.status_code == 200
    answer = response.json()
    assert (answer["version_name"], answer["answer"]) == ("v2", "delivery")
    assert 1 / 3 < answer["confidence"] < 1
    assert not Prediction.objects.exists()


@pytest.mark.usefixtures("predictor", "live")
@pytest.mark.parametrize(
    ("question", "refused"),
    [
        ({"project": "no-such-project", "input": {"text": "late"}}, (404, "not_found")),
        ({"input": {"text": "late"}}, (404, "not_found")),
        ({"project": "intents"}, (422, "invalid")),
        ({"project": "intents", "input": {"text": ""}}, (422, "invalid")),
        (["intents", {"text": "late"}], (422, "invalid")),
    ],
)
def test_what_our_pages_ask_wrongly_is_refused(
    question: object, refused: tuple[int, str], clock: SetClock
) -> None:
    assert said(ask_from_inside(question, clock)) == refused


@pytest.mark.usefixtures("predictor", "live")
def test_a_question_from_inside_holds_for_thirty_seconds(clock: SetClock) -> None:
    question = {"project": "intents", "input": {"text": "late"}}
    body = json.dumps(question).encode()
    headers = signed_headers(body, at=clock.at)

    def answered() -> int:
        response = Client().post(
            "/internal/answer", body, content_type="application/json", headers=headers
        )
        return response.status_code

    clock.advance(timedelta(seconds=30))
    assert answered() == 200
    clock.advance(timedelta(milliseconds=1))
    assert answered() == 403


@pytest.mark.usefixtures("predictor", "live")
def test_a_key_does_not_open_the_inner_address(key: str) -> None:
    response = Client().post(
        "/internal/answer",
        b'{"project": "intents", "input": {"text": "late"}}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )

    assert said(response) == (403, "refused")


@pytest.mark.usefixtures("live")
def test_it_is_ready_once_it_has_looked_and_all_is_open(predictor: Predictor) -> None:
    before = Client().get("/readyz")
    predictor.models.look()
    after = Client().get("/readyz")

    assert before.status_code == 503
    assert b"not looked at for seconds" in before.content
    assert (after.status_code, after.content) == (200, b"ok   live versions: known and open\n")


def test_it_is_not_ready_with_a_live_version_that_does_not_open(
    predictor: Predictor, live: ModelVersion
) -> None:
    ModelVersion.objects.filter(pk=live.pk).update(manifest={})
    predictor.models.look()

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.content.startswith(b"NOT  live version v2: ")
