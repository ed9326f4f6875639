"""What both models said to the regression cases, as the evidence file of an evaluation keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from projects.files import read_file
from retraining.models import Evaluation


@dataclass(frozen=True)
class CaseAnswer:
    """One case, the answer that was right at the time, and what each model answered."""

    case_id: int
    item_id: int
    truth_id: int
    right_answer: str
    challenger: str
    confidence: float
    champion: str | None  # None: an external champion was never asked.

    @property
    def is_broken(self) -> bool:
        """The champion is right and the challenger is not."""
        return self.champion == self.right_answer != self.challenger

    def as_line(self) -> dict[str, object]:
        return {
            "item": self.item_id,
            "case": self.case_id,
            "truth": self.truth_id,
            "label": self.right_answer,
            "challenger": self.challenger,
            "confidence": self.confidence,
            "champion": self.champion,
        }


def read_case_answers(evaluation: Evaluation) -> list[CaseAnswer]:
    """In the order of the file; none for an evaluation without one."""
    if evaluation.answers_id is None:
        return []
    lines = map(json.loads, read_file(evaluation.answers_id).splitlines())
    return [
        CaseAnswer(
            case_id=line["case"],
            item_id=line["item"],
            truth_id=line["truth"],
            right_answer=line["label"],
            challenger=line["challenger"],
            confidence=line["confidence"],
            champion=line["champion"],
        )
        for line in lines
        if "case" in line
    ]
