"""A trigger joins its conditions, says how it stands, and when it would have fired."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.clock import SetClock
from retraining.firing import describe_trigger, dry_run, evaluate_trigger, situation_of
from retraining.models import Trigger
from retraining.project_file import QuotaSpec
from retraining.setting_up import add_quota
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

    assert firing.explanation == ["the quota is met (refund 2 of 2)"]
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


def trigger_named(team: Team, name: str) -> Trigger:
    return Trigger.objects.get(project=team.project, name=name)
