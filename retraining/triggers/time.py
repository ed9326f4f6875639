"""Enough days have passed, and there is something new to learn."""

from typing import Any

from projects.errors import Invalid
from retraining.triggers.base import Parameters, Situation, Verdict

LONGEST = 3650


class TimePassed:
    """Days since the last proposal; without a single new label it waits on."""

    slug = "time"
    title = "Days have passed"

    def clean(self, parameters: Parameters) -> dict[str, Any]:
        days = parameters.get("days")
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST:
            raise Invalid(f"A time condition needs `days`, a whole number from 1 to {LONGEST}.")
        return {"kind": self.slug, "days": days}

    def describe(self, parameters: Parameters) -> str:
        return f"{parameters['days']} days have passed and there are new labels"

    def check(self, parameters: Parameters, situation: Situation) -> Verdict:
        wanted = parameters["days"]
        passed = (situation.at - situation.since).days
        new = situation.coverage.new_count
        sentence = f"{passed} of {wanted} days have passed since {situation.since_words}"
        labels = "no new label" if not new else "1 new label" if new == 1 else f"{new} new labels"
        return Verdict(passed >= wanted and new > 0, f"{sentence}, with {labels}")
