"""What a lead reads before deciding on a batch: what it changes, and who stands behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from events.models import Event
from feedback.models import Flag
from labeling.models import Annotation, GroundTruth, Item
from projects.models import LabelClass, User
from retraining.models import Batch, BatchRevision, BatchRow
from retraining.words import event_words

MOST_DISPUTED = 20
DOMINANT = 0.5  # More of a batch on the word of one person alone than this is worth a look.


@dataclass(frozen=True)
class Change:
    """Rows of one class or segment value, before and added."""

    name: str
    before: int
    added: int


@dataclass(frozen=True)
class PersonBehind:
    name: str
    rows: int
    share: float
    agreement: float
    flags: int


@dataclass(frozen=True)
class Alone:
    """The share of a batch that rests on one person's word."""

    name: str
    share: float

    @property
    def is_dominant(self) -> bool:
        return self.share > DOMINANT


@dataclass(frozen=True)
class DoubtfulRow:
    """A row on which somebody said something else."""

    row: BatchRow
    said: str
    agreed: int
    answers: int


@dataclass(frozen=True)
class TrailLine:
    who: str
    at: datetime
    text: str


def row_counts(batches: Iterable[Batch]) -> dict[int, int]:
    """How many rows the newest revision of each batch holds."""
    revisions = BatchRevision.objects.filter(batch__in=list(batches)).order_by("number")
    counted = revisions.annotate(count=Count("rows"))
    return {revision.batch_id: revision.count for revision in counted}


def class_changes(revision: BatchRevision) -> list[Change]:
    """Every class the version will know, in the project's order."""
    before = revision.parent.counts.get("classes", {}) if revision.parent else {}
    names = revision.rows.values_list("truth__answer__name").annotate(count=Count("pk"))
    added: dict[str, int] = dict(names)
    return [Change(name, before.get(name, 0), added.get(name, 0)) for name in revision.classes]


def segment_changes(revision: BatchRevision) -> dict[str, list[Change]]:
    """For each segment key its values, most added first."""
    before = revision.parent.counts if revision.parent else {}
    added: dict[str, Counter[str]] = defaultdict(Counter)
    for segments in revision.rows.values_list("item__segments", flat=True):
        for key, value in segments.items():
            added[key][value] += 1
    return {
        key: [
            Change(value, before.get(f"segment {key}", {}).get(value, 0), count)
            for value, count in counts.most_common()
        ]
        for key, counts in sorted(added.items())
    }


def people_behind(revision: BatchRevision) -> list[PersonBehind]:
    """Annotators of the rows, most rows first; imported rows have none."""
    total = revision.rows.count()
    given = (
        answers_behind(revision)
        .values("annotator_id")
        .annotate(rows=Count("item", distinct=True), agreed=Count("pk", filter=AGREES))
        .order_by("-rows", "annotator_id")
    )
    people = User.objects.in_bulk([row["annotator_id"] for row in given])
    flags = dict(
        Flag.objects.filter(
            project=revision.project_id, identity__in=revision.rows.values("item__identity")
        )
        .values_list("agent_id")
        .annotate(count=Count("pk"))
    )
    return [
        PersonBehind(
            name=str(people[row["annotator_id"]]),
            rows=row["rows"],
            share=row["rows"] / total if total else 0.0,
            agreement=row["agreed"] / row["rows"],
            flags=flags.get(row["annotator_id"], 0),
        )
        for row in given
    ]


def doubtful_rows(revision: BatchRevision) -> list[DoubtfulRow]:
    """Rows whose people did not all agree, those with the least agreement first."""
    counts = {
        row["item_id"]: (row["agreed"], row["answers"])
        for row in answers_behind(revision)
        .values("item_id")
        .annotate(answers=Count("pk"), agreed=Count("pk", filter=AGREES))
        .filter(agreed__lt=F("answers"))
    }
    first = sorted(counts, key=lambda item_id: counts[item_id][0] / counts[item_id][1])
    rows = revision.rows.filter(item_id__in=first[:MOST_DISPUTED])
    others = answers_behind(revision).filter(~AGREES, item=OuterRef("item")).order_by("pk")
    found = rows.select_related("item", "truth__answer").annotate(
        said=Subquery(others.values("answer__name")[:1])
    )
    doubtful = [
        DoubtfulRow(row, row.said or "none of these", *counts[row.item_id]) for row in found
    ]
    return sorted(doubtful, key=lambda row: row.agreed / row.answers)


def rows_of_revision(revision: BatchRevision) -> QuerySet[BatchRow]:
    """Every row with what its line shows."""
    return (
        revision.rows.select_related("item", "truth__answer", "truth__by")
        .prefetch_related("item__sources")
        .order_by("truth__answer__position", "pk")
    )


def evaluation_rows_waiting(revision: BatchRevision) -> int:
    """Accepted labels that are kept for measuring and never trained on."""
    settled = Item.objects.settled(revision.project)
    return settled.filter(use=Item.Use.EVALUATION).count()


def trail_of(batch: Batch) -> list[TrailLine]:
    """Who did what, oldest first."""
    events = [e for e in Event.objects.of(batch).order_by("pk")[:200] if event_words(e.name)]
    people = User.objects.in_bulk({event.actor_id for event in events if event.actor_id})
    lines = []
    for event in events:
        actor = people.get(event.actor_id or 0)
        lines.append(TrailLine(str(actor or "Setright"), event.at, event_words(event.name) or ""))
    return lines


AGREES = Q(answer=F("item__truth__answer"))


def answers_behind(revision: BatchRevision) -> QuerySet[Annotation]:
    """The answers that settled the rows, in the round of each row's truth."""
    return Annotation.objects.answers().filter(
        item__in=revision.rows.values("item"),
        slot__isnull=False,
        round=F("item__truth__round"),
    )


def most_alone(revision: BatchRevision) -> Alone | None:
    """Who alone said what was accepted, of the most rows: no second person stands behind those."""
    agreed = answers_behind(revision).filter(AGREES).values_list("item", "annotator")
    decided = revision.rows.filter(
        truth__method=GroundTruth.Method.REVIEWER, truth__by__isnull=False
    )
    behind: dict[int, set[int]] = defaultdict(set)
    for item_id, person_id in [*agreed, *decided.values_list("item", "truth__by")]:
        behind[item_id].add(person_id)
    counts = Counter(next(iter(people)) for people in behind.values() if len(people) == 1)
    if not counts:
        return None
    person_id, rows = counts.most_common(1)[0]
    return Alone(str(User.objects.get(pk=person_id)), rows / revision.rows.count())


def new_classes(revision: BatchRevision) -> list[str]:
    """Classes that the parent did not know."""
    known = revision.parent.counts.get("classes", {}) if revision.parent else {}
    return [name for name in revision.classes if known and name not in known]


def left_out_classes(revision: BatchRevision) -> list[str]:
    """Accepted classes without a single row: the version will not know them."""
    accepted = LabelClass.objects.filter(project=revision.project, retired_at=None)
    return [c.name for c in accepted if c.name not in revision.classes]
