"""Promotion, rollback and receipts by API: who may, and what a refusal says."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from feedback.models import Flag, Sighting
from jobs.clock import SetClock
from jobs.running import drain_jobs
from projects.api_keys import issue_key
from projects.models import ModelVersion
from projects.versions import find_champion
from retraining.models import Batch, Receipt
from tests.api import ask
from tests.flagged import make_flag, settle_input
from tests.people import Team, make_team
from tests.trained import make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db

PARCEL = "where is my parcel"


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def second(team: Team, clock: SetClock) -> ModelVersion:
    return make_trained_version(team, "v2", at=clock.at)


@pytest.fixture
def flag(team: Team, clock: SetClock) -> Flag:
    made = make_flag(team, PARCEL, "refund", at=clock.at)
    settle_input(team, PARCEL, "delivery", at=clock.at)
    return made


def promote(team: Team, version: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, version, at=clock.at)
    assert ask(team.lena, "post", "/batches/1/promote").status_code == 200
    drain_jobs()


def test_a_lead_promotes(team: Team, second: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, second, at=clock.at)

    answer = ask(team.lena, "post", "/batches/1/promote")

    assert (answer.status_code, answer.json()["version"]) == (200, "v2")
    assert find_champion(team.project) == second


@pytest.mark.parametrize("name", ["ada", "bob", "rita", "ed", "vera"])
def test_nobody_else_promotes(team: Team, second: ModelVersion, clock: SetClock, name: str) -> None:
    make_evaluated_batch(team, second, at=clock.at)

    answer = ask(getattr(team, name), "post", "/batches/1/promote")

    assert answer.status_code == 403
    assert find_champion(team.project) == team.version


def test_an_outsider_cannot_tell_that_there_is_a_batch(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    make_evaluated_batch(team, second, at=clock.at)

    there = ask(team.mallory, "post", "/batches/1/promote")
    nowhere = ask(team.mallory, "post", "/batches/2/promote")

    assert there.status_code == nowhere.status_code == 404
    assert there.json() == nowhere.json()


def test_missing_evidence_is_confirmed_in_the_same_request(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    make_evaluated_batch(team, second, at=clock.at, gates={"refund": "not enough"})

    refused = ask(team.lena, "post", "/batches/1/promote")
    taken = ask(team.lena, "post", "/batches/1/promote", confirm_not_enough=True)

    assert (refused.status_code, taken.status_code) == (409, 200)
    assert "refund" in refused.json()["detail"]


def test_a_lead_waives_a_failed_gate(team: Team, second: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, second, at=clock.at, gates={"refund": "failed"})
    gate = {"slug": "groups", "group": "refund"}

    silent = ask(team.lena, "post", "/batches/1/waive", **gate)
    waived = ask(team.lena, "post", "/batches/1/waive", **gate, reason="Refund goes next week.")

    assert (silent.status_code, waived.status_code) == (400, 200)
    assert waived.json()["is_waived"] is True
    assert ask(team.lena, "post", "/batches/1/promote").status_code == 200


def test_a_lead_decides_against(team: Team, second: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, second, at=clock.at)

    answer = ask(team.lena, "post", "/batches/1/do-not-promote", reason="Too slow.")

    assert answer.status_code == 204
    assert Batch.objects.get().state == Batch.State.NOT_PROMOTED


def test_a_lead_rolls_back_and_everybody_reads_what_was_live(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    promote(team, second, clock)

    answer = ask(team.lena, "post", "/roll-back", reason="Worse.")

    lines = ask(team.vera, "get", "/deployments").json()["results"]
    assert answer.status_code == 200
    assert [(line["version"], line["cause"]) for line in lines] == [
        ("v1", "rollback"),
        ("v2", "promotion"),
        ("v1", "first"),
    ]


def test_a_key_promotes_nothing(team: Team, second: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, second, at=clock.at)
    scopes = ["ingest", "predict", "flag", "read"]
    _, secret = issue_key(project=team.project, name="k", scopes=scopes, by=team.lena, at=clock.at)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    answer = client.post("/api/v1/projects/intents/batches/1/promote")

    assert answer.status_code == 403
    assert find_champion(team.project) == team.version


def test_agents_read_their_own_receipts_and_leads_all(
    team: Team, second: ModelVersion, clock: SetClock, flag: Flag
) -> None:
    promote(team, second, clock)

    mine = ask(team.ada, "get", "/receipts").json()["results"]

    assert [(one["flag"], one["new_answer"]) for one in mine] == [(str(flag.code), "delivery")]
    assert "“delivery”" in mine[0]["sentence"]
    assert ask(team.alan, "get", "/receipts").json()["results"] == []
    assert len(ask(team.lena, "get", "/receipts").json()["results"]) == 1
    assert ask(team.bob, "get", "/receipts").status_code == 403


def test_whoever_reads_a_receipt_has_seen_the_models_answer(
    team: Team, second: ModelVersion, clock: SetClock, flag: Flag
) -> None:
    promote(team, second, clock)

    ask(team.lena, "get", "/receipts")

    assert Sighting.objects.filter(user=team.lena, identity=flag.identity).exists()


def test_a_list_of_receipts_costs_the_same_however_long(
    team: Team,
    second: ModelVersion,
    clock: SetClock,
    flag: Flag,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(5):
        make_flag(team, f"{PARCEL} {number}", "refund", at=clock.at)
        settle_input(team, f"{PARCEL} {number}", "delivery", at=clock.at)
    promote(team, second, clock)

    client = APIClient()
    client.force_login(team.lena)

    with django_assert_max_num_queries(8):
        listed = client.get("/api/v1/projects/intents/receipts").json()["results"]

    assert len(listed) == 6


def test_an_agent_says_that_it_is_still_wrong(
    team: Team, second: ModelVersion, clock: SetClock, flag: Flag
) -> None:
    promote(team, second, clock)
    path = f"/receipts/{Receipt.objects.get().pk}/still-wrong"

    others = ask(team.alan, "post", path)
    mine = ask(team.ada, "post", path, note="The customer says no.")

    flag.refresh_from_db()
    assert (others.status_code, mine.status_code) == (404, 204)
    assert flag.state == Flag.State.STILL_WRONG
