"""Whoever watches us learns in words what is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs import broker
from jobs.beats import note_beat
from jobs.clock import SetClock
from jobs.models import WorkerBeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def all_well(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broker and predictor answer, and every lane has shown a sign of life."""
    monkeypatch.setattr(broker, "is_answering", lambda url: True)
    monkeypatch.setattr("config.health.is_answering", lambda url: True)
    for lane in ("light", "training", "swept"):
        note_beat(name=f"worker/{lane}", lane=lane, at=clock.at)


def test_alive_needs_nothing_else(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert response.status_code == 200


@pytest.mark.usefixtures("all_well")
def test_ready_when_everything_is(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200, response.content.decode()
    assert b"NOT" not in response.content


@pytest.mark.usefixtures("all_well")
def test_a_broker_that_is_gone_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "is_answering", lambda url: False)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "NOT  broker: does not answer" in response.content.decode()


@pytest.mark.usefixtures("all_well")
def test_a_predictor_that_is_gone_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.health.is_answering", lambda url: False)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "NOT  predictor: does not answer" in response.content.decode()


@pytest.mark.usefixtures("all_well")
def test_a_worker_that_fell_silent_is_missed(client: Client, clock: SetClock) -> None:
    clock.advance(timedelta(seconds=31))
    note_beat(name="worker/light", lane="light", at=clock.at)
    note_beat(name="worker/swept", lane="swept", at=clock.at)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "ok   workers for light jobs: 1 seen" in response.content.decode()
    assert "NOT  workers for training jobs: none seen" in response.content.decode()


@pytest.mark.usefixtures("all_well")
def test_a_sweep_that_is_late_is_named_with_its_age(client: Client, clock: SetClock) -> None:
    clock.advance(timedelta(seconds=25))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "NOT  sweep: ran 25 s ago" in response.content.decode()


@pytest.mark.usefixtures("all_well")
def test_unapplied_migrations_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.health._unapplied_migrations", lambda: 2)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "2 migrations to apply" in response.content.decode()


def test_the_rows_of_processes_long_gone_are_dropped(clock: SetClock) -> None:
    note_beat(name="old/light", lane="light", at=clock.at)
    clock.advance(timedelta(days=2))

    note_beat(name="new/light", lane="light", at=clock.at)

    assert list(WorkerBeat.objects.values_list("name", flat=True)) == ["new/light"]
