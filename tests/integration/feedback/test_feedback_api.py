"""Predictions, flags, issues and images by API: by key and by session, in one project only."""

from __future__ import annotations

import base64
import io
import shlex
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from config.caches import cache_at
from feedback.ingestion import store_predictions
from feedback.models import Flag, Prediction, Sighting
from feedback.prediction_body import PredictionBody
from jobs.clock import SetClock
from projects.first_request import first_request
from projects.models import User
from tests.api import Api, make_key
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def api(team: Team, clock: SetClock) -> Api:
    """A key of Ada's with every scope."""
    return Api(team.project, make_key(team.project, team.ada, at=clock.at))


def put(team: Team, clock: SetClock, *ids: str, **fields: Any) -> None:
    for external_id in ids:
        clock.advance(timedelta(minutes=1))
        body: dict[str, Any] = {
            "external_id": external_id,
            "model_version": "v1",
            "input": f"text of {external_id}",
            "output": "billing",
            **fields,
        }
        store_predictions(project=team.project, lines=[(1, PredictionBody(**body))], at=clock.at)


def signed_in(api: Api, person: User) -> Api:
    api.client.force_login(person)
    api.headers = {}
    return api


@pytest.mark.parametrize("place", ["flags", "issues", "batches", "receipts", "deployments"])
@pytest.mark.parametrize("position", ["abc", "2026-01-01", "NaN", "1e400", "9" * 40])
def test_a_cursor_that_is_not_ours_is_refused(api: Api, place: str, position: str) -> None:
    cursor = base64.b64encode(f"p={position}".encode()).decode()

    answer = api.get(place, cursor=cursor)

    assert answer.status_code == 422
    assert "cursor" in answer.json()["detail"]


@pytest.mark.parametrize("task_type", ["text", "image"])
def test_the_first_request_to_copy_is_taken_as_it_is(team: Team, api: Api, task_type: str) -> None:
    team.project.task_type = task_type
    team.project.save()
    shown = shlex.split(first_request(team.project, base_url="http://here"))

    answer = api.post("predictions", shown[-1].encode())

    assert answer.status_code == 201


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), 90).save(out, "PNG")
    return out.getvalue()


def test_predictions_are_listed_newest_first_page_by_page(
    api: Api, team: Team, clock: SetClock
) -> None:
    put(team, clock, "a", "b", "c")

    first = api.get("predictions", limit=2).json()
    second = api.get("predictions", limit=2, cursor=first["next_cursor"]).json()

    assert [row["external_id"] for row in first["results"]] == ["c", "b"]
    assert [row["external_id"] for row in second["results"]] == ["a"]
    assert second["next_cursor"] == ""


def test_a_prediction_is_shown_as_it_was_stored(api: Api, team: Team, clock: SetClock) -> None:
    put(team, clock, "a", confidence=0.5, context={"page": "x"}, segments={"tier": "pro"})
    pk = Prediction.objects.get().pk

    shown = api.get(f"predictions/{pk}").json()

    assert shown["input"] == {"text": "text of a"}
    assert (shown["model_version"], shown["output"], shown["confidence"]) == ("v1", "billing", 0.5)
    assert (shown["context"], shown["segments"]) == ({"page": "x"}, {"tier": "pro"})


def test_filters_of_the_address_narrow(api: Api, team: Team, clock: SetClock) -> None:
    put(team, clock, "a", output="refund")
    put(team, clock, "b")

    found = api.get("predictions", output="refund").json()

    assert [row["external_id"] for row in found["results"]] == ["a"]


