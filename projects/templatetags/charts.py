"""Series with their intervals as SVG drawn by the server: shapes stretch, words keep their size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor
from typing import Protocol

from django import template
from django.utils.timezone import localtime

register = template.Library()

FIELD = 1000  # The drawing field is 1,000 by 1,000 and is stretched over the chart.
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MOST_LINES = 5
LABEL_WIDTH = 0.16  # Of the chart: two labels closer than this stand in two rows.


class Point(Protocol):
    """One value of a series at a time; low and high are None where there is no interval."""

    @property
    def at(self) -> datetime: ...
    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


class Happening(Protocol):
    """Something worth a line in a chart."""

    @property
    def at(self) -> datetime: ...
    @property
    def title(self) -> str: ...


@dataclass(frozen=True)
class Scale:
    """Turns times and values into places on the drawing field."""

    first: float
    last: float
    lowest: float
    highest: float

    def x(self, at: datetime) -> float:
        span = self.last - self.first
        return (at.timestamp() - self.first) / span if span else 0.5

    def y(self, value: float) -> float:
        return 1 - (value - self.lowest) / (self.highest - self.lowest)


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _place(x: float, y: float) -> str:
    return f"{x * FIELD:.1f} {y * FIELD:.1f}"


def _scale(
    points: Sequence[Point], others: Sequence[Point], bound: float | None
) -> tuple[Scale, float]:
    values = [
        value
        for point in [*points, *others]
        for value in (point.low, point.value, point.high)
        if value is not None
    ]
    if bound is not None:
        values.append(bound)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    step = next((step for step in STEPS if (high - low) / step < MOST_LINES), STEPS[-1])
    lowest, highest = floor(low / step) * step, ceil(high / step) * step
    if highest <= lowest:
        highest = lowest + step
    times = [point.at.timestamp() for point in points]
    return Scale(min(times), max(times), lowest, highest), step


def _runs(points: Iterable[Point]) -> list[list[tuple[datetime, float, Point]]]:
    """Stretches without a gap: a day without a value breaks the line."""
    runs: list[list[tuple[datetime, float, Point]]] = [[]]
    for point in points:
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((point.at, point.value, point))
    return [run for run in runs if run]


def _line(points: Iterable[Point], scale: Scale) -> str:
    parts = []
    for run in _runs(points):
        places = [_place(scale.x(at), scale.y(value)) for at, value, _ in run]
        # A value on its own is drawn as a dot: a line to itself with round ends.
        parts.append("M" + "L".join(places if len(places) > 1 else places * 2))
    return "".join(parts)


def _band(points: Iterable[Point], scale: Scale) -> str:
    parts = []
    for run in _runs(points):
        held = [
            (at, point.low, point.high)
            for at, _, point in run
            if point.low is not None and point.high is not None
        ]
        above = [_place(scale.x(at), scale.y(high)) for at, _, high in held]
        below = [_place(scale.x(at), scale.y(low)) for at, low, _ in reversed(held)]
        if held:
            parts.append("M" + "L".join([*above, *below]) + "Z")
    return "".join(parts)


def _words(point: Point, digits: int) -> str:
    day = localtime(point.at).strftime("%-d %b")
    if point.value is None:
        return f"{day}: no value"
    words = f"{day}: {point.value:.{digits}f}"
    if point.low is not None and point.high is not None:
        words += f" ({point.low:.{digits}f} to {point.high:.{digits}f})"
    return words


def _anchor(x: float) -> str:
    return "start" if x < 0.2 else "end" if x > 0.8 else "middle"


def _hover(points: Sequence[Point], scale: Scale, digits: int) -> list[dict[str, str]]:
    shown = [point for point in points if point.value is not None]
    places = [scale.x(point.at) for point in shown]
    hits = []
    for index, (point, x) in enumerate(zip(shown, places, strict=True)):
        left = (places[index - 1] + x) / 2 if index else max(0.0, x - 0.05)
        right = (places[index + 1] + x) / 2 if index + 1 < len(places) else min(1.0, x + 0.05)
        hits.append(
            {
                "x": _percent(x),
                "y": _percent(scale.y(point.value or 0.0)),
                "left": _percent(left),
                "width": _percent(max(right - left, 0.001)),
                "words": _words(point, digits),
                "anchor": _anchor(x),
            }
        )
    return hits


def _events(happenings: Iterable[Happening], scale: Scale) -> list[dict[str, str]]:
    rows_end = [-1.0, -1.0]
    events = []
    for happening in sorted(happenings, key=lambda happening: happening.at):
        x = scale.x(happening.at)
        if not 0 <= x <= 1:
            continue
        row = 0 if x - rows_end[0] >= LABEL_WIDTH else 1
        rows_end[row] = x
        events.append(
            {
                "x": _percent(x),
                "y": str(18 + 16 * (row + 1)),
                "title": happening.title,
                "anchor": _anchor(x),
            }
        )
    return events


@register.inclusion_tag("components/_chart.html")
def interval_chart(
    points: Sequence[Point],
    *,
    title: str,
    bound: float | None = None,
    bound_title: str = "",
    events: Sequence[Happening] = (),
    others: Sequence[Point] = (),
    digits: int = 2,
) -> dict[str, object]:
    """Draw `points` as a line in its band of intervals, with the same figures as a table."""
    if not points:
        return {"title": title, "is_empty": True}
    scale, step = _scale(points, others, bound)
    count = round((scale.highest - scale.lowest) / step)
    lines = [scale.lowest + step * index for index in range(count + 1)]
    tick_digits = 2 if step < 0.1 or step == 0.25 else 1 if step < 1 else 0
    return {
        "title": title,
        "band": _band(points, scale),
        "line": _line(points, scale),
        "other": _line(others, scale) if others else "",
        "bound": None if bound is None else _percent(scale.y(bound)),
        "bound_title": bound_title,
        "lines": [
            {"y": _percent(scale.y(value)), "text": f"{value:.{tick_digits}f}"} for value in lines
        ],
        "first": localtime(points[0].at),
        "last": localtime(points[-1].at),
        "events": _events(events, scale),
        "hits": _hover(points, scale, digits),
        "points": points,
    }


@register.inclusion_tag("components/_spark.html")
def sparkline(values: Sequence[float], *, title: str) -> dict[str, object]:
    """Draw values as a small line without axes."""
    if not values:
        return {"title": title, "line": ""}
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    last = max(len(values) - 1, 1)
    places = [
        _place(index / last, 0.95 - 0.9 * (value - low) / span)
        for index, value in enumerate(values)
    ]
    return {"title": title, "line": "M" + "L".join(places if len(places) > 1 else places * 2)}


@register.inclusion_tag("components/_interval.html")
def interval_mark(
    low: float | None,
    value: float | None,
    high: float | None,
    *,
    bound: float | None = None,
    result: str = "",
    reach: float = 1.0,
) -> dict[str, object]:
    """Draw one difference with its interval around nought, and the bound it must not cross.

    `reach` is the value at either end, the same for all that are compared by eye.
    """
    if value is None:
        return {"is_empty": True}

    def place(number: float | None) -> str | None:
        return None if number is None else _percent(0.5 + number / reach / 2)

    start = value if low is None else low
    end = value if high is None else high
    return {
        "start": place(start),
        "end": place(end),
        "value": place(value),
        "bound": place(bound),
        "result": result,
    }
