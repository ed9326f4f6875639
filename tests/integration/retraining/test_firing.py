"""A trigger joins its conditions, says how it stands, and when it would have fired."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.clock import SetClock
from projects.errors import Invalid
from retraining.changing_setup import change_project
from retraining.firing import describe_trigger, dry_run, evaluate_trigger, situation_of
from retraining.models import Trigger
from retraining.project_file import ProjectSpec, QuotaSpec, TriggerSpec
from retraining.proposing import propose_due_batches
from retraining.setting_up import add_quota, describe_project, set_up_project
from tests.history import label_input, label_topics, texts_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

BOTH = [{"kind": "quota"}, {"kind": "time", "days": 10}]


@pytest.fixture
def team(clock: SetClock) -> Team:
    made = make_team(at=clock.at)
    add_quota(project=made.project, spec=QuotaSpec(wanted=2, label_class="refund"))
    return made


def trigger(team: Team, clock: SetClock, join: str) -> Trigger:
    return Trigger.objects.create(
        project=team.project,
        name=join,
        join=join,
        conditions=BOTH,
        cool_down_hours=24,
        created_at=clock.at,
    )


def test_any_needs_one_condition_and_all_needs_both(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    now = situation_of(team.project, at=clock.at)

    assert evaluate_trigger(trigger(team, clock, "any"), now).fires
    assert not evaluate_trigger(trigger(team, clock, "all"), now).fires
    later = situation_of(team.project, at=clock.at + timedelta(days=10))
    assert evaluate_trigger(trigger_named(team, "all"), later).fires


def test_only_what_holds_explains_it(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)

    firing = evaluate_trigger(trigger(team, clock, "any"), situation_of(team.project, at=clock.at))

    assert firing.explanation == ["the quota is met (refund: 2 of 2)"]
    assert len(firing.verdicts) == 2


def test_a_rule_reads_as_a_sentence(team: Team, clock: SetClock) -> None:
    assert describe_trigger(trigger(team, clock, "any")) == (
        "When all quotas are met, or 10 days have passed and there are new labels"
    )


def test_a_dry_run_names_the_days_it_would_have_fired(team: Team, clock: SetClock) -> None:
    rule = trigger(team, clock, "any")
    start = clock.at
    texts = texts_of(team.project, "refund", use="train", count=5)
    for day, text in zip([3, 5, 8, 9, 30], texts, strict=True):
        label_input(
            team.project, text, "refund", at=start + timedelta(days=day) - timedelta(hours=1)
        )

    fired = dry_run(rule, at=start + timedelta(days=40))

    # Two refunds by day 5, two more by day 9; then one alone, ten days after that firing.
    assert [(day - start).days for day in fired] == [5, 9, 30]


def test_a_dry_run_looks_at_this_moment_too(team: Team, clock: SetClock) -> None:
    rule = trigger(team, clock, "any")
    for text in texts_of(team.project, "refund", use="train", count=2):
        label_input(team.project, text, "refund", at=clock.at + timedelta(minutes=1))
    now = clock.at + timedelta(hours=1)

    assert dry_run(rule, at=now) == [now]


def trigger_named(team: Team, name: str) -> Trigger:
    return Trigger.objects.get(project=team.project, name=name)


@pytest.mark.parametrize("broken", [{"kind": "nonsense"}, {"kind": "time"}, {"days": 3}])
def test_a_condition_that_cannot_be_read_never_holds_and_says_so(
    team: Team, clock: SetClock, broken: dict[str, object]
) -> None:
    either = trigger(team, clock, "any")
    either.conditions = [broken]

    firing = evaluate_trigger(either, situation_of(team.project, at=clock.at))

    assert not firing.fires
    assert "cannot be read" in firing.verdicts[0].sentence
    assert "cannot be read" in describe_trigger(either)
    assert dry_run(either, at=clock.at) == []


def test_a_broken_rule_of_one_project_stops_no_other(team: Team, clock: SetClock) -> None:
    Trigger.objects.filter(project=team.project).update(conditions=[{"kind": "time"}])
    other = make_team(at=clock.at, name="Other", suffix="2")
    add_quota(project=other.project, spec=QuotaSpec(wanted=2, label_class="refund"))
    label_topics(other.project, {"refund": 2}, at=clock.at)

    (batch,) = propose_due_batches(at=clock.at)

    assert batch.project == other.project


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (TriggerSpec("Odd", [{"kind": "nonsense"}]), "no condition named 'nonsense'"),
        (TriggerSpec("Odd", [{"days": 3}]), "no condition named ''"),
        (TriggerSpec("Odd", [{"kind": "time"}]), "needs `days`"),
        (TriggerSpec("Odd", [{"kind": "quota"}], join="some"), "by any or all"),
        (TriggerSpec("Odd", [{"kind": "quota"}], cool_down_hours=-1), "0 or more"),
    ],
)
def test_a_described_rule_is_read_the_same_way_at_the_start_and_later(
    team: Team, clock: SetClock, rule: TriggerSpec, message: str
) -> None:
    new = ProjectSpec(name="New", classes=["a", "b"], triggers=[rule])
    same = describe_project(team.project)
    same.triggers = [rule]

    with pytest.raises(Invalid, match=message):
        set_up_project(spec=new, owner=team.ed, at=clock.at)
    with pytest.raises(Invalid, match=message):
        change_project(project=team.project, spec=same, by=team.ed, at=clock.at)