@pytest.mark.parametrize(
    "query",
    [{"outputs": "x"}, {"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "x"}],
    ids=str,
)
def test_a_query_that_is_not_declared_is_refused_in_words(api: Api, query: dict[str, str]) -> None:
    response = api.get("predictions", **query)

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"]


@pytest.mark.parametrize("pk", ["1", "99999999999999999999"])
def test_a_prediction_of_another_project_is_not_found(api: Api, clock: SetClock, pk: str) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    put(other, clock, "a")
    mine = Prediction.objects.get().pk if pk == "1" else pk

    assert api.get(f"predictions/{mine}").status_code == 404


@pytest.mark.parametrize("path", ["predictions", "predictions/PK", "flags", "issues"])
def test_whoever_is_shown_the_answer_is_remembered(
    api: Api, team: Team, clock: SetClock, path: str
) -> None:
    put(team, clock, "a")
    prediction = Prediction.objects.get()
    api.post("flags", {"external_id": "a", "reason": "wrong class"})
    Sighting.objects.all().delete()

    signed_in(api, team.rita).get(path.replace("PK", str(prediction.pk)))

    assert Sighting.objects.filter(user=team.rita, identity=prediction.identity).exists()


@pytest.mark.parametrize(
    ("scope", "status"), [("read", 200), ("ingest", 403), ("flag", 403), ("predict", 403)]
)
def test_reading_takes_its_scope(team: Team, clock: SetClock, scope: str, status: int) -> None:
    key = make_key(team.project, team.ed, at=clock.at, scopes=[scope])

    assert Api(team.project, key).get("predictions").status_code == status


@pytest.mark.parametrize(
    ("scope", "status"), [("ingest", 201), ("read", 403), ("flag", 403), ("predict", 403)]
)
def test_sending_takes_its_scope(team: Team, clock: SetClock, scope: str, status: int) -> None:
    key = make_key(team.project, team.ed, at=clock.at, scopes=[scope])
    body = {"external_id": "a", "model_version": "v1", "input": "x", "output": "billing"}

    assert Api(team.project, key).post("predictions", body).status_code == status


def test_a_key_of_another_project_learns_nothing(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    key = make_key(other.project, other.ed, at=clock.at)

    there = Api(team.project, key).get("predictions")
    nowhere = Api(team.project, key, slug="no-such-project").get("predictions")

    assert there.status_code == nowhere.status_code == 404
    assert there.json() == nowhere.json()


@pytest.mark.parametrize(
    ("key", "status"), [("", 401), ("sr_deadbeef_x", 401), ("nonsense", 401)], ids=str
)
def test_without_a_good_key_nothing_is_told(team: Team, key: str, status: int) -> None:
    response = Api(team.project, key).get("predictions")

    assert response.status_code == status
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["bob", "vera", "mallory"])
def test_people_without_a_role_for_it_read_no_predictions(api: Api, team: Team, name: str) -> None:
    response = signed_in(api, getattr(team, name)).get("predictions")

    assert response.status_code == (404 if name == "mallory" else 403)


def test_a_flag_is_stored_once_for_each_person_and_prediction(
    api: Api, team: Team, clock: SetClock
) -> None:
    put(team, clock, "a")
    body = {"external_id": "a", "reason": "wrong class", "suggested": "refund", "note": "No."}

    first, second = api.post("flags", body), api.post("flags", body)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    flag = Flag.objects.get()
    assert (flag.agent, flag.note) == (team.ada, "No.")
    assert flag.suggested is not None
    assert flag.suggested.name == "refund"
    assert first.json()["issue"] == 1


def test_a_flag_goes_to_the_named_version_else_to_the_newest(
    api: Api, team: Team, clock: SetClock
) -> None:
    put(team, clock, "a")
    put(team, clock, "a", model_version="v2", output="refund")

    newest = api.post("flags", {"external_id": "a", "reason": "wrong class"}).json()
    named = api.post(
        "flags", {"external_id": "a", "reason": "wrong class", "model_version": "v1"}
    ).json()

    assert (newest["output"], named["output"]) == ("refund", "billing")


def test_a_flag_on_an_id_that_has_not_arrived_waits_for_it(
    api: Api, team: Team, clock: SetClock
) -> None:
    response = api.post("flags", {"external_id": "late", "reason": "wrong class"})
    assert response.status_code == 201
    assert response.json()["prediction"] is None

    put(team, clock, "late")

    assert api.get("flags").json()["results"][0]["output"] == "billing"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "wrong class"}, 400),
        ({"external_id": "a"}, 400),
        ({"external_id": "a", "reason": "bad mood"}, 400),
        ({"external_id": "a", "reason": "wrong class", "suggested": "telex"}, 422),
        ({"external_id": "a", "reason": "wrong class", "suggested": "billing"}, 422),
        (
            {"external_id": "a", "reason": "x", "suggested": "refund", "proposed_name": "y"},
            400,
        ),
        (
            {
                "external_id": "a",
                "reason": "missing class",
                "suggested": "refund",
                "proposed_name": "telex",
            },
            422,
        ),
        ({"external_id": "a", "reason": "wrong class", "ticket_url": "javascript:x"}, 400),
        ({"external_id": "a", "reason": "wrong class", "note": "\x00"}, 400),
        ([], 400),
    ],
    ids=str,
)
def test_a_flag_that_makes_no_sense_is_refused_in_words(
    api: Api, team: Team, clock: SetClock, body: dict[str, Any], status: int
) -> None:
    put(team, clock, "a")

    response = api.post("flags", body)

    assert response.status_code == status
    assert response.json()["detail"]
    assert not Flag.objects.exists()


