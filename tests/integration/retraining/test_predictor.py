"""The predictor as a real process: what it answers is stored before anybody reads it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from events.models import Event
from feedback.live_answer import find_live_answer
from feedback.models import AuditDraw, Prediction
from jobs import clock
from projects.api_keys import issue_key, revoke_key
from projects.internal_signatures import signed_headers
from projects.models import ApiKey, ModelVersion
from projects.versions import deploy, external_version
from tests.people import Team, make_team
from tests.predictor import PredictorProcess, Reply, predictor_process
from tests.trained import NEW_WORLD, OLD_WORLD, make_trained_version

__all__ = ["predictor_process"]
pytestmark = pytest.mark.django_db(transaction=True)

PARCEL = {"external_id": "p-1", "input": "where is my parcel"}


@dataclass
class Desk:
    """A project with a live, served version, and a key that may ask it."""

    team: Team
    version: ModelVersion
    key: ApiKey
    secret: str
    predictor: PredictorProcess

    @property
    def slug(self) -> str:
        return self.team.project.slug

    def ask(self, question: object, seconds: float = 20) -> Reply:
        return self.predictor.predict(self.slug, self.secret, question, seconds)

    def promote(self, name: str, rows: dict[str, str]) -> ModelVersion:
        version = make_trained_version(self.team, name, at=clock.now(), rows=rows)
        self.deploy(version)
        return version

    def deploy(self, version: ModelVersion) -> None:
        deploy(version=version, expected=self.version, cause="promotion", at=clock.now(), by=None)
        self.version = version

    def wait_for(self, version: ModelVersion) -> float:
        """How many seconds until the predictor has noticed it; nothing is stored."""
        started = time.monotonic()
        while time.monotonic() - started < 30:
            reply = self.ask_from_inside({"text": "hello"})
            if version.name in str(reply.json):
                return time.monotonic() - started
        raise AssertionError(f"{version.name} was never noticed")

    def ask_from_inside(self, value: object) -> Reply:
        body = json.dumps({"project": self.slug, "input": value}).encode()
        headers = signed_headers(body, at=clock.now())
        return self.predictor.ask("POST", "/internal/answer", body, headers)


@pytest.fixture
def desk(predictor_process: PredictorProcess) -> Desk:
    at = clock.now()
    team = make_team(at=at, audit_rate=1.0)
    key, secret = issue_key(project=team.project, name="app", scopes=["predict"], by=team.ed, at=at)
    made = Desk(team, team.version, key, secret, predictor_process)
    made.wait_for(made.promote("v2", NEW_WORLD))
    return made


@contextmanager
def held_database() -> Iterator[None]:
    """Another writer keeps the predictions to itself until the block ends."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE feedback_prediction IN EXCLUSIVE MODE")
        yield


def test_it_answers_with_the_live_version(desk: Desk) -> None:
    reply = desk.ask(PARCEL)

    assert reply.status == 200
    assert reply.json["answer"] == "delivery"
    assert reply.json["model_version"] == "v2"
    assert reply.json["is_new"] is True
    assert set(reply.json["scores"]) == {"billing", "delivery", "refund"}


def test_what_it_answers_is_stored(desk: Desk) -> None:
    question = {
        **PARCEL,
        "segments": {"country": "de"},
        "customer_ref": "c-7",
        "context": {"channel": "mail"},
    }

    reply = desk.ask(question)

    row = Prediction.objects.get()
    assert (row.version, row.output) == (desk.version, reply.json["answer"])
    assert row.confidence == reply.json["confidence"]
    assert (row.segments, row.customer_ref) == ({"country": "de"}, "c-7")
    assert row.context == {"channel": "mail"}


def test_what_it_answers_can_be_drawn_for_audit(desk: Desk) -> None:
    desk.ask(PARCEL)

    assert AuditDraw.objects.get().prediction.external_id == "p-1"


def test_the_same_question_gets_the_stored_answer_again(desk: Desk) -> None:
    first = desk.ask(PARCEL).json

    again = desk.ask({**PARCEL, "input": "  Where is MY parcel"}).json

    assert again == {**first, "is_new": False}
    assert Prediction.objects.count() == 1


def test_the_stored_answer_outlives_a_promotion(desk: Desk) -> None:
    desk.ask(PARCEL)
    desk.wait_for(desk.promote("v3", OLD_WORLD))

    again = desk.ask(PARCEL).json

    assert (again["model_version"], again["answer"]) == ("v2", "delivery")


def test_the_same_id_with_another_input_is_a_conflict(desk: Desk) -> None:
    desk.ask(PARCEL)

    reply = desk.ask({**PARCEL, "input": "i want my money back"})

    assert (reply.status, reply.json["code"]) == (409, "conflict")
    assert Prediction.objects.get().input == {"text": "where is my parcel"}


