"""What the page of triggers shows."""

from __future__ import annotations

from datetime import datetime

from projects.models import Project, Role
from retraining.firing import (
    DRY_RUN_DAYS,
    describe_trigger,
    dry_run,
    evaluate_trigger,
    situation_of,
)
from retraining.forms import TriggerForm
from retraining.models import Trigger
from retraining.triggers import Situation
from retraining.words import count_of

MOST_DAYS = 10
Context = dict[str, object]


def triggers_context(
    project: Project, *, roles: frozenset[Role], form: TriggerForm, at: datetime
) -> Context:
    """For retraining/triggers_page.html."""
    situation = situation_of(project, at=at)
    triggers = project.triggers.select_related("project").order_by("pk")
    is_lead = Role.LEAD in roles
    return {
        "project": project,
        "can_decide": is_lead,
        "triggers": [_trigger(trigger, situation) for trigger in triggers],
        "form": form if is_lead else None,
    }


def _trigger(trigger: Trigger, situation: Situation) -> Context:
    firing = evaluate_trigger(trigger, situation)
    days = dry_run(trigger, at=situation.at)
    return {
        "pk": trigger.pk,
        "name": trigger.name,
        "sentence": describe_trigger(trigger),
        "is_enabled": trigger.is_enabled,
        "fired_at": trigger.fired_at,
        "cool_down_words": f"Waits {count_of(trigger.cool_down_hours, 'hour')} after it fired.",
        "now": [(verdict.sentence, verdict.holds) for verdict in firing.verdicts],
        "dry_run": [f"{day:%-d %b}" for day in days[-MOST_DAYS:]],
        "dry_run_words": f"It would have fired {count_of(len(days), 'time')} "
        f"in the last {DRY_RUN_DAYS} days.",
    }
