"""The sign-in page says how one gets in, and promises nothing else."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from jobs.clock import SetClock
from projects.creating import give_role
from projects.models import Project, Role
from retraining.tour import VISITOR_ANNOTATOR
from tests.pages import Pages, text_of
from tests.people import make_person, make_team

pytestmark = pytest.mark.django_db
SIGN_IN = "/account/login/"


def test_in_the_demo_it_lists_an_account_for_each_role(
    clock: SetClock, settings: LazySettings
) -> None:
    make_team(at=clock.at)
    Project.objects.update(is_demo=True)
    settings.DEMO = True

    words = text_of(Pages().get(SIGN_IN))

    assert "password demo Support agent ada Sign in as Support agent" in words
    assert "bill" not in words  # One annotator is enough.
    assert "mallory" not in words


def test_in_the_demo_it_lists_the_annotator_that_the_tour_names(
    clock: SetClock, settings: LazySettings
) -> None:
    team = make_team(at=clock.at)
    visitor = make_person(VISITOR_ANNOTATOR)
    give_role(project=team.project, user=visitor, role=Role.ANNOTATOR, at=clock.at, by=team.olga)
    Project.objects.update(is_demo=True)
    settings.DEMO = True

    words = text_of(Pages().get(SIGN_IN))

    assert f"Annotator {VISITOR_ANNOTATOR} Sign in" in words


def test_elsewhere_it_names_nobody(clock: SetClock) -> None:
    make_team(at=clock.at)

    words = text_of(Pages().get(SIGN_IN))

    assert "ada" not in words.split()
    assert "ask the owner of your project" in words


def test_it_offers_no_reset_by_mail(clock: SetClock) -> None:
    team = make_team(at=clock.at)

    assert "Forgot" not in text_of(Pages().get(SIGN_IN))
    assert "Forgot" not in text_of(Pages(team.ada).get("/account/password/change/"))
