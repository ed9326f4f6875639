"""The demo's guided strip: which step of the loop the project is at, and where to go."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from feedback.models import Flag, Issue
from labeling.models import Item, Slot
from projects.classes import accepted_classes
from projects.models import Project
from retraining.models import Batch, Receipt

VISITOR_AGENT = "demo-agent"  # Flags nothing in the demo's history: the visitor does.
VISITOR_ANNOTATOR = "demo-annotator-3"  # Whose answers are the ones still missing.
VISITOR_LEAD = "demo-lead"
REVIEWER = "demo-reviewer"
STEPS = 7
OF_THE_MACHINE = {3, 5}  # Steps that end without anybody's press.
STATE = Batch.State


@dataclass(frozen=True)
class TourStrip:
    step: int
    of: int
    text: str
    url: str
    label: str
    dismiss_url: str
    who: str  # The username of the person whose step it is.
    is_waiting: bool


Step = tuple[int, str, str, str, str]  # Number, text, label, address, and whose it is.


def tour_strip(project: Project | None, *, hidden: bool) -> TourStrip | None:
    """None outside the demo's projects, once it was closed, and when all steps are done."""
    if hidden or project is None or not project.is_demo:
        return None
    step, text, label, url, who = _next_step(project)
    hide_url, is_waiting = reverse("retraining:tour-hide"), step in OF_THE_MACHINE
    return TourStrip(step, STEPS, text, url, label, hide_url, who, is_waiting)


def _next_step(project: Project) -> Step:
    slug = {"slug": project.slug}
    if not Flag.objects.filter(project=project, agent__username=VISITOR_AGENT).exists():
        return _first_step(project, slug)
    batch = Batch.objects.filter(project=project).exclude(cause=Batch.Cause.IMPORT).last()
    if batch is None:
        return _before_the_batch(project, slug)
    page, numbered = "retraining:batch-show", {**slug, "number": batch.number}
    if batch.state == STATE.PROPOSED:
        text = "Act as demo lead: the quotas are met and a batch waits. Read it and approve."
        return 4, text, "The batch", reverse(page, kwargs=numbered), VISITOR_LEAD
    if batch.state in {STATE.APPROVED, STATE.TRAINING}:
        text = "The candidate is being trained and checked, in a process of its own."
        return 5, text, "Watch", reverse(page, kwargs=numbered), VISITOR_LEAD
    if batch.state == STATE.EVALUATED:
        text = "As demo lead: read the comparison and promote the candidate."
        return 6, text, "The comparison", reverse(page, kwargs=numbered), VISITOR_LEAD
    receipts = Receipt.objects.filter(project=project, flag__agent__username=VISITOR_AGENT)
    text = "Act as demo agent again: your receipt shows the old and the new answer."
    if receipts.filter(seen_at__isnull=False).exists():
        text = "That was the whole loop. Look around, or reset the demo to play it again."
    return 7, text, "My flags", reverse("feedback:flag-mine", kwargs=slug), VISITOR_AGENT


def _first_step(project: Project, slug: dict[str, str]) -> Step:
    """To the newest issue with an input that the next model learns from: it will be fixed."""
    learned = Item.objects.filter(project=project, use=Item.Use.TRAIN).values("identity")
    issues = Issue.objects.unfinished().filter(project=project, inputs__identity__in=learned)
    issue = issues.order_by("number").last()
    if issue is None:
        text = "Act as demo agent, find an answer that is wrong, and flag it."
        return 1, text, "Find", reverse("feedback:prediction-find", kwargs=slug), VISITOR_AGENT
    text = "Act as demo agent: the live model is wrong here. Join the issue with “Me too”."
    numbered = {**slug, "number": issue.number}
    return 1, text, "The issue", reverse("feedback:issue-show", kwargs=numbered), VISITOR_AGENT


def _before_the_batch(project: Project, slug: dict[str, str]) -> Step:
    open_slots = Slot.objects.filter(project=project, state__in=["open", "leased"])
    if open_slots.exists():
        who = VISITOR_ANNOTATOR.replace("-", " ")
        text = f"Act as {who} and label what is left, six at first. {_how_to_answer(project)}"
        return 2, text, "Label", reverse("labeling:work-start", kwargs=slug), VISITOR_ANNOTATOR
    if Item.objects.disputed(project).exists():
        text = "Act as demo reviewer: the labels of an item differ. Settle it."
        return 2, text, "Settle", reverse("labeling:item-next_disputed", kwargs=slug), REVIEWER
    text = "The last quota is met; the trigger proposes a batch within seconds."
    return 3, text, "Batches", reverse("retraining:batch-list", kwargs=slug), VISITOR_LEAD


def _how_to_answer(project: Project) -> str:
    """The work page has nine keys, or one for each digit."""
    names = [label_class.name for label_class in accepted_classes(project)]
    if len(names) <= len("123456789") or all(name in set("0123456789") for name in names):
        return "One key answers each."
    return "Without a key for a class: press /, type its first letters, then Enter."
