"""Charts drawn by the server, and figures in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.template.loader import render_to_string

from projects.templatetags.charts import interval_chart, interval_mark, sparkline
from projects.templatetags.figures import percent, points

START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    at: datetime
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Happening:
    at: datetime
    title: str


def days(*values: float | None) -> list[Day]:
    return [
        Day(
            START + timedelta(days=number),
            value,
            None if value is None else value - 0.05,
            None if value is None else value + 0.05,
        )
        for number, value in enumerate(values)
    ]


def test_a_line_goes_from_the_left_edge_to_the_right() -> None:
    drawn = interval_chart(days(0.8, 0.9), title="Accuracy")

    places = str(drawn["line"]).removeprefix("M").split("L")
    assert [place.split()[0] for place in places] == ["0.0", "1000.0"]


def test_a_higher_value_stands_higher() -> None:
    drawn = interval_chart(days(0.8, 0.9), title="Accuracy")

    low, high = (float(place.split()[1]) for place in str(drawn["line"])[1:].split("L"))
    assert high < low


def test_a_day_without_a_value_breaks_the_line_and_the_band() -> None:
    drawn = interval_chart(days(0.8, 0.9, None, 0.9, 0.8), title="Accuracy")

    assert str(drawn["line"]).count("M") == 2
    assert str(drawn["band"]).count("Z") == 2


def test_a_bound_outside_the_values_is_still_in_the_picture() -> None:
    drawn = interval_chart(days(0.5, 0.6), title="Accuracy", bound=0.9)

    assert 0 <= float(str(drawn["bound"]).rstrip("%")) <= 100


def test_one_day_alone_is_drawn() -> None:
    drawn = interval_chart(days(0.8), title="Accuracy")

    assert str(drawn["line"]).count("500.0") >= 2


def test_values_that_are_all_equal_are_drawn() -> None:
    flat = [Day(START + timedelta(days=number), 1.0, None, None) for number in range(3)]

    assert str(interval_chart(flat, title="Accuracy")["line"]).startswith("M0.0 ")


def test_events_close_to_each_other_stand_in_two_rows() -> None:
    close = [
        Happening(START + timedelta(days=4), "first flag"),
        Happening(START + timedelta(days=4, hours=2), "new words"),
    ]

    events = interval_chart(days(*[0.8] * 10), title="Accuracy", events=close)["events"]

    assert isinstance(events, list)
    assert len({event["y"] for event in events}) == 2


def test_events_before_the_first_value_are_left_out() -> None:
    early = [Happening(START - timedelta(days=1), "too early")]

    assert interval_chart(days(0.8, 0.9), title="Accuracy", events=early)["events"] == []


def test_the_figures_stand_beside_the_chart_as_a_table() -> None:
    html = render_to_string(
        "components/_chart.html", interval_chart(days(0.8125), title="Accuracy")
    )

    assert "0.813" in html
    assert "<table" in html


def test_a_chart_without_values_says_so() -> None:
    html = render_to_string("components/_chart.html", interval_chart([], title="Accuracy"))

    assert "no values yet" in html


def test_a_title_from_outside_is_shown_as_text() -> None:
    events = [Happening(START, "<script>alert(1)</script>")]
    drawn = interval_chart(days(0.8, 0.9), title="<b>", events=events)

    html = render_to_string("components/_chart.html", drawn)

    assert "<script>" not in html
    assert "<b>" not in html


def test_a_drawing_needs_no_inline_style() -> None:
    html = render_to_string(
        "components/_chart.html", interval_chart(days(0.8, 0.9), title="Accuracy", bound=0.9)
    )

    assert "style" not in html


def test_a_difference_stands_on_its_side_of_nought_and_of_its_bound() -> None:
    drawn = interval_mark(-0.2, -0.12, -0.04, bound=-0.01)

    places = [float(str(drawn[name]).rstrip("%")) for name in ("start", "value", "end", "bound")]
    assert places == sorted(places)
    assert places[-1] < 50


def test_a_difference_without_a_value_is_not_drawn() -> None:
    assert interval_mark(None, None, None, bound=-0.01) == {"is_empty": True}


def test_a_sparkline_of_nothing_is_empty() -> None:
    assert sparkline([], title="Labels")["line"] == ""


def test_shares_are_shown_as_per_cent_and_differences_in_points_with_their_sign() -> None:
    assert percent(0.812) == "81%"
    assert percent(None) == "\N{EN DASH}"
    assert points(0.031) == "+3.1"
    assert points(-0.12) == "\N{MINUS SIGN}12.0"


def test_differences_on_one_scale_can_be_compared_by_eye() -> None:
    small, large = (interval_mark(None, value, None, bound=None, reach=0.5) for value in (0.1, 0.4))

    assert (small["value"], large["value"]) == ("60.00%", "90.00%")
