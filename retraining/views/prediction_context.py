"""What the page of one answer shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from feedback.flagging import find_others
from feedback.issues import is_fixed_since
from feedback.live_answer import find_live_answer
from feedback.models import Flag, Issue, Prediction
from feedback.words import flag_words, issue_words, reason_words, wanted_words
from labeling.queueing import find_route
from projects.classes import accepted_classes
from projects.models import Role, User
from projects.requests import is_row_id
from projects.task_types import TASK_TYPES
from projects.versions import find_champion
from retraining.models import RegressionCase
from retraining.stories import story_of_prediction

MOST_SCORES = 5
UNSURE = 0.6
Context = dict[str, object]


def prediction_context(
    prediction: Prediction,
    *,
    reader: User,
    roles: frozenset[Role],
    sent: Mapping[str, str],
    problem: str,
    at: datetime,
) -> Context:
    """For feedback/prediction_page.html; `sent` fills the form again after a mistake."""
    others = list(find_others(prediction=prediction, agent=reader).order_by("created_at"))
    mine = Flag.objects.by(reader, prediction.project).filter(identity=prediction.identity)
    standing = list(mine.exclude(state=Flag.State.WITHDRAWN))
    my_flag = next((flag for flag in standing if flag.prediction_id == prediction.pk), None)
    flags = sorted([*others, *standing], key=lambda flag: flag.created_at)
    issue = next((flag.issue for flag in flags if flag.issue), None)
    return {
        "project": prediction.project,
        "task_type": TASK_TYPES[prediction.project.task_type],
        "prediction": prediction,
        "version_name": prediction.version.name,
        "facts": [f"{key}: {value}" for key, value in sorted(prediction.segments.items())],
        "answer_words": _answer_words(prediction),
        "scores": _scores(prediction),
        "live": _live(prediction, at),
        "others_count": len({flag.agent_id for flag in others}),
        "my_flag": _my_flag(my_flag) if my_flag else None,
        "issue": _issue(issue) if issue else None,
        "is_fixed": bool(issue and is_fixed_since(issue, prediction.version)),
        "case": _case(prediction, can_pin=Role.LEAD in roles),
        "timeline": story_of_prediction(prediction=prediction, flags=flags, reader=reader),
        "can_flag": Role.AGENT in roles,
        "first_look": _first_look(prediction),
        "form": _form(prediction, sent, problem),
    }


def _answer_words(prediction: Prediction) -> str:
    if prediction.confidence is None:
        return f"The model answered {prediction.output}"
    how = ", and was not sure" if prediction.confidence < UNSURE else ""
    return f"The model answered {prediction.output}{how}"


def _scores(prediction: Prediction) -> list[Context]:
    scores: dict[str, float] = prediction.scores or {}
    if not scores and prediction.confidence is not None:
        scores = {prediction.output: prediction.confidence}
    best = sorted(scores.items(), key=lambda pair: -pair[1])[:MOST_SCORES]
    return [
        {"name": name, "value": value, "is_answer": name == prediction.output}
        for name, value in best
    ]


def _live(prediction: Prediction, at: datetime) -> Context | None:
    """What the live version says now, where the answer is an older one's."""
    champion = find_champion(prediction.project)
    if champion is None or champion == prediction.version:
        return None
    said = find_live_answer(project=prediction.project, value=prediction.input, at=at)
    if said is None:
        return {"problem": "not available", "version_name": champion.name}
    return {
        "answer": said.answer,
        "confidence": said.confidence,
        "version_name": said.version_name,
        "problem": "",
    }


def _my_flag(flag: Flag) -> Context:
    words, tone = flag_words(flag.state)
    return {
        "code": flag.code,
        "reason_words": reason_words(flag),
        "answer_words": wanted_words(flag),
        "at": flag.created_at,
        "state_words": words,
        "tone": tone,
        "can_withdraw": flag.state in {Flag.State.OPEN, Flag.State.STILL_WRONG},
    }


def _issue(issue: Issue) -> Context:
    words, tone = issue_words(issue)
    return {"number": issue.number, "title": issue.title, "state_words": words, "tone": tone}


def _case(prediction: Prediction, *, can_pin: bool) -> Context | None:
    """The regression case that a flag on this answer made, where one stands."""
    standing = RegressionCase.objects.standing(prediction.project)
    case = standing.filter(flag__prediction=prediction).order_by("-is_pinned", "pk").first()
    if case is None:
        return None
    return {
        "pk": case.pk,
        "is_pinned": case.is_pinned,
        "unpin_reason": case.unpin_reason,
        "can_pin": can_pin,
    }


def _first_look(prediction: Prediction) -> str:
    rule = find_route(project=prediction.project, source="flag")
    return f"First look within {rule.queue.service_hours} h" if rule else ""


def _form(prediction: Prediction, sent: Mapping[str, str], problem: str) -> Context:
    names = [c.name for c in accepted_classes(prediction.project) if c.name != prediction.output]
    severity = sent.get("severity", "")
    return {
        "reasons": [{"value": value, "title": title} for value, title in Flag.Reason.choices],
        "severities": [(value, title.capitalize()) for value, title in Flag.Severity.choices],
        "class_names": names,
        "problem": problem,
        "chosen": {
            "reason": sent.get("reason", Flag.Reason.WRONG_CLASS.value),
            "severity": int(severity) if is_row_id(severity) else Flag.Severity.LITTLE.value,
            "answer_name": sent.get("answer_name", ""),
            "note": sent.get("note", ""),
            "ticket_url": sent.get("ticket_url", ""),
        },
    }
