"""The story of a flagged answer, from the first report to the receipt, as steps in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from events.models import Event
from feedback.models import Flag, FlagDecision, Issue, Prediction
from labeling.models import Item
from projects.models import User
from retraining.models import Batch, BatchRow, Receipt
from retraining.receipts import customer_sentence

MOST_FLAGS = 500
MOST_STEPS = 60
LEARNED = "Learned from your case"
HELD_OUT = "Held out: it never learned from your case"


@dataclass(frozen=True)
class ReceiptView:
    """The parameters of components/_receipt.html."""

    old_version: str
    old_answer: str
    old_confidence: str
    new_version: str
    new_answer: str
    new_confidence: str
    is_fixed: bool
    sentence: str
    learned: str
    wrong_url: str


@dataclass(frozen=True)
class Step:
    """The parameters of components/_timeline_step.html."""

    at: datetime | None
    text: str
    strong: str = ""
    state: str = "done"
    receipt: ReceiptView | None = None


def story_of_prediction(*, prediction: Prediction, flags: list[Flag], reader: User) -> list[Step]:
    """What became of the answer; empty as long as nobody flagged it."""
    if not flags:
        return []
    item = find_item(prediction)
    steps = [
        Step(prediction.occurred_at, f"answered {prediction.output}", prediction.version.name),
        Step(flags[0].created_at, _flagged_words(len(flags)), "Flagged"),
        *(_labeling_steps(item, prediction.output) if item else []),
        *(step for flag in flags if flag.agent_id == reader.pk for step in _endings(flag)),
    ]
    return _in_order(steps)


def story_of_issue(issue: Issue, flags: list[Flag]) -> list[Step]:
    """The issue's own events, the batches that hold its inputs, and its receipts by version."""
    events = Event.objects.of(issue).order_by("pk")[:MOST_STEPS]
    told = [_issue_step(event, issue) for event in events]
    steps = [step for step in told if step] + _batch_steps(issue) + _receipt_steps(flags)
    steps += _declines(issue)
    return _in_order(steps)


def find_item(prediction: Prediction) -> Item | None:
    same = Item.objects.filter(project=prediction.project_id, identity=prediction.identity)
    return same.select_related("truth__answer").first()


def receipt_view(receipt: Receipt, *, is_own: bool) -> ReceiptView:
    """Old and new answer side by side; only the agent it was sent to may contradict it."""
    flag, prediction = receipt.flag, receipt.flag.prediction
    is_fixed = receipt.revoked_at is None and flag.state == Flag.State.FIXED
    wrong_url = reverse(
        "feedback:flag-reopen", kwargs={"slug": receipt.project.slug, "code": flag.code}
    )
    return ReceiptView(
        old_version=prediction.version.name if prediction else "",
        old_answer=receipt.old_answer,
        old_confidence=_share(prediction.confidence if prediction else None),
        new_version=receipt.version.name,
        new_answer=receipt.new_answer,
        new_confidence=_share(receipt.new_confidence),
        is_fixed=is_fixed,
        sentence=customer_sentence(receipt) if is_fixed else "",
        learned=LEARNED if receipt.is_learned else HELD_OUT,
        wrong_url=wrong_url if is_own and is_fixed else "",
    )


def _endings(flag: Flag) -> list[Step]:
    """How the reader's own flag was decided, each decision once."""
    steps = [
        Step(
            receipt.sent_at,
            f"in {receipt.version.name}" if receipt.revoked_at is None else "was taken back",
            "Fixed" if receipt.revoked_at is None else f"The receipt of {receipt.version.name}",
            state="done" if receipt.revoked_at is None else "wrong",
            receipt=receipt_view(receipt, is_own=True) if receipt.revoked_at is None else None,
        )
        for receipt in flag.receipts.select_related("version", "project", "flag__prediction")
    ]
    words = {
        Flag.State.DECLINED: ("Declined:", "wrong"),
        Flag.State.STILL_WRONG: ("Still wrong", "wrong"),
        Flag.State.WITHDRAWN: ("Taken back", "done"),
        Flag.State.OPEN: ("Open again", "now"),
    }
    for decision in flag.decisions.order_by("pk"):
        if decision.state in words:
            strong, state = words[Flag.State(decision.state)]
            steps.append(Step(decision.at, decision.reason, strong, state=state))
    return steps


