"""The challenger is no worse overall than a margin."""

from collections.abc import Sequence

from retraining.gates.base import Comparison, GateOutcome, PairedRow, Part, Policy, Result, Source
from retraining.gates.paired import Difference, paired_difference


class OverallGate:
    """Weighted paired difference against a margin, one-sided.

    Audited rows say how today's traffic fares, frozen rows how the team's own test set fares; both
    are shown apart, each with its own interval. The decision is one: both together, each part
    weighing as many rows as it has, must be above -margin. A part with enough rows that fails by
    itself fails the whole, so that a large frozen set cannot hide traffic that got worse.
    """

    slug = "overall"
    title = "No worse overall"

    def judge(self, comparison: Comparison) -> list[GateOutcome]:
        policy = comparison.policy
        parts = tuple(
            _describe_part(source, comparison.rows, policy)
            for source in Source
            if any(row.source is source for row in comparison.rows)
        )
        difference = paired_difference(comparison.gated_rows, level=policy.level)
        worse = [part.name for part in parts if part.result is Result.FAILED]
        result = Result.FAILED if worse else measure(difference, policy)
        missing = _rows_missing(difference, policy) if result is Result.NOT_ENOUGH else None
        return [
            GateOutcome(
                slug=self.slug,
                name=self.title,
                group="",
                rows=difference.rows if difference else 0,
                value=difference.value if difference else None,
                low=difference.low if difference else None,
                high=difference.high if difference else None,
                bound=-policy.margin,
                result=result,
                more_rows_needed=missing,
                note=_explain(result, worse, missing),
                parts=parts,
            )
        ]


def measure(difference: Difference | None, policy: Policy) -> Result:
    """Passed above -margin, failed below it, else (or with few rows) not enough."""
    if difference is None or difference.rows < policy.least_rows:
        return Result.NOT_ENOUGH
    if difference.low > -policy.margin:
        return Result.PASSED
    return Result.FAILED if difference.high < -policy.margin else Result.NOT_ENOUGH


def _describe_part(source: Source, rows: Sequence[PairedRow], policy: Policy) -> Part:
    difference = paired_difference([r for r in rows if r.source is source], level=policy.level)
    return Part(
        name=source,
        rows=difference.rows if difference else 0,
        value=difference.value if difference else None,
        low=difference.low if difference else None,
        high=difference.high if difference else None,
        result=None if source is Source.FLAGGED else measure(difference, policy),
    )


def _rows_missing(difference: Difference | None, policy: Policy) -> int | None:
    if difference is None:
        return policy.least_rows
    needed = difference.rows_to_tell(-policy.margin)
    if needed is None:
        return None
    return max(max(needed, policy.least_rows) - difference.rows, 1)


def _explain(result: Result, worse: list[str], missing: int | None) -> str:
    if worse:
        return f"Worse by more than the margin on the {' and the '.join(worse)} rows."
    if result is not Result.NOT_ENOUGH:
        return ""
    if missing is None:
        return "The difference sits on the margin; more labels will hardly tell."
    return f"About {missing} more audited evaluation rows are needed to tell."
