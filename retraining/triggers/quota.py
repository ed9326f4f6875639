"""The coverage quotas are met."""

from typing import Any

from retraining.coverage import QuotaProgress, name_quotas
from retraining.triggers.base import Parameters, Situation, Verdict

MOST_NAMED = 4


class QuotasMet:
    """Every quota of the project has its new labels."""

    slug = "quota"
    title = "All quotas are met"

    def clean(self, parameters: Parameters) -> dict[str, Any]:
        return {"kind": self.slug}

    def describe(self, parameters: Parameters) -> str:
        return "all quotas are met"

    def check(self, parameters: Parameters, situation: Situation) -> Verdict:
        coverage = situation.coverage
        if not coverage.quotas:
            return Verdict(False, "there are no quotas to meet")
        if coverage.is_met:
            return Verdict(True, f"{_all_met(coverage.quotas)} ({_named(coverage.quotas)})")
        met = len(coverage.quotas) - len(coverage.missing)
        return Verdict(
            False,
            f"{met} of {len(coverage.quotas)} quotas are met ({_named(coverage.missing)})",
        )


def _all_met(quotas: tuple[QuotaProgress, ...]) -> str:
    return "the quota is met" if len(quotas) == 1 else f"all {len(quotas)} quotas are met"


def _named(quotas: tuple[QuotaProgress, ...]) -> str:
    rest = len(quotas) - MOST_NAMED
    return name_quotas(quotas[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
