"""Items and ground truth leave as JSON lines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedback.models import Import
from jobs.clock import SetClock
from labeling.importing import LabeledInput, store_labeled_rows
from labeling.models import GroundTruth, Item
from labeling.queueing import queue_input, requeue_item
from tests.api import Api, make_key
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def api(team: Team, clock: SetClock) -> Api:
    return Api(team.project, make_key(team.project, team.ed, at=clock.at, scopes=["read"]))


def put(team: Team, clock: SetClock, use: str, *texts: str) -> None:
    imported = Import.objects.create(
        project=team.project, kind="training", file_name="x", created_at=clock.at
    )
    rows = [
        LabeledInput(number, {"text": text}, "billing", {"language": "en"})
        for number, text in enumerate(texts)
    ]
    for _ in store_labeled_rows(imported=imported, rows=rows, use=use, at=clock.at):
        continue


def lines(response: Any) -> list[dict[str, Any]]:
    assert response.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def test_ground_truth_leaves_with_its_input_and_use(api: Api, team: Team, clock: SetClock) -> None:
    put(team, clock, "train", "one")
    put(team, clock, "evaluation", "two")

    first, second = lines(api.get("ground-truths"))

    assert (first["input"], first["answer"], first["use"]) == ({"text": "one"}, "billing", "train")
    assert first["segments"] == {"language": "en"}
    assert (first["method"], first["revision"]) == ("import", 1)
    assert second["use"] == "evaluation"
    assert [line["input"]["text"] for line in lines(api.get("ground-truths", use="train"))] == [
        "one"
    ]


def test_ground_truth_that_no_longer_stands_stays_here(
    api: Api, team: Team, clock: SetClock
) -> None:
    put(team, clock, "train", "one", "two")
    item = Item.objects.get(input__text="one")
    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    assert [line["input"]["text"] for line in lines(api.get("ground-truths"))] == ["two"]
    assert GroundTruth.objects.filter(item=item).count() == 2


def test_only_what_is_new_leaves_where_that_is_asked_for(
    api: Api, team: Team, clock: SetClock
) -> None:
    put(team, clock, "train", "one", "two", "three")
    first, *_ = lines(api.get("ground-truths"))

    later = lines(api.get("ground-truths", after=first["id"]))

    assert [line["input"]["text"] for line in later] == ["two", "three"]


def test_items_leave_without_any_answer(api: Api, team: Team, clock: SetClock) -> None:
    put(team, clock, "train", "one")
    queue_input(
        project=team.project, value={"text": "open"}, source="flag", reference=1, at=clock.at
    )

    resolved, waiting = lines(api.get("items"))

    assert (resolved["state"], resolved["sources"]) == ("resolved", ["import"])
    assert (waiting["state"], waiting["sources"]) == ("open", None)
    assert "billing" not in json.dumps([resolved, waiting])


def test_another_projects_rows_stay_there(api: Api, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    put(other, clock, "train", "one")

    assert lines(api.get("items")) == lines(api.get("ground-truths")) == []


@pytest.mark.parametrize("path", ["items", "ground-truths"])
@pytest.mark.parametrize("query", [{"after": "x"}, {"after": "9" * 19}, {"use": "both"}], ids=str)
def test_a_query_that_makes_no_sense_is_refused(api: Api, path: str, query: dict[str, str]) -> None:
    assert api.get(path, **query).status_code == 422


@pytest.mark.parametrize("path", ["items", "ground-truths"])
def test_annotators_and_agents_export_nothing(api: Api, team: Team, path: str) -> None:
    for person in (team.bob, team.ada):
        api.client.force_login(person)
        api.headers = {}

        assert api.get(path).status_code == 403
