"""Submit-and-next: its rate beside hand-written SQL, and whether a long queue slows it down."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connection

from bench.by_hand import Annotator
from bench.measures import Better, Measure
from bench.queues import CLASSES, Desk, make_desk
from jobs import clock
from labeling import annotating, claims
from labeling.answers import Answer
from projects.models import User

ANNOTATORS = 8
SECONDS = 15.0
WARM_UP = 5.0  # Until every process has its connection, its statements and warm caches.
AHEAD = 1_000
LABELS = 400  # For one median.

Loop = Callable[[], Callable[[], bool]]


def measure() -> list[Measure]:
    return [*_rates(), *_medians()]


def _rates() -> list[Measure]:
    """Eight annotators, each a process of its own, on one queue that does not run dry."""
    desk = make_desk("rate", items=100_000, overlap=1, annotators=ANNOTATORS)
    ours = _rate([partial(_product, desk, person) for person in desk.annotators])
    by_hand = make_desk("by hand", items=100_000, overlap=1, annotators=ANNOTATORS)
    floor = _rate([partial(_hand, by_hand, person) for person in by_hand.annotators])
    return [
        Measure(
            "Submit and next, 8 annotators",
            ours,
            "labels/s",
            bound=1 / 8,
            floor=floor,
            floor_name="the same transaction by hand in SQL",
        )
    ]


def _medians() -> list[Measure]:
    """One annotator at a short queue, at a long one, and far ahead of the others at both."""
    short = make_desk("short", items=1_000, overlap=3, annotators=2)
    long = make_desk("long", items=100_000, overlap=3, annotators=2)
    ahead = make_desk("ahead", items=100_000, overlap=3, annotators=1)
    _take([_product(ahead, ahead.annotators[0])], AHEAD)
    loops = [_product(short, short.annotators[0]), _product(long, long.annotators[0])]
    times = _take([*loops, _product(ahead, ahead.annotators[0])], LABELS)
    base, at_long, at_ahead = (statistics.median(series) * 1000 for series in times)
    return [
        Measure(
            f"Submit and next, median {where}",
            median,
            "ms",
            bound=1.3,
            better=Better.LESS,
            floor=base,
            floor_name="the same at a queue of 1,000",
        )
        for where, median in [
            ("at a queue of 100,000", at_long),
            ("1,000 items ahead of the rest", at_ahead),
        ]
    ]


def _product(desk: Desk, person: User) -> Callable[[], bool]:
    """One label and the next item, through the functions that the pages call."""
    answers = [Answer(desk.project.classes.get(name=name)) for name in CLASSES]
    turn = count()
    lease = claims.lease_next_slot(queue=desk.queue, annotator=person, at=clock.now())

    def label() -> bool:
        nonlocal lease
        if lease is None:
            return False
        answer = answers[next(turn) % len(answers)]
        _, lease = annotating.submit_and_lease_next(
            lease=lease, answer=answer, at=clock.now(), seconds=2.5
        )
        return True

    return label


def _hand(desk: Desk, person: User) -> Callable[[], bool]:
    annotator = Annotator(
        settings.DATABASE_URL,
        project=desk.project.pk,
        queue=desk.queue.pk,
        person=person.pk,
        answer=desk.project.classes.get(name=CLASSES[0]).pk,
    )
    place = annotator.claim(None)

    def label() -> bool:
        nonlocal place
        if place is None:
            return False
        place = annotator.submit_and_claim(place)
        return True

    return label


def _rate(loops: list[Loop]) -> float:
    """Labels a second of all together, once all are going."""
    connection.close()  # A forked child must not share its parent's connection.
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    children = [context.Process(target=_work, args=(loop, results)) for loop in loops]
    for child in children:
        child.start()
    labels = sum(results.get() for _ in children)
    for child in children:
        child.join()
    return float(labels) / SECONDS


def _work(loop: Loop, results: Any) -> None:
    label = loop()
    done = 0
    start = time.monotonic() + WARM_UP
    while time.monotonic() < start + SECONDS:
        if not label():
            raise LookupError("The queue ran dry.")
        done += time.monotonic() >= start
    results.put(done)
    connection.close()


def _take(labels: list[Callable[[], bool]], rounds: int) -> list[list[float]]:
    """The seconds of each call, taken in turns so that all feel the same machine."""
    times: list[list[float]] = [[] for _ in labels]
    for _ in range(rounds):
        for label, series in zip(labels, times, strict=True):
            start = time.perf_counter()
            label()
            series.append(time.perf_counter() - start)
    return times
