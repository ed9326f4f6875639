"""What the comparison page shows: gates with their numbers, what broke, and the decision."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import Truncator

from projects.models import Role
from projects.task_types import TASK_TYPES
from projects.versions import find_champion
from retraining.batches import may_be_compared
from retraining.comparison import (
    Accuracy,
    BrokenCase,
    accuracies,
    broken_cases,
    cases_mended,
    gates_red_first,
)
from retraining.models import Batch, Evaluation, GateResult
from retraining.words import batch_words, count_of, event_words

STATE = Batch.State
RESULT = GateResult.Result
SOURCES = {
    "audited": "right, drawn at random",
    "frozen": "right on your frozen test set",
    "flagged": "right on flagged answers, which were chosen for the live model's failures",
}
NO_VALUE = "\N{EN DASH}"
PINNED_CHARACTERS = 60
GROUPS = "groups"
DIFFERENCES = {"overall", GROUPS}
MARGIN = 1.1
MOST_PASSED_SHOWN = 6
Context = dict[str, object]


def gates_context(
    batch: Batch, evaluation: Evaluation, *, roles: frozenset[Role]
) -> tuple[Context, list[str]]:
    """For retraining/gates_page.html, and the identities whose answers it shows."""
    gates, broken = gates_red_first(evaluation), broken_cases(evaluation)
    words, tone = batch_words(batch.state)
    is_lead = Role.LEAD in roles
    is_open = batch.state == STATE.EVALUATED
    measured = accuracies(evaluation)
    rows = [_gate(gate, _named(gate, broken), is_open and is_lead) for gate in gates]
    folded = _folded(gates)
    champion_name = evaluation.champion.name if evaluation.champion else "no live model"
    context: Context = {
        "project": batch.project,
        "task_type": TASK_TYPES[batch.project.task_type],
        "batch": batch,
        "champion_name": champion_name,
        "is_first": evaluation.champion is None,
        "challenger_name": evaluation.challenger.name,
        "state_words": words,
        "tone": tone,
        **_verdict(gates),
        "stats": _stats(measured),
        "gates": [row for row in rows if row["pk"] not in folded],
        "folded_gates": [row for row in rows if row["pk"] in folded],
        "reach": _reach(gates),
        "broken": [
            _broken(
                case,
                batch,
                can_review=is_open and Role.REVIEWER in roles,
                can_pin=is_lead,
            )
            for case in broken
        ],
        "flagged_words": _flagged_words(measured),
        "receipts_words": _receipts_words(evaluation),
        "can_promote": is_open and is_lead,
        "can_decline": is_open and is_lead,
        "compare_words": _compare_words(batch, evaluation) if is_lead else "",
        "block_words": _block_words(gates),
        "not_enough_words": _not_enough_words(gates),
        "decision": _decision(batch),
    }
    return context, [case.item.identity for case in broken]


def _folded(gates: list[GateResult]) -> set[int]:
    """Of many classes and segments that passed the number is enough; each is a click away."""
    passed = {g.pk for g in gates if g.slug == GROUPS and g.result == RESULT.PASSED}
    return passed if len(passed) > MOST_PASSED_SHOWN else set()


def _verdict(gates: list[GateResult]) -> Context:
    failed = [gate for gate in gates if gate.result == RESULT.FAILED]
    blocking = [gate for gate in failed if gate.waived_by_id is None]
    unsure = [gate for gate in gates if gate.result == RESULT.NOT_ENOUGH]
    passed = len(gates) - len(failed) - len(unsure)
    if not gates:
        return {
            "verdict": "No gate applies: there is no live model to compare it with.",
            "verdict_tone": "",
        }
    if blocking:
        return {"verdict": f"{count_of(len(blocking), 'gate')} failed.", "verdict_tone": "bad"}
    waived = f"{count_of(len(failed), 'failed gate')} waived" if failed else ""
    if unsure:
        told = f"{waived or 'Nothing failed'}; {count_of(len(unsure), 'gate')} cannot tell yet"
        return {"verdict": f"{told}, {passed} passed.", "verdict_tone": "warn"}
    if waived:
        return {"verdict": f"{waived}, {passed} passed.", "verdict_tone": "warn"}
    told = "The one gate" if len(gates) == 1 else f"All {len(gates)} gates"
    return {"verdict": f"{told} passed.", "verdict_tone": "good"}


def _stats(measured: list[Accuracy]) -> list[Context]:
    """The new model's accuracy with its interval, and the live one's, per kind of row."""
    return [
        {
            "value": _share(one.challenger.get("value")),
            "interval": _interval(one.challenger),
            "caption": _caption(one),
            "size": "muted" if one.source == "flagged" else "",
        }
        for one in measured
    ]


def _caption(one: Accuracy) -> str:
    live = one.champion.get("value")
    told = SOURCES[one.source] + ("" if live is None else f"; the live model {_share(live)}")
    return f"{told} ({count_of(one.challenger['rows'], 'row')})"


def _gate(gate: GateResult, group: str, can_waive: bool) -> Context:
    is_difference = gate.slug in DIFFERENCES
    is_share = not is_difference and gate.name == "Broken share"
    waived = f"{gate.waived_by}: {gate.waiver_reason}" if gate.waived_by else ""
    return {
        "pk": gate.pk,
        "name": gate.name,
        "group": group,
        "result": gate.result,
        "value": gate.value,
        "low": gate.low,
        "high": gate.high,
        "bound": gate.bound,
        "is_difference": is_difference,
        "value_words": _share_words(gate) if is_share else "broken" if gate.value else "right",
        "interval_words": _interval_words(gate) if is_share else "",
        "bound_words": f"at most {gate.bound:.0%}" if is_share and gate.bound is not None else "",
        "rows": gate.rows,
        "note": gate.note,
        "more_words": _more_words(gate),
        "waived_words": waived,
        "can_waive": can_waive and gate.result == RESULT.FAILED and gate.waived_by_id is None,
    }


def _interval_words(gate: GateResult) -> str:
    return "" if gate.low is None or gate.high is None else f"{gate.low:.1%} to {gate.high:.1%}"


def _reach(gates: list[GateResult]) -> float:
    """One scale for all differences: a little more than the farthest of them."""
    differences = [gate for gate in gates if gate.slug in DIFFERENCES]
    ends = [(gate.low, gate.value, gate.high, gate.bound) for gate in differences]
    farthest = max((abs(end) for four in ends for end in four if end is not None), default=0.0)
    return MARGIN * (farthest or 1.0)


def _named(gate: GateResult, broken: list[BrokenCase]) -> str:
    """A pinned case's group is its number, which tells a reader nothing where it has words."""
    if gate.name != "Pinned case":
        return gate.group
    case = next((case for case in broken if str(case.case_id) == gate.group), None)
    text = case.item.input.get("text", "") if case else ""
    return f"“{Truncator(text).chars(PINNED_CHARACTERS)}”" if text else f"number {gate.group}"