def test_a_list_is_answered_in_its_order_and_a_bad_one_costs_no_good_one(desk: Desk) -> None:
    reply = desk.ask(
        [
            PARCEL,
            {"external_id": "p-2"},
            {"external_id": "p-1", "input": "another"},
            {"external_id": "p-3", "input": "i want my money back"},
            "nonsense",
        ]
    )

    statuses = [answer["status"] for answer in reply.json["answers"]]
    assert (reply.status, statuses) == (200, [200, 422, 409, 200, 422])
    assert set(Prediction.objects.values_list("external_id", flat=True)) == {"p-1", "p-3"}


def test_many_at_once_share_transactions_and_lose_nothing(desk: Desk) -> None:
    questions = [{"external_id": f"q-{n}", "input": f"parcel {n}"} for n in range(64)]
    desk.ask(PARCEL)

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(desk.ask, questions))

    assert {reply.status for reply in replies} == {200}
    assert Prediction.objects.filter(external_id__startswith="q-").count() == 64
    assert Event.objects.filter(name="predictions.received").count() < 60


def test_the_same_question_many_times_at_once_is_stored_once(desk: Desk) -> None:
    with ThreadPoolExecutor(16) as pool:
        replies = [reply.json for reply in pool.map(desk.ask, [PARCEL] * 32)]

    assert sum(reply["is_new"] for reply in replies) == 1
    assert len({(reply["answer"], reply["confidence"]) for reply in replies}) == 1
    assert Prediction.objects.count() == 1


def test_a_promotion_is_noticed_within_a_second(desk: Desk) -> None:
    desk.ask(PARCEL)

    waits = [desk.wait_for(desk.promote(f"v{number}", NEW_WORLD)) for number in (3, 4, 5)]

    assert min(waits) < 1.0


def test_an_external_version_is_not_served(desk: Desk) -> None:
    external = external_version(desk.team.project, "their own", at=clock.now())
    desk.deploy(external)
    desk.wait_for(external)

    reply = desk.ask(PARCEL)

    assert (reply.status, reply.json["code"]) == (409, "not_served")
    assert "their own" in reply.json["detail"]
    assert Prediction.objects.count() == 0


def test_a_model_that_does_not_verify_is_not_served(desk: Desk, settings: Settings) -> None:
    version = make_trained_version(desk.team, "v3", at=clock.now())
    version.manifest = {**version.manifest, "facts": {"changed": True}}
    version.save()
    desk.deploy(version)
    desk.wait_for(version)

    reply = desk.ask(PARCEL)

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert "signature" in reply.json["detail"]
    ready = desk.predictor.ask("GET", "/readyz")
    assert (ready.status, b"v3" in ready.content) == (503, True)


def test_an_answer_that_cannot_be_recorded_is_not_given(desk: Desk) -> None:
    desk.ask({"external_id": "before", "input": "hello"})
    with held_database():
        started = time.monotonic()
        reply = desk.ask(PARCEL)
        waited = time.monotonic() - started

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert reply.json["code"] == "unavailable"
    assert 1.9 < waited < 4

    again = desk.ask(PARCEL)

    assert (again.status, again.json["answer"]) == (200, "delivery")
    assert Prediction.objects.filter(external_id="p-1").count() == 1


