"""What the list of batches and the page of one show."""

from __future__ import annotations

from django.http import QueryDict
from django.urls import reverse

from projects.models import Role
from projects.paging import page_of
from projects.task_types import TASK_TYPES
from projects.versions import find_champion
from retraining.batch_checks import checks_of, size_of, source_counts
from retraining.batch_review import (
    Change,
    DoubtfulRow,
    PersonBehind,
    class_changes,
    doubtful_rows,
    evaluation_rows_waiting,
    new_classes,
    people_behind,
    row_counts,
    rows_of_revision,
    segment_changes,
    trail_of,
)
from retraining.models import Batch, BatchRevision, BatchRow
from retraining.revisions import Difference, difference_of, newest_revision
from retraining.words import batch_words, count_of

STATE = Batch.State
TABS = {"changes": "Changes", "rows": "Rows", "checks": "Checks", "people": "People"}
Context = dict[str, object]


def batch_list_rows(batches: list[Batch]) -> list[Context]:
    counts = row_counts(batches)
    return [_list_row(batch, counts.get(batch.pk, 0)) for batch in batches]


def _list_row(batch: Batch, row_count: int) -> Context:
    words, tone = batch_words(batch.state)
    decided = f"by {batch.decided_by}" if batch.decided_by else ""
    return {
        "number": batch.number,
        "state_words": words,
        "tone": tone,
        "explanation": "; ".join(batch.explanation),
        "row_count": row_count,
        "proposed_at": batch.proposed_at,
        "decided_words": f"{decided}: {batch.reason}" if batch.reason else decided,
        "version_name": batch.version.name if batch.version else "",
        "url": next_url(batch),
    }


def next_url(batch: Batch) -> str:
    """The page that the batch's state asks for."""
    page = "batch-show"
    if batch.state in {STATE.TRAINING, STATE.APPROVED}:
        page = "training-show"
    if batch.state == STATE.EVALUATED:
        page = "gates-show"
    named = {"slug": batch.project.slug, "number": batch.number}
    return reverse(f"retraining:{page}", kwargs=named)


def batch_context(batch: Batch, *, roles: frozenset[Role], tab: str, query: QueryDict) -> Context:
    """For retraining/batch_page.html: only what the open tab needs is read."""
    tab = tab if tab in TABS else "changes"
    revision = batch.approved_revision or newest_revision(batch)
    is_open = batch.state == STATE.PROPOSED
    difference = difference_of(revision) if is_open else None
    row_count, words = revision.rows.count(), batch_words(batch.state)
    is_lead = Role.LEAD in roles
    context: Context = {
        "project": batch.project,
        "task_type": TASK_TYPES[batch.project.task_type],
        "batch": batch,
        "state_words": words[0],
        "tone": words[1],
        "proposed_at": batch.proposed_at,
        "revision": revision,
        "is_current": difference is None or difference.holds,
        "changed_words": " ".join(difference.sentences) if difference else "",
        "why": [_why(sentence) for sentence in batch.explanation],
        "can_approve": is_open and is_lead,
        "can_reject": is_open and is_lead,
        "can_refresh": is_open and is_lead,
        "can_start": batch.state == STATE.FAILED and is_lead,
        "row_count": row_count,
        "tab": tab,
        "tabs": _tabs(tab, row_count),
        "trail": trail_of(batch),
        **_onward(batch),
    }
    return context | _TAB_CONTEXTS[tab](revision, difference, query)


def _changes(revision: BatchRevision, difference: Difference | None, query: QueryDict) -> Context:
    classes, people = class_changes(revision), people_behind(revision)
    segments = segment_changes(revision)
    return {
        "stats": _stats(revision),
        "checks": _checks(revision, difference, people),
        "classes": classes,
        "most": _most(classes),
        "segments": [
            {"title": key, "rows": rows, "most": _most(rows)} for key, rows in segments.items()
        ],
        "suspects": [_suspect(row) for row in doubtful_rows(revision)],
        "after": _after(revision),
    }


