"""Queues, guidelines, items, slots, leases, annotations, skips and ground truth."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from labeling.querysets import (
    AnnotationQuerySet,
    GroundTruthQuerySet,
    ItemQuerySet,
    SlotQuerySet,
)
from projects.models import LabelClass, Project, User

LEASE_SECONDS = 600  # Some minutes for reading the guideline, far above one answer's time.


class Queue(models.Model):
    """Items that one group of annotators serves, and by which rules."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="queues")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    overlap = models.PositiveSmallIntegerField(default=1)
    lease_seconds = models.PositiveIntegerField(default=LEASE_SECONDS)
    is_blind = models.BooleanField(default=True)
    service_hours = models.PositiveIntegerField(default=72)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "slug"], name="queue_slug_unique"),
            models.CheckConstraint(name="overlap_is_positive", condition=Q(overlap__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def lease_length(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)


class RoutingRule(models.Model):
    """In order: the first rule that matches decides the queue and the head start."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="routing_rules")
    position = models.PositiveIntegerField()
    source = models.CharField(max_length=20, blank=True)  # Empty matches every source.
    least_severity = models.PositiveSmallIntegerField(default=0)
    queue = models.ForeignKey(Queue, models.CASCADE)
    head_start_hours = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["project", "position"], name="rule_position_unique"),
            models.CheckConstraint(
                name="head_start_at_most_14_days", condition=Q(head_start_hours__lte=336)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source or 'any'} to {self.queue}"


class Guideline(models.Model):
    """A numbered version of the instructions; every annotation names the one it followed."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guidelines")
    number = models.PositiveIntegerField()
    text = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="guideline_number_unique"),
        ]

    def __str__(self) -> str:
        return f"Guideline {self.number}"


class Item(models.Model):
    """One input that needs ground truth, or has it."""

    class State(models.TextChoices):
        OPEN = "open"
        DISPUTED = "disputed"
        RESOLVED = "resolved"
        WITHDRAWN = "withdrawn"

    class Use(models.TextChoices):
        TRAIN = "train"
        EVALUATION = "evaluation"

    code = models.UUIDField(unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="items")
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, related_name="items")
    identity = models.CharField(max_length=64)
    input = models.JSONField()
    context = models.JSONField(default=dict)
    segments = models.JSONField(default=dict)
    # Stored the moment the item exists, and never changed.
    use = models.CharField(max_length=20, choices=Use)
    state = models.CharField(max_length=20, choices=State, default=State.OPEN)
    round = models.PositiveSmallIntegerField(default=1)
    # Rounds up to this one are part of an approved batch: their answers can no longer be undone.
    sealed_round = models.PositiveSmallIntegerField(default=0)
    # The newest ground truth that stands; the revisions themselves are append-only.
    truth = models.ForeignKey("GroundTruth", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "identity"], name="item_identity_unique"),
        ]
        indexes = [
            models.Index(fields=["project", "state", "use"], name="item_by_state"),
            models.Index(
                fields=["queue", "id"], name="item_disputed", condition=Q(state="disputed")
            ),
        ]

    def __str__(self) -> str:
        return str(self.code)

    @cached_property
    def guideline_now_id(self) -> int | None:
        """The project's newest guideline, as of when this item was read."""
        guidelines = Guideline.objects.filter(project_id=self.project_id).order_by("-number")
        return guidelines.values_list("pk", flat=True).first()


