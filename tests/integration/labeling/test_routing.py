"""New flags become items; a project that cannot route its own stops no other."""

from __future__ import annotations

import pytest

from feedback.flagging import Report, flag_unseen_id, withdraw_flag
from feedback.models import AuditDraw, AuditPlan, Flag, Issue
from jobs.clock import SetClock
from labeling import routing
from labeling.models import Item, ItemSource, Queue, RoutingRule
from labeling.routing import route_new_draws, route_new_flags
from projects.errors import Invalid
from tests.flagged import settle_input
from tests.people import Team, make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def issue_state(flag: Flag) -> str:
    issue = Flag.objects.select_related("issue").get(pk=flag.pk).issue
    assert issue is not None
    return issue.state


def drawn(team: Team, clock: SetClock, text: str) -> AuditDraw:
    return AuditDraw.objects.create(
        project=team.project,
        plan=AuditPlan.objects.get(project=team.project),
        prediction=predicted(
            team, text, "delivery", at=clock.at, segments={"channel": "web"}, context={"shop": "x"}
        ),
        probability=0.1,
        drawn_at=clock.at,
    )


def test_a_project_without_a_rule_stops_no_other(clock: SetClock) -> None:
    broken = make_team(at=clock.at, name="Broken", suffix="2")
    sound = make_team(at=clock.at)
    RoutingRule.objects.filter(project=broken.project).delete()
    for team in (broken, sound):
        flagged(predicted(team, "one", "delivery", at=clock.at), team.ada, "refund", at=clock.at)

    with pytest.raises(Invalid, match="Add one on the set-up page"):
        route_new_flags(at=clock.at)

    assert Item.objects.get().project == sound.project
    assert Flag.objects.unrouted().get().project == broken.project


def test_not_even_one_with_more_rows_than_a_tick_takes(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "BATCH", 2)
    broken = make_team(at=clock.at, name="Broken", suffix="2")
    sound = make_team(at=clock.at)
    RoutingRule.objects.filter(project=broken.project).delete()
    for team, count in ((broken, 3), (sound, 1)):
        for number in range(count):
            answer = predicted(team, f"text {number}", "delivery", at=clock.at)
            flagged(answer, team.ada, "refund", at=clock.at)

    with pytest.raises(Invalid):
        route_new_flags(at=clock.at)

    assert Item.objects.get().project == sound.project


def test_a_flag_becomes_an_item_once_and_its_issue_is_being_labeled(
    team: Team, clock: SetClock
) -> None:
    flag = flagged(predicted(team, "one", "delivery", at=clock.at), team.ada, at=clock.at)

    assert route_new_flags(at=clock.at) == 1
    assert route_new_flags(at=clock.at) == 0

    source = ItemSource.objects.get()
    assert (source.kind, source.reference) == ("flag", flag.pk)
    assert issue_state(flag) == Issue.State.LABELING


def test_a_flag_on_what_was_right_is_declined_at_once(team: Team, clock: SetClock) -> None:
    settle_input(team, "one", "delivery", at=clock.at)
    flag = flagged(predicted(team, "one", "delivery", at=clock.at), team.ada, at=clock.at)

    route_new_flags(at=clock.at)

    flag.refresh_from_db()
    assert (flag.state, issue_state(flag)) == (Flag.State.DECLINED, Issue.State.DECLINED)


@pytest.mark.parametrize("truth", ["refund", "toys"])
def test_a_flag_on_what_is_known_to_be_wrong_waits_for_a_new_model_at_once(
    team: Team, clock: SetClock, truth: str
) -> None:
    settle_input(team, "one", truth, at=clock.at)
    flag = flagged(predicted(team, "one", "delivery", at=clock.at), team.ada, at=clock.at)

    route_new_flags(at=clock.at)

    flag.refresh_from_db()
    assert (flag.state, issue_state(flag)) == (Flag.State.OPEN, Issue.State.AWAITING_RETRAIN)


def test_flags_that_wait_for_their_prediction_or_were_taken_back_are_not_queued(
    team: Team, clock: SetClock
) -> None:
    report = Report(reason=Flag.Reason.WRONG_CLASS)
    flag_unseen_id(
        project=team.project, external_id="later", agent=team.ada, report=report, at=clock.at
    )
    taken_back = flagged(predicted(team, "one", "delivery", at=clock.at), team.ada, at=clock.at)
    withdraw_flag(flag=taken_back, at=clock.at)

    assert route_new_flags(at=clock.at) == 0
    assert not Item.objects.exists()


def test_the_severity_of_a_flag_decides_its_queue(team: Team, clock: SetClock) -> None:
    urgent = Queue.objects.create(
        project=team.project, slug="urgent", name="Urgent", created_at=clock.at
    )
    team.project.routing_rules.update(position=9)
    RoutingRule.objects.create(
        project=team.project, position=1, source="flag", least_severity=3, queue=urgent
    )
    for text, severity in (("mild", 2), ("bad", 3)):
        answer = predicted(team, text, "delivery", at=clock.at)
        flagged(answer, team.ada, at=clock.at, severity=severity)

    route_new_flags(at=clock.at)

    queues = {item.input["text"]: item.queue for item in Item.objects.select_related("queue")}
    assert queues == {"mild": team.queue, "bad": urgent}


def test_a_draw_becomes_an_item_once_with_its_segments_and_context(
    team: Team, clock: SetClock
) -> None:
    draw = drawn(team, clock, "one")

    assert route_new_draws(at=clock.at) == 1
    assert route_new_draws(at=clock.at) == 0

    item = Item.objects.get()
    assert (item.segments, item.context) == ({"channel": "web"}, {"shop": "x"})
    source = ItemSource.objects.get()
    assert (source.kind, source.reference) == ("audit", draw.pk)


def test_a_draw_of_what_is_known_uses_the_answer_that_is_there(team: Team, clock: SetClock) -> None:
    item = settle_input(team, "one", "delivery", at=clock.at)
    drawn(team, clock, "one")

    route_new_draws(at=clock.at)

    item.refresh_from_db()
    assert (item.state, item.round) == (Item.State.RESOLVED, 1)
    kinds = item.sources.order_by("kind").values_list("kind", flat=True)
    assert list(kinds) == ["audit", "flag"]