def _rows(revision: BatchRevision, difference: Difference | None, query: QueryDict) -> Context:
    page = page_of(rows_of_revision(revision), query)
    return {"rows": [_row(row) for row in page.rows], **page.links}


def _checks_tab(
    revision: BatchRevision, difference: Difference | None, query: QueryDict
) -> Context:
    return {"checks": _checks(revision, difference, people_behind(revision))}


def _people(revision: BatchRevision, difference: Difference | None, query: QueryDict) -> Context:
    return {"people": people_behind(revision)}


_TAB_CONTEXTS = {"changes": _changes, "rows": _rows, "checks": _checks_tab, "people": _people}


def _why(sentence: str) -> dict[str, str]:
    """The sentence, and what stands in its brackets."""
    strong, _, detail = sentence.partition(" (")
    return {"strong": strong, "detail": detail.removesuffix(")")}


def _tabs(current: str, row_count: int) -> list[Context]:
    return [
        {
            "title": title,
            "count": f"{row_count:,}" if name == "rows" else "",
            "url": f"?tab={name}",
            "is_current": name == current,
        }
        for name, title in TABS.items()
    ]


def _onward(batch: Batch) -> Context:
    named = {"slug": batch.project.slug, "number": batch.number}
    has_gates = batch.state in {STATE.EVALUATED, STATE.PROMOTED, STATE.NOT_PROMOTED}
    has_run = batch.job_id is not None and not has_gates
    return {
        "gates_url": reverse("retraining:gates-show", kwargs=named) if has_gates else "",
        "training_url": reverse("retraining:training-show", kwargs=named) if has_run else "",
    }


def _stats(revision: BatchRevision) -> list[Context]:
    size, fresh = size_of(revision), new_classes(revision)
    known = revision.parent.counts.get("classes", {}) if revision.parent else {}
    sources: list[Context] = [
        {"value": f"{count:,}", "caption": words}
        for words, count in source_counts(revision).items()
    ]
    return [
        {
            "value": f"{size.before:,} \N{RIGHTWARDS ARROW} {size.after:,}",
            "caption": f"training rows, {size.retired:,} of them taken out"
            if size.retired
            else "training rows",
        },
        {
            "value": f"{len(known)} \N{RIGHTWARDS ARROW} {len(revision.classes)}",
            "caption": f"classes: {', '.join(fresh)}" if fresh else "classes",
        },
        *sources,
        {
            "value": f"{evaluation_rows_waiting(revision):,}",
            "caption": "labels are held out to measure, never trained on",
        },
    ]


def _checks(
    revision: BatchRevision, difference: Difference | None, people: list[PersonBehind]
) -> list[Context]:
    return [vars(check) for check in checks_of(revision, difference, people)]


def _after(revision: BatchRevision) -> list[str]:
    champion = find_champion(revision.project)
    total = size_of(revision).after
    told = f"A new model learns from {count_of(total, 'row')}."
    if champion is None:
        return [told, "It is the first: there is nothing to compare it with."]
    return [told, f"It is compared with {champion.name}.", "Nothing goes live by itself."]


def _most(rows: list[Change]) -> int:
    """The longest bar of one chart: a segment's values are larger than any class by far."""
    return max((row.before + row.added for row in rows), default=1) or 1


def _suspect(doubtful: DoubtfulRow) -> Context:
    return {
        "pk": doubtful.row.pk,
        "input": doubtful.row.item.input,
        "label": _label(doubtful.row),
        "other_words": f"{doubtful.said}?",
        "tone": "warn",
        "agreement": f"{doubtful.agreed} of {doubtful.answers}",
    }


def _row(row: BatchRow) -> Context:
    kinds = sorted({source.kind for source in row.item.sources.all()})
    return {
        "pk": row.pk,
        "input": row.item.input,
        "label": _label(row),
        "source_words": ", ".join(kinds),
        "people_words": f"reviewer {row.truth.by}" if row.truth.by else row.truth.method,
        "segments_words": ", ".join(str(value) for value in row.item.segments.values()),
    }


def _label(row: BatchRow) -> str:
    return row.truth.answer.name if row.truth.answer else ""
