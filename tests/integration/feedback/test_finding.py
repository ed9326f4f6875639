"""Filters of the list of answers to the bound, and the inputs and imports behind it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from PIL import Image

from feedback.finding import filters_of, find_answers, flags_on
from feedback.flagging import withdraw_flag
from feedback.import_watching import summary
from feedback.importing import end_lost_imports, start_import
from feedback.inputs import InputReader, longest_line
from feedback.models import AuditDraw, AuditPlan, Import, Prediction
from feedback.prediction_imports import JOB, PredictionMapping
from jobs.clock import SetClock
from jobs.models import Job
from projects.creating import create_project
from projects.errors import Invalid
from projects.models import Project
from projects.versions import external_version
from tests.people import Team, make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def found(team: Team, clock: SetClock, **asked: str) -> list[str]:
    answers = find_answers(project=team.project, asked=asked, at=clock.at)
    return list(answers.values_list("external_id", flat=True))


def draw(team: Team, prediction: Prediction, clock: SetClock) -> None:
    AuditDraw.objects.create(
        project=team.project,
        plan=AuditPlan.objects.filter(project=team.project).latest("id"),
        prediction=prediction,
        probability=0.1,
        drawn_at=clock.at,
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("low", ["0.59"]), ("high", ["0.9"]), ("odd", ["None", "0.9", "0.89", "0.6", "0.59"])],
)
def test_sure_and_unsure_begin_where_the_page_says(
    team: Team, clock: SetClock, asked: str, expected: list[str]
) -> None:
    for confidence in (0.59, 0.6, 0.89, 0.9, None):
        predicted(team, str(confidence), "refund", at=clock.at, confidence=confidence)

    assert found(team, clock, confidence=asked) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [("1", ["now"]), ("7", ["now", "a day"]), ("2", ["now", "a day", "a week"])],
)
def test_so_many_days_are_counted_to_the_moment(
    team: Team, clock: SetClock, days: str, expected: list[str]
) -> None:
    for text, age in [("now", DAY - MOMENT), ("a day", DAY), ("a week", 7 * DAY)]:
        predicted(team, text, "refund", at=clock.at - age)

    assert found(team, clock, days=days) == expected


def test_a_filter_takes_only_its_own_answers(team: Team, clock: SetClock) -> None:
    second = external_version(team.project, "v2", at=clock.at)
    wanted = predicted(team, "wanted", "refund", at=clock.at, version=second)
    flagged(wanted, team.ada, at=clock.at)
    draw(team, wanted, clock)
    other = predicted(team, "other", "billing", at=clock.at)
    withdraw_flag(flag=flagged(other, team.ada, at=clock.at), at=clock.at)

    for asked in (
        {"version": str(second.pk)},
        {"answer": "refund"},
        {"kind": "flagged"},
        {"kind": "audited"},
    ):
        assert found(team, clock, **asked) == ["wanted"], asked
    assert found(team, clock, kind="flagged", answer="billing") == []
    assert len(found(team, clock, kind="nonsense", colour="red")) == 2


def test_a_segment_narrows_by_declared_keys_alone(team: Team, clock: SetClock) -> None:
    team.project.segment_keys = ["channel"]
    predicted(team, "a", "refund", at=clock.at, segments={"channel": "app", "shop": "x"})
    predicted(team, "b", "refund", at=clock.at, segments={"channel": "a=b"})

    assert found(team, clock, segment="channel=app") == ["a"]
    assert found(team, clock, segment="channel=a=b") == ["b"]
    assert found(team, clock, segment="channel=") == []
    assert found(team, clock, segment="shop=x") == ["b", "a"]


def test_a_page_offers_only_what_there_is_to_choose(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    external_version(other.project, "theirs", at=clock.at)
    names = [offered.name for offered in filters_of(project=team.project, asked={})]
    assert names == ["version", "answer", "confidence", "days", "kind"]

    team.project.segment_keys = ["channel"]
    for number, channel in enumerate(["web", "app", "web"]):
        segments = {"channel": channel, "shop": "x"}
        predicted(team, f"text {number}", "refund", at=clock.at, segments=segments)

    *_, segments_filter = filters_of(project=team.project, asked={"segment": "channel=app"})
    assert segments_filter.options == [
        ("channel=app", "channel: app"),
        ("channel=web", "channel: web"),
    ]
    assert segments_filter.chosen == "channel=app"
    versions = filters_of(project=team.project, asked={})[0]
    assert [name for _, name in versions.options] == ["v1"]


def test_flags_on_answers_are_the_people_whose_flag_stands(team: Team, clock: SetClock) -> None:
    first, second = (predicted(team, text, "refund", at=clock.at) for text in "ab")
    for agent in (team.ada, team.alan):
        flagged(first, agent, at=clock.at)
    withdraw_flag(flag=flagged(second, team.ada, at=clock.at), at=clock.at)

    flaggers = flags_on([first, second])

    assert flaggers[first.pk] == {team.ada.pk, team.alan.pk}
    assert flaggers[second.pk] == set()


# Inputs


@pytest.fixture
def pictures(team: Team, clock: SetClock) -> Project:
    return create_project(
        name="Pictures", task_type="image", trainer="image", owner=team.olga, at=clock.at
    )


def png() -> str:
    out = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_a_picture_sent_along_is_stored_and_may_be_named_from_then_on(
    pictures: Project, clock: SetClock
) -> None:
    reader = InputReader(pictures, at=clock.at)

    inside = reader.read({"image_base64": png()})

    assert reader.read(f"data:image/png;base64,{png()}") == inside
    assert reader.read(inside) == inside
    assert InputReader(pictures, at=clock.at).read(inside["image"]) == inside


def test_a_picture_of_another_project_is_no_file_of_this_one(
    pictures: Project, team: Team, clock: SetClock
) -> None:
    other = create_project(
        name="Other pictures", task_type="image", trainer="image", owner=team.olga, at=clock.at
    )
    theirs = InputReader(other, at=clock.at).read({"image_base64": png()})

    with pytest.raises(Invalid, match="no file of this project"):
        InputReader(pictures, at=clock.at).read(theirs)


def test_a_picture_that_is_too_large_is_a_bad_line_and_no_bad_request(
    pictures: Project, clock: SetClock, settings: LazySettings
) -> None:
    settings.MAX_IMAGE_BYTES = 10

    with pytest.raises(Invalid, match="MAX_IMAGE_BYTES is 10"):
        InputReader(pictures, at=clock.at).read({"image_base64": png()})


def test_a_line_may_be_long_enough_for_the_largest_picture(
    pictures: Project, team: Team, settings: LazySettings
) -> None:
    settings.MAX_LINE_BYTES, settings.MAX_IMAGE_BYTES = 1_000, 3_000_000

    assert longest_line(team.project) == 1_000
    assert longest_line(pictures) > 4_000_000  # Base64 takes four signs for three bytes.


# Imports


def start(team: Team, clock: SetClock, content: bytes = b"q,a\nx,refund\n") -> Import:
    mapping = PredictionMapping(input="q", output="a", version="v1")
    return start_import(
        project=team.project,
        kind=Import.Kind.PREDICTIONS,
        job=JOB,
        content=content,
        file_name="x" * 250,
        mapping=mapping,
        columns=mapping.columns,
        by=team.ed,
        at=clock.at,
    )


@pytest.mark.parametrize(
    ("state", "is_lost"),
    [("queued", False), ("running", False), ("done", True), ("failed", True), ("cancelled", True)],
)
def test_an_import_is_lost_when_its_job_has_ended_and_it_has_not(
    team: Team, clock: SetClock, state: str, is_lost: bool
) -> None:
    imported = start(team, clock)
    Job.objects.update(state=state, error="out of memory")
    Import.objects.update(next_row=1_000)

    assert end_lost_imports(at=clock.at) == int(is_lost)

    imported.refresh_from_db()
    assert (imported.state == Import.State.FAILED) is is_lost
    told = [problem["reason"] for problem in imported.problems]
    expected = "It stopped after 1,000 rows; what is in stays. out of memory"
    assert told == ([expected] if is_lost else [])


@pytest.mark.parametrize("state", ["done", "failed", "undone"])
def test_an_import_that_has_ended_is_not_lost(team: Team, clock: SetClock, state: str) -> None:
    start(team, clock)
    Import.objects.update(state=state)
    Job.objects.update(state="done")

    assert end_lost_imports(at=clock.at) == 0


def test_an_import_keeps_as_much_of_its_name_as_fits_and_about_how_long_it_is(
    team: Team, clock: SetClock
) -> None:
    imported = start(team, clock, b"q,a\nx,refund\ny,refund\n")

    assert imported.file_name == "x" * 200
    assert imported.job is not None
    assert imported.job.total_count == 3


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "f.csv: 0 accepted (done)"),
        ({"accepted": 1_200}, "f.csv: 1,200 accepted (done)"),
        (
            {"accepted": 1, "duplicates": 2, "conflicts": 3, "rejected": 4, "refused": 5},
            "f.csv: 1 accepted, 2 already there, 3 in conflict, 4 rejected, "
            "5 refused: known for the other use (done)",
        ),
    ],
    ids=["none", "many", "each"],
)
def test_an_import_is_summed_up_in_a_line(counts: dict[str, int], words: str) -> None:
    assert summary(Import(file_name="f.csv", state="done", **counts)) == words


def test_lists_are_newest_first_also_within_a_moment(team: Team, clock: SetClock) -> None:
    def put(texts: Iterable[str], age: timedelta) -> None:
        for text in texts:
            predicted(team, text, "refund", at=clock.at - age)

    put("ab", timedelta(0))
    put("c", DAY)

    assert found(team, clock) == ["b", "a", "c"]
