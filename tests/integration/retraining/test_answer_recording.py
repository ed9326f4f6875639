"""Answers are stored before they are given; requests share a transaction and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from events.models import Event
from feedback.models import Prediction
from feedback.prediction_body import PredictionBody
from jobs.clock import SetClock
from projects.errors import Conflict, Invalid
from projects.identity import identity_of
from projects.models import Project
from projects.versions import external_version
from retraining import answer_recording
from retraining.answer_recording import Draft, Outcome, Recorded, Recorder
from retraining.live_models import Unavailable
from tests.people import Team, make_team
from tests.stories import predicted
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    yield made
    made.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer waits for all that is on its way, however slow this machine is."""
    monkeypatch.setattr(answer_recording, "GATHER_SECONDS", 20.0)
    monkeypatch.setattr(answer_recording, "PATIENCE_SECONDS", 60.0)


def draft(team: Team, external_id: str, text: str = "where is it", said: str = "delivery") -> Draft:
    body = PredictionBody(
        external_id=external_id,
        model_version="v1",
        input={"text": text},
        output=said,
        confidence=0.75,
        scores={"delivery": 0.75, "refund": 0.25},
    )
    return Draft(body, identity_of(team.project, {"text": text}))


def record(recorder: Recorder, team: Team, clock: SetClock, *drafts: Draft) -> list[Outcome]:
    return recorder.record(project=team.project, drafts=drafts, at=clock.at)


def recorded(outcome: Outcome) -> Recorded:
    assert isinstance(outcome, Recorded), outcome
    return outcome


def external_ids(project: Project) -> set[str]:
    return set(Prediction.objects.of(project).values_list("external_id", flat=True))


