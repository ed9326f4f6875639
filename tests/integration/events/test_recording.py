"""What an event may hold, and in what portions the log is sealed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from events import sealing
from events.models import Chain, Event
from events.recording import LONGEST_WORD, record
from events.sealing import forget_events, seal_events, verify_events
from jobs.clock import SetClock
from projects.models import Project
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def note(project: Project, clock: SetClock, **data: str | int | list[int]) -> None:
    record("thing.done", subject=project, at=clock.at, **data)  # type: ignore[arg-type]  # Values.


def test_an_event_names_its_subject_its_actor_and_its_time(team: Team, clock: SetClock) -> None:
    record("class.retired", subject=team.version, at=clock.at, actor=team.lena, ids=[1, 2])

    event = Event.objects.get(name="class.retired")
    assert (event.project_id, event.subject_type, event.subject_id) == (
        team.project.pk,
        "projects.modelversion",
        team.version.pk,
    )
    assert (event.actor_id, event.at, event.data) == (team.lena.pk, clock.at, {"ids": [1, 2]})
    assert list(Event.objects.of(team.version).filter(pk=event.pk)) == [event]


@pytest.mark.parametrize(("length", "is_taken"), [(LONGEST_WORD, True), (LONGEST_WORD + 1, False)])
def test_an_event_holds_no_text_of_any_length(
    team: Team, clock: SetClock, length: int, is_taken: bool
) -> None:
    if is_taken:
        note(team.project, clock, state="x" * length)
    else:
        with pytest.raises(ValueError, match="state is too long"):
            note(team.project, clock, state="x" * length)

    assert Event.objects.filter(name="thing.done").exists() is is_taken


def test_an_event_is_about_a_stored_row(clock: SetClock) -> None:
    @dataclass
    class Loose:
        pk: int = 1
        project_id: int = 1

    with pytest.raises(TypeError, match="stored row"):
        record("thing.done", subject=Loose(), at=clock.at)


def test_a_log_longer_than_a_portion_is_sealed_as_one_chain(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    seal_events()
    before = Chain.objects.get(project_id=team.project.pk).position
    for number in range(7):
        note(team.project, clock, number=number)

    assert seal_events() == 7

    assert verify_events(team.project.pk) is None
    assert Chain.objects.get(project_id=team.project.pk).position == before + 7
    told = Event.objects.sealed(team.project.pk).filter(position__gt=before)
    assert [event.data["number"] for event in told] == list(range(7))


def test_one_run_seals_about_as_many_as_it_may_and_the_next_takes_the_rest(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    seal_events()
    for number in range(8):
        note(team.project, clock, number=number)

    assert [seal_events(limit=6), seal_events(limit=6), seal_events(limit=6)] == [6, 2, 0]


def test_each_project_has_a_chain_of_its_own(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    seal_events()

    for project in (team.project, other.project):
        positions = Event.objects.sealed(project.pk).values_list("position", flat=True)
        assert list(positions) == list(range(1, len(positions) + 1))

    forget_events(project_id=team.project.pk)
    assert verify_events(other.project.pk) is None
    assert Event.objects.sealed(team.project.pk).count() == 0
    assert Event.objects.sealed(other.project.pk).count() > 0
