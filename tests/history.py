"""Labeled rows for tests: items with an accepted answer, by the real functions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from labeling.answers import class_answer
from labeling.models import GroundTruth, Item, ItemSource
from labeling.queueing import queue_input, requeue_item
from labeling.settlement import accept_answer
from projects.identity import identity_of, use_of
from projects.models import Project

TOPICS = {
    "billing": ["invoice", "charged twice", "payment failed", "wrong amount", "bank statement"],
    "delivery": ["parcel is late", "courier never came", "tracking number", "box arrived open"],
    "refund": ["money back", "return the shoes", "cancel and repay", "exchange for a bigger size"],
}


def label_input(
    project: Project,
    text: str,
    answer: str,
    *,
    at: datetime,
    source: str = ItemSource.Kind.FLAG,
    method: str = GroundTruth.Method.REVIEWER,
    segments: dict[str, str] | None = None,
) -> Item:
    """A queued input with its accepted answer; the use follows from the text."""
    item = queue_input(
        project=project,
        value={"text": text},
        source=source,
        reference=1,
        segments=segments,
        at=at,
    )
    accept_answer(
        item=item, answer=class_answer(project, answer), method=method, confidence=1.0, at=at
    )
    return item


def correct(item: Item, answer: str, *, at: datetime) -> None:
    """Another accepted answer, in a new round."""
    requeue_item(item=item, at=at, by=None, reason="doubt")
    item.refresh_from_db()
    accept_answer(
        item=item,
        answer=class_answer(item.project, answer),
        method=GroundTruth.Method.REVIEWER,
        confidence=1.0,
        at=at,
    )


def texts_of(project: Project, topic: str, *, use: str, count: int) -> list[str]:
    """So many different texts of a topic that fall into this use."""
    found: list[str] = []
    number = 0
    phrases = TOPICS.get(topic, [f"{topic} problem", f"about my {topic}", f"{topic} is broken"])
    while len(found) < count:
        number += 1
        text = f"{phrases[number % len(phrases)]} case {number} {topic[: 1 + number % 5]}"
        if use_of(project, identity=identity_of(project, {"text": text})) == use:
            found.append(text)
    return found


def label_topics(
    project: Project,
    counts: dict[str, int],
    *,
    at: datetime,
    use: str = Item.Use.TRAIN,
    source: str = ItemSource.Kind.FLAG,
    method: str = GroundTruth.Method.REVIEWER,
) -> list[Item]:
    """So many labeled inputs of each topic."""
    return [
        label_input(project, text, topic, at=at, source=source, method=method)
        for topic, count in counts.items()
        for text in texts_of(project, topic, use=use, count=count)
    ]


def items_of(project: Project, answer: str) -> Iterable[Item]:
    return Item.objects.settled(project).filter(truth__answer__name=answer).order_by("pk")
