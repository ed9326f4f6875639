"""What counts towards a quota, and what a batch may take."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.models import Import
from jobs.clock import SetClock
from labeling.models import GroundTruth, Item, ItemSource
from projects.errors import Conflict
from retraining.batches import cancel_batch, reject_batch
from retraining.coverage import coverage_of, grid_of
from retraining.eligible import eligible_items
from retraining.models import Batch, Trigger
from retraining.project_file import QuotaSpec
from retraining.proposing import propose_by_person, propose_due_batches
from retraining.setting_up import add_quota, describe_project
from tests.history import label_input, label_topics, texts_of
from tests.pages import Pages, lead_url, text_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    made = make_team(at=clock.at)
    add_quota(project=made.project, spec=QuotaSpec(wanted=3, label_class="refund"))
    return made


def have(team: Team, clock: SetClock) -> int:
    (quota,) = coverage_of(team.project, at=clock.at).quotas
    return quota.have


def test_new_training_labels_of_the_class_count(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2, "billing": 4}, at=clock.at)

    (quota,) = coverage_of(team.project, at=clock.at).quotas
    assert (quota.name, quota.have, quota.missing, quota.is_met) == ("refund", 2, 1, False)


def test_a_description_holds_no_quota_of_a_retired_class(team: Team, clock: SetClock) -> None:
    add_quota(project=team.project, spec=QuotaSpec(wanted=9))
    team.project.classes.filter(name="refund").update(retired_at=clock.at)

    assert describe_project(team.project).quotas == [QuotaSpec(wanted=9)]


def test_evaluation_rows_do_not_count(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 5}, at=clock.at, use=Item.Use.EVALUATION)

    assert have(team, clock) == 0


def test_a_withdrawn_answer_no_longer_counts(team: Team, clock: SetClock) -> None:
    (item,) = label_topics(team.project, {"refund": 1}, at=clock.at)
    Item.objects.filter(pk=item.pk).update(truth=None, state=Item.State.OPEN)

    assert have(team, clock) == 0


def test_a_retired_class_does_not_count(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    team.project.classes.filter(name="refund").update(retired_at=clock.at)

    assert not eligible_items(team.project).exists()


def test_a_segment_quota_counts_that_segment_alone(team: Team, clock: SetClock) -> None:
    add_quota(
        project=team.project,
        spec=QuotaSpec(wanted=1, segment_key="channel", segment_value="mail"),
    )
    first, second = texts_of(team.project, "billing", use="train", count=2)
    label_input(team.project, first, "billing", at=clock.at, segments={"channel": "mail"})
    label_input(team.project, second, "billing", at=clock.at, segments={"channel": "chat"})

    by_name = {quota.name: quota.have for quota in coverage_of(team.project, at=clock.at).quotas}
    assert by_name == {"refund": 0, "mail": 1}


def test_the_pace_of_the_week_says_when_it_will_be_there(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)

    (quota,) = coverage_of(team.project, at=clock.at).quotas
    assert quota.days_left == 4  # One more at two a week.
    page = text_of(Pages(team.lena).get(lead_url("coverage-show")))
    assert "2 of 3 by 6 Mar at today" in page
    (stalled,) = coverage_of(team.project, at=clock.at + timedelta(days=8)).quotas
    assert stalled.days_left is None


def test_the_grid_shows_classes_by_segment_with_empty_cells(team: Team, clock: SetClock) -> None:
    first, second = texts_of(team.project, "billing", use="train", count=2)
    label_input(team.project, first, "billing", at=clock.at, segments={"channel": "mail"})
    label_input(team.project, second, "billing", at=clock.at, segments={"channel": "chat"})

    grid = grid_of(team.project, segment_key="channel")

    assert grid.values == ("chat", "mail")
    cells = {row.class_name: [cell.have for cell in row.cells] for row in grid.rows}
    assert cells == {"billing": [1, 1], "delivery": [0, 0], "refund": [0, 0]}
    assert next(row.total.wanted for row in grid.rows if row.class_name == "refund") == 3


def test_a_met_quota_proposes_one_batch_and_says_why(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 3, "billing": 1}, at=clock.at)

    propose_due_batches(at=clock.at)
    propose_due_batches(at=clock.at)

    batch = Batch.objects.get()
    assert batch.cause == Batch.Cause.TRIGGER
    assert batch.explanation == ["the quota is met (refund: 3 of 3)"]
    assert batch.revisions.get().rows.count() == 4


def test_an_unmet_quota_proposes_nothing(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2, "billing": 9}, at=clock.at)

    assert propose_due_batches(at=clock.at) == []


def test_a_month_with_a_new_label_proposes_a_batch(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 1}, at=clock.at)
    assert propose_due_batches(at=clock.at + timedelta(days=29)) == []

    (batch,) = propose_due_batches(at=clock.at + timedelta(days=30))

    assert batch.explanation == ["30 of 30 days have passed since v1 went live, with 1 new label"]


def test_rejected_rows_do_not_fire_again_but_go_into_the_next_batch(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 3}, at=clock.at)
    (batch,) = propose_due_batches(at=clock.at)
    reject_batch(batch=batch, reason="Wrong guideline", by=team.lena, at=clock.at)
    clock.advance(timedelta(days=2))
    assert (have(team, clock), propose_due_batches(at=clock.at)) == (0, [])

    fresh = texts_of(team.project, "refund", use="train", count=6)[3:]
    for text in fresh:
        label_input(team.project, text, "refund", at=clock.at)
    (second,) = propose_due_batches(at=clock.at)

    assert second.revisions.get().rows.count() == 6


def test_a_person_needs_no_quota(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 1}, at=clock.at)

    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at, reason="New tariff")

    assert batch.explanation == ["Lena asked for it: New tariff"]


def test_a_project_has_one_proposed_batch_at_most(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 1}, at=clock.at)
    propose_by_person(project=team.project, by=team.lena, at=clock.at)

    with pytest.raises(Conflict, match="Batch 1 waits"):
        propose_by_person(project=team.project, by=team.lena, at=clock.at)


def test_nothing_new_is_no_batch(team: Team, clock: SetClock) -> None:
    with pytest.raises(Conflict, match="nothing to train on"):
        propose_by_person(project=team.project, by=team.lena, at=clock.at)

    assert not Batch.objects.exists()


def test_a_cooling_trigger_waits(team: Team, clock: SetClock) -> None:
    Trigger.objects.update(cool_down_hours=48)
    label_topics(team.project, {"refund": 3}, at=clock.at)
    (batch,) = propose_due_batches(at=clock.at)
    cancel_batch(batch=batch, by=team.lena, at=clock.at)
    for text in texts_of(team.project, "refund", use="train", count=6)[3:]:
        label_input(team.project, text, "refund", at=clock.at)

    assert propose_due_batches(at=clock.at + timedelta(hours=47)) == []
    assert len(propose_due_batches(at=clock.at + timedelta(hours=48))) == 1


def test_imported_rows_the_live_model_knows_fill_no_quota(team: Team, clock: SetClock) -> None:
    made = Import.objects.create(
        project=team.project,
        kind=Import.Kind.TRAINING,
        file_name="base.csv",
        file_digest="",
        mapping={"trained_on": True},
        created_at=clock.at,
    )
    items = label_topics(
        team.project,
        {"refund": 3},
        at=clock.at,
        source=ItemSource.Kind.IMPORT,
        method=GroundTruth.Method.IMPORT,
    )
    ItemSource.objects.filter(item__in=items).update(reference=made.pk)

    assert have(team, clock) == 0
    assert eligible_items(team.project).count() == 3
