"""Audited accuracy comes from draws alone; flags stand beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.flagging import Report, flag_prediction
from feedback.models import AuditDraw, AuditPlan, Prediction
from jobs.clock import SetClock
from labeling.answers import Answer, class_answer, outside_answer
from labeling.models import Item
from labeling.queueing import queue_input
from labeling.settlement import accept_answer
from monitoring.accuracy import (
    accuracy_by_segment,
    audited_accuracy,
    audited_answers,
    flagged_accuracy,
    measure_day,
)
from monitoring.models import AccuracyPoint
from monitoring.report import build_report
from projects.identity import identity_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def predict(
    team: Team, text: str, output: str, clock: SetClock, channel: str = "web"
) -> Prediction:
    value = {"text": text}
    return Prediction.objects.create(
        project=team.project,
        version=team.version,
        external_id=text,
        input=value,
        output=output,
        segments={"channel": channel},
        identity=identity_of(team.project, value),
        body_hash=text,
        occurred_at=clock.at,
        received_at=clock.at,
    )


def draw(prediction: Prediction, clock: SetClock, probability: float = 0.1) -> AuditDraw:
    plan = AuditPlan.objects.filter(project=prediction.project).latest("id")
    return AuditDraw.objects.create(
        project=prediction.project,
        plan=plan,
        prediction=prediction,
        probability=probability,
        drawn_at=clock.at,
    )


def settle(team: Team, prediction: Prediction, answer: Answer, clock: SetClock) -> Item:
    item = queue_input(
        project=team.project, value=prediction.input, source="audit", reference=1, at=clock.at
    )
    accept_answer(item=item, answer=answer, method="reviewer", confidence=1.0, at=clock.at)
    return item


def test_only_drawn_predictions_count(team: Team, clock: SetClock) -> None:
    drawn = predict(team, "where is it", "delivery", clock)
    draw(drawn, clock)
    settle(team, drawn, class_answer(team.project, "delivery"), clock)
    only_flagged = predict(team, "money back", "billing", clock)
    settle(team, only_flagged, class_answer(team.project, "refund"), clock)

    estimate = audited_accuracy(audited_answers(team.project))

    assert (estimate.value, estimate.rows) == (1.0, 1)


def test_none_of_these_means_the_model_was_wrong(team: Team, clock: SetClock) -> None:
    drawn = predict(team, "my drone", "delivery", clock)
    draw(drawn, clock)
    settle(team, drawn, outside_answer(team.project), clock)

    assert audited_accuracy(audited_answers(team.project)).value == 0.0


def test_an_undecided_draw_is_left_out(team: Team, clock: SetClock) -> None:
    drawn = predict(team, "my drone", "delivery", clock)
    draw(drawn, clock)

    assert audited_answers(team.project) == []


def test_rarely_drawn_predictions_weigh_more(team: Team, clock: SetClock) -> None:
    right = predict(team, "where is it", "delivery", clock)
    draw(right, clock, probability=0.9)
    settle(team, right, class_answer(team.project, "delivery"), clock)
    wrong = predict(team, "money back", "billing", clock)
    draw(wrong, clock, probability=0.1)
    settle(team, wrong, class_answer(team.project, "refund"), clock)

    estimate = audited_accuracy(audited_answers(team.project))

    assert estimate.value == pytest.approx(0.1)


def test_flagged_predictions_have_a_share_of_their_own(team: Team, clock: SetClock) -> None:
    flagged = predict(team, "money back", "billing", clock)
    flag_prediction(
        prediction=flagged, agent=team.ada, report=Report(reason="wrong class"), at=clock.at
    )
    settle(team, flagged, class_answer(team.project, "refund"), clock)

    assert flagged_accuracy(team.project).value == 0.0
    assert audited_answers(team.project) == []


def test_each_segment_has_its_own_estimate(team: Team, clock: SetClock) -> None:
    for text, channel, said in [("a b", "web", "refund"), ("c d", "app", "billing")]:
        drawn = predict(team, text, "refund", clock, channel=channel)
        draw(drawn, clock)
        settle(team, drawn, class_answer(team.project, said), clock)

    groups = accuracy_by_segment(audited_answers(team.project), "channel")

    assert {group.value: group.estimate.value for group in groups} == {"web": 1.0, "app": 0.0}


def test_a_day_keeps_its_newest_measurement(team: Team, clock: SetClock) -> None:
    drawn = predict(team, "where is it", "delivery", clock)
    draw(drawn, clock)
    settle(team, drawn, class_answer(team.project, "delivery"), clock)

    for _ in range(2):
        clock.advance(timedelta(hours=1))
        measure_day(project=team.project, day=clock.at.date(), at=clock.at)

    point = AccuracyPoint.objects.get()
    assert (point.estimate, point.answers, point.measured_at) == (1.0, 1, clock.at)


def test_the_report_says_only_what_the_interval_supports(team: Team, clock: SetClock) -> None:
    drawn = predict(team, "where is it", "delivery", clock)
    draw(drawn, clock)
    settle(team, drawn, class_answer(team.project, "delivery"), clock)

    report = build_report(project=team.project, at=clock.at)

    assert "too early to say" in report.accuracy_sentence


def test_the_report_without_audits_says_so(team: Team, clock: SetClock) -> None:
    report = build_report(project=team.project, at=clock.at)

    assert "no audited answers" in report.accuracy_sentence