def test_what_is_new_is_answered_as_it_was_drafted(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    made = draft(team, "p-1")

    (outcome,) = record(recorder, team, clock, made)

    assert outcome == Recorded(
        external_id="p-1",
        model_version="v1",
        answer="delivery",
        confidence=0.75,
        scores={"delivery": 0.75, "refund": 0.25},
        identity=made.identity,
        is_new=True,
    )
    assert Prediction.objects.get().received_at == clock.at


def test_what_is_known_is_answered_as_it_was_stored(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    first = recorded(record(recorder, team, clock, draft(team, "p-1"))[0])

    (again,) = record(recorder, team, clock, draft(team, "p-1", said="refund"))

    assert recorded(again).answer == "delivery"
    assert again == replace(first, is_new=False)


def test_of_an_id_stored_under_several_versions_the_newest_row_answers(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    older = external_version(team.project, "v0", at=clock.at)
    predicted(team, "where is it", "billing", at=clock.at, external_id="p-1")
    predicted(team, "where is it", "refund", at=clock.at, external_id="p-1", version=older)

    (outcome,) = record(recorder, team, clock, draft(team, "p-1"))

    assert (recorded(outcome).model_version, recorded(outcome).answer) == ("v0", "refund")


def test_the_same_id_in_another_project_is_another_prediction(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    predicted(other, "where is it", "refund", at=clock.at, external_id="p-1")

    (outcome,) = record(recorder, team, clock, draft(team, "p-1"))

    assert (recorded(outcome).is_new, recorded(outcome).answer) == (True, "delivery")


def test_an_id_with_another_input_is_a_conflict_and_nothing_changes(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    record(recorder, team, clock, draft(team, "p-1"))

    (outcome,) = record(recorder, team, clock, draft(team, "p-1", "something else"))

    assert isinstance(outcome, Conflict)
    assert Prediction.objects.get().input == {"text": "where is it"}


def test_within_one_request_the_first_of_an_id_is_stored_and_the_rest_judged_by_it(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    first, same, other = record(
        recorder,
        team,
        clock,
        draft(team, "p-1"),
        draft(team, "p-1", "WHERE is  it", said="refund"),
        draft(team, "p-1", "something else"),
    )

    assert (recorded(first).is_new, recorded(same).is_new) == (True, False)
    assert recorded(same).answer == "delivery"
    assert isinstance(other, Conflict)
    assert Prediction.objects.count() == 1


def test_one_that_cannot_be_stored_costs_no_other_and_says_why(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    before, refused, after = record(
        recorder, team, clock, draft(team, "p-1"), draft(team, "  "), draft(team, "p-2")
    )

    assert isinstance(refused, Invalid)
    assert "must not be blank" in refused.message
    assert (recorded(before).external_id, recorded(after).external_id) == ("p-1", "p-2")
    assert external_ids(team.project) == {"p-1", "p-2"}


@pytest.mark.usefixtures("patient")
def test_requests_on_their_way_share_one_transaction(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    with recorder.under_way(), recorder.under_way():
        mine, theirs = at_once(
            partial(record, recorder, team, clock, draft(team, "p-1")),
            partial(record, recorder, team, clock, draft(team, "p-2")),
        )

    assert recorded(mine[0]).external_id == "p-1"
    assert recorded(theirs[0]).external_id == "p-2"
    assert Event.objects.filter(name="predictions.received").count() == 1


@pytest.mark.usefixtures("patient")
def test_of_two_projects_each_gets_its_own_answers(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    with recorder.under_way(), recorder.under_way():
        mine, theirs = at_once(
            partial(record, recorder, other, clock, draft(other, "p-1", said="refund")),
            partial(record, recorder, team, clock, draft(team, "p-1"), draft(team, "p-2")),
        )

    assert [recorded(one).answer for one in mine] == ["refund"]
    assert [recorded(one).answer for one in theirs] == ["delivery", "delivery"]
    assert (external_ids(other.project), external_ids(team.project)) == ({"p-1"}, {"p-1", "p-2"})


@pytest.mark.usefixtures("patient")
def test_what_the_database_refuses_of_one_request_costs_no_other_its_answer(
    recorder: Recorder, team: Team, clock: SetClock
) -> None:
    gone = Project(pk=10**6, task_type="text", identity_key="00")

    def ask_for_the_gone() -> list[Outcome]:
        with pytest.raises(Unavailable, match="does not take the answer"):
            recorder.record(project=gone, drafts=[draft(team, "p-9")], at=clock.at)
        return []

    with recorder.under_way(), recorder.under_way():
        (kept,), _ = at_once(
            partial(record, recorder, team, clock, draft(team, "p-1")), ask_for_the_gone
        )

    assert recorded(kept).is_new
    assert external_ids(team.project) == {"p-1"}


def test_a_request_alone_does_not_wait_for_company(
    recorder: Recorder, team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_recording, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(answer_recording, "PATIENCE_SECONDS", 30.0)

    with recorder.under_way():
        (outcome,) = record(recorder, team, clock, draft(team, "p-1"))

    assert recorded(outcome).is_new


def test_a_request_that_ended_without_recording_is_not_waited_for(
    recorder: Recorder, team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_recording, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(answer_recording, "PATIENCE_SECONDS", 30.0)
    with pytest.raises(RuntimeError), recorder.under_way():
        raise RuntimeError("the model fell over")

    with recorder.under_way():
        (outcome,) = record(recorder, team, clock, draft(team, "p-1"))

    assert recorded(outcome).is_new


def test_what_nobody_waits_for_any_more_is_not_stored(
    recorder: Recorder, team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_recording, "GATHER_SECONDS", 0.5)
    with monkeypatch.context() as hasty, recorder.under_way(), recorder.under_way():
        hasty.setattr(answer_recording, "PATIENCE_SECONDS", 0.05)
        with pytest.raises(Unavailable, match=r"within 0\.05 s\. Ask again"):
            record(recorder, team, clock, draft(team, "p-1"))

    record(recorder, team, clock, draft(team, "p-2"))

    assert external_ids(team.project) == {"p-2"}


def test_an_error_that_nobody_foresaw_reaches_the_request_and_ends_nobody_elses(
    recorder: Recorder, team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_recording, "PATIENCE_SECONDS", 60.0)
    broken = make_team(at=clock.at, name="Broken", audit_rate=1.0, suffix="2")
    Project.objects.filter(pk=broken.project.pk).update(identity_key="no key")
    broken.project.refresh_from_db()
    started = time.monotonic()

    with pytest.raises(ValueError, match="fromhex"):
        record(recorder, broken, clock, draft(broken, "p-1"))

    assert time.monotonic() - started < 30
    assert recorded(record(recorder, team, clock, draft(team, "p-1"))[0]).is_new
    assert not Prediction.objects.of(broken.project).exists()


def test_rows_of_one_transaction_are_received_at_its_latest_moment(
    recorder: Recorder, team: Team, clock: SetClock, patient: None
) -> None:
    later = clock.at + timedelta(seconds=3)
    with recorder.under_way(), recorder.under_way():
        at_once(
            partial(record, recorder, team, clock, draft(team, "p-1")),
            partial(recorder.record, project=team.project, drafts=[draft(team, "p-2")], at=later),
        )

    assert set(Prediction.objects.values_list("received_at", flat=True)) == {later}


def test_a_stopped_recorder_leaves_no_connection_open(team: Team, clock: SetClock) -> None:
    opened: list[BaseDatabaseWrapper] = []

    def note(connection: BaseDatabaseWrapper, **named: object) -> None:
        opened.append(connection)

    stopping = Recorder()
    connection_created.connect(note)
    try:
        record(stopping, team, clock, draft(team, "p-1"))
    finally:
        connection_created.disconnect(note)

    stopping.stop()

    (writers,) = opened
    assert writers.connection is None
