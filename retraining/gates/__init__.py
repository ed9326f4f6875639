"""The gates between challenger and champion."""

from projects.registry import Registry
from retraining.gates.base import Comparison, Gate, GateOutcome
from retraining.gates.groups import GroupsGate
from retraining.gates.overall import OverallGate
from retraining.gates.regression import RegressionGate

GATES: Registry[Gate] = Registry("gate", [OverallGate(), GroupsGate(), RegressionGate()])


def judge(comparison: Comparison) -> list[GateOutcome]:
    """The outcomes of every gate, in the order of the list."""
    return [outcome for gate in GATES for outcome in gate.judge(comparison)]


__all__ = ["GATES", "Comparison", "Gate", "GateOutcome", "judge"]
