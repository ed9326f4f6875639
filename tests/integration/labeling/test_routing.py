"""New flags become items; a project that cannot route its own stops no other."""

from __future__ import annotations

import pytest

from feedback.models import Flag
from jobs.clock import SetClock
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
