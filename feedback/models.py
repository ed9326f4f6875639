"""Predictions, audit plans and draws, flags, issues and imports."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from feedback.querysets import FlagQuerySet, IssueQuerySet, PredictionQuerySet
from jobs.models import Job
from projects.models import LabelClass, ModelVersion, Project, User


class Import(models.Model):
    """A file of rows brought in as a whole; undoable until something refers to its rows."""

    class Kind(models.TextChoices):
        PREDICTIONS = "predictions"
        TRAINING = "training"
        EVALUATION = "evaluation"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        UNDONE = "undone"

    project = models.ForeignKey(Project, models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    file_name = models.CharField(max_length=200)
    file_digest = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    # Rows whose input is known under the other use: training never sees an evaluation row.
    refused = models.PositiveIntegerField(default=0)
    next_row = models.PositiveIntegerField(default=0)  # Where a run that was cut off goes on.
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    problems = models.JSONField(default=list)  # The first hundred, each with its line number.
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"


class Prediction(models.Model):
    """One recorded answer; not changed after it is stored, but for erasure and retention."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="predictions")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="predictions")
    external_id = models.CharField(max_length=200)
    input = models.JSONField()
    context = models.JSONField(default=dict)
    output = models.CharField(max_length=120)
    confidence = models.FloatField(null=True)
    scores = models.JSONField(null=True)  # Class name to probability, where the model gives it.
    segments = models.JSONField(default=dict)
    customer_ref = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    identity = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    imported = models.ForeignKey(Import, models.PROTECT, null=True, related_name="predictions")

    objects = PredictionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "external_id", "version"], name="prediction_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "identity"], name="prediction_identity"),
            models.Index(fields=["project", "-occurred_at", "-id"], name="prediction_newest"),
            models.Index(
                fields=["project", "customer_ref"],
                name="prediction_customer",
                condition=~Q(customer_ref=""),
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class SearchMark(models.Model):
    """How far the search index is filled.

    Ids are given before they are committed, so a lower one may appear after a higher one: from
    `done_to` on they are looked at again and again, until all that was under way has ended.
    """

    done_to = models.BigIntegerField(default=0)
    filled_to = models.BigIntegerField(default=0)
    scanned_at = models.DateTimeField(null=True)
    # The newest id at an earlier look, which becomes `done_to` a while later.
    seen_to = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"search filled to {self.filled_to}"


class AuditPlan(models.Model):
    """At what rate predictions are drawn at random, from when; only monitoring writes these."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="audit_plans")
    rate = models.FloatField()
    since = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="rate_is_a_share", condition=Q(rate__gte=0, rate__lte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.rate:g}"


class AuditDraw(models.Model):
    """One prediction drawn by a plan, with the probability it had; independent of flags."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="draws")
    plan = models.ForeignKey(AuditPlan, models.PROTECT, related_name="draws")
    prediction = models.OneToOneField(Prediction, models.CASCADE, related_name="draw")
    probability = models.FloatField()
    stratum = models.CharField(max_length=80, blank=True)
    drawn_at = models.DateTimeField()
    routed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="probability_is_positive", condition=Q(probability__gt=0, probability__lte=1)
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="draw_unrouted", condition=Q(routed_at=None)),
        ]

    def __str__(self) -> str:
        return f"draw of {self.prediction_id}"


class Issue(models.Model):
    """Flags with one cause, from the first report to the receipt."""

    class State(models.TextChoices):
        NEW = "new"
        LABELING = "labeling"
        AWAITING_RETRAIN = "awaiting retrain"
        FIXED = "fixed"
        DECLINED = "declined"
        WAITING = "waiting for the agent"
        REOPENED = "reopened"
        MERGED = "merged"

    project = models.ForeignKey(Project, models.CASCADE, related_name="issues")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=30, choices=State, default=State.NEW)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged")
    fixed_in = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = IssueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="issue_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def fixed_by(self) -> str:
        """The version in which it is fixed, as long as it is."""
        return self.fixed_in.name if self.fixed_in and self.state == self.State.FIXED else ""


class IssueInput(models.Model):
    """That flags on this input belong to this issue."""

    project = models.ForeignKey(Project, models.CASCADE)
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="inputs")
    identity = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "identity"], name="input_has_one_issue"),
        ]

    def __str__(self) -> str:
        return f"{self.identity[:12]} in {self.issue_id}"


class Flag(models.Model):
    """One agent's report; what became of it is decided by ground truth and later versions."""

    class Reason(models.TextChoices):
        WRONG_CLASS = "wrong class", "Wrong class"
        MISSING_CLASS = "missing class", "Class is missing"
        OUT_OF_DATE = "out of date", "Out of date"
        HARMFUL = "harmful", "Harmful or offensive"

    class State(models.TextChoices):
        OPEN = "open"
        FIXED = "fixed"
        STILL_WRONG = "still wrong"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    class Severity(models.IntegerChoices):
        LITTLE = 1, "a little"
        MUCH = 2, "a lot"
        STOPPER = 3, "stops them"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="flags")
    agent = models.ForeignKey(User, models.PROTECT, related_name="flags")
    # Null while the flag waits for a prediction whose id is not yet known.
    prediction = models.ForeignKey(Prediction, models.PROTECT, null=True, related_name="flags")
    external_id = models.CharField(max_length=200)
    issue = models.ForeignKey(Issue, models.PROTECT, null=True, related_name="flags")
    identity = models.CharField(max_length=64, blank=True)
    output = models.CharField(max_length=120, blank=True)  # The answer that was flagged.
    reason = models.CharField(max_length=30, choices=Reason)
    suggested = models.ForeignKey(LabelClass, models.PROTECT, null=True, related_name="+")
    proposed_name = models.CharField(max_length=120, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.LITTLE)
    note = models.TextField(blank=True)
    ticket_url = models.URLField(blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.OPEN)
    routed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "prediction"],
                name="one_flag_per_agent_and_prediction",
                condition=Q(prediction__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["project", "agent", "external_id"],
                name="one_waiting_flag_per_agent_and_id",
                condition=Q(prediction__isnull=True) & ~Q(external_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=["project", "identity"], name="flag_identity"),
            models.Index(fields=["id"], name="flag_unrouted", condition=Q(routed_at=None)),
        ]

    def __str__(self) -> str:
        return f"flag {self.pk} {self.state}"


class FlagDecision(models.Model):
    """Append-only: what was decided about a flag, by whom or which version, and why."""

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="decisions")
    state = models.CharField(max_length=20, choices=Flag.State)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.flag_id} {self.state}"


class Sighting(models.Model):
    """That a person was shown the model's answer to an input: blind queues leave them out."""

    project = models.ForeignKey(Project, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE)
    identity = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "identity"], name="sighting_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.identity[:12]}"
