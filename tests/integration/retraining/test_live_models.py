"""The live versions of all projects are opened once, and one that does not open stops no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from jobs.clock import SetClock
from projects.errors import DomainError
from projects.files import read_file
from projects.models import Deployment, ModelVersion
from projects.versions import deploy, find_champion
from retraining import live_models
from retraining.live_models import LiveModels, NotServed, Unavailable
from retraining.model_files import signing_keys
from retraining.open_models import OpenModel, open_version
from retraining.signatures import sign
from tests.people import Team, make_team
from tests.threads import at_once
from tests.trained import OLD_WORLD, make_trained_version

PARCEL = {"text": "where is my parcel"}
MOST_SECONDS = 20  # A loaded machine may take long to give the watcher its turn.


@pytest.fixture
def team(db: None, clock: SetClock) -> Team:
    return make_team(at=clock.at)


def promote(team: Team, version: ModelVersion, clock: SetClock) -> ModelVersion:
    champion = find_champion(team.project)
    deploy(version=version, expected=champion, cause="promotion", at=clock.at, by=None)
    return version


def promoted(team: Team, clock: SetClock, name: str = "v2") -> ModelVersion:
    return promote(team, make_trained_version(team, name, at=clock.at), clock)


def refusal(models: LiveModels, team: Team) -> DomainError:
    with pytest.raises(DomainError) as refused:
        models.find(team.project)
    return refused.value


def change_manifest(version: ModelVersion, **changes: object) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(manifest={**version.manifest, **changes})


def sign_as_of_trainer(version: ModelVersion, trainer: str) -> None:
    """A manifest that holds, as a release that knew this trainer wrote it."""
    assert version.artifact_id is not None
    keys = signing_keys()
    content = read_file(version.artifact_id)
    signed = sign(content, trainer=trainer, facts={}, key_id=list(keys)[-1], keys=keys)
    ModelVersion.objects.filter(pk=version.pk).update(manifest=signed)


def until(holds: Callable[[], bool]) -> bool:
    """Whether it comes true while another thread works on it."""
    last = time.monotonic() + MOST_SECONDS
    while not holds() and time.monotonic() < last:
        time.sleep(0.01)
    return holds()


def test_the_live_version_answers(team: Team, clock: SetClock) -> None:
    version = promoted(team, clock)

    found, model = LiveModels().find(team.project)

    assert found == version
    assert [answer.label for answer in model.answer([PARCEL])] == ["delivery"]


def test_a_project_without_a_live_version_is_told_to_promote_one(
    team: Team, clock: SetClock
) -> None:
    Deployment.objects.all().delete()

    said = refusal(LiveModels(), team)

    assert isinstance(said, NotServed)
    assert said.message == "This project has no live version yet. Promote one first."


def test_an_external_live_version_is_named_and_where_to_ask_instead(team: Team) -> None:
    said = refusal(LiveModels(), team)

    assert isinstance(said, NotServed)
    assert "v1 is an external one" in said.message
    assert "Ask your own service" in said.message


def test_a_shadow_neither_answers_nor_has_the_live_version_opened_again(
    team: Team, clock: SetClock
) -> None:
    live = promoted(team, clock)
    shadow = make_trained_version(team, "v3", at=clock.at, rows=OLD_WORLD)
    Deployment.objects.create(
        project=team.project,
        version=shadow,
        role=Deployment.Role.SHADOW,
        cause="promotion",
        sequence=9,
        at=clock.at,
    )

    models = LiveModels()
    found, opened = models.find(team.project)
    models.look()

    assert found == live
    assert models.find(team.project)[1] is opened


def test_a_look_without_news_opens_nothing_again(team: Team, clock: SetClock) -> None:
    promoted(team, clock)
    models = LiveModels()
    _, opened = models.find(team.project)

    models.look()

    assert models.find(team.project)[1] is opened


def test_a_promotion_is_seen_by_the_next_look(team: Team, clock: SetClock) -> None:
    promoted(team, clock)
    models = LiveModels()
    models.look()
    newer = promote(team, make_trained_version(team, "v3", at=clock.at, rows=OLD_WORLD), clock)

    models.look()

    assert models.find(team.project)[0] == newer


def test_a_rollback_is_seen_by_the_next_look(team: Team, clock: SetClock) -> None:
    older, newer = promoted(team, clock), promoted(team, clock, "v3")
    models = LiveModels()
    assert models.find(team.project)[0] == newer
    deploy(version=older, expected=newer, cause="rollback", at=clock.at, by=None)

    models.look()

    assert models.find(team.project)[0] == older


def test_within_a_second_of_a_look_no_request_looks_itself(team: Team, clock: SetClock) -> None:
    older = promoted(team, clock)
    models = LiveModels()
    models.look()
    promoted(team, clock, "v3")

    assert models.find(team.project)[0] == older


def test_where_nobody_has_looked_for_too_long_the_request_does(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(team, clock)
    models = LiveModels()
    models.look()
    newer = promoted(team, clock, "v3")
    monkeypatch.setattr(live_models, "LATEST_SECONDS", -1.0)

    assert models.find(team.project)[0] == newer


def test_a_project_set_up_since_the_last_look_is_looked_up_at_once(
    team: Team, clock: SetClock
) -> None:
    models = LiveModels()
    models.look()
    other = make_team(at=clock.at, name="Other", suffix="2")
    theirs = promoted(other, clock)

    assert models.find(other.project)[0] == theirs


def test_a_project_that_is_gone_is_forgotten(team: Team, clock: SetClock) -> None:
    version = promoted(team, clock)
    change_manifest(version, facts={"changed": True})
    models = LiveModels()
    models.look()
    assert models.problems() != []
    Deployment.objects.filter(project=team.project).delete()

    models.look()

    assert models.problems() == []
    assert isinstance(refusal(models, team), NotServed)


def test_a_model_that_does_not_verify_is_unavailable_with_the_reason(
    team: Team, clock: SetClock
) -> None:
    change_manifest(promoted(team, clock), facts={"changed": True})
    models = LiveModels()

    said = refusal(models, team)

    assert isinstance(said, Unavailable)
    assert said.message.startswith("The live version v2 cannot answer. ")
    assert "signature is wrong" in said.message
    assert models.problems() == [
        "v2: The manifest's signature is wrong: it was changed after signing."
    ]


def test_a_model_of_a_trainer_that_is_gone_stops_no_other_project(
    team: Team, clock: SetClock
) -> None:
    sign_as_of_trainer(promoted(team, clock), "forest")
    other = make_team(at=clock.at, name="Other", suffix="2")
    theirs = promoted(other, clock)
    models = LiveModels()

    said = refusal(models, team)

    assert isinstance(said, Unavailable)
    assert "a trainer named 'forest', unknown here" in said.message
    assert models.find(other.project)[0] == theirs


def test_what_did_not_open_is_not_tried_again_at_every_look(team: Team, clock: SetClock) -> None:
    version = promoted(team, clock)
    change_manifest(version, facts={"changed": True})
    models = LiveModels()
    models.look()
    change_manifest(version)

    models.look()

    assert isinstance(refusal(models, team), Unavailable)


def test_what_did_not_open_is_tried_again_after_a_while(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = promoted(team, clock)
    change_manifest(version, facts={"changed": True})
    models = LiveModels()
    models.look()
    change_manifest(version)
    monkeypatch.setattr(live_models, "RETRY_SECONDS", -1.0)

    models.look()

    assert models.find(team.project)[0] == version
    assert models.problems() == []


def test_what_did_open_is_not_opened_again_after_that_while(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(team, clock)
    models = LiveModels()
    _, opened = models.find(team.project)
    monkeypatch.setattr(live_models, "RETRY_SECONDS", -1.0)

    models.look()

    assert models.find(team.project)[1] is opened


def test_before_the_first_look_nothing_is_known(team: Team) -> None:
    models = LiveModels()

    assert models.seconds_since_look == float("inf")
    models.look()
    assert models.seconds_since_look < MOST_SECONDS


@pytest.mark.django_db(transaction=True)
def test_while_a_model_takes_long_to_load_the_version_before_it_answers(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = promoted(team, clock)
    models = LiveModels()
    models.look()
    newer = promoted(team, clock, "v3")
    is_loading, may_go_on = threading.Event(), threading.Event()

    def load_slowly(version: ModelVersion) -> OpenModel:
        is_loading.set()
        assert may_go_on.wait(MOST_SECONDS)
        return open_version(version)

    def ask() -> ModelVersion:
        assert is_loading.wait(MOST_SECONDS)
        try:
            return models.find(team.project)[0]
        finally:
            may_go_on.set()

    monkeypatch.setattr(live_models, "open_version", load_slowly)
    monkeypatch.setattr(live_models, "LATEST_SECONDS", -1.0)
    _, answered_by = at_once(models.look, ask)

    assert answered_by == older
    assert models.find(team.project)[0] == newer


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> LiveModels:
    monkeypatch.setattr(live_models, "LOOK_SECONDS", 0.01)
    return LiveModels()


@pytest.mark.django_db(transaction=True)
def test_the_watcher_notices_a_promotion_that_nobody_asks_about(
    watching: LiveModels, team: Team, clock: SetClock
) -> None:
    version = promoted(team, clock)
    change_manifest(version, facts={"changed": True})
    watching.start()
    try:
        assert until(lambda: bool(watching.problems()))
        promoted(team, clock, "v3")

        assert until(lambda: not watching.problems())
    finally:
        watching.stop()


@pytest.mark.django_db(transaction=True)
def test_the_watcher_goes_on_when_the_database_is_back(watching: LiveModels, team: Team) -> None:
    watching.start()
    try:
        assert until(lambda: watching.seconds_since_look < MOST_SECONDS)
        rename_table(Deployment._meta.db_table, "elsewhere")
        try:
            assert until(lambda: watching.seconds_since_look > 0.5)
        finally:
            rename_table("elsewhere", Deployment._meta.db_table)

        assert until(lambda: watching.seconds_since_look < 0.5)
    finally:
        watching.stop()


@pytest.mark.django_db(transaction=True)
def test_a_stopped_watcher_looks_no_more(watching: LiveModels, team: Team) -> None:
    watching.start()
    assert until(lambda: watching.seconds_since_look < MOST_SECONDS)

    watching.stop()

    assert "live-models" not in {thread.name for thread in threading.enumerate()}


def rename_table(name: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {new}")
