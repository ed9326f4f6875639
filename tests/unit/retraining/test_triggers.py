"""Conditions explain themselves with their values."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs.clock import UTC
from projects.errors import Invalid
from retraining.coverage import Coverage, QuotaProgress
from retraining.triggers import CONDITIONS, Condition, Situation, clean_condition

AT = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)


def quota(name: str, *, have: int, wanted: int = 60) -> QuotaProgress:
    return QuotaProgress(1, name, "", "", wanted=wanted, have=have, per_day=1.0)


def situation(*quotas: QuotaProgress, new: int = 0, asked_by: str = "") -> Situation:
    return Situation(
        at=AT,
        coverage=Coverage(quotas=quotas, new_count=new, eligible_count=new),
        since=AT - timedelta(days=29, hours=23),
        since_words="v1 went live",
        asked_by=asked_by,
    )


def test_what_a_condition_does_not_know_is_refused() -> None:
    with pytest.raises(Invalid, match="time condition has no 'day'"):
        clean_condition({"kind": "time", "days": 30, "day": 3})


@pytest.mark.parametrize("condition", list(CONDITIONS), ids=lambda condition: condition.slug)
def test_every_condition_cleans_what_it_has_cleaned(condition: Condition) -> None:
    cleaned = condition.clean({"kind": condition.slug, "days": 30, "unknown": 1})

    assert condition.clean(cleaned) == cleaned
    assert cleaned["kind"] == condition.slug
    assert condition.describe(cleaned)


@pytest.mark.parametrize("condition", list(CONDITIONS), ids=lambda condition: condition.slug)
def test_no_condition_holds_where_nothing_has_happened(condition: Condition) -> None:
    verdict = condition.check({"kind": condition.slug, "days": 30}, situation())

    assert not verdict.holds
    assert verdict.sentence


def test_one_quota_short_of_all_is_told() -> None:
    verdict = CONDITIONS["quota"].check(
        {}, situation(quota("Greek", have=61), quota("Turkish", have=12), new=73)
    )

    assert (verdict.holds, verdict.sentence) == (
        False,
        "1 of 2 quotas are met (Turkish: 12 of 60)",
    )


def test_all_quotas_met_are_named_the_first_four() -> None:
    quotas = [quota(f"class {n}", have=60 + n) for n in range(6)]

    verdict = CONDITIONS["quota"].check({}, situation(*quotas, new=400))

    assert verdict.holds
    assert verdict.sentence == (
        "all 6 quotas are met (class 0: 60 of 60, class 1: 61 of 60, class 2: 62 of 60, "
        "class 3: 63 of 60 and 2 more)"
    )


def test_days_are_whole_days() -> None:
    verdict = CONDITIONS["time"].check({"days": 30}, situation(new=5))

    assert (verdict.holds, verdict.sentence) == (
        False,
        "29 of 30 days have passed since v1 went live, with 5 new labels",
    )


def test_days_without_a_new_label_do_not_fire() -> None:
    assert not CONDITIONS["time"].check({"days": 3}, situation()).holds
    assert CONDITIONS["time"].check({"days": 3}, situation(new=1)).holds


@pytest.mark.parametrize("days", [0, -1, 4000, 2.5, True, "30", None])
def test_days_that_are_no_number_of_days_are_refused(days: object) -> None:
    with pytest.raises(Invalid, match="whole number"):
        CONDITIONS["time"].clean({"days": days})


def test_a_person_who_asks_is_named() -> None:
    verdict = CONDITIONS["manual"].check({}, situation(asked_by="Lena"))

    assert (verdict.holds, verdict.sentence) == (True, "Lena asked for it")
