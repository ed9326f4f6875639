"""A whole import is taken back, until something refers to its rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from events.models import Event
from feedback import search_index
from feedback.flagging import Report, flag_prediction
from feedback.models import AuditDraw, Import, Prediction
from feedback.prediction_imports import PredictionMapping, start_prediction_import
from feedback.search import PredictionFilters, find_predictions
from jobs.clock import SetClock
from jobs.running import drain_jobs
from labeling.models import GroundTruth, Item, ItemSource
from labeling.queueing import queue_input, requeue_item
from labeling.routing import route_new_draws
from labeling.row_imports import RowMapping, start_row_import
from labeling.sampling import queue_uncertain
from monitoring.audit_plans import change_audit_rate
from projects.errors import Conflict
from retraining.import_undoing import undo_import
from retraining.models import Batch, Evaluation
from retraining.proposing import propose_import_batch
from tests.pages import Pages
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def predictions(team: Team, clock: SetClock, *texts: str) -> Import:
    content = "id,text,answer,sure\n" + "".join(f"{text},{text},billing,0.3\n" for text in texts)
    imported = start_prediction_import(
        project=team.project,
        content=content.encode(),
        file_name="p.csv",
        mapping=PredictionMapping(
            input="text", output="answer", external_id="id", version="v1", confidence="sure"
        ),
        by=team.ed,
        at=clock.at,
    )
    return ended(imported)


def rows(team: Team, clock: SetClock, *texts: str, kind: str = "training") -> Import:
    content = "\n".join(json.dumps({"text": text, "label": "billing"}) for text in texts)
    (imported,) = start_row_import(
        project=team.project,
        kind=kind,
        content=content.encode(),
        file_name="r.jsonl",
        mapping=RowMapping(input="text", label="label"),
        by=team.ed,
        at=clock.at,
    )
    return ended(imported)


def ended(imported: Import) -> Import:
    drain_jobs()
    imported.refresh_from_db()
    assert imported.state == "done"
    return imported


def undo(imported: Import, team: Team, clock: SetClock) -> int:
    return undo_import(imported=imported, by=team.ed, at=clock.at)


def refused(imported: Import, team: Team, clock: SetClock, why: str) -> None:
    """Nothing is removed, and the reason is told."""
    before = (Prediction.objects.count(), Item.objects.count(), ItemSource.objects.count())
    with pytest.raises(Conflict, match=why):
        undo(imported, team, clock)
    imported.refresh_from_db()
    assert imported.state == "done"
    after = (Prediction.objects.count(), Item.objects.count(), ItemSource.objects.count())
    assert after == before


def test_predictions_go_with_their_draws_and_their_words(team: Team, clock: SetClock) -> None:
    change_audit_rate(project=team.project, rate=1.0, at=clock.at)
    kept = predictions(team, clock, "kept")
    imported = predictions(team, clock, "parcel", "invoice")
    list(search_index.fill(at=clock.at))

    assert undo(imported, team, clock) == 2

    assert [p.imported for p in Prediction.objects.all()] == [kept]
    assert AuditDraw.objects.count() == 1
    found = find_predictions(project=team.project, filters=PredictionFilters(text="parcel"))
    assert found.rows == []
    imported.refresh_from_db()
    assert imported.state == "undone"
    assert Event.objects.get(name="import.undone").data["removed"] == 2


def test_an_undone_file_can_come_in_again(team: Team, clock: SetClock) -> None:
    undo(predictions(team, clock, "a", "b"), team, clock)
    undo(rows(team, clock, "a", "b"), team, clock)

    assert predictions(team, clock, "a", "b").accepted == 2
    assert rows(team, clock, "a", "b", kind="evaluation").accepted == 2


def test_a_flag_keeps_the_import(team: Team, clock: SetClock) -> None:
    imported = predictions(team, clock, "a", "b")
    flag_prediction(
        prediction=Prediction.objects.get(external_id="a"),
        agent=team.ada,
        report=Report(reason="wrong class"),
        at=clock.at,
    )

    refused(imported, team, clock, "1 of its rows have been flagged")


def test_a_draw_that_was_queued_keeps_the_import(team: Team, clock: SetClock) -> None:
    change_audit_rate(project=team.project, rate=1.0, at=clock.at)
    imported = predictions(team, clock, "a")
    route_new_draws(at=clock.at)

    refused(imported, team, clock, "drawn for audit")


def test_a_prediction_that_was_queued_for_doubt_keeps_the_import(
    team: Team, clock: SetClock
) -> None:
    imported = predictions(team, clock, "a")
    queue_uncertain(project=team.project, count=1, since=clock.at.replace(year=2025), at=clock.at)

    refused(imported, team, clock, "queued for an answer")


@pytest.mark.parametrize("kind", ["training", "evaluation"])
def test_labeled_rows_go_with_their_ground_truth(team: Team, clock: SetClock, kind: str) -> None:
    imported = rows(team, clock, "a", "b", kind=kind)

    assert undo(imported, team, clock) == 2

    assert not Item.objects.exists()
    assert not GroundTruth.objects.exists()


def test_rows_that_another_import_names_too_stay(team: Team, clock: SetClock) -> None:
    first = rows(team, clock, "a", "b")
    second = rows(team, clock, "b", "c")

    assert undo(first, team, clock) == 1

    assert {item.input["text"] for item in Item.objects.all()} == {"b", "c"}
    assert undo(second, team, clock) == 2
    assert not Item.objects.exists()


def test_an_item_that_people_had_answered_before_stays(team: Team, clock: SetClock) -> None:
    rows(team, clock, "a")
    item = Item.objects.get()
    ItemSource.objects.update(kind="flag", reference=1)
    again = rows(team, clock, "a")
    assert again.duplicates == 1

    assert undo(again, team, clock) == 0

    assert Item.objects.get() == item


def test_a_row_in_a_batch_keeps_the_import(team: Team, clock: SetClock) -> None:
    imported = rows(team, clock, *[f"text {n}" for n in range(5)])
    propose_import_batch(project=team.project, at=clock.at, by=team.ed)

    refused(imported, team, clock, "refer to its rows")


def test_a_row_that_was_flagged_since_keeps_the_import(team: Team, clock: SetClock) -> None:
    imported = rows(team, clock, "a")
    queue_input(project=team.project, value={"text": "a"}, source="flag", reference=1, at=clock.at)

    refused(imported, team, clock, "flagged, drawn or queued")


def test_a_row_that_an_annotator_was_given_keeps_the_import(team: Team, clock: SetClock) -> None:
    imported = rows(team, clock, "a")
    requeue_item(item=Item.objects.get(), at=clock.at, by=team.rita, reason="guideline")
    Pages(team.bob).get(reverse("labeling:queue-work", args=["intents", team.queue.slug]))

    refused(imported, team, clock, "given to annotators")


def test_a_test_set_that_has_measured_a_candidate_stays(team: Team, clock: SetClock) -> None:
    imported = rows(team, clock, "a", kind="evaluation")
    batch = Batch.objects.create(
        project=team.project, number=1, cause="person", proposed_at=clock.at
    )
    Evaluation.objects.create(
        project=team.project, batch=batch, challenger=team.version, at=clock.at
    )

    refused(imported, team, clock, "used to measure a candidate")


def test_an_import_is_undone_once_and_not_while_it_runs(team: Team, clock: SetClock) -> None:
    imported = predictions(team, clock, "a")
    undo(imported, team, clock)
    with pytest.raises(Conflict, match="only once"):
        undo(imported, team, clock)

    Import.objects.filter(pk=imported.pk).update(state="running")
    with pytest.raises(Conflict, match="has ended"):
        undo(imported, team, clock)


def test_the_engineer_undoes_it_on_the_page(team: Team, clock: SetClock) -> None:
    imported = predictions(team, clock, "a")
    engineer: Any = Pages(team.ed)
    page = engineer.get(reverse("labeling:import-list", args=["intents"])).content.decode()
    address = reverse("retraining:import-undo", args=["intents", imported.pk])
    assert address in page

    assert engineer.post(address).status_code == 302

    assert not Prediction.objects.exists()
    assert (
        address
        not in engineer.get(reverse("labeling:import-list", args=["intents"])).content.decode()
    )
