"""Batches by API: who may read and decide, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs import clock as the_clock
from jobs.clock import SetClock
from jobs.models import Job
from labeling.queueing import requeue_item
from projects.api_keys import issue_key
from retraining.models import Batch
from tests.api import ask
from tests.history import label_topics
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    made = make_team(at=clock.at)
    label_topics(made.project, {"refund": 3, "billing": 2}, at=clock.at)
    return made


@pytest.fixture
def proposed(team: Team) -> dict[str, Any]:
    answer = ask(team.lena, "post", "/batches/propose", reason="New tariff")
    assert answer.status_code == 201, answer.json()
    batch: dict[str, Any] = answer.json()
    return batch


def test_a_lead_proposes_reads_and_approves(team: Team, proposed: dict[str, Any]) -> None:
    assert proposed["explanation"] == ["Lena asked for it: New tariff"]
    read = ask(team.ed, "get", "/batches/1").json()
    assert (read["revision"]["rows"], read["changed"]) == (5, [])

    answer = ask(team.lena, "post", "/batches/1/approve", revision=read["revision"]["hash"])

    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert Job.objects.filter(kind="retraining.train").count() == 1


def test_an_approval_of_what_has_changed_is_refused_with_the_difference(
    team: Team, proposed: dict[str, Any], clock: SetClock
) -> None:
    item = Batch.objects.get().revisions.get().rows.order_by("pk")[0].item
    requeue_item(item=item, at=clock.at, by=None, reason="doubt")

    answer = ask(team.lena, "post", "/batches/1/approve", revision=proposed["revision"]["hash"])

    assert answer.status_code == 409
    assert answer.json()["corrected"] == [{"item_id": item.pk, "was": "refund", "now": ""}]


def test_a_revision_that_nobody_could_have_read_is_refused(
    team: Team, proposed: dict[str, Any]
) -> None:
    answer = ask(team.lena, "post", "/batches/1/approve", revision="0" * 64)

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_rejection_needs_a_reason(team: Team, proposed: dict[str, Any]) -> None:
    assert ask(team.lena, "post", "/batches/1/reject").status_code == 400

    answer = ask(team.lena, "post", "/batches/1/reject", reason="Wrong guideline")

    assert (answer.json()["state"], answer.json()["reason"]) == ("rejected", "Wrong guideline")


def test_a_cancelled_proposal_is_over(team: Team, proposed: dict[str, Any]) -> None:
    assert ask(team.lena, "post", "/batches/1/cancel").json()["state"] == "cancelled"

    assert ask(team.lena, "post", "/batches/1/cancel").status_code == 409


def test_a_field_that_a_decision_does_not_take_is_named(
    team: Team, proposed: dict[str, Any]
) -> None:
    refused = ask(team.lena, "post", "/batches/1/cancel", reason="Too early")

    assert (refused.status_code, list(refused.json()["detail"])) == (400, ["reason"])
    assert ask(team.lena, "get", "/batches/1").json()["state"] == "proposed"


def test_before_an_evaluation_there_are_no_gates(team: Team, proposed: dict[str, Any]) -> None:
    assert ask(team.vera, "get", "/batches/1/gates").json() == []


@pytest.mark.parametrize("decision", ["propose", "1/approve", "1/reject", "1/cancel"])
def test_only_a_lead_decides(team: Team, proposed: dict[str, Any], decision: str) -> None:
    assert ask(team.ed, "post", f"/batches/{decision}").status_code == 403
    assert ask(team.mallory, "post", f"/batches/{decision}").status_code == 404
    assert ask(None, "post", f"/batches/{decision}").status_code == 401


def test_a_key_may_read_and_not_decide(team: Team, proposed: dict[str, Any]) -> None:
    _, key = issue_key(
        project=team.project, name="ci", scopes=["read"], by=team.ed, at=the_clock.now()
    )
    client = APIClient(headers={"Authorization": f"Bearer {key}"})

    listed = client.get("/api/v1/projects/intents/batches")
    refused = client.post("/api/v1/projects/intents/batches/propose")

    assert [batch["number"] for batch in listed.json()["results"]] == [1]
    assert refused.status_code == 403
