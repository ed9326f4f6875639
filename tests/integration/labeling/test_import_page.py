"""An upload waits for its mapping under a token of its own, and is watched as it comes in."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import reverse

from feedback.models import Import
from jobs.clock import SetClock
from jobs.models import Job
from labeling.views.imports import DAY_SECONDS
from tests.pages import Pages, text_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

FILE = b"question,answer\nwhere is it,billing\nmoney back,refund\n"


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def url(name: str, slug: str = "intents", **named: object) -> str:
    return reverse(f"labeling:import-{name}", kwargs={"slug": slug, **named})


def upload(team: Team, content: bytes = FILE, kind: str = "predictions") -> HttpResponse:
    file = SimpleUploadedFile("answers.csv", content)
    slug = team.project.slug
    return Pages(team.ed).post(url("create", slug), kind=kind, file=file)


def token_of(page: HttpResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def map_it(team: Team, token: str, **fields: str) -> HttpResponse:
    chosen = {"field_input": "question", "field_output": "answer", "version": "v1", **fields}
    return Pages(team.ed).post(url("map", team.project.slug), token=token, **chosen)


def test_a_mapping_starts_the_import_of_the_file_that_was_uploaded(team: Team) -> None:
    started = map_it(team, token_of(upload(team)))

    assert started.status_code == 302
    imported = Import.objects.get()
    assert (imported.project, imported.file_name, imported.by) == (
        team.project,
        "answers.csv",
        team.ed,
    )
    assert (imported.kind, imported.mapping["input"], imported.mapping["version"]) == (
        "predictions",
        "question",
        "v1",
    )


def test_declared_segments_and_context_come_along_where_the_file_has_them(team: Team) -> None:
    team.project.segment_keys, team.project.context_fields = ["channel", "shop"], ["country"]
    team.project.save()
    content = b"question,answer,channel,country,other\nwhere,billing,web,at,x\n"

    map_it(team, token_of(upload(team, content)))

    mapping = Import.objects.get().mapping
    assert (mapping["segments"], mapping["context"]) == (["channel"], ["country"])


def test_a_column_of_versions_comes_before_the_one_name_for_all(team: Team) -> None:
    content = b"question,answer,model\nwhere,billing,v7\n"

    map_it(team, token_of(upload(team, content)), field_model_version="model")

    mapping = Import.objects.get().mapping
    assert (mapping["model_version"], mapping["version"]) == ("model", "")


def test_the_token_of_an_upload_is_of_no_use_in_another_project(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")

    refused = map_it(other, token_of(upload(team)))

    assert refused.status_code == 404
    assert not Import.objects.exists()


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhIjoxfQ:1:x"])
def test_a_token_that_is_not_ours_is_refused_in_words(team: Team, token: str) -> None:
    refused = map_it(team, token)

    assert refused.status_code == 409
    assert "Upload the file again" in text_of(refused)


@pytest.mark.parametrize(("seconds", "status"), [(DAY_SECONDS - 5, 302), (DAY_SECONDS + 5, 409)])
def test_an_upload_waits_a_day_for_its_mapping(
    team: Team, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    token = token_of(upload(team))
    later = time.time() + seconds
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)

    assert map_it(team, token).status_code == status


def test_a_file_over_the_bound_is_refused_with_the_name_of_the_setting(
    team: Team, settings: LazySettings
) -> None:
    settings.MAX_BODY_BYTES = len(FILE) - 1

    refused = upload(team)

    assert refused.status_code == 422
    assert f"MAX_BODY_BYTES, {len(FILE) - 1}" in text_of(refused)


def test_a_column_that_is_there_twice_is_asked_for_again_with_what_was_chosen(team: Team) -> None:
    token = token_of(upload(team, b"question,question,answer\na,b,refund\n"))

    again = map_it(team, token)

    assert again.status_code == 422
    assert "more than one column" in text_of(again)
    assert token_of(again)
    assert not Import.objects.exists()


def test_the_bar_is_asked_for_again_until_the_import_has_ended(team: Team) -> None:
    map_it(team, token_of(upload(team)))
    imported = Import.objects.get()
    Job.objects.update(done_count=1, note="1 row accepted")

    shown = Pages(team.ed).part(url("progress", pk=imported.pk))
    assert url("progress", pk=imported.pk) in shown.content.decode()
    assert "HX-Refresh" not in shown.headers

    Import.objects.update(state=Import.State.DONE)
    ended = Pages(team.ed).part(url("progress", pk=imported.pk))
    assert ended.headers["HX-Refresh"] == "true"


def test_the_import_of_another_project_is_not_watched(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    map_it(other, token_of(upload(other)))

    there = Pages(team.ed).part(url("progress", pk=Import.objects.get().pk))

    assert there.status_code == 404


def test_the_list_is_of_this_project_and_tells_how_each_ended(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    for project, name in ((team.project, "ours.csv"), (other.project, "theirs.csv")):
        Import.objects.create(
            project=project,
            kind=Import.Kind.TRAINING,
            file_name=name,
            state=Import.State.FAILED,
            accepted=1_200,
            rejected=3,
            problems=[{"line": 0, "reason": "It stopped after 1,200 rows."}],
            created_at=clock.at - timedelta(hours=1),
        )

    shown = text_of(Pages(team.ed).get(url("list")))

    assert "ours.csv" in shown
    assert "theirs.csv" not in shown
    assert "failed" in shown
    assert "It stopped after 1,200 rows." in shown
