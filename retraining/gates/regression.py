"""What agents once flagged stays right."""

from collections.abc import Sequence

from retraining.gates.base import (
    Comparison,
    GateOutcome,
    Part,
    Policy,
    RegressionCase,
    Result,
    Review,
)
from retraining.gates.exact import lower_bound, upper_bound


class RegressionGate:
    """Pinned cases veto one by one; of the rest at most a small share may break.

    A case is broken when the champion answers it right and the challenger wrong. It counts when a
    reviewer has confirmed it; until then it keeps the gate from passing and cannot make it fail.
    Bounds of the share are exact and one-sided (Clopper and Pearson 1934).
    """

    slug = "regression"
    title = "Regression cases stay right"

    def judge(self, comparison: Comparison) -> list[GateOutcome]:
        pinned = [case for case in comparison.cases if case.is_pinned]
        rest = [case for case in comparison.cases if not case.is_pinned]
        judged = [self._judge_pinned(case) for case in pinned]
        return [*judged, self._judge_share(rest, comparison.policy)]

    def _judge_pinned(self, case: RegressionCase) -> GateOutcome:
        breaks = case.is_broken and case.review is not Review.EXCUSED
        waits = breaks and case.review is Review.WAITING
        broken = Result.NOT_ENOUGH if waits else Result.FAILED
        return GateOutcome(
            slug=self.slug,
            name="Pinned case",
            group=case.case_id,
            rows=1,
            value=float(breaks),
            low=None,
            high=None,
            bound=0.0,
            result=broken if breaks else Result.PASSED,
            waiting=int(waits),
            note="Broken; waits for a reviewer." if waits else "",
        )

    def _judge_share(self, cases: Sequence[RegressionCase], policy: Policy) -> GateOutcome:
        confirmed, possible = _count_broken(cases)
        low = lower_bound(confirmed, len(cases), level=policy.level)
        high = upper_bound(possible, len(cases), level=policy.level)
        result = _compare(low, high, policy.broken_share)
        waiting = possible - confirmed
        unsure = result is Result.NOT_ENOUGH
        return GateOutcome(
            slug=self.slug,
            name="Broken share",
            group="",
            rows=len(cases),
            value=confirmed / len(cases) if cases else None,
            low=low,
            high=high,
            bound=policy.broken_share,
            result=result,
            more_rows_needed=_cases_missing(confirmed, len(cases), policy) if unsure else None,
            waiting=waiting,
            note=_waiting_words(waiting),
            parts=(
                _describe_part("learned", [c for c in cases if not c.is_held_out], policy),
                _describe_part("held out", [c for c in cases if c.is_held_out], policy),
            ),
        )


def _count_broken(cases: Sequence[RegressionCase]) -> tuple[int, int]:
    broken = [case for case in cases if case.is_broken]
    confirmed = sum(case.review is Review.CONFIRMED for case in broken)
    excused = sum(case.review is Review.EXCUSED for case in broken)
    return confirmed, len(broken) - excused


def _compare(low: float, high: float, bound: float) -> Result:
    if low > bound:
        return Result.FAILED
    return Result.PASSED if high < bound else Result.NOT_ENOUGH


def _waiting_words(count: int) -> str:
    if not count:
        return ""
    return f"{count} broken case{' waits' if count == 1 else 's wait'} for a reviewer."


def _cases_missing(broken: int, cases: int, policy: Policy) -> int:
    """How many more cases would let it pass if none of them breaks."""
    low, high = cases, max(cases, 1)
    while upper_bound(broken, high, level=policy.level) >= policy.broken_share:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(broken, middle, level=policy.level) >= policy.broken_share:
            low = middle
        else:
            high = middle
    return high - cases


def _describe_part(name: str, cases: Sequence[RegressionCase], policy: Policy) -> Part:
    confirmed, possible = _count_broken(cases)
    return Part(
        name=name,
        rows=len(cases),
        value=confirmed / len(cases) if cases else None,
        low=lower_bound(confirmed, len(cases), level=policy.level),
        high=upper_bound(possible, len(cases), level=policy.level),
        result=None,
    )
