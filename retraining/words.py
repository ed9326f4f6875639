"""Batches, deployments and gates in the words their pages use."""

from __future__ import annotations

from projects.models import Deployment
from retraining.models import Batch

Words = tuple[str, str]

_BATCH: dict[str, Words] = {
    Batch.State.PROPOSED: ("waits for approval", "warn"),
    Batch.State.APPROVED: ("waits to train", "info"),
    Batch.State.TRAINING: ("training", "info"),
    Batch.State.EVALUATED: ("waits for a decision", "warn"),
    Batch.State.FAILED: ("failed", "bad"),
    Batch.State.CANCELLED: ("cancelled", ""),
    Batch.State.REJECTED: ("rejected", ""),
    Batch.State.PROMOTED: ("promoted", "good"),
    Batch.State.NOT_PROMOTED: ("not promoted", ""),
}
_CAUSE: dict[str, str] = {
    Deployment.Cause.FIRST: "the first live version",
    Deployment.Cause.PROMOTION: "promoted",
    Deployment.Cause.ROLLBACK: "brought back",
}
_EVENT: dict[str, str] = {
    "batch.proposed": "proposed it",
    "batch.revised": "made a revision",
    "batch.approved": "approved it",
    "batch.rejected": "rejected it",
    "batch.training": "training began",
    "batch.evaluated": "the comparison is there",
    "batch.failed": "training failed",
    "batch.cancelled": "it was cancelled",
    "batch.cancel_asked": "asked to cancel",
    "batch.promoted": "promoted the new version",
    "batch.not_promoted": "kept the live version",
    "batch.confirmed": "confirmed gates without enough evidence",
    "batch.evaluation_asked": "asked for another comparison",
    "batch.evaluated_again": "compared with today's live version",
}


def batch_words(state: str) -> Words:
    return _BATCH[state]


def cause_words(line: Deployment) -> str:
    return _CAUSE[line.cause]


def event_words(name: str) -> str | None:
    """None for what is no decision."""
    return _EVENT.get(name)


def count_of(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
