"""What the coverage page shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from labeling.class_proposals import waiting_proposals
from labeling.reach import shortages
from projects.classes import accepted_classes
from projects.models import Project, Role
from projects.task_types import TASK_TYPES
from retraining.coverage import Cell, Coverage, QuotaProgress, coverage_of, grid_of
from retraining.forms import AcceptClassForm, QuotaForm
from retraining.models import Batch
from retraining.words import count_of

FARTHEST = 3_650  # Days. The calendar ends where a large quota and a slow week would lead.
Context = dict[str, object]


def coverage_context(
    project: Project,
    *,
    roles: frozenset[Role],
    segment_key: str,
    at: datetime,
    form: QuotaForm | None = None,
    accepting: AcceptClassForm | None = None,
) -> Context:
    """For retraining/coverage_page.html; the forms are those that were refused."""
    coverage = coverage_of(project, at=at)
    keys: list[str] = project.segment_keys
    key = segment_key if segment_key in keys else keys[0] if keys else ""
    grid = grid_of(project, segment_key=key) if key else None
    is_lead = Role.LEAD in roles
    return {
        "project": project,
        "task_type": TASK_TYPES[project.task_type],
        "can_decide": is_lead,
        "quotas": [_quota(quota, at) for quota in coverage.quotas],
        "most": max((max(q.have, q.wanted) for q in coverage.quotas), default=1),
        "short": shortages(project, also_seen=True),
        "ready_words": _ready_words(coverage),
        "open_batch": _open_batch(project),
        "segment_key": key,
        "segment_keys": [(name, f"?{urlencode({'segment': name})}", name == key) for name in keys],
        "segment_values": grid.values if grid else [],
        "grid": [_grid_row(row.class_name, row.cells) for row in grid.rows] if grid else [],
        "proposals": _proposals(project, accepting),
        "form": form or QuotaForm(classes=accepted_classes(project), quotas=coverage.quotas)
        if is_lead
        else None,
    }


def _quota(quota: QuotaProgress, at: datetime) -> Context:
    words, tone = _when(quota, at)
    return {
        "name": quota.name,
        "have": quota.have,
        "wanted": quota.wanted,
        "missing": quota.missing,
        "when_words": words,
        "tone": tone,
        "url": "",
    }


def _when(quota: QuotaProgress, at: datetime) -> tuple[str, str]:
    """When it would be met at the pace of the last week."""
    if quota.is_met:
        return "met", "good"
    if quota.days_left is None:
        return ("no new label in 7 days", "warn") if quota.have else ("none yet", "")
    if quota.days_left > FARTHEST:
        return "not within ten years at today's pace", "warn"
    day = at + timedelta(days=quota.days_left)
    year = "" if day.year == at.year else f" {day.year}"
    return f"by {day:%-d %b}{year} at today's pace", ""


def _ready_words(coverage: Coverage) -> str:
    labels = count_of(coverage.eligible_count, "label")
    if not coverage.eligible_count:
        return "No label for training is new, so there is nothing to propose."
    if coverage.is_met:
        return f"All quotas are met: a batch now would hold {labels}."
    if not coverage.quotas:
        return f"A batch now would hold {labels}. There are no quotas to wait for."
    missing = sum(quota.missing for quota in coverage.quotas)
    return f"A batch now would hold {labels}; the quotas lack {missing:,} more."


def _open_batch(project: Project) -> int | None:
    waiting = Batch.objects.filter(project=project, state=Batch.State.PROPOSED)
    return waiting.values_list("number", flat=True).first()


def _grid_row(name: str, cells: tuple[Cell, ...]) -> Context:
    return {"name": name, "cells": [_cell(cell) for cell in cells]}


def _cell(cell: Cell) -> Context:
    if cell.wanted is None:
        return {"text": str(cell.have), "tone": "" if cell.have else "none"}
    tone = "good" if cell.have >= cell.wanted else "warn" if cell.have else "bad"
    return {
        "text": f"{cell.have} of {cell.wanted}",
        "tone": tone,
        "value": min(cell.have, cell.wanted),
        "most": cell.wanted,
    }


def _proposals(project: Project, accepting: AcceptClassForm | None) -> list[Context]:
    refused = {accepting.proposal_pk: accepting} if accepting else {}
    return [
        {
            "pk": waiting.proposal.pk,
            "name": waiting.proposal.name,
            "count": waiting.item_count,
            "examples": [item.input for item in waiting.examples],
            "first_at": waiting.proposal.proposed_at,
            "said_by_count": waiting.people_count,
            "form": refused.get(waiting.proposal.pk)
            or AcceptClassForm(proposal_pk=waiting.proposal.pk),
        }
        for waiting in waiting_proposals(project)
    ]
