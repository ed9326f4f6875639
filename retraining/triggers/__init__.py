"""The kinds of condition a trigger joins."""

from typing import Any

from projects.registry import Registry
from retraining.triggers.base import Condition, Parameters, Situation, Verdict
from retraining.triggers.manual import PersonAsks
from retraining.triggers.quota import QuotasMet
from retraining.triggers.time import TimePassed

CONDITIONS: Registry[Condition] = Registry("condition", [QuotasMet(), TimePassed(), PersonAsks()])


def clean_condition(condition: Parameters) -> dict[str, Any]:
    """As it is stored; raises Invalid for a kind or a parameter that is not known."""
    return CONDITIONS[str(condition.get("kind", ""))].clean(condition)


__all__ = ["CONDITIONS", "Condition", "Situation", "Verdict", "clean_condition"]
