"""Predictions are found by id, customer, ticket or words, newest first, whatever is typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback import search_index
from feedback.background import keep_search_filled
from feedback.flagging import Report, flag_prediction
from feedback.ingestion import store_predictions
from feedback.models import Prediction
from feedback.prediction_body import PredictionBody
from feedback.search import PredictionFilters, find_predictions, read_filters
from feedback.search_words import words_typed
from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import drain_jobs
from projects.errors import Invalid
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    team = make_team(at=clock.at)
    team.project.segment_keys = ["language"]
    team.project.save()
    return team


def put(team: Team, clock: SetClock, *texts: str, **fields: Any) -> None:
    """One prediction for each text, a minute apart; ids count up from p0."""
    count = Prediction.objects.count()
    for number, text in enumerate(texts, count):
        clock.advance(timedelta(minutes=1))
        body: dict[str, Any] = {
            "external_id": f"p{number}",
            "model_version": "v1",
            "input": text,
            "output": "billing",
            **fields,
        }
        store_predictions(project=team.project, lines=[(1, PredictionBody(**body))], at=clock.at)


def fill(clock: SetClock) -> int:
    return sum(1 for _ in search_index.fill(at=clock.at))


def found(team: Team, typed: str = "", **filters: Any) -> list[str]:
    page = find_predictions(project=team.project, filters=PredictionFilters(text=typed, **filters))
    return [prediction.external_id for prediction in page.rows]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("parcel", ["p3", "p0"]),
        ("PARCEL", ["p3", "p0"]),
        ("parcel missing", ["p3"]),
        ("missing parc", ["p3"]),
        ("arcel", []),
        ("cafe", ["p2"]),
        ("Café", ["p2"]),
        ("包裹", ["p4"]),
        ("裹", ["p4"]),
        ("fifty-one", ["p5"]),
        ("p3", ["p3"]),
        ("nothing of this", []),
    ],
)
def test_words_are_found_in_any_order_without_case_and_accents(
    team: Team, clock: SetClock, typed: str, expected: list[str]
) -> None:
    put(
        team,
        clock,
        "Where is my parcel?",
        "Wrong invoice",
        "The café is closed",
        "parcel is missing",
        "我的包裹在哪里",
        "one FIFTY one",
    )
    fill(clock)

    assert found(team, typed) == expected


def test_an_id_a_customer_and_a_ticket_are_found_before_the_index_is_filled(
    team: Team, clock: SetClock
) -> None:
    put(team, clock, "one", external_id="ORD-7/2024", customer_ref="cust-42")
    prediction = Prediction.objects.get()
    flag_prediction(
        prediction=prediction,
        agent=team.ada,
        report=Report(reason="wrong class", ticket_url="https://desk.example.org/T-991"),
        at=clock.at,
    )

    for typed in ["ORD-7/2024", " cust-42 ", "T-991", "https://desk.example.org/t-991"]:
        assert found(team, typed) == ["ORD-7/2024"], typed
    assert found(team, "one") == []


def test_another_project_is_never_found(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    put(other, clock, "parcel", customer_ref="c")
    fill(clock)

    assert found(team, "parcel") == found(team, "p0") == found(team, "c") == found(team) == []


def test_common_words_are_found_like_rare_ones(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "COMMON", 3)
    put(team, clock, "the parcel", "the invoice", "the end", "fin", "the parcel")
    put(team, clock, "another", external_id="the")
    fill(clock)

    assert found(team, "the") == ["the", "p4", "p2", "p1", "p0"]
    assert found(team, "parcel") == ["p4", "p0"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(typed=st.text(max_size=60) | st.text("\"'*&|!():<>^-+~\\ aANDORNEAR", max_size=30))
def test_whatever_is_typed_is_no_error(team: Team, clock: SetClock, typed: str) -> None:
    find_predictions(project=team.project, filters=PredictionFilters(text=typed))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(min_size=1, max_size=60).filter(lambda text: text.strip() and "\0" not in text))
def test_a_text_is_found_by_itself(team: Team, clock: SetClock, text: str) -> None:
    search_index.forget(Prediction.objects.values_list("pk", flat=True))
    Prediction.objects.all().delete()
    put(team, clock, text, external_id="only")
    fill(clock)

    if words_typed(text):
        assert found(team, text) == ["only"]


def test_filters_narrow_together(team: Team, clock: SetClock) -> None:
    put(team, clock, "a", confidence=0.3, segments={"language": "de"})
    put(team, clock, "b", confidence=0.6, segments={"language": "de"}, output="refund")
    put(team, clock, "c", confidence=0.9, model_version="v2", customer_ref="c9")
    put(team, clock, "d")

    assert found(team) == ["p3", "p2", "p1", "p0"]
    assert found(team, segments={"language": "de"}) == ["p1", "p0"]
    assert found(team, segments={"language": "de"}, output="refund") == ["p1"]
    assert found(team, version="v2") == ["p2"]
    assert found(team, customer="c9") == ["p2"]
    assert found(team, external_id="p1") == ["p1"]
    assert found(team, least_confidence=0.6) == ["p2", "p1"]
    assert found(team, most_confidence=0.6) == ["p1", "p0"]
    assert found(team, since=clock.at - timedelta(minutes=2)) == ["p3", "p2", "p1"]
    assert found(team, until=clock.at - timedelta(minutes=2)) == ["p0"]


def test_the_cursor_gives_every_row_once_also_where_times_are_equal(
    team: Team, clock: SetClock
) -> None:
    same = clock.at - timedelta(days=1)
    put(team, clock, *"abcdefg", occurred_at=same)
    put(team, clock, "later", "latest")
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = find_predictions(
            project=team.project, filters=PredictionFilters(), cursor=cursor, limit=2
        )
        seen += [prediction.external_id for prediction in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == ["p8", "p7", "p6", "p5", "p4", "p3", "p2", "p1", "p0"]


@pytest.mark.parametrize(
    "cursor", ["x", "!!", "MjAyNg", "é", "MjAyNi0wMy0wMiA5OTk5OTk5OTk5OTk5OTk5OTk5OTk"]
)
def test_a_cursor_that_is_none_of_ours_is_refused_in_words(team: Team, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        find_predictions(project=team.project, filters=PredictionFilters(), cursor=cursor)


def test_filters_are_read_from_an_address(team: Team) -> None:
    asked = {
        "q": "parcel",
        "version": "v1",
        "min_confidence": "0.25",
        "since": "2026-03-01",
        "until": "2026-03-02",
        "segment.language": "de",
    }

    filters = read_filters(team.project, asked)

    assert (filters.text, filters.version, filters.least_confidence) == ("parcel", "v1", 0.25)
    assert filters.segments == {"language": "de"}
    assert filters.since
    assert filters.until
    assert filters.until - filters.since == timedelta(days=2)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("confidence__gt", "0", "no filter 'confidence__gt'. Choose of: q, external_id"),
        ("segment.age", "7", "no filter 'segment.age'.*segment.language"),
        ("segments__language", "de", "no filter"),
        ("min_confidence", "high", "min_confidence must be a number"),
        ("max_confidence", "nan", "max_confidence must be a number"),
        ("since", "yesterday", "since must be a day or a time"),
        ("until", "9999-99-99", "until must be a day or a time"),
        ("since", "0001-01-01T00:00:00+14:00", "since must be"),
        ("version", "a\x00", "version holds a NUL"),
        ("segment.language", "a\x00", "segment.language holds a NUL"),
    ],
)
def test_what_is_no_declared_filter_or_value_is_refused_in_words(
    team: Team, name: str, value: str, expected: str
) -> None:
    with pytest.raises(Invalid, match=expected):
        read_filters(team.project, {name: value})


@given(raw=st.text(max_size=30))
def test_any_time_is_read_or_refused_in_words(raw: str) -> None:
    project = make_nobody_project()
    for name in ("since", "until"):
        try:
            read_filters(project, {name: raw})
        except Invalid as error:
            assert name in error.message  # noqa: PT017  Not raising is fine too.


def make_nobody_project() -> Any:
    class Nobody:
        segment_keys: list[str] = []  # noqa: RUF012

    return Nobody()


def test_the_job_fills_the_index_and_rests_when_there_is_nothing_new(
    team: Team, clock: SetClock
) -> None:
    put(team, clock, "Where is my parcel?")

    keep_search_filled(clock.at)
    drain_jobs()

    assert found(team, "parcel") == ["p0"]
    jobs = Job.objects.count()
    keep_search_filled(clock.at + timedelta(seconds=5))
    assert Job.objects.count() == jobs


def test_a_prediction_that_was_committed_late_is_found_within_a_minute(
    team: Team, clock: SetClock
) -> None:
    put(team, clock, "early", "late", "next")
    late = Prediction.objects.filter(external_id="p1")
    kept = late.values().get()
    late.delete()
    fill(clock)
    Prediction.objects.create(**kept)  # Its id was given before the next one's.

    clock.advance(timedelta(seconds=45))
    assert search_index.is_behind(at=clock.at)
    fill(clock)

    assert found(team, "late") == ["p1"]


def test_what_was_indexed_long_ago_is_not_looked_at_again(team: Team, clock: SetClock) -> None:
    put(team, clock, "old")
    for _ in range(3):
        fill(clock)
        clock.advance(timedelta(minutes=11))

    assert not search_index.is_behind(at=clock.at)


def test_what_is_forgotten_is_not_found(team: Team, clock: SetClock) -> None:
    put(team, clock, "parcel", "parcel")
    fill(clock)
    first = Prediction.objects.get(external_id="p0")

    search_index.forget([first.pk])

    assert found(team, "parcel") == ["p1"]


def test_a_fill_that_was_cut_off_goes_on(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 2)
    put(team, clock, *["parcel"] * 5)
    next(search_index.fill(at=clock.at))
    assert len(found(team, "parcel")) == 2

    fill(clock)

    assert len(found(team, "parcel")) == 5
