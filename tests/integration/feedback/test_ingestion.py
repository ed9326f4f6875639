"""Predictions come in line by line: stored once, answered one by one, drawn and flagged."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from events.models import Event
from feedback.background import attach_flags
from feedback.flagging import Report, flag_unseen_id
from feedback.ingestion import Ingested, Result, Unreadable, store_predictions
from feedback.models import AuditDraw, Prediction
from feedback.prediction_body import PredictionBody
from feedback.prediction_rows import CHUNK_ROWS
from jobs.clock import SetClock
from monitoring.audit_plans import change_audit_rate
from projects.identity import draw_share
from projects.models import ModelVersion
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def line(external_id: str = "a1", **fields: Any) -> bytes:
    body = {
        "external_id": external_id,
        "model_version": "v1",
        "input": "Where is my parcel?",
        "output": "delivery",
        **fields,
    }
    return json.dumps({key: value for key, value in body.items() if value != "left out"}).encode()


def store(team: Team, clock: SetClock, *lines: bytes) -> Ingested:
    return store_predictions(project=team.project, lines=enumerate(lines, 1), at=clock.at)


def results(ingested: Ingested) -> list[str]:
    return [answer.result for answer in ingested.answers]


def reason(team: Team, clock: SetClock, sent: bytes) -> str:
    """Why this line was refused, between two good ones that were not."""
    ingested = store(team, clock, line("before"), sent, line("after"))
    assert results(ingested) == ["accepted", "rejected", "accepted"]
    assert ingested.answers[1].line == 2
    return ingested.answers[1].reason


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(1234567.5, "1234567.5"), (0.1234567, "0.1234567"), (3.0, "3"), (1e300, "1e+300")],
)
def test_a_number_as_a_segment_is_kept_to_its_last_digit(
    team: Team, clock: SetClock, sent: float, kept: str
) -> None:
    store(team, clock, line(segments={"amount": sent}))

    assert Prediction.objects.get().segments == {"amount": kept}


def test_a_prediction_is_stored_as_it_was_sent(team: Team, clock: SetClock) -> None:
    store(
        team,
        clock,
        line(
            confidence=0.75,
            scores={"delivery": 0.75, "refund": 0.25},
            segments={"language": "en", "tier": 2, "trial": True, "region": None},
            context={"page": ["home", 1.5]},
            customer_ref="c-9",
            occurred_at="2026-03-02T08:00:00+01:00",
        ),
    )

    stored = Prediction.objects.get()
    assert stored.input == {"text": "Where is my parcel?"}
    assert stored.output == "delivery"
    assert stored.confidence == 0.75
    assert stored.scores == {"delivery": 0.75, "refund": 0.25}
    assert stored.segments == {"language": "en", "tier": "2", "trial": "yes"}
    assert stored.context == {"page": ["home", 1.5]}
    assert stored.customer_ref == "c-9"
    assert stored.occurred_at.isoformat() == "2026-03-02T07:00:00+00:00"
    assert stored.received_at == clock.at
    assert stored.version == team.version


def test_a_time_that_was_not_sent_is_the_time_of_arrival(team: Team, clock: SetClock) -> None:
    store(team, clock, line())

    assert Prediction.objects.get().occurred_at == clock.at


def test_the_same_line_again_is_a_duplicate_whenever_it_comes(team: Team, clock: SetClock) -> None:
    store(team, clock, line())
    clock.advance(timedelta(days=2))

    again = store(team, clock, line())

    assert results(again) == ["duplicate"]
    assert Prediction.objects.count() == 1


def test_the_order_of_fields_makes_no_other_body(team: Team, clock: SetClock) -> None:
    fields = json.loads(line(segments={"a": "1", "b": "2"}, context={"x": 1, "y": 2}))
    turned = {key: fields[key] for key in reversed(fields)}
    turned["segments"] = {"b": "2", "a": "1"}
    turned["input"] = {"text": fields["input"]}
    store(team, clock, json.dumps(fields).encode())

    again = store(team, clock, json.dumps(turned).encode())

    assert results(again) == ["duplicate"]


@pytest.mark.parametrize(
    "change",
    [
        {"output": "refund"},
        {"confidence": 0.5},
        {"input": "Where is my invoice?"},
        {"segments": {"a": "2"}},
        {"occurred_at": "2026-03-01T00:00:00Z"},
    ],
    ids=str,
)
def test_the_same_id_with_another_body_is_a_conflict_and_changes_nothing(
    team: Team, clock: SetClock, change: dict[str, Any]
) -> None:
    store(team, clock, line())
    before = Prediction.objects.values().get()

    again = store(team, clock, line(**change))

    assert results(again) == ["conflict"]
    assert "stored with another body" in again.answers[0].reason
    assert Prediction.objects.values().get() == before


def test_repeats_within_one_call_are_judged_by_the_first(team: Team, clock: SetClock) -> None:
    ingested = store(team, clock, line(), line(), line(output="refund"), line("b"))

    assert results(ingested) == ["accepted", "duplicate", "conflict", "accepted"]
    assert Prediction.objects.get(external_id="a1").output == "delivery"


def test_repeats_of_a_stored_id_are_judged_by_what_is_stored(team: Team, clock: SetClock) -> None:
    store(team, clock, line())

    ingested = store(team, clock, line(output="refund"), line())

    assert results(ingested) == ["conflict", "duplicate"]


def test_the_same_id_from_another_version_is_another_prediction(
    team: Team, clock: SetClock
) -> None:
    ingested = store(team, clock, line(), line(model_version="v2", output="refund"))

    assert results(ingested) == ["accepted", "accepted"]
    assert ModelVersion.objects.get(name="v2").kind == "external"


def test_two_projects_may_use_the_same_ids(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    store(team, clock, line())

    ingested = store(other, clock, line(output="refund"))

    assert results(ingested) == ["accepted"]


WITHOUT_ID = line().replace(b'"external_id": "a1", ', b"")
DEEP = b'{"a":' * 9000 + b"1" + b"}" * 9000

REFUSED = {
    "half an object": (b"{", "not a JSON object"),
    "an array": (b"[1]", "Expected `object`, got `array`"),
    "null": (b"null", "Expected `object`"),
    "no id": (WITHOUT_ID, "missing required field `external_id`"),
    "empty id": (line(""), "external_id: Expected `str` of length >= 1"),
    "blank id": (line("  "), "must not be blank"),
    "long id": (line("x" * 201), "external_id: Expected `str` of length <= 200"),
    "no version": (line(model_version="left out"), "required field `model_version`"),
    "misspelt field": (
        line(custmer_ref="c"),
        "unknown field `custmer_ref`. Known are: confidence, context, customer_ref",
    ),
    "misspelt field of the input": (
        line(input={"text": "x", "langage": "en"}),
        "input: unknown field `langage`. Known are: text.",
    ),
    "no input": (line(input="left out"), "missing required field `input`"),
    "blank input": (line(input=" "), "not empty"),
    "input of another task": (line(input={"image": "x"}), "unknown field `image`. Known are: text"),
    "NUL in the text": (line(input="a\x00b"), "NUL"),
    "NUL in a name far inside": (line(context={"deep": [{"a\x00": 1}]}), "NUL"),
    "NUL byte": (line() + b"\x00", "NUL"),
    "not UTF-8": (line().replace(b"parcel", b"p\xffrcel"), "not UTF-8"),
    "NaN": (line(confidence=float("nan")), "no NaN or Infinity"),
    "infinity": (line(scores={"a": float("inf")}), "no NaN or Infinity"),
    "confidence above one": (line(confidence=1.5), "confidence: Expected `float` <= 1.0"),
    "confidence in words": (line(confidence="high"), "confidence: Expected `float"),
    "negative score": (line(scores={"a": -0.1}), "scores[...]: Expected `float` >= 0.0"),
    "empty output": (line(output=""), "output: Expected `str` of length >= 1"),
    "null output": (line(output=None), "output: Expected `str`, got `null`"),
    "time in words": (line(occurred_at="yesterday"), "occurred_at: Invalid"),
    "time without zone": (line(occurred_at="2026-03-01T10:00:00"), "with a timezone"),
    "far future": (line(occurred_at="2036-03-01T10:00:00Z"), "between 1970 and tomorrow"),
    "year one": (line(occurred_at="0001-01-01T00:00:00+14:00"), "between 1970 and tomorrow"),
    "many segments": (line(segments={str(n): "x" for n in range(51)}), "at most 50"),
    "long segment": (line(segments={"a": "x" * 121}), "length <= 120"),
    "nested too deeply": (b'{"external_id":"x","context":' + DEEP + b"}", "too deeply"),
}


@pytest.mark.parametrize(("sent", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_line_is_refused_with_its_reason_and_costs_no_other(
    team: Team, clock: SetClock, sent: bytes, expected: str
) -> None:
    assert expected in reason(team, clock, sent)
    assert Prediction.objects.count() == 2


def test_a_text_over_the_bound_is_refused_with_the_name_of_the_setting(
    team: Team, clock: SetClock, settings: LazySettings
) -> None:
    settings.MAX_TEXT_CHARACTERS = 10

    ingested = store(team, clock, line(input="x" * 11), line("b", input="x" * 10))

    assert results(ingested) == ["rejected", "accepted"]
    assert "MAX_TEXT_CHARACTERS is 10" in ingested.answers[0].reason


def test_an_escaped_backslash_is_no_nul(team: Team, clock: SetClock) -> None:
    store(team, clock, line(input="the text \\u0000 is six characters"))

    assert Prediction.objects.get().input["text"] == "the text \\u0000 is six characters"


@pytest.mark.parametrize(
    "text", ["tab\there", "a\\nb", "line\nend\r\n", "\\.", "quote\"'", "\u2028🙂ñ", "\\N", "\x01"]
)
def test_any_other_character_is_stored_unchanged(team: Team, clock: SetClock, text: str) -> None:
    store(team, clock, line(external_id="id " + text, input=text, customer_ref=text))

    stored = Prediction.objects.get()
    assert stored.input["text"] == text
    assert stored.external_id == "id " + text
    assert stored.customer_ref == text


def test_a_line_refused_before_decoding_keeps_its_place(team: Team, clock: SetClock) -> None:
    ingested = store_predictions(
        project=team.project,
        lines=[(3, line()), (7, Unreadable("too long")), (9, line("b"))],
        at=clock.at,
    )

    assert [(answer.line, answer.result) for answer in ingested.answers] == [
        (3, Result.ACCEPTED),
        (7, Result.REJECTED),
        (9, Result.ACCEPTED),
    ]


def test_decoded_bodies_are_stored_like_lines(team: Team, clock: SetClock) -> None:
    body = PredictionBody(
        external_id="a1", model_version="v1", input="Where is my parcel?", output="delivery"
    )
    store_predictions(project=team.project, lines=[(1, body)], at=clock.at)

    assert results(store(team, clock, line())) == ["duplicate"]


def test_an_answer_that_is_no_class_is_stored_and_named(team: Team, clock: SetClock) -> None:
    ingested = store(
        team,
        clock,
        line(),
        line("b", output="telex"),
        line("c", output="telex"),
        line("b", output="telex"),
    )

    assert ingested.counts[Result.ACCEPTED] == 3
    assert ingested.unknown_outputs == {"telex": 2}


def test_more_lines_than_one_transaction_takes_are_all_stored(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for vendor in CHUNK_ROWS:
        monkeypatch.setitem(CHUNK_ROWS, vendor, 3)

    ingested = store(team, clock, *[line(str(number)) for number in range(7)], line("0"))

    assert results(ingested) == ["accepted"] * 7 + ["duplicate"]
    assert Prediction.objects.count() == 7


def test_the_last_transaction_is_shared_with_the_caller(team: Team, clock: SetClock) -> None:
    class Refused(Exception):
        pass

    def refuse(ingested: Ingested) -> None:
        assert ingested.counts[Result.ACCEPTED] == 1
        raise Refused

    with pytest.raises(Refused), transaction.atomic():
        store_predictions(project=team.project, lines=[(1, line())], at=clock.at, with_last=refuse)

    assert not Prediction.objects.exists()


def test_one_event_tells_of_all_the_new_rows(team: Team, clock: SetClock) -> None:
    store(team, clock, line("a"), line("b"), b"{")
    store(team, clock, line("a"))

    (event,) = Event.objects.filter(name="predictions.received")
    assert event.data["accepted"] == 2
    assert event.subject_id == team.project.pk


def test_the_number_of_queries_does_not_depend_on_the_number_of_lines(
    team: Team, clock: SetClock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(14):
        store(team, clock, *[line(str(number)) for number in range(500)])


def test_draws_follow_the_keyed_hash_and_keep_their_probability(
    team: Team, clock: SetClock
) -> None:
    plan = change_audit_rate(project=team.project, rate=0.3, at=clock.at)
    ids = [f"id-{number}" for number in range(200)]

    store(team, clock, *[line(external_id) for external_id in ids])

    drawn = AuditDraw.objects.select_related("prediction")
    assert {draw.prediction.external_id for draw in drawn} == {
        external_id for external_id in ids if draw_share(team.project, external_id) < 0.3
    }
    assert {(draw.probability, draw.plan_id, draw.drawn_at) for draw in drawn} == {
        (0.3, plan.pk, clock.at)
    }
    assert 30 < len(drawn) < 90


def test_only_the_plan_in_force_draws(team: Team, clock: SetClock) -> None:
    change_audit_rate(project=team.project, rate=1.0, at=clock.at + timedelta(hours=1))
    store(team, clock, line("before"))
    clock.advance(timedelta(hours=2))

    store(team, clock, line("after"))

    assert [draw.prediction.external_id for draw in AuditDraw.objects.all()] == ["after"]


def test_a_repeated_line_is_not_drawn_again(team: Team, clock: SetClock) -> None:
    change_audit_rate(project=team.project, rate=1.0, at=clock.at)
    store(team, clock, line())

    store(team, clock, line(), line(output="refund"))

    assert AuditDraw.objects.count() == 1


def test_a_flag_that_waited_attaches_when_its_prediction_arrives(
    team: Team, clock: SetClock
) -> None:
    flag = flag_unseen_id(
        project=team.project,
        external_id="late",
        agent=team.ada,
        report=Report(reason="wrong class"),
        at=clock.at,
    )

    store(team, clock, line("other"), line("late"))

    flag.refresh_from_db()
    assert flag.prediction == Prediction.objects.get(external_id="late")
    assert flag.issue is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=300))
def test_every_line_of_any_bytes_is_answered(team: Team, clock: SetClock, body: bytes) -> None:
    lines = [part for part in body.split(b"\n") if part.strip()]

    ingested = store(team, clock, *lines)

    assert [answer.line for answer in ingested.answers] == list(range(1, len(lines) + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "external_id", "model_version", "input", "output", "confidence", "scores", "segments",
    "context", "customer_ref", "occurred_at",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3), ascii_only=st.booleans())
def test_any_value_in_any_field_is_stored_and_known_again_or_refused_with_a_reason(
    team: Team, clock: SetClock, changes: dict[str, Any], ascii_only: bool
) -> None:
    fields = {**json.loads(line()), **changes}
    sent = json.dumps(fields, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    Prediction.objects.all().delete()

    first, second = store(team, clock, sent), store(team, clock, sent)

    if results(first) == ["accepted"]:
        assert results(second) == ["duplicate"]
        assert Prediction.objects.get().context == fields.get("context", {})
    else:
        assert results(first) == results(second) == ["rejected"]
        assert first.answers[0].reason


def test_a_flag_that_crossed_its_prediction_on_the_way_is_attached_by_the_next_look(
    team: Team, clock: SetClock
) -> None:
    store(team, clock, line("late"), line("late", model_version="v2", output="refund"))
    flag = flag_unseen_id(
        project=team.project,
        external_id="late",
        agent=team.ada,
        report=Report(reason="wrong class"),
        at=clock.at,
    )
    other = make_team(at=clock.at, name="Other", suffix="2")
    store(other, clock, line("late"))

    attach_flags(clock.at)

    flag.refresh_from_db()
    assert flag.prediction is not None
    assert flag.prediction.project == team.project
    assert flag.issue is not None