@pytest.mark.parametrize(("point", "stored"), [("give answers", 1), ("record answers", 0)])
def test_a_predictor_killed_before_it_answers_has_stored_all_or_nothing(
    desk: Desk, point: str, stored: int
) -> None:
    assert desk.ask({"external_id": "before", "input": "hello"}).status == 200
    (desk.predictor.crash_points / point).touch()

    with pytest.raises(OSError):
        raise AssertionError(desk.ask(PARCEL))

    assert Prediction.objects.filter(external_id="p-1").count() == stored
    desk.predictor.wait_until_alive()
    again = desk.ask(PARCEL)
    assert (again.status, again.json["answer"]) == (200, "delivery")
    assert again.json["is_new"] is not bool(stored)
    assert Prediction.objects.filter(external_id="p-1").count() == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"external_id": "p-1", "input": "\xff"}', "UTF-8"),
        (b'{"external_id": "p-1", "input": NaN}', "NaN"),
        (b'{"external_id": "p-1", "input": "a\\u0000b"}', "NUL"),
        (b'{"external_id": "p\\u0000", "input": "a"}', "NUL"),
        (
            b'{"external_id": "p", "input": "a", "context": ' + b'{"a":' * 60 + b"1" + b"}" * 61,
            "deep",
        ),
        (b'{"external_id": "p-1", "input": "hel', "JSON"),
        (b"", "JSON"),
        (b"[]", "empty"),
        (b'{"external_id": "p-1"}', "input"),
        (b'{"external_id": "p-1", "input": " "}', "input"),
        (b'{"external_id": "", "input": "a"}', "external_id"),
        (b'{"external_id": " ", "input": "a"}', "external_id"),
        (b'{"external_id": "p-1", "input": "a", "output": "refund"}', "output"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_bad_questions_get_a_clear_answer(desk: Desk, content: bytes, words: str) -> None:
    reply = desk.ask(content)

    assert reply.status == 422
    assert words in reply.json["detail"]
    assert Prediction.objects.count() == 0


def test_a_long_list_is_refused_with_the_bound(desk: Desk) -> None:
    reply = desk.ask([PARCEL] * 101)

    assert reply.status == 413
    assert "MAX_PREDICT_INPUTS" in reply.json["detail"]


def test_a_large_body_is_refused_with_the_bound(desk: Desk) -> None:
    reply = desk.ask(b" " * (2**23 + 1))

    assert reply.status == 413
    assert "MAX_PREDICT_BYTES" in reply.json["detail"]


def test_nobody_asks_without_a_key(desk: Desk) -> None:
    reply = desk.predictor.ask("POST", f"/api/v1/projects/{desk.slug}/predict", b"{}")

    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_revoked_key_is_refused_at_once(desk: Desk) -> None:
    desk.ask(PARCEL)
    revoke_key(key=desk.key, by=desk.team.ed, at=clock.now())

    assert desk.ask(PARCEL).status == 401


def test_a_key_without_the_scope_is_refused(desk: Desk) -> None:
    _, secret = issue_key(
        project=desk.team.project, name="in", scopes=["ingest"], by=desk.team.ed, at=clock.now()
    )

    assert desk.predictor.predict(desk.slug, secret, PARCEL).status == 403


def test_another_projects_key_learns_nothing(desk: Desk) -> None:
    other = make_team(at=clock.now(), name="Other", suffix="2")
    _, secret = issue_key(
        project=other.project, name="app", scopes=["predict"], by=other.ed, at=clock.now()
    )

    theirs = desk.predictor.predict(desk.slug, secret, PARCEL)
    nobodys = desk.predictor.predict("no-such-project", secret, PARCEL)

    assert theirs.status == nobodys.status == 404
    assert theirs.json == nobodys.json


def test_other_methods_and_addresses_are_refused(desk: Desk) -> None:
    path = f"/api/v1/projects/{desk.slug}/predict"
    headers = {"Authorization": f"Bearer {desk.secret}"}

    wrong = desk.predictor.ask("GET", path, headers=headers)
    assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed")
    assert desk.predictor.ask("GET", "/p/anything").status == 404


def test_our_pages_learn_what_the_live_version_says(desk: Desk, settings: Settings) -> None:
    settings.PREDICTOR_URL = desk.predictor.url
    desk.ask(PARCEL)
    before = Prediction.objects.count()

    found = find_live_answer(
        project=desk.team.project, value={"text": "the parcel is late"}, at=clock.now()
    )

    assert found is not None
    assert (found.version_name, found.answer) == ("v2", "delivery")
    assert Prediction.objects.count() == before


def test_our_pages_learn_nothing_of_an_external_version(desk: Desk, settings: Settings) -> None:
    settings.PREDICTOR_URL = desk.predictor.url
    external = external_version(desk.team.project, "their own", at=clock.now())
    desk.deploy(external)
    desk.wait_for(external)

    found = find_live_answer(project=desk.team.project, value={"text": "late"}, at=clock.now())

    assert found is None


def test_an_unsigned_question_is_refused(desk: Desk) -> None:
    body = b'{"project": "intents", "input": {"text": "late"}}'
    forged = {**signed_headers(body, at=clock.now()), "X-Setright-Signature": "00"}

    assert desk.predictor.ask("POST", "/internal/answer", body).status == 403
    assert desk.predictor.ask("POST", "/internal/answer", body, forged).status == 403


def test_it_says_that_it_is_ready(desk: Desk) -> None:
    desk.ask(PARCEL)

    assert desk.predictor.ask("GET", "/readyz").status == 200


def test_requests_do_not_wait_for_a_model_to_load(desk: Desk) -> None:
    """While one thread loads, the others go on answering with the version they have."""
    desk.ask(PARCEL)
    stop = threading.Event()
    slowest = [0.0]

    def keep_asking() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            started = time.monotonic()
            desk.ask({"external_id": f"steady-{number}", "input": "hello"})
            slowest[0] = max(slowest[0], time.monotonic() - started)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    desk.wait_for(desk.promote("v3", OLD_WORLD))
    stop.set()
    asking.join()

    assert slowest[0] < 2