class ItemSource(models.Model):
    """Why an item exists; an item keeps all its sources."""

    class Kind(models.TextChoices):
        FLAG = "flag"
        AUDIT = "audit"
        UNCERTAINTY = "uncertainty"
        NOVELTY = "novelty"
        QUOTA = "quota"
        IMPORT = "import"
        GOLD = "gold"

    project = models.ForeignKey(Project, models.CASCADE)
    item = models.ForeignKey(Item, models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=20, choices=Kind)
    # The id of the flag, draw, prediction or import.
    reference = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "kind", "reference"], name="source_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Slot(models.Model):
    """One of an item's places for an annotator in a round."""

    class State(models.TextChoices):
        OPEN = "open"
        LEASED = "leased"
        FILLED = "filled"
        WITHDRAWN = "withdrawn"

    project = models.ForeignKey(Project, models.CASCADE)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="slots")
    item = models.ForeignKey(Item, models.CASCADE, related_name="slots")
    round = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20, choices=State, default=State.OPEN)
    annotator = models.ForeignKey(User, models.PROTECT, null=True, related_name="slots")
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    # Milliseconds since 1970 of queueing, minus the head start: the smallest is next.
    order_key = models.BigIntegerField()

    objects = SlotQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "round", "number"], name="slot_unique"),
            models.UniqueConstraint(
                fields=["item", "round", "annotator"],
                name="one_slot_per_annotator_and_round",
                condition=Q(state__in=["leased", "filled"]),
            ),
            models.CheckConstraint(
                name="held_slots_have_an_annotator",
                condition=Q(state__in=["open", "withdrawn"], annotator=None)
                | Q(state__in=["leased", "filled"], annotator__isnull=False),
            ),
            models.CheckConstraint(
                name="leased_slots_have_an_end",
                condition=~Q(state="leased") | Q(lease_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "order_key", "id"], name="slot_open", condition=Q(state="open")
            ),
            models.Index(fields=["lease_until"], name="slot_leased", condition=Q(state="leased")),
            models.Index(
                fields=["annotator", "queue"], name="slot_held", condition=Q(state="leased")
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of {self.item_id}, round {self.round}"


class Lease(models.Model):
    """Append-only: that this annotator was given this slot, under this fence.

    A submit is authorised by its lease row, also after the slot has passed on.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE)
    queue = models.ForeignKey(Queue, models.CASCADE)
    slot = models.ForeignKey(Slot, models.CASCADE, related_name="leases")
    item = models.ForeignKey(Item, models.CASCADE, related_name="leases")
    round = models.PositiveSmallIntegerField()
    annotator = models.ForeignKey(User, models.PROTECT, related_name="leases")
    fence = models.PositiveIntegerField()
    order_key = models.BigIntegerField()
    # When a claim last looked at the whole queue for this person; see claims.py.
    scanned_at = models.DateTimeField()
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slot", "fence"], name="one_lease_per_fence"),
        ]
        indexes = [
            models.Index(fields=["annotator", "queue", "-id"], name="lease_newest"),
            models.Index(fields=["item", "round", "annotator"], name="lease_of_item"),
        ]

    def __str__(self) -> str:
        return str(self.code)


class Annotation(models.Model):
    """Append-only: what one annotator said. An undo is an empty revision that names the first."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="annotations")
    item = models.ForeignKey(Item, models.CASCADE, related_name="annotations")
    round = models.PositiveSmallIntegerField()
    # Null when no slot was free any more: kept as surplus.
    slot = models.ForeignKey(Slot, models.CASCADE, null=True, related_name="annotations")
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="annotations")
    annotator = models.ForeignKey(User, models.PROTECT, related_name="annotations")
    answer = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+")
    is_outside = models.BooleanField(default=False)  # "None of these".
    proposed_name = models.CharField(max_length=120, blank=True)
    # With an index of the empty ones too, SQLite would look answers up by it, and read them all.
    undoes = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="undone_by", db_index=False
    )
    guideline = models.ForeignKey(Guideline, models.PROTECT, null=True, related_name="+")
    seconds = models.FloatField(null=True)
    at = models.DateTimeField()

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lease"], name="one_answer_per_lease", condition=Q(undoes=None)
            ),
            models.UniqueConstraint(
                fields=["undoes"], name="undone_once", condition=Q(undoes__isnull=False)
            ),
            models.CheckConstraint(
                name="an_answer_says_one_thing",
                condition=Q(undoes__isnull=False, answer=None, is_outside=False)
                | Q(undoes=None, answer__isnull=False, is_outside=False, proposed_name="")
                | Q(undoes=None, answer=None, is_outside=True),
            ),
        ]
        indexes = [
            models.Index(fields=["annotator", "-at"], name="annotation_recent"),
        ]

    def __str__(self) -> str:
        return str(self.code)

    @property
    def counts(self) -> bool:
        """Whether it fills a slot; a surplus answer is kept but decides nothing."""
        return self.slot_id is not None


class Skip(models.Model):
    """That a person passed on an item; they do not see it again in this round."""

    class Reason(models.TextChoices):
        UNCLEAR = "unclear", "I cannot tell"
        BROKEN = "broken", "The item is broken"
        PERSONAL = "personal", "I should not judge this"

    project = models.ForeignKey(Project, models.CASCADE)
    item = models.ForeignKey(Item, models.CASCADE, related_name="skips")
    round = models.PositiveSmallIntegerField()
    lease = models.OneToOneField(Lease, models.PROTECT)
    annotator = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "round", "annotator"], name="skip_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator_id} skipped {self.item_id}"


class GroundTruth(models.Model):
    """Append-only revisions of the accepted answer; a revision to none withdraws the last."""

    class Method(models.TextChoices):
        MAJORITY = "majority"
        REVIEWER = "reviewer"
        IMPORT = "import"
        NONE = "none"

    project = models.ForeignKey(Project, models.CASCADE, related_name="ground_truths")
    item = models.ForeignKey(Item, models.CASCADE, related_name="ground_truths")
    round = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField()
    answer = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+")
    is_outside = models.BooleanField(default=False)
    proposed_name = models.CharField(max_length=120, blank=True)
    method = models.CharField(max_length=20, choices=Method)
    confidence = models.FloatField(null=True)
    guideline = models.ForeignKey(Guideline, models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects = GroundTruthQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "revision"], name="truth_revision_unique"),
            models.CheckConstraint(
                name="a_truth_says_one_thing",
                condition=Q(method="none", answer=None, is_outside=False)
                | (~Q(method="none") & Q(answer__isnull=False, is_outside=False))
                | (~Q(method="none") & Q(answer=None, is_outside=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"truth {self.revision} of {self.item_id}"


class ClassProposal(models.Model):
    """A name that annotators gave to what is none of the classes; a lead decides once."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    project = models.ForeignKey(Project, models.CASCADE, related_name="class_proposals")
    name = models.CharField(max_length=120)
    canonical = models.CharField(max_length=120)
    state = models.CharField(max_length=20, choices=State, default=State.PROPOSED)
    label_class = models.ForeignKey(LabelClass, models.PROTECT, null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "canonical"], name="proposal_unique"),
        ]

    def __str__(self) -> str:
        return self.name
