"""The kinds of condition a trigger joins."""

from typing import Any

from projects.errors import Invalid
from projects.registry import Registry
from retraining.triggers.base import Condition, Parameters, Situation, Verdict
from retraining.triggers.manual import PersonAsks
from retraining.triggers.quota import QuotasMet
from retraining.triggers.time import TimePassed

CONDITIONS: Registry[Condition] = Registry("condition", [QuotasMet(), TimePassed(), PersonAsks()])


def clean_condition(condition: Parameters) -> dict[str, Any]:
    """As it is stored; raises Invalid for a kind or a parameter that is not known."""
    cleaned = CONDITIONS[str(condition.get("kind", ""))].clean(condition)
    if unknown := sorted(set(map(str, condition)) - set(cleaned)):
        raise Invalid(f"A {cleaned['kind']} condition has no {unknown[0]!r}.")
    return cleaned


__all__ = ["CONDITIONS", "Condition", "Situation", "Verdict", "clean_condition"]
