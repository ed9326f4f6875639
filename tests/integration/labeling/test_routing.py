"""New flags become items; a project that cannot route its own stops no other."""

from __future__ import annotations

import pytest

from feedback.models import Flag
from jobs.clock import SetClock
from labeling import routing
from labeling.models import Item, RoutingRule
from labeling.routing import route_new_flags
from projects.errors import Invalid
from tests.people import make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db


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