def _more_words(gate: GateResult) -> str:
    """How many more labels would let the gate tell, where its own note does not say."""
    if gate.result != RESULT.NOT_ENOUGH or not gate.more_rows_needed or gate.note:
        return ""
    noun = "more case" if gate.slug == "regression" else "more held-out label"
    return f"{count_of(gate.more_rows_needed, noun)} needed"


def _broken(case: BrokenCase, batch: Batch, *, can_review: bool, can_pin: bool) -> Context:
    slug, number = batch.project.slug, batch.number
    url = ""
    if case.prediction_id:
        named = {"slug": slug, "pk": case.prediction_id}
        url = reverse("feedback:prediction-show", kwargs=named)
    return {
        "input": case.item.input,
        "truth": case.right_answer,
        "old_answer": case.champion_answer,
        "new_answer": case.challenger_answer,
        "is_pinned": case.is_pinned,
        "url": url,
        "pk": case.case_id,
        "review": case.review.value,
        "review_words": _review_words(case),
        "can_review": can_review,
        "can_pin": can_pin,
        "pin_url": f"{reverse('retraining:case-pin', kwargs={'slug': slug, 'pk': case.case_id})}"
        f"?batch={number}",
    }


def _review_words(case: BrokenCase) -> str:
    if case.said is None:
        return "waits for a reviewer"
    told = f"{case.said.get_verdict_display()}, says {case.said.by}"
    return f"{told}: {case.said.reason}" if case.said.reason else told


def _flagged_words(measured: list[Accuracy]) -> str:
    flagged = next((one for one in measured if one.source == "flagged"), None)
    if flagged is None:
        return ""
    return (
        f"Of {count_of(flagged.challenger['rows'], 'flagged row')} the new model answers "
        f"{_share(flagged.challenger['value'])} right. They were chosen for the live model's "
        "failures, so no gate looks at them."
    )


def _receipts_words(evaluation: Evaluation) -> str:
    mended = cases_mended(evaluation)
    return f"{count_of(mended, 'flagged case')} would be right; their agents get a receipt."


def _block_words(gates: list[GateResult]) -> str:
    blocking = [g for g in gates if g.result == RESULT.FAILED and g.waived_by_id is None]
    if not blocking:
        return ""
    return "Waive each failed gate with a reason first, or keep the live model."


def _not_enough_words(gates: list[GateResult]) -> str:
    unsure = [f"{g.name} {g.group}".strip() for g in gates if g.result == RESULT.NOT_ENOUGH]
    if not unsure:
        return ""
    shown = ", ".join(unsure[:4]) + (f" and {len(unsure) - 4} more" if len(unsure) > 4 else "")
    return f"I know that there is not enough evidence for: {shown}."


def _compare_words(batch: Batch, evaluation: Evaluation) -> str:
    """Why this comparison is not enough to promote its version; nothing where it is."""
    if not may_be_compared(batch):
        return ""
    if evaluation.champion != find_champion(batch.project):
        return "The live model has changed since this comparison."
    if batch.state == STATE.EVALUATED:
        return ""
    return f"{evaluation.challenger.name} can be promoted after a new comparison."


def _decision(batch: Batch) -> Context | None:
    if batch.state not in {STATE.PROMOTED, STATE.NOT_PROMOTED}:
        return None
    told = "batch.promoted" if batch.state == STATE.PROMOTED else "batch.not_promoted"
    return {
        "who": batch.decided_by or "Somebody",
        "at": batch.decided_at,
        "words": event_words(told),
        "reason": batch.reason,
    }


def _share_words(gate: GateResult) -> str:
    return NO_VALUE if gate.value is None else f"{gate.value:.1%}"


def _share(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:.2f}"


def _interval(estimate: dict[str, Any]) -> str:
    if estimate.get("value") is None:
        return ""
    return f"{estimate['low']:.2f} to {estimate['high']:.2f}"
