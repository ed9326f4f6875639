"""What models are compared on, how much each row weighs, and what training may not be close to."""

from __future__ import annotations

import pytest

from feedback.models import AuditDraw, AuditPlan, Prediction
from jobs.clock import SetClock
from labeling.answers import class_answer
from labeling.models import GroundTruth, Item, ItemSource
from labeling.queueing import queue_input, requeue_item
from labeling.settlement import accept_answer
from projects.identity import EVALUATION, TRAIN, identity_of, use_of
from projects.models import Project
from projects.versions import external_version
from retraining.evaluation_rows import EvaluationRow, evaluation_rows, recorded_answers
from retraining.gates.base import Source
from retraining.proposing import propose_by_person
from retraining.revisions import near_duplicates_of, newest_revision
from tests.flagged import make_prediction, settle_input, text_of_use
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

LONG = "please tell me why my parcel has been waiting at the depot since last monday"


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def held_out(team: Team, clock: SetClock, stem: str = "parcel") -> Item:
    text = text_of_use(team.project, EVALUATION, stem)
    return settle_input(team, text, "delivery", at=clock.at)


def draw(team: Team, item: Item, probability: float, clock: SetClock) -> None:
    plan, _ = AuditPlan.objects.get_or_create(
        project=team.project, rate=probability, defaults={"since": clock.at}
    )
    AuditDraw.objects.create(
        project=team.project,
        plan=plan,
        prediction=make_prediction(team, item.input["text"], "refund", at=clock.at),
        probability=probability,
        drawn_at=clock.at,
    )


def only_row(team: Team) -> EvaluationRow:
    (row,) = evaluation_rows(team.project)
    return row


def test_a_row_is_its_input_with_the_answer_accepted_now(team: Team, clock: SetClock) -> None:
    item = held_out(team, clock)
    requeue_item(item=item, at=clock.at, by=None, reason="doubt")
    item = settle_input(team, item.input["text"], "billing", at=clock.at)

    row = only_row(team)

    assert item.truth is not None
    assert (row.item_id, row.truth_id, row.label) == (item.pk, item.truth.pk, "billing")
    assert (row.identity, row.input) == (item.identity, item.input)


def test_a_flagged_row_weighs_one_and_is_only_shown(team: Team, clock: SetClock) -> None:
    held_out(team, clock)

    assert (only_row(team).source, only_row(team).probability) == (Source.FLAGGED, 1.0)


def test_a_drawn_row_is_audited_though_it_was_flagged_and_imported_too(
    team: Team, clock: SetClock
) -> None:
    item = held_out(team, clock)
    ItemSource.objects.create(
        project=team.project, item=item, kind="import", reference=1, at=clock.at
    )
    assert only_row(team).source == Source.FROZEN

    draw(team, item, 0.25, clock)

    assert (only_row(team).source, only_row(team).probability) == (Source.AUDITED, 0.25)


def test_two_draws_of_one_input_weigh_as_the_two_predictions_they_are(
    team: Team, clock: SetClock
) -> None:
    item = held_out(team, clock)
    draw(team, item, 0.25, clock)
    draw(team, item, 0.5, clock)

    assert 1 / only_row(team).probability == pytest.approx(4 + 2)


def test_another_projects_draws_and_imports_say_nothing_about_our_rows(
    team: Team, clock: SetClock
) -> None:
    item = held_out(team, clock)
    other = make_team(at=clock.at, name="Other", suffix="2")
    theirs = settle_input(other, item.input["text"], "delivery", at=clock.at)
    draw(other, theirs, 0.5, clock)

    assert only_row(team).source == Source.FLAGGED


@pytest.mark.parametrize("use", [TRAIN, EVALUATION])
def test_only_held_out_rows_are_compared_on(team: Team, clock: SetClock, use: str) -> None:
    settle_input(team, text_of_use(team.project, use), "delivery", at=clock.at)

    assert len(evaluation_rows(team.project)) == (use == EVALUATION)


def test_what_is_open_outside_or_of_a_retired_class_is_not_compared_on(
    team: Team, clock: SetClock
) -> None:
    opened = held_out(team, clock, "one")
    requeue_item(item=opened, at=clock.at, by=None, reason="doubt")
    outside = text_of_use(team.project, EVALUATION, "two")
    settle_input(team, outside, "none of your classes", at=clock.at)
    settle_input(team, text_of_use(team.project, EVALUATION, "three"), "billing", at=clock.at)
    team.project.classes.filter(name="billing").update(retired_at=clock.at)

    assert evaluation_rows(team.project) == []


