"""The line of champions: what stands on it, where a rollback leads, and who may change it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from jobs.clock import SetClock
from jobs.models import Job
from projects.errors import Conflict, Invalid
from projects.models import Deployment, ModelVersion
from projects.versions import deploy, external_version, find_champion
from retraining import promotion
from retraining.live_line import find_rollback_target, hold_live_line, standing_versions
from retraining.models import Batch, Evaluation, GateResult
from retraining.rehearsal.stage import Stage
from retraining.rehearsal.versions import promote_if_nothing_failed
from tests.people import Team, make_team
from tests.trained import evaluate_again, make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def deployed(team: Team, clock: SetClock, *steps: str) -> None:
    """`v2` goes live, `<v1` is rolled back to."""
    for step in steps:
        clock.advance(timedelta(minutes=1))
        deploy(
            version=external_version(team.project, step.removeprefix("<"), at=clock.at),
            expected=find_champion(team.project),
            cause="rollback" if step.startswith("<") else "promotion",
            at=clock.at,
            by=None,
        )


@pytest.mark.parametrize(
    ("steps", "standing"),
    [
        ([], "v1"),
        (["v2"], "v1 v2"),
        (["v2", "v3", "<v2"], "v1 v2"),
        (["v2", "v3", "<v2", "<v1"], "v1"),
        (["v2", "<v1", "v3"], "v1 v3"),
        (["v2", "<v1", "v2"], "v1 v2"),
        (["v2", "v3", "<v1"], "v1"),
        (["v2", "v1"], "v1 v2 v1"),
        (["v2", "v1", "<v2"], "v1 v2"),
        (["v2", "v2"], "v1 v2"),
        (["v2", "v3", "<v2", "v4", "v5", "<v4"], "v1 v2 v4"),
    ],
)
def test_what_stands_is_what_led_here_without_what_was_rolled_back(
    team: Team, clock: SetClock, steps: list[str], standing: str
) -> None:
    deployed(team, clock, *steps)

    found = [version.name for version in standing_versions(team.project)]

    assert found == standing.split()
    target = find_rollback_target(team.project)
    assert (target.name if target else None) == (found[-2] if len(found) > 1 else None)


def test_before_the_first_deployment_nothing_stands(team: Team) -> None:
    Deployment.objects.all().delete()

    assert standing_versions(team.project) == []
    assert find_rollback_target(team.project) is None
    assert hold_live_line(team.project.pk) is None


def test_shadows_and_other_projects_are_not_on_the_line(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    deployed(other, clock, "theirs")
    Deployment.objects.create(
        project=team.project,
        version=external_version(team.project, "shadow", at=clock.at),
        role=Deployment.Role.SHADOW,
        cause="promotion",
        sequence=9,
        at=clock.at,
    )

    assert [version.name for version in standing_versions(team.project)] == ["v1"]
    assert hold_live_line(team.project.pk) == team.version


def evaluated(team: Team, clock: SetClock, name: str = "v2", **gates: str) -> Batch:
    version = make_trained_version(team, name, at=clock.at)
    return make_evaluated_batch(team, version, at=clock.at, gates=gates or None)


def promote(team: Team, batch: Batch, clock: SetClock) -> Deployment:
    return promotion.promote(batch=batch, by=team.lena, at=clock.at)


def test_the_first_version_of_all_is_deployed_as_the_first(team: Team, clock: SetClock) -> None:
    Deployment.objects.all().delete()

    line = promote(team, evaluated(team, clock), clock)

    assert (line.cause, line.sequence) == ("first", 1)


def test_a_batch_without_a_version_is_not_promoted(team: Team, clock: SetClock) -> None:
    batch = evaluated(team, clock)
    batch.version = None

    with pytest.raises(Conflict, match="no trained version yet"):
        promote(team, batch, clock)


def test_a_batch_that_was_never_compared_is_not_promoted(team: Team, clock: SetClock) -> None:
    batch = evaluated(team, clock)
    Evaluation.objects.all().delete()

    with pytest.raises(Conflict, match="has not been evaluated"):
        promote(team, batch, clock)

    assert Batch.objects.get(pk=batch.pk).state == Batch.State.EVALUATED


def test_a_refused_promotion_leaves_batch_line_and_jobs_as_they_were(
    team: Team, clock: SetClock
) -> None:
    batch = evaluated(team, clock, cat="failed", dog="failed", cow="passed")
    events = Event.objects.count()

    with pytest.raises(Conflict, match=r"Failed: Class keeps cat, Class keeps dog\. Waive each"):
        promote(team, batch, clock)

    assert Batch.objects.get(pk=batch.pk).state == Batch.State.EVALUATED
    assert find_champion(team.project) == team.version
    assert (Event.objects.count(), Job.objects.count()) == (events, 0)


def test_what_lacks_evidence_is_named_and_what_is_confirmed_is_kept_by_id(
    team: Team, clock: SetClock
) -> None:
    batch = evaluated(team, clock, cat="not enough", dog="passed")
    unsure = GateResult.objects.get(group="cat")

    with pytest.raises(Conflict, match="Not enough evidence for: Class keeps cat") as refused:
        promote(team, batch, clock)
    promotion.promote(batch=batch, by=team.lena, at=clock.at, confirm_not_enough=True)

    assert refused.value.details == {"gates": [unsure.pk]}
    assert Batch.objects.get(pk=batch.pk).confirmed_gates == [unsure.pk]
    assert Event.objects.filter(name="batch.confirmed").count() == 1


def test_a_confirmation_where_nothing_is_unsure_confirms_nothing(
    team: Team, clock: SetClock
) -> None:
    batch = evaluated(team, clock)

    promotion.promote(batch=batch, by=team.lena, at=clock.at, confirm_not_enough=True)

    assert Batch.objects.get(pk=batch.pk).confirmed_gates == []
    assert not Event.objects.filter(name="batch.confirmed").exists()


def waive(team: Team, gate: GateResult, clock: SetClock, reason: str = " Known issue. ") -> None:
    promotion.waive_gate(gate=gate, by=team.lena, at=clock.at, reason=reason)


def test_a_waiver_keeps_who_when_and_why_and_is_told(team: Team, clock: SetClock) -> None:
    evaluated(team, clock, cat="failed")
    gate = GateResult.objects.get()

    waive(team, gate, clock)

    gate.refresh_from_db()
    assert (gate.waived_by, gate.waived_at, gate.waiver_reason) == (
        team.lena,
        clock.at,
        "Known issue.",
    )
    assert gate.result == GateResult.Result.FAILED
    assert Event.objects.filter(name="gate.waived", subject_id=gate.pk).count() == 1


def test_a_gate_is_waived_once(team: Team, clock: SetClock) -> None:
    evaluated(team, clock, cat="failed")
    gate = GateResult.objects.get()
    waive(team, gate, clock)

    with pytest.raises(Conflict, match="once"):
        promotion.waive_gate(gate=gate, by=team.olga, at=clock.at, reason="Mine is better.")

    gate.refresh_from_db()
    assert gate.waiver_reason == "Known issue."


@pytest.mark.parametrize("state", [Batch.State.PROMOTED, Batch.State.NOT_PROMOTED])
def test_a_gate_of_a_decided_batch_is_not_waived(team: Team, clock: SetClock, state: str) -> None:
    batch = evaluated(team, clock, cat="failed")
    Batch.objects.filter(pk=batch.pk).update(state=state)

    with pytest.raises(Conflict, match="evaluated batch"):
        waive(team, GateResult.objects.get(), clock)


def test_a_waiver_falls_with_a_new_evaluation(team: Team, clock: SetClock) -> None:
    batch = evaluated(team, clock, cat="failed")
    waive(team, GateResult.objects.get(), clock)
    evaluate_again(batch, at=clock.at, champion=team.version, gates={"cat": "failed"})

    with pytest.raises(Conflict, match="Class keeps cat"):
        promote(team, batch, clock)


def test_a_decision_against_is_kept_trimmed_told_and_made_once(team: Team, clock: SetClock) -> None:
    batch = evaluated(team, clock)
    promotion.do_not_promote(batch=batch, by=team.lena, at=clock.at, reason=" Too slow. ")

    with pytest.raises(Conflict, match="This batch is not promoted"):
        promotion.do_not_promote(batch=batch, by=team.lena, at=clock.at, reason="Again.")

    assert Batch.objects.get(pk=batch.pk).reason == "Too slow."
    assert Event.objects.filter(name="batch.not_promoted").count() == 1


@pytest.mark.parametrize("steps", [["v3"], ["v3", "<v2"]])
def test_a_rollback_that_another_change_overtook_is_refused(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    """Also where the same version is live again: it is another line that led to it."""
    deployed(team, clock, "v2")

    def others_decide(target: ModelVersion) -> None:
        assert target == team.version
        deployed(team, clock, *steps)

    # Opening a model takes seconds in a process of its own: here is where others come between.
    monkeypatch.setattr(promotion, "try_to_open", others_decide)

    with pytest.raises(Conflict, match="changed meanwhile"):
        promotion.roll_back(project=team.project, by=team.lena, at=clock.at, reason="Worse.")

    champion = find_champion(team.project)
    assert champion is not None
    assert champion.name == steps[-1].removeprefix("<")
    assert not Job.objects.exists()


def test_the_reason_of_a_rollback_is_kept_trimmed(team: Team, clock: SetClock) -> None:
    deployed(team, clock, "v2")

    line = promotion.roll_back(
        project=team.project, by=team.lena, at=clock.at, reason=" Refunds are wrong. "
    )

    assert (line.reason, line.by) == ("Refunds are wrong.", team.lena)


def test_a_rollback_without_a_reason_is_refused_before_anything_is_opened(team: Team) -> None:
    with pytest.raises(Invalid, match="Say why"):
        promotion.roll_back(
            project=team.project, by=team.lena, at=team.project.created_at, reason="\n"
        )


def stage_of(team: Team) -> Stage:
    return Stage(
        project=team.project,
        queue=team.queue,
        owner=team.olga,
        lead=team.lena,
        reviewer=team.rita,
        agents=[team.ada],
        annotators=[team.bob],
    )


def test_in_a_rehearsal_the_lead_confirms_what_lacks_evidence(team: Team, clock: SetClock) -> None:
    batch = evaluated(team, clock, cat="not enough", dog="passed")

    assert promote_if_nothing_failed(stage=stage_of(team), batch=batch, clock=clock)

    assert find_champion(team.project) == batch.version
    assert not Job.objects.open().exists()


def test_in_a_rehearsal_a_failed_gate_is_not_waived(team: Team, clock: SetClock) -> None:
    batch = evaluated(team, clock, cat="failed", dog="passed")

    assert not promote_if_nothing_failed(stage=stage_of(team), batch=batch, clock=clock)

    assert find_champion(team.project) == team.version
