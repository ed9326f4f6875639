"""Predictions that agents flagged and people answered: what regression cases are made of."""

from __future__ import annotations

import itertools
from datetime import datetime

from feedback.flagging import Report, flag_prediction
from feedback.models import Flag, Prediction
from labeling.answers import class_answer, outside_answer
from labeling.models import GroundTruth, Item
from labeling.queueing import queue_input
from labeling.settlement import accept_answer
from projects.identity import identity_of, use_of
from projects.models import ModelVersion, Project, User
from tests.people import Team

_numbers = itertools.count(1)


def make_prediction(
    team: Team,
    text: str,
    output: str,
    *,
    at: datetime,
    version: ModelVersion | None = None,
    external_id: str = "",
) -> Prediction:
    value = {"text": text}
    return Prediction.objects.create(
        project=team.project,
        version=version or team.version,
        external_id=external_id or f"p-{next(_numbers)}",
        input=value,
        output=output,
        confidence=0.8,
        occurred_at=at,
        received_at=at,
        identity=identity_of(team.project, value),
        body_hash="0" * 64,
    )


def make_flag(
    team: Team,
    text: str,
    output: str,
    *,
    at: datetime,
    agent: User | None = None,
    version: ModelVersion | None = None,
) -> Flag:
    """An agent reports that the model's answer to the text is wrong."""
    return flag_prediction(
        prediction=make_prediction(team, text, output, at=at, version=version),
        agent=agent or team.ada,
        report=Report(reason=Flag.Reason.WRONG_CLASS),
        at=at,
    )


def settle_input(team: Team, text: str, answer: str, *, at: datetime) -> Item:
    """The text's item, with the answer accepted; an unknown class is "none of these"."""
    item = queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=at
    )
    is_class = team.project.classes.filter(name=answer, retired_at=None).exists()
    chosen = class_answer if is_class else outside_answer
    accept_answer(
        item=item,
        answer=chosen(team.project, answer),
        method=GroundTruth.Method.REVIEWER,
        confidence=1.0,
        at=at,
    )
    item.refresh_from_db()
    return item


def text_of_use(project: Project, use: str, stem: str = "where is my parcel") -> str:
    """A text that the project's key sends to that use."""
    texts = (f"{stem} {number}" for number in itertools.count(1))
    return next(
        text
        for text in texts
        if use_of(project, identity=identity_of(project, {"text": text})) == use
    )
