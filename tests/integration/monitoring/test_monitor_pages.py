"""The two accuracies stand side by side, and the report speaks plainly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.models import AuditDraw, AuditPlan
from jobs.clock import SetClock
from labeling.routing import route_new_draws
from monitoring.accuracy import measure_all
from projects.versions import deploy, external_version
from tests.pages import Pages, text_of
from tests.people import Team, make_team
from tests.stories import answered_next, flagged, predicted

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def audit(team: Team, clock: SetClock, *, right: int, wrong: int) -> None:
    plan = AuditPlan.objects.get(project=team.project)
    for number in range(right + wrong):
        output = "refund" if number < right else "delivery"
        prediction = predicted(team, f"money {number}", output, at=clock.at)
        AuditDraw.objects.create(
            project=team.project,
            plan=plan,
            prediction=prediction,
            probability=0.1,
            drawn_at=clock.at,
        )
    route_new_draws(at=clock.at)
    for _ in range(right + wrong):
        answered_next(team, team.bob, "refund", at=clock.at)
    measure_all(at=clock.at)


def test_without_a_draw_there_is_nothing_to_say(team: Team) -> None:
    page = text_of(Pages(team.lena).get("/p/intents/monitor/"))

    assert "nothing to say yet" in page


def test_the_audited_accuracy_has_its_interval_and_is_raised_when_it_is_low(
    team: Team, clock: SetClock
) -> None:
    audit(team, clock, right=6, wrong=14)

    page = text_of(Pages(team.lena).get("/p/intents/monitor/"))

    assert "0.30 0.15 to 0.52" in page
    assert "Below 0.90, with 95% confidence" in page


def test_the_rate_of_draws_is_changed_from_now_on(team: Team, clock: SetClock) -> None:
    Pages(team.lena).post("/p/intents/monitor/plan", percent="25")

    rates = AuditPlan.objects.filter(project=team.project).order_by("pk")
    assert [plan.rate for plan in rates] == [0.0, 0.25]


def test_a_viewer_reads_the_report(team: Team, clock: SetClock) -> None:
    audit(team, clock, right=6, wrong=14)

    page = text_of(Pages(team.vera).get("/p/intents/report/"))

    assert "30% of answers are right" in page
    assert "below the target" in page


def test_the_report_says_when_no_answer_is_of_the_live_version(team: Team, clock: SetClock) -> None:
    audit(team, clock, right=6, wrong=14)
    pages = Pages(team.vera)
    before = text_of(pages.get("/p/intents/report/"))
    clock.advance(timedelta(hours=1))
    newer = external_version(team.project, "v2", at=clock.at)
    deploy(version=newer, expected=team.version, cause="promotion", at=clock.at, by=team.lena)

    after = text_of(pages.get("/p/intents/report/"))
    alert = text_of(Pages(team.lena).get("/p/intents/monitor/"))

    assert "None of these answers" not in before
    assert "0.52 of the answers are right. None of these answers is of v2" in alert
    assert "None of these answers is of v2, live since 2 March." in after


def test_a_version_that_went_live_twice_is_one_version_in_the_report(
    team: Team, clock: SetClock
) -> None:
    first, second = team.version, external_version(team.project, "v2", at=clock.at)
    for version, expected in ((second, first), (first, second), (second, first)):
        clock.advance(timedelta(hours=1))
        deploy(version=version, expected=expected, cause="promotion", at=clock.at, by=team.lena)

    assert "2 versions went live" in text_of(Pages(team.vera).get("/p/intents/report/"))


def test_the_report_counts_flags_and_not_answers(team: Team, clock: SetClock) -> None:
    clock.advance(timedelta(hours=1))
    prediction = predicted(team, "where", "refund", at=clock.at)
    for agent in (team.ada, team.alan):
        flagged(prediction, agent, at=clock.at)

    page = text_of(Pages(team.vera).get("/p/intents/report/"))

    assert "0 of 2 flags since 2 March 2026 are fixed" in page


def test_every_figure_of_the_report_names_the_time_it_covers(team: Team, clock: SetClock) -> None:
    clock.advance(timedelta(days=1))
    audit(team, clock, right=1, wrong=0)

    page = text_of(Pages(team.vera).get("/p/intents/report/"))

    assert "Intents, up to 3 March 2026" in page
    assert "1 audited answer of the last 14 days" in page
    assert "Since 2 March 2026, 1 person gave 1 answer" in page
    assert "1 version went live" in page
