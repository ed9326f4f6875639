"""Estimates as cells, figures and sentences, in the same words on every page."""

from __future__ import annotations

from monitoring.accuracy import GroupEstimate
from monitoring.intervals import Estimate

FEWEST = 10  # Answers below which a share of a group says nothing.
Context = dict[str, object]


def value_words(estimate: Estimate) -> str:
    return "\N{EN DASH}" if estimate.value is None else f"{estimate.value:.2f}"


def interval_words(estimate: Estimate) -> str:
    return "" if estimate.value is None else f"{estimate.low:.2f} to {estimate.high:.2f}"


def group_row(group: GroupEstimate, target: float) -> Context:
    """A segment's value or a version, with its share, interval and count."""
    estimate = group.estimate
    return {
        "name": group.value or "not said",
        "cells": [
            {"text": _text(estimate), "tone": tone_of(estimate, target)},
            {"text": interval_words(estimate) if estimate.rows >= FEWEST else "", "tone": "none"},
            {"text": f"{estimate.rows:,}", "tone": "none"},
        ],
    }


GROUP_HEADS = ["right", "between", "audited answers"]


def tone_of(estimate: Estimate, target: float) -> str:
    """Good and bad only where the whole interval is on one side of the target."""
    if estimate.value is None or estimate.rows < FEWEST:
        return "none"
    if estimate.low >= target:
        return "good"
    return "bad" if estimate.high < target else "warn"


def _text(estimate: Estimate) -> str:
    missing = FEWEST - estimate.rows
    return value_words(estimate) if missing <= 0 else f"needs {missing} more"