def test_a_misspelt_field_of_a_flag_is_named_and_nothing_is_stored(
    api: Api, team: Team, clock: SetClock
) -> None:
    put(team, clock, "a")

    response = api.post(
        "flags", {"external_id": "a", "reason": "wrong class", "sugested": "refund"}
    )

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "suggested" in response.json()["detail"]["sugested"][0]
    assert not Flag.objects.exists()


def test_flags_and_issues_are_listed_by_state(api: Api, team: Team, clock: SetClock) -> None:
    put(team, clock, "a", customer_ref="c1")
    api.post("flags", {"external_id": "a", "reason": "wrong class"})

    assert len(api.get("flags", state="open").json()["results"]) == 1
    assert api.get("flags", state="fixed").json()["results"] == []
    (issue,) = api.get("issues", state="new").json()["results"]
    assert (issue["number"], issue["flag_count"], issue["customer_count"]) == (1, 1, 1)
    assert api.get("flags", state="odd").status_code == 422


def test_an_image_is_stored_and_named_by_its_digest(api: Api) -> None:
    raw = api.post("files", picture(), content_type="image/png")
    form = api.client.post(
        f"{api.root}/files",
        {"file": SimpleUploadedFile("x.png", picture())},
        headers=api.headers,
    )

    assert raw.status_code == form.status_code == 201
    assert raw.json() == form.json()
    assert (raw.json()["width"], raw.json()["media_type"]) == (8, "image/png")


def test_an_image_is_read_by_whoever_judges_it_and_in_its_project_alone(
    api: Api, team: Team, clock: SetClock
) -> None:
    digest = api.post("files", picture(), content_type="image/png").json()["digest"]
    other = make_team(at=clock.at, name="Other", suffix="2")
    bob = Api(team.project, make_key(team.project, team.bob, at=clock.at, scopes=["label"]))
    foreign = Api(other.project, make_key(other.project, other.ed, at=clock.at))

    bob.headers["Accept"] = "image/png"
    shown = bob.get(f"files/{digest}")

    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(shown.content)).size == (8, 6)
    assert foreign.get(f"files/{digest}").status_code == 404
    assert bob.get(f"files/{'0' * 64}").status_code == 404
    assert bob.get("files/%00").status_code == 404


def test_what_is_no_image_is_refused(api: Api) -> None:
    assert api.post("files", b"text", content_type="image/png").status_code == 422
    assert api.post("files", b"", content_type="image/png").status_code == 422
    assert api.post("files", b"<svg/>", content_type="image/svg+xml").status_code == 422
    assert api.post("files", b"text", content_type="text/plain").status_code == 415


def test_a_large_image_is_refused_unread(api: Api, settings: LazySettings) -> None:
    settings.MAX_IMAGE_BYTES = 10

    short, long = (
        api.post("files", b"x" * size, content_type="image/png") for size in (100, 200_000)
    )

    assert short.status_code == long.status_code == 413
    assert "MAX_IMAGE_BYTES is 10" in short.json()["detail"]


def test_a_key_is_held_to_its_number_of_requests(
    api: Api, team: Team, clock: SetClock, settings: LazySettings
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.API_REQUESTS_PER_MINUTE = 3
    other = Api(team.project, make_key(team.project, team.ed, at=clock.at))

    codes = [api.get("flags").status_code for _ in range(8)]

    assert 429 in codes  # A minute may end in between, and the count begins again.
    assert codes[:3] == [200, 200, 200]
    refused = next(r for r in (api.get("flags") for _ in range(8)) if r.status_code == 429)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert other.get("flags").status_code == 200


def test_requests_are_answered_and_counted_while_the_cache_is_away(
    api: Api, settings: LazySettings
) -> None:
    settings.CACHES = {"default": cache_at("unix:///no/such/socket")}

    assert api.get("flags").status_code == 200
    settings.API_REQUESTS_PER_MINUTE = 0
    assert api.get("flags").status_code == 429


def test_problems_are_told_in_whole_words(api: Api) -> None:
    deep = api.post("flags", b"[" * 100_000)
    method = api.client.put(f"{api.root}/flags", headers=api.headers)
    kind = api.get("flags", format="csv")

    assert (deep.status_code, method.status_code, kind.status_code) == (400, 405, 404)
    assert "nested" in deep.json()["detail"]
    assert method.json()["title"] == "Method Not Allowed"
    assert kind.json()["code"] == "not_found"
