"""What a rehearsal measured: written as JSON, and as a table a person can read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from retraining.models import GateResult

NOT_ENOUGH = GateResult.Result.NOT_ENOUGH


@dataclass(frozen=True)
class RehearsalFigures:
    """Accuracies are shares; `true_` ones use the data's own labels, which nobody else sees."""

    seed: int
    rows: int
    classes: int
    new_classes: list[str]
    true_accuracy_before: float
    true_accuracy_after: float
    true_production_accuracy: float
    audited_accuracy: dict[str, float | None]
    flagged_accuracy: float | None
    labels: int
    annotations: int
    ground_truths: int
    ground_truth_accuracy: float
    evaluation_rows: int
    audited_evaluation_rows: int
    dataset_rows: dict[str, int]
    trained_on_evaluation_rows: int
    flags: int
    issues: int
    receipts: int
    receipts_wrong: int
    receipts_untrue: int
    gates: list[dict[str, Any]]
    promoted: bool
    champion: str
    seconds: float
    peak_memory_mb: float
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_table(self) -> str:
        """One line per figure, then one per gate that could say something."""
        audited = self.audited_accuracy
        lines = [
            ("Right before", f"{self.true_accuracy_before:.3f}", "version 1 on the test set"),
            ("Right after", f"{self.true_accuracy_after:.3f}", "the challenger on the test set"),
            ("In production", f"{self.true_production_accuracy:.3f}", "version 1, drifted traffic"),
            ("  audited", _interval(audited), "the same, estimated from draws"),
            ("  flagged", _share(self.flagged_accuracy), "of flagged answers right after all"),
            ("Asked", f"{self.labels} items", f"{self.annotations} answers"),
            (
                "Ground truths",
                f"{self.ground_truths}",
                f"{self.ground_truth_accuracy:.1%} equal the true label",
            ),
            (
                "Evaluation rows",
                f"{self.evaluation_rows}",
                f"{self.audited_evaluation_rows} from audits",
            ),
            (
                "Dataset",
                f"{self.dataset_rows['base']} + {self.dataset_rows['added']}",
                f"{self.trained_on_evaluation_rows} of them evaluation rows",
            ),
            ("Flags", f"{self.flags}", f"{self.issues} issues"),
            (
                "Receipts",
                f"{self.receipts}",
                f"{self.receipts_wrong} wrong, {self.receipts_untrue} untrue",
            ),
            ("Promoted", "yes" if self.promoted else "no", f"champion is {self.champion}"),
            ("Took", f"{self.seconds:.0f} s", f"{self.peak_memory_mb:.0f} MB at the peak"),
        ]
        table = [f"{name:<18}{value:>22}   {note}" for name, value, note in lines]
        return "\n".join([*table, *self._gate_lines(), *self.notes])

    def _gate_lines(self) -> list[str]:
        """Every gate that decided something; those without evidence are only counted."""
        decided = [gate for gate in self.gates if gate["result"] != NOT_ENOUGH]
        lines = [
            f"  {gate['result']:<11} {gate['name']}: {_share(gate['value'])}"
            f" (bound {_share(gate['bound'])})"
            for gate in decided
        ]
        if undecided := len(self.gates) - len(decided):
            lines.append(f"  {NOT_ENOUGH:<11} {undecided} more, which the lead confirmed")
        return ["Gates", *lines]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(estimate: dict[str, float | None]) -> str:
    if estimate["estimate"] is None:
        return "no answers"
    return f"{estimate['estimate']:.3f} ({_share(estimate['low'])} to {_share(estimate['high'])})"