def _labeling_steps(item: Item, output: str) -> list[Step]:
    """What people made of it; their answers are told only once they are settled."""
    if item.state == Item.State.DISPUTED:
        return [Step(None, "People do not agree; a reviewer decides.", state="now")]
    if item.truth is None:
        return [Step(None, "People are answering it.", state="now")]
    answer = item.truth.answer
    if answer is None:
        return [Step(item.resolved_at, "it is none of the classes.", "People agreed:")]
    if answer.name == output:
        return [Step(item.resolved_at, f"{output} is right.", "People agreed:")]
    return [Step(item.resolved_at, f"it is {answer.name}.", "People agreed:")]


_ISSUE_WORDS: dict[str, tuple[str, str, str]] = {
    Issue.State.LABELING: ("Labeling", "began.", "done"),
    Issue.State.AWAITING_RETRAIN: ("Labeled,", "it waits for a new model.", "done"),
    Issue.State.FIXED: ("Fixed", "", "done"),
    Issue.State.DECLINED: ("Declined", "", "wrong"),
    Issue.State.REOPENED: ("Open again", "", "wrong"),
    Issue.State.MERGED: ("Merged", "into another issue.", "done"),
}


def _issue_step(event: Event, issue: Issue) -> Step | None:
    if event.name == "issue.opened":
        return Step(event.at, "", "First flag")
    if event.name != "issue.moved":
        return None
    strong, text, state = _ISSUE_WORDS.get(event.data["state"], (event.data["state"], "", "done"))
    if event.data["state"] == Issue.State.FIXED and issue.fixed_in:
        text = f"in {issue.fixed_in.name}."
    return Step(event.at, text, strong, state=state)


def _batch_steps(issue: Issue) -> list[Step]:
    held = BatchRow.objects.filter(
        project=issue.project_id, item__identity__in=issue.inputs.values("identity")
    )
    batches = Batch.objects.filter(revisions__rows__in=held).distinct().order_by("number")
    return [
        Step(batch.proposed_at, f"holds labels of it ({batch.state}).", f"Batch {batch.number}")
        for batch in batches[:MOST_STEPS]
    ]


def _receipt_steps(flags: list[Flag]) -> list[Step]:
    """One line for each version that sent receipts."""
    receipts = Receipt.objects.filter(flag__in=flags, revoked_at=None)
    sent = receipts.order_by("version").values_list("version__name", "flag__agent", "sent_at")
    by_version: dict[str, dict[int, datetime]] = {}
    for name, agent_id, at in sent:
        by_version.setdefault(name, {})[agent_id] = at
    return [
        Step(min(sent_at.values()), f"sent to {_people(len(sent_at))} for {name}.", "Receipts")
        for name, sent_at in by_version.items()
    ]


def _declines(issue: Issue) -> list[Step]:
    """Each reason once, however many flags it ended."""
    made = FlagDecision.objects.filter(flag__issue=issue, state=Flag.State.DECLINED)
    first: dict[str, FlagDecision] = {}
    for decision in made.order_by("pk")[:MOST_FLAGS]:
        first.setdefault(decision.reason, decision)
    return [
        Step(decision.at, reason, "Declined:", state="wrong")
        for reason, decision in first.items()
        if reason
    ]


def _in_order(steps: list[Step]) -> list[Step]:
    """By time; what has no time yet comes last."""
    dated = sorted((s for s in steps if s.at), key=lambda step: step.at)  # type: ignore[arg-type, return-value]  # Only dated ones.
    return dated + [step for step in steps if not step.at]


def _flagged_words(count: int) -> str:
    return f"by {_people(count)}."


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
