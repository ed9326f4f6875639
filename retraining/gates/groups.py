"""No class and no segment collapses."""

from collections import defaultdict
from collections.abc import Sequence

from retraining.gates.base import Comparison, GateOutcome, PairedRow, Policy, Result
from retraining.gates.exact import holm_adjust, mcnemar_p_value
from retraining.gates.paired import paired_difference

DIGITS = 9  # 0.4 - 0.3 must not be more than 0.1 by the last bit of a float.

Group = tuple[str, str]  # "Class" or "Segment <key>", and its value.


class GroupsGate:
    """Exact one-sided McNemar per class and segment, Holm over all of them.

    A group fails when the test rejects and it drops by more than the policy's points; a group with
    few rows is not tested. Classes are those of the ground truth.
    """

    slug = "groups"
    title = "No class or segment collapses"

    def judge(self, comparison: Comparison) -> list[GateOutcome]:
        policy = comparison.policy
        groups = sorted(_gather(comparison.gated_rows).items())
        tested = [(g, rows) for g, rows in groups if len(rows) >= policy.least_group_rows]
        p_values = holm_adjust([_p_value(rows) for _, rows in tested])
        adjusted = {group: p for (group, _), p in zip(tested, p_values, strict=True)}
        return [self._judge_group(g, rows, adjusted.get(g), policy) for g, rows in groups]

    def _judge_group(
        self, group: Group, rows: Sequence[PairedRow], p_value: float | None, policy: Policy
    ) -> GateOutcome:
        name, value = group
        difference = paired_difference(rows, level=policy.level)
        drop = round(-difference.value, DIGITS) if difference else 0.0
        failed = p_value is not None and p_value <= policy.level and drop > policy.group_drop
        missing = None if p_value is not None else policy.least_group_rows - len(rows)
        return GateOutcome(
            slug=self.slug,
            name=name,
            group=value,
            rows=len(rows),
            value=difference.value if difference else None,
            low=difference.low if difference else None,
            high=difference.high if difference else None,
            bound=-policy.group_drop,
            result=_result(failed=failed, tested=p_value is not None),
            more_rows_needed=missing,
            note=f"{missing} more evaluation rows of {value} are needed." if missing else "",
            p_value=p_value,
        )


def _gather(rows: Sequence[PairedRow]) -> dict[Group, list[PairedRow]]:
    groups: dict[Group, list[PairedRow]] = defaultdict(list)
    for row in rows:
        groups["Class", row.label].append(row)
        for key, value in row.segments.items():
            groups[f"Segment {key}", value].append(row)
    return groups


def _p_value(rows: Sequence[PairedRow]) -> float:
    return mcnemar_p_value(
        broken=sum(row.difference < 0 for row in rows),
        mended=sum(row.difference > 0 for row in rows),
    )


def _result(*, failed: bool, tested: bool) -> Result:
    if not tested:
        return Result.NOT_ENOUGH
    return Result.FAILED if failed else Result.PASSED
