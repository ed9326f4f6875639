"""A person asks for a batch."""

from typing import Any

from retraining.triggers.base import Parameters, Situation, Verdict


class PersonAsks:
    """Holds only at the moment when somebody asks, with their reason."""

    slug = "manual"
    title = "A person asks"

    def clean(self, parameters: Parameters) -> dict[str, Any]:
        return {"kind": self.slug}

    def describe(self, parameters: Parameters) -> str:
        return "a person asks"

    def check(self, parameters: Parameters, situation: Situation) -> Verdict:
        if not situation.asked_by:
            return Verdict(False, "nobody has asked")
        reason = f": {situation.reason}" if situation.reason else ""
        return Verdict(True, f"{situation.asked_by} asked for it{reason}")
