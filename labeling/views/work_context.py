"""What the work page shows, from a lease: nothing of the model's answer is ever looked up here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain, repeat

from django.urls import reverse
from django.utils.timesince import timesince, timeuntil

from labeling import desk
from labeling.forms import NONE_VALUE
from labeling.models import Annotation, ClassProposal, Lease, Queue, Skip
from labeling.own_work import note_on
from projects.models import LabelClass, Project, User
from projects.task_types import TASK_TYPES

DIGITS = frozenset("0123456789")
NEAR = timedelta(hours=4)

Context = dict[str, object]


def work_context(
    *, lease: Lease, classes: Sequence[LabelClass], at: datetime, last: Context | None, problem: str
) -> Context:
    """For labeling/work_page.html and its part `next`."""
    tally = desk.tally(lease=lease, at=at)
    return {
        "project": lease.queue.project,
        "queue": lease.queue,
        "task_type": TASK_TYPES[lease.queue.project.task_type],
        "item": lease.item,
        "lease": lease,
        "seconds_left": round(lease.queue.lease_length.total_seconds()),
        "choices": choices_of(classes),
        "none_value": NONE_VALUE,
        "none_key": "n" if any(c.name == "0" for c in classes) else "0",
        "own_names": own_names(lease.annotator, lease.queue.project),
        "done_count": tally.done,
        "waiting_count": tally.waiting,
        "waiting_words": f"{tally.waiting}+" if tally.is_bounded else str(tally.waiting),
        "total_count": tally.done + tally.waiting,
        "due": _due(lease, at),
        "facts": _facts(lease, at),
        "last": last,
        "problem": problem,
        "skip_reasons": Skip.Reason.choices,
    }


def empty_context(*, queue: Queue, annotator: User, at: datetime, last: Context | None) -> Context:
    """For labeling/work_empty.html: which of the three reasons it is."""
    empty = desk.why_empty(queue=queue, annotator=annotator)
    seconds = (empty.first_free_at - at).total_seconds() if empty.first_free_at else 0
    return {
        "project": queue.project,
        "queue": queue,
        "kind": empty.kind,
        "held_count": empty.held_count,
        "seconds_until_free": max(0, round(seconds)),
        "short": empty.short,
        "done_count": desk.answers_today(annotator=annotator, queue=queue, at=at),
        "last": last,
        "work_url": work_url(queue),
        "home_url": reverse("retraining:home-show"),
    }


def choices_of(classes: Sequence[LabelClass]) -> list[Context]:
    """In the project's own order, never the model's; a class named by a digit has that key."""
    are_digits = bool(classes) and all(c.name in DIGITS for c in classes)
    return [
        {"value": c.pk, "title": c.name, "key": c.name if are_digits else key, "note": ""}
        for c, key in zip(classes, chain("123456789", repeat("")), strict=False)
    ]


def own_names(annotator: User, project: Project) -> list[str]:
    """Names this person proposed before and that are not decided."""
    waiting = ClassProposal.objects.filter(
        project=project, by=annotator, state=ClassProposal.State.PROPOSED
    )
    return list(waiting.order_by("-pk").values_list("name", flat=True)[:20])


def answered(annotation: Annotation, project: Project) -> Context:
    """The toast after an answer, with the way back."""
    said = annotation.answer.name if annotation.answer else "none of these"
    return {
        "text": f"Answered {annotation.proposed_name or said}",
        "note": note_on(annotation),
        "undo_url": reverse(
            "labeling:annotation-undo", kwargs={"slug": project.slug, "code": annotation.code}
        ),
        "item_code": annotation.item.code,
    }


def work_url(queue: Queue) -> str:
    return reverse("labeling:queue-work", kwargs={"slug": queue.project.slug, "queue": queue.slug})


def _due(lease: Lease, at: datetime) -> Context | None:
    due_at = desk.due_at(lease)
    if due_at is None:
        return None
    if due_at <= at:
        return {"text": "Overdue", "tone": "bad"}
    tone = "warn" if due_at - at < NEAR else ""
    return {"text": f"Due in {_first_part(timeuntil(due_at, at))}", "tone": tone}


def _facts(lease: Lease, at: datetime) -> list[str]:
    """Age only: customers, doubt and quota would give the answer away."""
    queued_at = lease.item.queued_at
    if queued_at is None or at - queued_at < timedelta(minutes=1):
        return []
    return [f"Waiting for {_first_part(timesince(queued_at, at))}"]


def _first_part(words: str) -> str:
    """Django's words for a time span, the larger unit alone."""
    return words.partition(",")[0]
