"""Whom a figure counts: its window, its version, its project, and flags that stand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedback.draws import plan_in_force
from feedback.flagging import Report, decide_flag, flag_prediction, withdraw_flag
from feedback.models import AuditDraw, AuditPlan, Flag, Issue, Prediction
from jobs.clock import UTC, SetClock
from labeling.annotating import undo_annotation
from labeling.models import Annotation, Item
from labeling.queueing import queue_input, requeue_item
from monitoring.accuracy import (
    WINDOW,
    accuracy_by_segment,
    accuracy_by_version,
    audited_accuracy,
    audited_answers,
    find_unmeasured,
    flagged_accuracy,
    measure_all,
    measure_day,
)
from monitoring.audit_plans import change_audit_rate
from monitoring.models import AccuracyPoint
from monitoring.report import build_report
from monitoring.series import MOST_DAYS, below_since, draws_of, happenings_of, points_of
from projects.errors import Invalid
from projects.models import ModelVersion, Project
from projects.versions import deploy, external_version
from tests.flagged import settle_input
from tests.people import Team, make_team
from tests.stories import answered_next, flagged, predicted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def drawn(
    team: Team,
    text: str,
    said: str,
    truth: str,
    *,
    at: datetime,
    probability: float = 0.1,
    **fields: object,
) -> Prediction:
    """A drawn answer whose ground truth is known."""
    prediction = predicted(team, text, said, at=at, **fields)  # type: ignore[arg-type]  # Columns.
    plan = AuditPlan.objects.filter(project=team.project).latest("id")
    AuditDraw.objects.create(
        project=team.project,
        plan=plan,
        prediction=prediction,
        probability=probability,
        drawn_at=at,
    )
    if truth:
        settle_input(team, text, truth, at=at)
    return prediction


def version_of(team: Team, name: str, *, at: datetime) -> ModelVersion:
    return external_version(team.project, name, at=at)


def go_live(team: Team, name: str, *, at: datetime) -> None:
    deploy(
        version=version_of(team, name, at=at),
        expected=team.version,
        cause="promotion",
        at=at,
        by=team.lena,
        reason="better",
    )


def point(project: Project, day: datetime, high: float) -> AccuracyPoint:
    return AccuracyPoint.objects.create(
        project=project,
        day=day.date(),
        estimate=high - 0.1,
        low=high - 0.2,
        high=high,
        answers=20,
        flagged_right=0,
        flagged_answers=0,
        measured_at=day,
    )


def test_a_window_leaves_out_its_first_moment_and_takes_its_last(
    team: Team, clock: SetClock
) -> None:
    start, end = clock.at - WINDOW, clock.at
    for number, at in enumerate([start, start + MOMENT, end, end + MOMENT]):
        drawn(team, f"text {number}", "refund", "refund", at=at)

    found = audited_answers(team.project, since=start, until=end)

    assert [answer.occurred_at for answer in found] == [start + MOMENT, end]


def test_answers_are_told_oldest_first_with_what_a_page_shows(team: Team, clock: SetClock) -> None:
    drawn(team, "b", "refund", "billing", at=clock.at, segments={"channel": "web"})
    drawn(team, "a", "refund", "toys", at=clock.at - DAY, probability=0.5)

    older, newer = audited_answers(team.project)

    assert (older.truth, older.probability, older.is_right) == ("", 0.5, False)
    assert (newer.version, newer.output, newer.truth) == ("v1", "refund", "billing")
    assert newer.segments == {"channel": "web"}


def test_draws_of_another_project_or_version_are_left_out(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    drawn(other, "a", "refund", "refund", at=clock.at)
    second = version_of(team, "v2", at=clock.at)
    drawn(team, "a", "refund", "billing", at=clock.at, version=second)
    mine = drawn(team, "b", "refund", "refund", at=clock.at)

    found = audited_answers(team.project, version=team.version)

    assert [answer.prediction_id for answer in found] == [mine.pk]


def test_the_same_input_in_another_project_lends_no_truth(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    settle_input(other, "a", "refund", at=clock.at)
    drawn(team, "a", "refund", "", at=clock.at)

    assert audited_answers(team.project) == []


def test_a_truth_that_was_withdrawn_measures_nothing_any_more(team: Team, clock: SetClock) -> None:
    drawn(team, "a", "refund", "refund", at=clock.at)
    item = Item.objects.get()

    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    assert audited_answers(team.project) == []


def test_two_draws_of_one_input_count_twice(team: Team, clock: SetClock) -> None:
    for number in range(2):
        drawn(team, "a", "refund", "refund", at=clock.at, external_id=f"p{number}")

    assert audited_accuracy(audited_answers(team.project)).rows == 2


def test_groups_stand_by_their_answers_most_first_and_then_by_name(
    team: Team, clock: SetClock
) -> None:
    for number, channel in enumerate(["web", "app", "web", "phone", ""]):
        segments = {"channel": channel} if channel else {}
        drawn(team, f"text {number}", "refund", "refund", at=clock.at, segments=segments)

    groups = accuracy_by_segment(audited_answers(team.project), "channel")

    assert [(group.value, group.estimate.rows) for group in groups] == [
        ("web", 2),
        ("", 1),
        ("app", 1),
        ("phone", 1),
    ]


def test_each_version_has_its_own_estimate(team: Team, clock: SetClock) -> None:
    drawn(team, "a", "refund", "refund", at=clock.at)
    drawn(team, "b", "refund", "billing", at=clock.at, version=version_of(team, "v2", at=clock.at))

    groups = accuracy_by_version(audited_answers(team.project))

    assert {group.value: group.estimate.value for group in groups} == {"v1": 1.0, "v2": 0.0}


def test_a_flag_that_was_taken_back_makes_no_flagged_answer(team: Team, clock: SetClock) -> None:
    stands = predicted(team, "a", "refund", at=clock.at)
    flagged(stands, team.ada, at=clock.at)
    taken_back = predicted(team, "b", "refund", at=clock.at)
    withdraw_flag(flag=flagged(taken_back, team.ada, at=clock.at), at=clock.at)
    settle_input(team, "a", "billing", at=clock.at)
    settle_input(team, "b", "refund", at=clock.at)

    estimate = flagged_accuracy(team.project)

    assert (estimate.value, estimate.rows) == (0.0, 1)


def test_an_answer_that_several_people_flagged_counts_once(team: Team, clock: SetClock) -> None:
    prediction = predicted(team, "a", "refund", at=clock.at)
    for agent in (team.ada, team.alan):
        flagged(prediction, agent, at=clock.at)
    settle_input(team, "a", "billing", at=clock.at)

    assert flagged_accuracy(team.project).rows == 1


def test_flagged_answers_are_of_their_window_and_version(team: Team, clock: SetClock) -> None:
    old = predicted(team, "old", "refund", at=clock.at - DAY)
    second = version_of(team, "v2", at=clock.at)
    theirs = predicted(team, "theirs", "refund", at=clock.at, version=second)
    for prediction in (old, theirs):
        flagged(prediction, team.ada, at=clock.at)
        settle_input(team, prediction.external_id, "billing", at=clock.at)

    assert flagged_accuracy(team.project).rows == 2
    assert flagged_accuracy(team.project, since=clock.at - DAY).rows == 1
    assert flagged_accuracy(team.project, version=team.version).rows == 1


def test_a_day_without_an_answer_has_no_point(team: Team, clock: SetClock) -> None:
    assert measure_day(project=team.project, day=clock.at.date(), at=clock.at) is None
    assert not AccuracyPoint.objects.exists()


def test_a_day_knows_the_last_fortnight_and_its_flags(team: Team, clock: SetClock) -> None:
    drawn(team, "new", "refund", "refund", at=clock.at)
    drawn(team, "too old", "refund", "billing", at=clock.at - WINDOW)
    prediction = predicted(team, "flagged", "refund", at=clock.at)
    flagged(prediction, team.ada, at=clock.at)
    settle_input(team, "flagged", "billing", at=clock.at)

    measured = measure_day(project=team.project, day=clock.at.date(), at=clock.at)

    assert measured is not None
    assert (measured.estimate, measured.answers) == (1.0, 1)
    assert (measured.flagged_right, measured.flagged_answers) == (0, 1)


def test_every_project_with_an_answer_is_measured(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    drawn(other, "a", "refund", "refund", at=clock.at)

    assert measure_all(at=clock.at) == 1

    assert AccuracyPoint.objects.get().project == other.project


def test_a_live_version_without_an_answer_of_its_own_is_said(team: Team, clock: SetClock) -> None:
    drawn(team, "a", "refund", "refund", at=clock.at)
    answers = audited_answers(team.project)
    assert find_unmeasured(team.project, answers) is None

    go_live(team, "v2", at=clock.at)

    line = find_unmeasured(team.project, answers)
    assert line is not None
    assert line.version.name == "v2"


@pytest.mark.parametrize("rate", [-0.001, 1.001])
def test_a_rate_that_is_no_share_is_refused(team: Team, clock: SetClock, rate: float) -> None:
    with pytest.raises(Invalid, match="between 0 and 1"):
        change_audit_rate(project=team.project, rate=rate, at=clock.at)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_none_or_all_may_be_drawn(team: Team, clock: SetClock, rate: float) -> None:
    plan = change_audit_rate(project=team.project, rate=rate, at=clock.at, by=team.lena)

    assert (plan.rate, plan.since, plan.by) == (rate, clock.at, team.lena)


def test_the_plan_in_force_is_the_newest_that_has_begun(team: Team, clock: SetClock) -> None:
    now, later = clock.at + DAY, clock.at + 2 * DAY
    change_audit_rate(project=team.project, rate=0.2, at=now)
    last = change_audit_rate(project=team.project, rate=0.3, at=now)
    change_audit_rate(project=team.project, rate=0.4, at=later)
    other = make_team(at=clock.at, name="Other", suffix="-2")
    change_audit_rate(project=other.project, rate=0.5, at=now)

    assert plan_in_force(team.project, at=now) == last
    assert plan_in_force(team.project, at=clock.at - DAY) is None


def test_draws_wait_until_their_input_has_its_truth(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    drawn(team, "a", "refund", "refund", at=clock.at)
    drawn(team, "b", "refund", "", at=clock.at)
    settle_input(other, "b", "refund", at=clock.at)

    draws = draws_of(team.project)

    assert (draws.drawn, draws.waiting) == (2, 1)


def test_a_series_keeps_the_newest_days_oldest_first(team: Team, clock: SetClock) -> None:
    for number in range(MOST_DAYS + 2):
        point(team.project, clock.at + number * DAY, high=0.9)

    points = points_of(team.project)

    assert len(points) == MOST_DAYS
    assert points[0].at == datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert points[-1].at == points[0].at + (MOST_DAYS - 1) * DAY


@pytest.mark.parametrize(
    ("highs", "since_day"),
    [
        ([0.95, 0.85, 0.8], 1),
        ([0.8, 0.8, 0.8], 0),
        ([0.8, 0.95, 0.8], 2),
        ([0.8, 0.8, 0.9], None),
        ([], None),
    ],
)
def test_below_the_target_since_the_first_day_of_the_last_stretch(
    team: Team, clock: SetClock, highs: list[float], since_day: int | None
) -> None:
    for number, high in enumerate(highs):
        point(team.project, clock.at + number * DAY, high=high)
    points = points_of(team.project)

    since = below_since(points, 0.9)

    assert since == (None if since_day is None else points[since_day].at)


def test_a_chart_tells_of_the_first_flag_and_each_version_that_went_live(
    team: Team, clock: SetClock
) -> None:
    prediction = predicted(team, "a", "refund", at=clock.at)
    flagged(prediction, team.ada, at=clock.at + DAY)
    flagged(prediction, team.alan, at=clock.at + 2 * DAY)
    go_live(team, "v2", at=clock.at + 3 * DAY)

    told = [(happening.at, happening.title) for happening in happenings_of(team.project)]

    assert told == [
        (clock.at + DAY, "first flag"),
        (clock.at, "v1 live"),
        (clock.at + 3 * DAY, "v2 live"),
    ]


def test_the_report_counts_from_the_first_moment_of_its_project(
    team: Team, clock: SetClock
) -> None:
    start = clock.at
    for number, at in enumerate([start, start + DAY]):
        prediction = predicted(team, f"text {number}", "refund", at=at, customer_ref=str(number))
        flag_prediction(
            prediction=prediction, agent=team.ada, report=Report(reason="wrong class"), at=at
        )
    Flag.objects.filter(created_at=start + DAY).update(state=Flag.State.FIXED)
    go_live(team, "v2", at=start + DAY)

    report = build_report(project=team.project, at=start + 2 * DAY)

    assert (report.flags, report.flags_open, report.flags_fixed) == (2, 1, 1)
    assert report.versions_live == 2


def test_half_of_the_fixes_were_faster_than_the_middle_one(team: Team, clock: SetClock) -> None:
    team.project.created_at = clock.at - DAY
    for number, days in enumerate([1, 2, 10]):
        flag = flagged(predicted(team, f"t{number}", "refund", at=clock.at), team.ada, at=clock.at)
        decide_flag(flag=flag, state=Flag.State.FIXED, at=clock.at + days * DAY)

    report = build_report(project=team.project, at=clock.at + 20 * DAY)

    assert report.median_days_to_fix == 2.0
    assert "half of them within 2.0 days" in report.fixes_sentence


def test_a_fix_that_was_taken_back_is_none_and_the_last_of_two_counts(
    team: Team, clock: SetClock
) -> None:
    team.project.created_at = clock.at - DAY
    flag = flagged(predicted(team, "a", "refund", at=clock.at), team.ada, at=clock.at)
    told = []
    for days, state in enumerate([Flag.State.FIXED, Flag.State.OPEN, Flag.State.FIXED], start=1):
        decide_flag(flag=flag, state=state, at=clock.at + days * DAY)
        report = build_report(project=team.project, at=clock.at + 20 * DAY)
        told.append(report.median_days_to_fix)

    assert told == [1.0, None, 3.0]


def test_the_cost_is_of_answers_that_stand_and_the_people_who_gave_them(
    team: Team, clock: SetClock
) -> None:
    for number in range(4):
        queue_input(
            project=team.project,
            value={"text": f"message {number}"},
            source="flag",
            reference=1,
            at=clock.at,
        )
    later = clock.at + DAY
    for person in (team.bob, team.bob, team.beth):
        answered_next(team, person, "refund", at=later)
    Annotation.objects.filter(annotator=team.bob).update(seconds=1800)
    taken_back = answered_next(team, team.bill, "refund", at=later)
    undo_annotation(annotation=taken_back, at=later)

    report = build_report(project=team.project, at=later)

    assert (report.answers_given, report.people_labeling, report.labeling_hours) == (3, 2, 1.0)
    assert "2 people gave 3 answers in 1.0 hours" in report.cost_sentence


def test_the_worst_issues_stand_by_the_customers_they_hit(team: Team, clock: SetClock) -> None:
    for text, customers in (("few", ["ann"]), ("many", ["ann", "ben"])):
        for number, customer in enumerate(customers):
            prediction = predicted(
                team,
                text,
                "refund",
                at=clock.at,
                external_id=f"{text} {number}",
                customer_ref=customer,
            )
            flagged(prediction, team.ada, at=clock.at)
    Issue.objects.filter(number=1).update(title="few")

    report = build_report(project=team.project, at=clock.at)

    assert [(top.number, top.customers, top.flags) for top in report.top_issues] == [
        (2, 2, 2),
        (1, 1, 1),
    ]