def test_of_what_an_external_version_recorded_the_newest_answer_counts(
    team: Team, clock: SetClock
) -> None:
    for said in ("refund", "delivery"):
        made = make_prediction(team, "late", said, at=clock.at)
    make_prediction(team, "another", "billing", at=clock.at)

    assert recorded_answers(team.version, {made.identity, "0" * 64}) == {made.identity: "delivery"}


def test_what_another_version_recorded_is_not_its_answer(team: Team, clock: SetClock) -> None:
    other = external_version(team.project, "v0", at=clock.at)
    made = make_prediction(team, "late", "refund", at=clock.at, version=other)

    assert recorded_answers(team.version, {made.identity}) == {}
    assert Prediction.objects.count() == 1


def near(team: Team) -> list[tuple[int, int]]:
    """Training rows with the evaluation row that each is too close to."""
    found = near_duplicates_of(team.project, Item.objects.filter(use=TRAIN))
    return [(one.key, one.other) for one in found]


def pair(team: Team, clock: SetClock) -> tuple[Item, Item]:
    """A training row and an evaluation row that say the same but for a number at the end."""
    train, evaluation = (
        settle_input(team, text_of_use(team.project, use, LONG), "delivery", at=clock.at)
        for use in (TRAIN, EVALUATION)
    )
    return train, evaluation


def test_a_training_row_close_to_an_evaluation_row_is_dropped_and_told_to_which(
    team: Team, clock: SetClock
) -> None:
    train, evaluation = pair(team, clock)
    kept = settle_input(team, text_of_use(team.project, TRAIN, "bill"), "billing", at=clock.at)

    revision = newest_revision(propose_by_person(project=team.project, by=team.lena, at=clock.at))

    dropped = revision.dropped.get()
    assert (dropped.item, dropped.evaluation_item) == (train, evaluation)
    assert 0.9 <= dropped.similarity < 1
    assert revision.rows.get().item == kept


@pytest.mark.parametrize(
    ("state", "is_dropped"),
    [
        (Item.State.OPEN, True),
        (Item.State.DISPUTED, True),
        (Item.State.RESOLVED, True),
        (Item.State.WITHDRAWN, False),
    ],
)
def test_an_evaluation_row_counts_from_when_it_is_asked_until_it_is_withdrawn(
    team: Team, clock: SetClock, state: str, is_dropped: bool
) -> None:
    _, evaluation = pair(team, clock)
    truth = evaluation.truth if state == Item.State.RESOLVED else None
    Item.objects.filter(pk=evaluation.pk).update(state=state, truth=truth)

    assert bool(near(team)) is is_dropped


def test_another_projects_evaluation_rows_drop_none_of_ours(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    _, evaluation = pair(other, clock)
    settle_input(team, text_of_use(team.project, TRAIN, LONG), "delivery", at=clock.at)
    assert evaluation.project == other.project

    found = near_duplicates_of(team.project, Item.objects.filter(project=team.project, use=TRAIN))

    assert found == []


def in_channel(team: Team, use: str, channel: str, clock: SetClock) -> Item:
    """A row of this use about the parcel, with its declared context."""
    context: dict[str, object] = {"channel": channel}
    number = 0
    while True:
        number += 1
        value = {"text": f"{LONG} {number}"}
        if use_of(team.project, identity=identity_of(team.project, value, context)) == use:
            break
    item = queue_input(
        project=team.project,
        value=value,
        source="flag",
        reference=1,
        context=context,
        at=clock.at,
    )
    accept_answer(
        item=item,
        answer=class_answer(team.project, "delivery"),
        method=GroundTruth.Method.REVIEWER,
        confidence=1.0,
        at=clock.at,
    )
    return item


@pytest.mark.parametrize(("channel", "is_dropped"), [("mail", True), ("chat", False)])
def test_with_another_declared_context_it_is_another_input(
    team: Team, clock: SetClock, channel: str, is_dropped: bool
) -> None:
    team.project.context_fields = ["channel"]
    team.project.save()
    in_channel(team, EVALUATION, "mail", clock)
    in_channel(team, TRAIN, channel, clock)

    assert bool(near(team)) is is_dropped


def test_images_are_not_compared_by_their_letters(team: Team, clock: SetClock) -> None:
    pair(team, clock)
    Project.objects.filter(pk=team.project.pk).update(task_type="image")
    team.project.refresh_from_db()

    assert near(team) == []
