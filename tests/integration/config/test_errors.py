"""Whatever goes wrong is told: to programs as problem details, to people as a page."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from feedback.api.flags import FlagList
from jobs.clock import SetClock
from projects.models import ApiKey
from tests.api import Api, make_key
from tests.pages import Pages, lead_url, text_of
from tests.people import Team, make_team

PROBLEM = "application/problem+json"

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def api(team: Team, clock: SetClock) -> Api:
    return Api(team.project, make_key(team.project, team.ed, at=clock.at))


@pytest.mark.parametrize("path", ["flags/", "nonsense", "predictions/x", ""])
def test_an_address_that_the_api_does_not_have_is_a_problem(api: Api, path: str) -> None:
    response = api.get(path)

    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM)
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("scope", ApiKey.Scope.values)
def test_a_wrong_method_is_told_whatever_the_key_may_do(
    team: Team, clock: SetClock, scope: str
) -> None:
    key = make_key(team.project, team.ed, at=clock.at, scopes=[scope])
    response = Api(team.project, key).client.delete(
        "/api/v1/projects/intents/flags", headers={"Authorization": f"Bearer {key}"}
    )

    assert (response.status_code, response["Content-Type"]) == (405, PROBLEM)
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_what_breaks_behind_the_api_tells_its_id_and_nothing_else(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FlagList) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(FlagList, "get_queryset", broken)
    api.client.raise_request_exception = False

    response = api.client.get(f"{api.root}/flags", headers=api.headers)

    assert (response.status_code, response["Content-Type"]) == (500, PROBLEM)
    assert response.json()["request_id"] == response["X-Request-ID"]
    assert "secret" not in response.content.decode()


def test_a_request_that_django_refuses_is_a_problem_too(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["here"]

    response = Client().get("/api/v1/schema", headers={"Host": "elsewhere"})

    assert (response.status_code, response["Content-Type"]) == (400, PROBLEM)


@pytest.mark.parametrize("path", ["schema", "docs"])
def test_problems_are_json_where_the_endpoint_answers_something_else(path: str) -> None:
    response = Client().delete(f"/api/v1/{path}")

    assert (response.status_code, response["Content-Type"]) == (405, PROBLEM)
    assert response.json()["code"] == "method_not_allowed"


def test_json_lines_may_be_asked_for(team: Team) -> None:
    client = APIClient()
    client.force_login(team.ed)

    response = client.get("/api/v1/projects/intents/items", HTTP_ACCEPT="application/x-ndjson")

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "name", "allowed", "told"),
    [
        ("get", "trigger-create", "POST", "press the button again"),
        ("put", "trigger-list", "GET", "can only be read"),
    ],
)
def test_a_page_asked_in_the_wrong_way_says_what_to_do(
    team: Team, method: str, name: str, allowed: str, told: str
) -> None:
    response = getattr(Pages(team.olga).client, method)(lead_url(name))

    assert (response.status_code, response["Allow"]) == (405, allowed)
    assert told in text_of(response)


@pytest.mark.parametrize(
    "path",
    [
        "/demo/tour?project=%00",
        "/p/intents/answers/?version=%00&answer=%00&segment=%00",
        "/p/intents/files/%00",
    ],
)
def test_an_address_with_what_no_text_may_hold_is_refused(
    team: Team, settings: Settings, path: str
) -> None:
    settings.DEMO = True

    assert Pages(team.olga).get(path).status_code == 422


def test_pages_keep_their_own_words(team: Team) -> None:
    page = Pages(team.ed).get("/no-such-page/")

    assert page.status_code == 404
    assert "There is nothing at this address" in text_of(page)


def test_a_request_with_too_many_fields_says_what_to_do(team: Team, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2

    page = Pages(team.ed).post(lead_url("project-change"), a="1", b="2", c="3")

    assert page.status_code == 400
    assert "send less in one step" in text_of(page)


def test_a_form_of_before_the_last_sign_in_says_what_to_do_in_a_toast_too(team: Team) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(team.ed)

    page = client.post(lead_url("project-change"), headers={"HX-Request": "true"})

    assert page.status_code == 403
    assert "Load the page anew" in page.headers["X-Problem"]


WORK = "/p/intents/work/"
ANSWER = f"{WORK}answer/00000000-0000-0000-0000-000000000000"
SIGN_IN = "/account/login/?next="


def test_after_the_session_has_ended_the_sign_in_leads_back_to_the_page() -> None:
    client = Client()
    page = f"http://testserver{WORK}"

    asked = client.get(WORK)
    sent = client.post(ANSWER, headers={"Referer": page})
    elsewhere = client.post(ANSWER, headers={"Referer": "http://[elsewhere/p/"})
    part = client.post(ANSWER, headers={"HX-Request": "true", "HX-Current-URL": page})

    assert [r.headers["Location"] for r in (asked, sent)] == [f"{SIGN_IN}{WORK}"] * 2
    assert elsewhere.headers["Location"] == f"{SIGN_IN}/"
    assert part.headers["HX-Redirect"] == f"{SIGN_IN}{WORK}"
