"""A lead changes the live version, once, on evidence that is still true."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from events.models import Event
from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import drain_jobs
from projects.errors import Conflict, Invalid
from projects.files import path_of
from projects.models import Deployment, ModelVersion
from projects.versions import deploy, find_champion
from retraining import promotion, receipt_jobs, training
from retraining.batches import ask_for_evaluation
from retraining.evaluating import Compared, compare
from retraining.live_line import find_rollback_target
from retraining.models import Batch, GateResult
from tests.people import Team, make_team
from tests.trained import evaluate_again, make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def second(team: Team, clock: SetClock) -> ModelVersion:
    return make_trained_version(team, "v2", at=clock.at)


def promote(team: Team, batch: Batch, clock: SetClock, *, confirm: bool = False) -> Deployment:
    return promotion.promote(batch=batch, by=team.lena, at=clock.at, confirm_not_enough=confirm)


def roll_back(team: Team, clock: SetClock) -> Deployment:
    clock.advance(timedelta(minutes=1))
    return promotion.roll_back(project=team.project, by=team.lena, at=clock.at, reason="Worse.")


def test_a_promoted_version_is_the_champion(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)

    line = promote(team, batch, clock)

    batch.refresh_from_db()
    assert find_champion(team.project) == second
    assert batch.state == Batch.State.PROMOTED
    assert (line.cause, line.by, line.sequence) == ("promotion", team.lena, 2)
    assert Event.objects.filter(name="batch.promoted", subject_id=batch.pk).count() == 1


def test_a_promotion_adds_the_job_that_sends_receipts(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    line = promote(team, make_evaluated_batch(team, second, at=clock.at), clock)

    job = Job.objects.get(kind=receipt_jobs.SEND_RECEIPTS)
    assert job.arguments == {"deployment_id": line.pk}


def test_a_promoted_batch_is_not_promoted_twice(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)
    promote(team, batch, clock)

    with pytest.raises(Conflict, match="promoted"):
        promote(team, batch, clock)

    assert Deployment.objects.filter(version=second).count() == 1


@pytest.mark.parametrize("state", ["approved", "training", "failed", "cancelled", "not promoted"])
def test_only_an_evaluated_batch_is_promoted(
    team: Team, second: ModelVersion, clock: SetClock, state: str
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)
    Batch.objects.update(state=state)

    with pytest.raises(Conflict, match=state):
        promote(team, batch, clock)

    assert find_champion(team.project) == team.version


def test_a_failed_gate_blocks(team: Team, second: ModelVersion, clock: SetClock) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at, gates={"refund": "failed"})

    with pytest.raises(Conflict, match="refund"):
        promote(team, batch, clock, confirm=True)

    assert find_champion(team.project) == team.version


def test_a_waived_gate_no_longer_blocks(team: Team, second: ModelVersion, clock: SetClock) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at, gates={"refund": "failed"})
    gate = GateResult.objects.get()
    promotion.waive_gate(gate=gate, by=team.lena, at=clock.at, reason="Refund goes next week.")

    promote(team, batch, clock)

    gate.refresh_from_db()
    assert find_champion(team.project) == second
    assert (gate.waived_by, gate.waiver_reason) == (team.lena, "Refund goes next week.")


def test_one_waiver_does_not_waive_another_gate(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    gates = {"refund": "failed", "billing": "failed"}
    batch = make_evaluated_batch(team, second, at=clock.at, gates=gates)
    gate = GateResult.objects.get(group="refund")
    promotion.waive_gate(gate=gate, by=team.lena, at=clock.at, reason="Refund goes next week.")

    with pytest.raises(Conflict, match="billing"):
        promote(team, batch, clock)


def test_a_waiver_needs_a_reason(team: Team, second: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, second, at=clock.at, gates={"refund": "failed"})

    with pytest.raises(Invalid):
        promotion.waive_gate(gate=GateResult.objects.get(), by=team.lena, at=clock.at, reason=" ")


def test_only_a_failed_gate_is_waived(team: Team, second: ModelVersion, clock: SetClock) -> None:
    make_evaluated_batch(team, second, at=clock.at, gates={"refund": "not enough"})

    with pytest.raises(Conflict):
        promotion.waive_gate(gate=GateResult.objects.get(), by=team.lena, at=clock.at, reason="So.")


def test_a_gate_of_an_older_evaluation_is_not_waived(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at, gates={"refund": "failed"})
    gate = GateResult.objects.get()
    evaluate_again(batch, at=clock.at, champion=team.version, gates={"refund": "failed"})

    with pytest.raises(Conflict, match="older"):
        promotion.waive_gate(gate=gate, by=team.lena, at=clock.at, reason="So.")


def test_too_little_evidence_needs_the_leads_confirmation(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at, gates={"refund": "not enough"})

    with pytest.raises(Conflict, match="Confirm"):
        promote(team, batch, clock)

    assert find_champion(team.project) == team.version


def test_the_confirmation_is_kept(team: Team, second: ModelVersion, clock: SetClock) -> None:
    gates = {"refund": "not enough", "billing": "passed"}
    batch = make_evaluated_batch(team, second, at=clock.at, gates=gates)

    promote(team, batch, clock, confirm=True)

    unsure = GateResult.objects.get(group="refund")
    batch.refresh_from_db()
    event = Event.objects.get(name="batch.confirmed")
    assert batch.confirmed_gates == [unsure.pk]
    assert (event.data, event.actor_id) == ({"gates": [unsure.pk]}, team.lena.pk)


def test_only_the_newest_evaluation_counts(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at, gates={"refund": "failed"})
    evaluate_again(batch, at=clock.at, champion=team.version, gates={"refund": "passed"})

    promote(team, batch, clock)

    assert find_champion(team.project) == second


def test_another_champion_since_the_evaluation_asks_for_a_new_one(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    third = make_trained_version(team, "v3", at=clock.at)
    batch = make_evaluated_batch(team, second, at=clock.at)
    deploy(version=third, expected=team.version, cause="promotion", at=clock.at, by=team.lena)

    with pytest.raises(Conflict, match="Evaluate again"):
        promote(team, batch, clock)

    assert find_champion(team.project) == third


def test_a_damaged_model_file_does_not_go_live(
    team: Team, second: ModelVersion, clock: SetClock, settings: Settings
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)
    assert second.artifact_id is not None
    path = settings.FILES_DIR / path_of(second.artifact_id)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])

    try:
        with pytest.raises(Conflict, match="damaged"):
            promote(team, batch, clock)
    finally:
        path.write_bytes(whole)

    assert find_champion(team.project) == team.version


def test_a_manifest_that_was_changed_does_not_go_live(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)
    second.manifest = {**second.manifest, "facts": {"accuracy": 1.0}}
    second.save()

    with pytest.raises(Conflict, match="signature"):
        promote(team, Batch.objects.get(pk=batch.pk), clock)


def test_a_decision_against_keeps_the_champion(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)

    promotion.do_not_promote(batch=batch, by=team.lena, at=clock.at, reason="Too slow.")

    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (Batch.State.NOT_PROMOTED, "Too slow.")
    assert find_champion(team.project) == team.version
    with pytest.raises(Conflict):
        promote(team, batch, clock)


def test_a_decision_against_needs_a_reason(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)

    with pytest.raises(Invalid):
        promotion.do_not_promote(batch=batch, by=team.lena, at=clock.at, reason="")


def test_a_rollback_brings_the_earlier_champion_back(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    promote(team, make_evaluated_batch(team, second, at=clock.at), clock)

    line = roll_back(team, clock)

    assert find_champion(team.project) == team.version
    assert (line.cause, line.reason, line.sequence) == ("rollback", "Worse.", 3)
    assert Job.objects.get(kind=receipt_jobs.REVOKE_RECEIPTS).arguments == {
        "deployment_id": line.pk
    }


def test_rolling_back_twice_goes_back_twice(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    third = make_trained_version(team, "v3", at=clock.at)
    promote(team, make_evaluated_batch(team, second, at=clock.at), clock)
    promote(team, make_evaluated_batch(team, third, at=clock.at), clock)

    first = roll_back(team, clock)
    again = roll_back(team, clock)

    assert [first.version, again.version] == [second, team.version]
    assert find_rollback_target(team.project) is None


def test_a_promotion_after_a_rollback_can_be_rolled_back_too(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    third = make_trained_version(team, "v3", at=clock.at)
    promote(team, make_evaluated_batch(team, second, at=clock.at), clock)
    roll_back(team, clock)
    promote(team, make_evaluated_batch(team, third, at=clock.at), clock)

    assert roll_back(team, clock).version == team.version


def test_a_version_that_was_left_goes_live_again_after_a_new_comparison(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)
    promote(team, batch, clock)
    with pytest.raises(Conflict, match="no version to compare"):  # It is live.
        ask_for_evaluation(batch=batch, by=team.lena, at=clock.at)
    roll_back(team, clock)

    with pytest.raises(Conflict):
        promote(team, batch, clock)
    ask_for_evaluation(batch=batch, by=team.lena, at=clock.at)
    drain_jobs(team.project.pk)
    line = promote(team, batch, clock, confirm=True)

    assert (line.version, line.cause) == (second, "promotion")
    assert find_champion(team.project) == second


def test_a_comparison_that_ends_after_the_promotion_changes_nothing(
    team: Team, second: ModelVersion, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_evaluated_batch(team, second, at=clock.at)
    ask_for_evaluation(batch=batch, by=team.lena, at=clock.at)

    def promoted_meanwhile(**asked: Any) -> Compared:
        compared = compare(**asked)
        promote(team, batch, clock)
        return compared

    monkeypatch.setattr(training, "compare", promoted_meanwhile)
    drain_jobs(team.project.pk)

    batch.refresh_from_db()
    assert (batch.state, batch.evaluations.count()) == (Batch.State.PROMOTED, 1)
    assert find_champion(team.project) == second


def test_the_first_version_cannot_be_rolled_back(team: Team, clock: SetClock) -> None:
    with pytest.raises(Conflict, match="no earlier"):
        roll_back(team, clock)


def test_a_rollback_needs_a_reason(team: Team, second: ModelVersion, clock: SetClock) -> None:
    promote(team, make_evaluated_batch(team, second, at=clock.at), clock)

    with pytest.raises(Invalid):
        promotion.roll_back(project=team.project, by=team.lena, at=clock.at, reason="  ")


def test_a_rollback_to_a_model_that_does_not_open_is_refused(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    third = make_trained_version(team, "v3", at=clock.at)
    promote(team, make_evaluated_batch(team, second, at=clock.at), clock)
    promote(team, make_evaluated_batch(team, third, at=clock.at), clock)
    ModelVersion.objects.filter(pk=second.pk).update(manifest={})

    with pytest.raises(Conflict, match="v2 cannot go live"):
        roll_back(team, clock)

    assert find_champion(team.project) == third


def test_what_was_live_at_any_time_has_an_answer(
    team: Team, second: ModelVersion, clock: SetClock
) -> None:
    start = clock.at
    clock.advance(timedelta(hours=1))
    promote(team, make_evaluated_batch(team, second, at=clock.at), clock)
    roll_back(team, clock)

    def live_at(minutes: int) -> ModelVersion | None:
        at = start + timedelta(minutes=minutes)
        return Deployment.objects.live_at(team.project.pk, at)

    assert [live_at(minutes) for minutes in (-1, 0, 60, 61)] == [
        None,
        team.version,
        second,
        team.version,
    ]
