"""Things that happen in a project, for tests that need some of its history."""

from __future__ import annotations

from datetime import datetime

from feedback.flagging import Report, flag_prediction
from feedback.models import Flag, Prediction
from labeling import claims
from labeling.annotating import submit_annotation
from labeling.answers import Answer, outside_answer
from labeling.models import Annotation
from projects.identity import identity_of
from projects.models import User
from tests.people import Team


def predicted(
    team: Team, text: str, output: str, *, at: datetime, external_id: str = "", **fields: object
) -> Prediction:
    """A recorded answer of the live version."""
    value = {"text": text}
    columns: dict[str, object] = {
        "project": team.project,
        "version": team.version,
        "external_id": external_id or text,
        "input": value,
        "output": output,
        "confidence": 0.41,
        "occurred_at": at,
        "received_at": at,
        "identity": identity_of(team.project, value),
        "body_hash": "0" * 64,
    }
    return Prediction.objects.create(**{**columns, **fields})


def flagged(
    prediction: Prediction, agent: User, wanted: str = "", *, at: datetime, severity: int = 1
) -> Flag:
    """A flag that says what it should have been: a class, or a new name."""
    suggested = prediction.project.classes.filter(name=wanted).first()
    report = Report(
        reason="wrong class",
        suggested=suggested,
        proposed_name="" if suggested else wanted,
        severity=severity,
    )
    return flag_prediction(prediction=prediction, agent=agent, report=report, at=at)


def answered_next(team: Team, annotator: User, said: str, *, at: datetime) -> Annotation:
    """The annotator takes the next item and answers it: a class, or a name for none of these."""
    lease = claims.lease_next_slot(queue=team.queue, annotator=annotator, at=at)
    assert lease is not None
    known = team.project.classes.filter(name=said, retired_at=None).first()
    answer = Answer(known) if known else outside_answer(team.project, said)
    return submit_annotation(lease=lease, answer=answer, at=at)
