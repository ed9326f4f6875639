"""What is measured about a batch before it is decided on: sources, size and checks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from labeling.models import ItemSource
from projects.identity import EVALUATION
from retraining.batch_review import (
    AGREES,
    PersonBehind,
    answers_behind,
    left_out_classes,
    most_alone,
)
from retraining.models import BatchRevision
from retraining.revisions import Difference

# A row with several sources counts for the first of these.
SOURCES = {
    ItemSource.Kind.FLAG: "from flags",
    ItemSource.Kind.AUDIT: "from audits",
    ItemSource.Kind.UNCERTAINTY: "drawn as uncertain",
    ItemSource.Kind.NOVELTY: "found as new",
    ItemSource.Kind.QUOTA: "asked for a quota",
    ItemSource.Kind.IMPORT: "imported",
    ItemSource.Kind.GOLD: "known answers",
}
LEAST_AGREEMENT = 0.8  # Below it, the guideline says too little for this batch.


@dataclass(frozen=True)
class Check:
    """One thing looked at: `passed`, `warn` or `failed`, with what was found."""

    title: str
    result: str
    value: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Size:
    """The training rows before and after, and what makes the difference."""

    before: int
    added: int
    retired: int  # Rows of the parent that were corrected or no longer stand.

    @property
    def after(self) -> int:
        return self.before + self.added - self.retired


def size_of(revision: BatchRevision) -> Size:
    before = revision.parent.row_count if revision.parent else 0
    return Size(before, revision.rows.count(), len(revision.retired))


def source_counts(revision: BatchRevision) -> dict[str, int]:
    """Rows by where they came from, in words; sources without rows are left out."""
    counts: dict[str, int] = {}
    rows = revision.rows.all()
    for kind, words in SOURCES.items():
        sources = ItemSource.objects.filter(item=OuterRef("item"), kind=kind)
        if found := rows.filter(Exists(sources)).count():
            counts[words] = found
        rows = rows.exclude(Exists(sources))
    return counts


def checks_of(
    revision: BatchRevision, difference: Difference | None, people: list[PersonBehind]
) -> list[Check]:
    """Every check of the batch; `difference` while it is open."""
    checks = [
        _currency(difference),
        _held_out(revision),
        _near_duplicates(revision),
        _guidelines(revision),
        _alone(revision),
    ]
    if people:
        checks.append(_agreement(revision))
    if missing := left_out_classes(revision):
        checks.append(
            Check(
                "Classes without rows",
                "warn",
                str(len(missing)),
                f"Without a row, the model will not know: {', '.join(missing)}.",
            )
        )
    return checks


def _currency(difference: Difference | None) -> Check:
    title = "Every row is its item's accepted answer"
    if difference is None or difference.holds:
        return Check(title, "passed")
    return Check(title, "failed", detail=" ".join(difference.sentences))


def _held_out(revision: BatchRevision) -> Check:
    found = revision.rows.filter(item__use=EVALUATION).count()
    return Check(
        "No row is held out for measuring",
        "failed" if found else "passed",
        f"{found} of {revision.rows.count():,}",
    )


def _near_duplicates(revision: BatchRevision) -> Check:
    title = "No row is too close to a held-out one"
    dropped = revision.dropped.select_related("item", "evaluation_item").order_by("-similarity")
    if not dropped:
        return Check(title, "passed", "none")
    first = dropped[0]
    pair = f"“{first.item.input.get('text')}” is like “{first.evaluation_item.input.get('text')}”"
    return Check(title, "warn", f"{len(dropped)} left out", f"{pair}, {first.similarity:.0%}.")


def _guidelines(revision: BatchRevision) -> Check:
    numbers = list(
        revision.rows.filter(truth__guideline__isnull=False)
        .values_list("truth__guideline__number", flat=True)
        .distinct()
        .order_by("truth__guideline__number")
    )
    named = ", ".join(f"{number}" for number in numbers)
    if len(numbers) > 1:
        return Check("One guideline", "warn", f"versions {named}")
    return Check("One guideline", "passed", f"version {named}" if numbers else "none was in force")


def _alone(revision: BatchRevision) -> Check:
    title = "No person alone decided most of it"
    alone = most_alone(revision)
    if alone is None:
        return Check(title, "passed", "no label rests on one person")
    return Check(
        title,
        "warn" if alone.is_dominant else "passed",
        f"{alone.name}: {alone.share:.0%} of the rows",
    )


def _agreement(revision: BatchRevision) -> Check:
    """The share of single answers that are the accepted one."""
    answers = answers_behind(revision).aggregate(
        all=Count("pk"), agreed=Count("pk", filter=Q(AGREES))
    )
    share = answers["agreed"] / answers["all"] if answers["all"] else 0.0
    result = "passed" if share >= LEAST_AGREEMENT else "warn"
    return Check("Agreement", result, f"{share:.0%} of {answers['all']:,} answers")
