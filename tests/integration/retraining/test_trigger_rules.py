"""Rules and quotas are changed by people, said once, and kept within their project."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from jobs.clock import SetClock
from labeling.class_proposals import propose_class
from projects.errors import Conflict, Invalid, NotFound
from projects.models import LabelClass
from projects.versions import deploy, external_version
from retraining.batches import cancel_batch
from retraining.coverage import coverage_of, grid_of
from retraining.firing import describe_trigger, dry_run, evaluate_trigger, situation_of
from retraining.models import Batch, CoverageQuota, Trigger
from retraining.project_file import QuotaSpec
from retraining.proposing import propose_by_person, propose_due_batches
from retraining.quotas import accept_with_quota, set_class_quotas
from retraining.setting_up import add_quota
from retraining.trigger_rules import access_trigger, add_trigger, delete_trigger, switch_trigger
from tests.history import label_input, label_topics, texts_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

QUOTA: dict[str, object] = {"kind": "quota"}


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def class_named(team: Team, name: str) -> LabelClass:
    return team.project.classes.get(name=name)


def rule(
    team: Team,
    clock: SetClock,
    name: str = "Weekly",
    *,
    join: str = "any",
    conditions: list[dict[str, object]] | None = None,
    cool_down_hours: int = 24,
) -> Trigger:
    return add_trigger(
        project=team.project,
        name=name,
        join=join,
        conditions=[{"kind": "time", "days": 7}] if conditions is None else conditions,
        cool_down_hours=cool_down_hours,
        by=team.lena,
        at=clock.at,
    )


def event_names(subject_id: int) -> list[str]:
    names = Event.objects.filter(subject_id=subject_id, name__startswith="trigger.")
    return list(names.order_by("pk").values_list("name", flat=True))


def test_a_rule_is_kept_as_it_was_given_and_told_once(team: Team, clock: SetClock) -> None:
    made = rule(team, clock, "  Weekly ", join="all", cool_down_hours=0)

    made.refresh_from_db()
    assert (made.name, made.join, made.cool_down_hours) == ("Weekly", "all", 0)
    assert made.conditions == [{"kind": "time", "days": 7}]
    assert made.is_enabled
    assert event_names(made.pk) == ["trigger.added"]


def test_a_rule_needs_a_condition(team: Team, clock: SetClock) -> None:
    with pytest.raises(Invalid, match="at least one condition"):
        rule(team, clock, conditions=[])


def test_two_rules_of_a_project_do_not_share_a_name(team: Team, clock: SetClock) -> None:
    rule(team, clock)

    with pytest.raises(Conflict, match="named 'Weekly' already"):
        rule(team, clock)

    assert Trigger.objects.filter(project=team.project, name="Weekly").count() == 1


def test_two_projects_may_name_their_rules_alike(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    rule(team, clock)

    assert rule(other, clock).project == other.project


def test_a_rule_of_another_project_is_not_there(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    made = rule(team, clock)

    assert access_trigger(team.project, made.pk) == made
    with pytest.raises(NotFound):
        access_trigger(other.project, made.pk)


def test_a_switch_is_told_when_it_switches_and_not_again(team: Team, clock: SetClock) -> None:
    made = rule(team, clock)

    for is_enabled in (False, False, True):
        switch_trigger(trigger=made, is_enabled=is_enabled, by=team.lena, at=clock.at)

    made.refresh_from_db()
    assert made.is_enabled
    assert event_names(made.pk) == ["trigger.added", "trigger.switched", "trigger.switched"]


def test_a_batch_keeps_its_explanation_when_its_rule_is_taken_away(
    team: Team, clock: SetClock
) -> None:
    Trigger.objects.all().delete()
    made = rule(team, clock)
    label_topics(team.project, {"refund": 1}, at=clock.at)
    (batch,) = propose_due_batches(at=clock.at + timedelta(days=7))

    delete_trigger(trigger=made, by=team.lena, at=clock.at)

    batch.refresh_from_db()
    assert batch.trigger is None
    assert batch.explanation == ["7 of 7 days have passed since v1 went live, with 1 new label"]
    assert Event.objects.filter(name="trigger.deleted").count() == 1


def test_a_rule_that_fires_is_marked_and_told(team: Team, clock: SetClock) -> None:
    Trigger.objects.all().delete()
    made = rule(team, clock)
    label_topics(team.project, {"refund": 1}, at=clock.at)
    at = clock.at + timedelta(days=7)

    (batch,) = propose_due_batches(at=at)

    made.refresh_from_db()
    assert (made.fired_at, batch.trigger, batch.proposed_by) == (at, made, None)
    assert event_names(made.pk) == ["trigger.added", "trigger.fired"]


def test_a_rule_that_is_switched_off_does_not_fire_beside_one_that_is_on(
    team: Team, clock: SetClock
) -> None:
    Trigger.objects.all().delete()
    off = rule(team, clock)
    rule(team, clock, "Yearly", conditions=[{"kind": "time", "days": 365}])
    switch_trigger(trigger=off, is_enabled=False, by=team.lena, at=clock.at)
    label_topics(team.project, {"refund": 1}, at=clock.at)

    assert propose_due_batches(at=clock.at + timedelta(days=8)) == []
    assert len(propose_due_batches(at=clock.at + timedelta(days=365))) == 1


def test_of_several_rules_that_fire_the_oldest_proposes(team: Team, clock: SetClock) -> None:
    Trigger.objects.all().delete()
    first, second = rule(team, clock), rule(team, clock, "Daily")
    label_topics(team.project, {"refund": 1}, at=clock.at)

    (batch,) = propose_due_batches(at=clock.at + timedelta(days=7))

    second.refresh_from_db()
    assert (batch.trigger, second.fired_at) == (first, None)


@pytest.mark.parametrize(
    ("state", "proposed"),
    [
        (Batch.State.APPROVED, 0),
        (Batch.State.TRAINING, 0),
        (Batch.State.EVALUATED, 1),
        (Batch.State.CANCELLED, 1),
    ],
)
def test_no_batch_is_proposed_while_one_is_under_way(
    team: Team, clock: SetClock, state: str, proposed: int
) -> None:
    Trigger.objects.all().delete()
    rule(team, clock)
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at)
    revision = batch.revisions.get()
    Batch.objects.filter(pk=batch.pk).update(state=state, approved_revision=revision)
    label_topics(team.project, {"billing": 1}, at=clock.at)

    assert len(propose_due_batches(at=clock.at + timedelta(days=7))) == proposed


def test_a_rule_that_finds_nothing_to_train_on_is_not_marked(team: Team, clock: SetClock) -> None:
    Trigger.objects.all().delete()
    made = rule(team, clock, conditions=[QUOTA])
    add_quota(project=team.project, spec=QuotaSpec(wanted=0))

    assert propose_due_batches(at=clock.at) == []

    made.refresh_from_db()
    assert made.fired_at is None
    assert not Batch.objects.exists()


def test_time_counts_from_the_last_turn(team: Team, clock: SetClock) -> None:
    start = clock.at
    assert situation_of(team.project, at=clock.at).since_words == "v1 went live"
    clock.advance(timedelta(days=2))
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at)

    proposed = situation_of(team.project, at=clock.at)
    assert (proposed.since, proposed.since_words) == (clock.at, "batch 1 was proposed")

    cancel_batch(batch=batch, by=team.lena, at=clock.at)
    clock.advance(timedelta(days=3))
    second = external_version(team.project, "v2", at=clock.at)
    deploy(version=second, expected=team.version, cause="promotion", at=clock.at, by=None)

    deployed = situation_of(team.project, at=clock.at)
    assert (deployed.since, deployed.since_words) == (
        start + timedelta(days=5),
        "v2 went live",
    )


def test_before_anything_went_live_time_counts_from_the_projects_start(
    team: Team, clock: SetClock
) -> None:
    team.project.deployments.all().delete()

    situation = situation_of(team.project, at=clock.at)

    assert (situation.since, situation.since_words) == (
        team.project.created_at,
        "the project began",
    )


def test_a_cool_rule_holds_back_to_the_minute_and_says_until_when(
    team: Team, clock: SetClock
) -> None:
    made = rule(team, clock, cool_down_hours=48)
    made.fired_at = clock.at
    until = clock.at + timedelta(hours=48)

    before = evaluate_trigger(
        made, situation_of(team.project, at=until - timedelta(microseconds=1))
    )
    after = evaluate_trigger(made, situation_of(team.project, at=until))

    assert (before.cooling_until, after.cooling_until) == (until, None)


def test_a_rule_that_holds_while_it_cools_does_not_fire(team: Team, clock: SetClock) -> None:
    made = rule(team, clock, cool_down_hours=24 * 30)
    label_topics(team.project, {"refund": 1}, at=clock.at)
    made.fired_at = clock.at

    firing = evaluate_trigger(made, situation_of(team.project, at=clock.at + timedelta(days=8)))

    assert (firing.holds, firing.fires) == (True, False)
    assert firing.explanation != []


def test_a_rule_without_conditions_never_holds_and_says_so(team: Team, clock: SetClock) -> None:
    for join in ("any", "all"):
        empty = Trigger(project=team.project, name="Empty", join=join, conditions=[])

        assert not evaluate_trigger(empty, situation_of(team.project, at=clock.at)).fires
        assert describe_trigger(empty) == "Never: it has no conditions"


def test_a_rule_that_needs_both_reads_so(team: Team, clock: SetClock) -> None:
    both = rule(team, clock, join="all", conditions=[QUOTA, {"kind": "manual"}])

    assert describe_trigger(both) == "When all quotas are met, and a person asks"


def test_a_dry_run_keeps_to_the_cool_down(team: Team, clock: SetClock) -> None:
    made = rule(team, clock, conditions=[QUOTA], cool_down_hours=24 * 5)
    add_quota(project=team.project, spec=QuotaSpec(wanted=1))
    texts = texts_of(team.project, "refund", use="train", count=10)
    for day, text in enumerate(texts, start=1):
        at = clock.at + timedelta(days=day) - timedelta(hours=1)
        label_input(team.project, text, "refund", at=at)

    fired = dry_run(made, at=clock.at + timedelta(days=10))

    assert [(day - clock.at).days for day in fired] == [1, 6]


def test_a_dry_run_looks_back_so_many_days_and_no_further(team: Team, clock: SetClock) -> None:
    made = rule(team, clock, conditions=[QUOTA])
    add_quota(project=team.project, spec=QuotaSpec(wanted=1))
    early, late = texts_of(team.project, "refund", use="train", count=2)
    label_input(team.project, early, "refund", at=clock.at + timedelta(days=1))
    label_input(team.project, late, "refund", at=clock.at + timedelta(days=9))
    now = clock.at + timedelta(days=10)

    assert dry_run(made, at=now, days=5) == [clock.at + timedelta(days=9)]


def test_a_dry_run_leaves_out_what_was_imported_and_what_is_held_out(
    team: Team, clock: SetClock
) -> None:
    made = rule(team, clock, conditions=[QUOTA])
    add_quota(project=team.project, spec=QuotaSpec(wanted=1))
    at = clock.at + timedelta(hours=1)
    label_topics(team.project, {"refund": 1}, at=at, source="import", method="import")
    label_topics(team.project, {"billing": 1}, at=at, use="evaluation")

    assert dry_run(made, at=clock.at + timedelta(days=3)) == []


def quotas(team: Team) -> dict[str, int]:
    return {str(quota.label_class): quota.wanted for quota in team.project.quotas.all()}


def test_class_quotas_are_made_changed_and_taken_away(team: Team, clock: SetClock) -> None:
    billing, delivery, refund = (
        class_named(team, name) for name in ("billing", "delivery", "refund")
    )
    set_class_quotas(
        project=team.project, wanted={billing: 5, delivery: 6}, by=team.lena, at=clock.at
    )

    set_class_quotas(
        project=team.project,
        wanted={billing: 9, delivery: None, refund: None},
        by=team.lena,
        at=clock.at,
    )

    assert quotas(team) == {"billing": 9}
    assert Event.objects.filter(name="quotas.changed").count() == 2


def test_quotas_of_a_segment_are_left_alone(team: Team, clock: SetClock) -> None:
    of_mail = add_quota(
        project=team.project,
        spec=QuotaSpec(wanted=4, label_class="refund", segment_key="channel", segment_value="mail"),
    )

    refund = class_named(team, "refund")
    for wanted in (7, None):
        set_class_quotas(project=team.project, wanted={refund: wanted}, by=team.lena, at=clock.at)

    assert list(team.project.quotas.all()) == [of_mail]
    assert CoverageQuota.objects.get().wanted == 4


def test_a_class_is_accepted_with_its_description_and_quota_in_one_step(
    team: Team, clock: SetClock
) -> None:
    proposal = propose_class(project=team.project, name="Fraud", by=team.bob, at=clock.at)

    made = accept_with_quota(
        proposal=proposal, wanted=60, description=" Somebody else paid. ", by=team.lena, at=clock.at
    )

    guideline = team.project.guidelines.latest("number")
    assert quotas(team) == {"Fraud": 60}
    assert made.accepted_at == clock.at
    assert guideline.number == 2
    assert guideline.text.endswith("Fraud: Somebody else paid.")


def test_a_class_without_a_description_leaves_the_guideline_as_it_is(
    team: Team, clock: SetClock
) -> None:
    proposal = propose_class(project=team.project, name="Fraud", by=team.bob, at=clock.at)

    accept_with_quota(proposal=proposal, wanted=60, description="  ", by=team.lena, at=clock.at)

    assert team.project.guidelines.count() == 1


def test_a_quota_of_any_class_counts_every_class(team: Team, clock: SetClock) -> None:
    add_quota(project=team.project, spec=QuotaSpec(wanted=3))
    label_topics(team.project, {"refund": 1, "billing": 2}, at=clock.at)

    (quota,) = coverage_of(team.project, at=clock.at).quotas
    assert (quota.name, quota.have, quota.is_met, quota.days_left) == ("any class", 3, True, 0)


def test_a_quota_of_class_and_segment_counts_what_is_both(team: Team, clock: SetClock) -> None:
    add_quota(
        project=team.project,
        spec=QuotaSpec(wanted=3, label_class="refund", segment_key="app", segment_value="shop"),
    )
    refunds = texts_of(team.project, "refund", use="train", count=3)
    (bill,) = texts_of(team.project, "billing", use="train", count=1)
    label_input(team.project, refunds[0], "refund", at=clock.at, segments={"app": "shop"})
    label_input(team.project, refunds[1], "refund", at=clock.at, segments={"app": "help"})
    label_input(team.project, refunds[2], "refund", at=clock.at)
    label_input(team.project, bill, "billing", at=clock.at, segments={"app": "shop"})

    (quota,) = coverage_of(team.project, at=clock.at).quotas
    assert (quota.name, quota.have) == ("refund, shop", 1)


def test_the_pace_is_of_the_last_seven_days_exactly(team: Team, clock: SetClock) -> None:
    add_quota(project=team.project, spec=QuotaSpec(wanted=10))
    old, new = texts_of(team.project, "refund", use="train", count=2)
    label_input(team.project, old, "refund", at=clock.at)
    label_input(team.project, new, "refund", at=clock.at + timedelta(seconds=1))

    (quota,) = coverage_of(team.project, at=clock.at + timedelta(days=7)).quotas

    assert quota.per_day == 1 / 7
    assert quota.days_left == 8 * 7


def test_what_is_missing_most_is_named_first(team: Team, clock: SetClock) -> None:
    for name, wanted in (("billing", 2), ("delivery", 9), ("refund", 9)):
        add_quota(project=team.project, spec=QuotaSpec(wanted=wanted, label_class=name))
    label_topics(team.project, {"billing": 2, "refund": 1}, at=clock.at)

    coverage = coverage_of(team.project, at=clock.at)

    assert [quota.name for quota in coverage.missing] == ["delivery", "refund"]
    assert not coverage.is_met
    assert (coverage.new_count, coverage.eligible_count) == (3, 3)


def test_without_quotas_nothing_is_met(team: Team, clock: SetClock) -> None:
    assert not coverage_of(team.project, at=clock.at).is_met


def test_the_grid_has_the_segments_that_only_a_quota_names_and_no_retired_class(
    team: Team, clock: SetClock
) -> None:
    add_quota(
        project=team.project,
        spec=QuotaSpec(wanted=4, label_class="refund", segment_key="app", segment_value="shop"),
    )
    add_quota(
        project=team.project,
        spec=QuotaSpec(wanted=5, label_class="refund", segment_key="country", segment_value="de"),
    )
    team.project.classes.filter(name="delivery").update(retired_at=clock.at)

    grid = grid_of(team.project, segment_key="app")

    assert (grid.values, [row.class_name for row in grid.rows]) == (
        ("shop",),
        ["billing", "refund"],
    )
    assert [row.cells[0].wanted for row in grid.rows] == [None, 4]


def test_a_grid_without_a_key_has_totals_only(team: Team, clock: SetClock) -> None:
    (text,) = texts_of(team.project, "refund", use="train", count=1)
    label_input(team.project, text, "refund", at=clock.at, segments={"app": "shop"})

    grid = grid_of(team.project)

    assert grid.values == ()
    assert {row.class_name: row.total.have for row in grid.rows} == {
        "billing": 0,
        "delivery": 0,
        "refund": 1,
    }
