"""The kinds of condition a trigger joins."""

from projects.registry import Registry
from retraining.triggers.base import Condition, Situation, Verdict
from retraining.triggers.manual import PersonAsks
from retraining.triggers.quota import QuotasMet
from retraining.triggers.time import TimePassed

CONDITIONS: Registry[Condition] = Registry("condition", [QuotasMet(), TimePassed(), PersonAsks()])

__all__ = ["CONDITIONS", "Condition", "Situation", "Verdict"]
