"""Predictions come in over HTTP: NDJSON and JSON, repeat-safe, every line answered."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.api.bodies import LengthMissing, SentLines
from feedback.ingestion import store_predictions
from feedback.models import Prediction
from jobs.clock import SetClock
from projects.models import IdempotentAnswer
from tests.api import Api, make_key, ndjson
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def api(team: Team, clock: SetClock) -> Api:
    return Api(team.project, make_key(team.project, team.ed, at=clock.at, scopes=["ingest"]))


def body(external_id: str = "a1", **changes: Any) -> dict[str, Any]:
    return {
        "external_id": external_id,
        "model_version": "v1",
        "input": "Where is my parcel?",
        "output": "delivery",
        **changes,
    }


def results(response: Any) -> list[str]:
    return [line["result"] for line in response.json()["lines"]]


def test_every_line_is_answered_and_a_bad_one_costs_no_good_one(api: Api) -> None:
    response = api.send(body("a"), b"{", body("b"), body("a"), body("a", output="refund"))

    assert response.status_code == 207
    assert response.json() == {
        "accepted": 2,
        "duplicates": 1,
        "conflicts": 1,
        "rejected": 1,
        "unknown_outputs": {},
        "lines": [
            {"line": 1, "result": "accepted", "external_id": "a"},
            {
                "line": 2,
                "result": "rejected",
                "reason": "the line is not a JSON object: Input data was truncated",
            },
            {"line": 3, "result": "accepted", "external_id": "b"},
            {"line": 4, "result": "duplicate", "external_id": "a"},
            {
                "line": 5,
                "result": "conflict",
                "external_id": "a",
                "reason": "this external_id and model_version are stored with another body; "
                "a prediction is not changed after it is stored.",
            },
        ],
    }


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([body("new")], 200),
        ([body("new"), body("old")], 200),
        ([body("new"), {}], 207),
        ([{}, {}], 422),
        ([body("old", output="refund")], 409),
        ([body("old", output="refund"), {}], 422),
    ],
    ids=["all", "again", "some", "none", "conflict", "conflict and bad"],
)
def test_the_status_says_whether_all_some_or_none_is_stored(
    api: Api, sent: list[dict[str, Any]], status: int
) -> None:
    api.send(body("old"))

    assert api.send(*sent).status_code == status


def test_one_json_object_is_answered_by_its_status(api: Api) -> None:
    assert api.post("predictions", body()).status_code == 201
    assert api.post("predictions", body()).status_code == 200
    assert api.post("predictions", body(output="refund")).status_code == 409
    assert api.post("predictions", body(output="")).status_code == 422
    assert api.post("predictions", b'{"external_id":').status_code == 422
    assert Prediction.objects.count() == 1


def test_a_json_array_is_answered_by_its_members(api: Api) -> None:
    response = api.post("predictions", [body("a"), {"x": 1}, body("b")])

    assert response.status_code == 207
    assert results(response) == ["accepted", "rejected", "accepted"]


def test_a_broken_json_array_stores_nothing_and_says_so(api: Api) -> None:
    response = api.post("predictions", b"[" + ndjson([body("a")]) + b", {]")

    assert response.status_code == 422
    assert "Nothing was stored" in response.json()["lines"][0]["reason"]
    assert not Prediction.objects.exists()


def test_only_problems_are_listed_where_that_is_asked_for(api: Api) -> None:
    response = api.send(body("a"), b"{", query="?answers=problems")

    assert response.json()["accepted"] == 1
    assert [line["line"] for line in response.json()["lines"]] == [2]
    assert api.send(body("b"), query="?answers=none").status_code == 422


def test_an_output_that_is_no_class_is_stored_and_named(api: Api) -> None:
    response = api.send(body("a", output="telex"), body("b", output="telex"))

    assert response.status_code == 200
    assert response.json()["unknown_outputs"] == {"telex": 2}


@pytest.mark.parametrize("sent", [b"", b"\n\n  \n"], ids=["nothing", "blank"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_body_without_a_line_is_refused(api: Api, sent: bytes, kind: str) -> None:
    response = api.post("predictions", sent, content_type=kind)

    assert response.status_code == 422
    assert "no line" in response.json()["detail"]


@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data; boundary=x", "text/plain", ""])
def test_another_kind_of_body_is_refused(api: Api, kind: str) -> None:
    response = api.post("predictions", b"a,b", content_type=kind)

    assert response.status_code == 415
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "send application/json" in response.json()["detail"]


def test_a_line_of_fifty_megabytes_is_answered_between_good_ones(api: Api) -> None:
    response = api.send(body("a"), b"x" * 50 * 2**20, body("b"))

    assert results(response) == ["accepted", "rejected", "accepted"]
    assert "MAX_LINE_BYTES" in response.json()["lines"][1]["reason"]


def test_a_body_that_says_it_is_too_large_is_refused_unread(
    api: Api, settings: LazySettings
) -> None:
    settings.MAX_BODY_BYTES = 10

    response = api.send(body("a"))

    assert response.status_code == 413
    assert "MAX_BODY_BYTES is 10" in response.json()["detail"]


def test_gzip_is_unpacked(api: Api) -> None:
    response = api.post(
        "predictions",
        gzip.compress(ndjson([body("a"), body("b")])),
        content_type="application/x-ndjson",
        headers={"Content-Encoding": "gzip"},
    )

    assert response.json()["accepted"] == 2


def test_gzip_that_grows_too_large_keeps_the_lines_before_and_says_where_it_stopped(
    api: Api, settings: LazySettings
) -> None:
    settings.MAX_BODY_BYTES = 300_000
    packed = gzip.compress(ndjson([body("a"), b" " * 500_000, body("b")]))

    response = api.post(
        "predictions",
        packed,
        content_type="application/x-ndjson",
        headers={"Content-Encoding": "gzip"},
    )

    assert response.status_code == 413
    assert results(response) == ["accepted", "rejected"]
    assert "Nothing was read from here on" in response.json()["lines"][1]["reason"]
    assert Prediction.objects.get().external_id == "a"


def test_gzip_that_is_none_or_was_cut_off_is_told(api: Api) -> None:
    packed = gzip.compress(ndjson([body(str(number)) for number in range(50)]))
    for sent in (b"plain", packed[: len(packed) // 2]):
        response = api.post(
            "predictions",
            sent,
            content_type="application/x-ndjson",
            headers={"Content-Encoding": "gzip"},
        )

        assert response.status_code == 422
        assert "gzip" in response.json()["lines"][-1]["reason"]


def test_an_unknown_coding_is_refused(api: Api) -> None:
    response = api.send(body("a"), **{"Content-Encoding": "br"})

    assert response.status_code == 415
    assert "send gzip" in response.json()["detail"]


def test_json_has_a_bound_of_its_own(api: Api, settings: LazySettings) -> None:
    settings.MAX_JSON_BYTES = 50

    response = api.post("predictions", body("a"))

    assert response.status_code == 413
    assert "MAX_JSON_BYTES" in response.json()["lines"][0]["reason"]


def test_the_same_request_again_is_given_the_first_answer(api: Api, clock: SetClock) -> None:
    first = api.send(body("a"), b"{", **{"Idempotency-Key": "k1"})

    again = api.send(body("a"), b"{", **{"Idempotency-Key": "k1"})

    assert again.status_code == first.status_code == 207
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_a_key_with_another_body_is_a_conflict(api: Api) -> None:
    api.send(body("a"), **{"Idempotency-Key": "k1"})

    response = api.send(body("b"), **{"Idempotency-Key": "k1"})

    assert response.status_code == 409
    assert "another body" in response.json()["detail"]
    assert Prediction.objects.count() == 1


def test_two_equal_requests_at_once_are_answered_alike(
    api: Api, team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slower(**named: Any) -> Any:
        """The other request is stored while this one is on its way."""
        monkeypatch.undo()
        api.send(body("a"), **{"Idempotency-Key": "k1"})
        return store_predictions(**named)

    monkeypatch.setattr("feedback.api.ingest.store_predictions", slower)

    response = api.send(body("a"), **{"Idempotency-Key": "k1"})

    assert response.status_code == 200
    assert results(response) == ["accepted"]
    assert IdempotentAnswer.objects.count() == 1


def test_a_database_that_does_not_answer_is_told_as_such(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("feedback.api.ingest.store_predictions", fails)

    response = api.send(body("a"))

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert "may be sent again" in response.json()["detail"]


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"], ids=["long", "control"])
def test_a_key_that_cannot_be_kept_is_refused(api: Api, key: str) -> None:
    assert api.send(body("a"), **{"Idempotency-Key": key}).status_code == 422
    assert not Prediction.objects.exists()


def test_a_body_in_chunks_is_read_to_its_end(team: Team) -> None:
    request = RequestFactory().generic("POST", "/", b" ", "application/x-ndjson")
    request.META["HTTP_TRANSFER_ENCODING"] = "chunked"
    request.environ |= {
        "wsgi.input": io.BytesIO(ndjson([body("a"), body("b")])),
        "wsgi.input_terminated": True,
    }

    assert len(list(SentLines(request, team.project).lines())) == 2


def test_a_body_in_chunks_that_the_server_cannot_end_is_refused(team: Team) -> None:
    request = RequestFactory().generic("POST", "/", b" ", "application/x-ndjson")
    request.META["HTTP_TRANSFER_ENCODING"] = "chunked"

    with pytest.raises(LengthMissing):
        SentLines(request, team.project)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sent=st.binary(max_size=200),
    kind=st.sampled_from(["application/json", "application/x-ndjson"]),
    coding=st.sampled_from(["identity", "gzip"]),
)
def test_any_body_is_answered_in_words(api: Api, sent: bytes, kind: str, coding: str) -> None:
    response = api.post(
        "predictions", sent, content_type=kind, headers={"Content-Encoding": coding}
    )

    assert response.status_code == 422
    problem = response.json()
    assert problem.get("detail") or all(line["reason"] for line in problem["lines"])


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json"])
def test_a_byte_order_mark_costs_no_line(api: Api, kind: str) -> None:
    response = api.post("predictions", b"\xef\xbb\xbf" + ndjson([body("a")]), content_type=kind)

    assert results(response) == ["accepted"]


def test_what_could_be_stored_but_not_read_again_is_refused(api: Api) -> None:
    deep = b"[" * 900 + b"]" * 900
    line = ndjson([body("a", context={"at": 1})]).replace(b'"at": 1', b'"at": ' + deep)

    response = api.send(line, body("b", segments={"plan": 10**130}), body("c"))

    assert results(response) == ["rejected", "rejected", "accepted"]
    assert "nested" in response.json()["lines"][0]["reason"]
    assert response.json()["lines"][1]["reason"].startswith("plan:")


def test_a_body_that_is_too_large_is_read_to_its_end(
    api: Api, team: Team, settings: LazySettings
) -> None:
    settings.MAX_JSON_BYTES = 50
    sent = b"x" * 1_000_000
    request = RequestFactory().post("/", sent, content_type="application/json")

    list(SentLines(request, team.project).lines())

    assert request.read() == b""
