"""Quotas, triggers, batches, datasets, evaluations, gates, regression cases and receipts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from feedback.models import Flag
from jobs.models import Job
from labeling.models import GroundTruth, Item
from projects.models import LabelClass, ModelVersion, Project, StoredFile, User
from retraining.querysets import BatchQuerySet, DatasetRowQuerySet, RegressionCaseQuerySet


class CoverageQuota(models.Model):
    """At least this many new foldable train-use ground truths, per class, segment, or both."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="quotas")
    label_class = models.ForeignKey(LabelClass, models.CASCADE, null=True)
    segment_key = models.CharField(max_length=80, blank=True)
    segment_value = models.CharField(max_length=120, blank=True)
    wanted = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "label_class", "segment_key", "segment_value"],
                name="quota_unique",
            ),
            # NULL is distinct from NULL in SQLite's unique indexes.
            models.UniqueConstraint(
                fields=["project", "segment_key", "segment_value"],
                name="quota_of_any_class_unique",
                condition=Q(label_class=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wanted} of {self.label_class or 'any class'} {self.segment_value}".strip()


class Trigger(models.Model):
    """A rule that proposes a batch and explains itself."""

    class Join(models.TextChoices):
        ANY = "any"
        ALL = "all"

    project = models.ForeignKey(Project, models.CASCADE, related_name="triggers")
    name = models.CharField(max_length=80)
    join = models.CharField(max_length=5, choices=Join, default=Join.ANY)
    # [{"kind": "quota"}, {"kind": "time", "days": 30}]: see retraining/triggers.
    conditions = models.JSONField(default=list)
    cool_down_hours = models.PositiveIntegerField(default=24)
    is_enabled = models.BooleanField(default=True)
    fired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="trigger_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """An immutable manifest: the parent's shards, plus new ones, minus superseded rows."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    manifest = models.ForeignKey(StoredFile, models.PROTECT)
    row_count = models.PositiveIntegerField()
    added_count = models.PositiveIntegerField()
    # Rows of the parent that this version leaves out, by the id of their ground truth.
    superseded = models.JSONField(default=list)
    # Rows by class and by segment, as the manifest says them: pages read these.
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="dataset_number_unique"),
        ]

    def __str__(self) -> str:
        return f"dataset {self.number}"


class DatasetRow(models.Model):
    """One row that a dataset version added: leads back to its ground truth."""

    project = models.ForeignKey(Project, models.CASCADE)
    dataset = models.ForeignKey(DatasetVersion, models.CASCADE, related_name="rows")
    item = models.ForeignKey(Item, models.PROTECT, related_name="dataset_rows")
    truth = models.ForeignKey(GroundTruth, models.PROTECT, related_name="dataset_rows")

    objects = DatasetRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "item"], name="dataset_row_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} in {self.dataset_id}"


class Batch(models.Model):
    """The proposal to retrain; what may happen to it stands in `batches.MOVES`."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        APPROVED = "approved"
        TRAINING = "training"
        EVALUATED = "evaluated"
        FAILED = "failed"
        CANCELLED = "cancelled"
        REJECTED = "rejected"
        PROMOTED = "promoted"
        NOT_PROMOTED = "not promoted"

    class Cause(models.TextChoices):
        TRIGGER = "trigger"
        PERSON = "person"
        IMPORT = "import"

    project = models.ForeignKey(Project, models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=State, default=State.PROPOSED)
    cause = models.CharField(max_length=20, choices=Cause)
    # The conditions that held, each as a sentence with its values.
    explanation = models.JSONField(default=list)
    trigger = models.ForeignKey(Trigger, models.SET_NULL, null=True)
    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    approved_revision = models.ForeignKey(
        "BatchRevision", models.PROTECT, null=True, related_name="+"
    )
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True)
    dataset = models.ForeignKey(DatasetVersion, models.PROTECT, null=True)
    version = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    # Gate results that lacked evidence when a lead promoted all the same, by id.
    confirmed_gates = models.JSONField(default=list)
    error = models.TextField(blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="batch_number_unique"),
            models.UniqueConstraint(
                fields=["project"], name="one_proposed_batch", condition=Q(state="proposed")
            ),
            models.CheckConstraint(
                name="approved_batches_name_their_revision",
                condition=Q(state__in=["proposed", "rejected", "cancelled"])
                | Q(approved_revision__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.number}"


class BatchRevision(models.Model):
    """Immutable: the pinned ground truths, parent, classes and trainer, under one hash."""

    project = models.ForeignKey(Project, models.CASCADE)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    parent = models.ForeignKey(DatasetVersion, models.PROTECT, null=True)
    champion = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    # Rows of the parent, by the id of their ground truth, that no longer stand.
    retired = models.JSONField(default=list)
    classes = models.JSONField()
    trainer = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="revision_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.batch} revision {self.number}"


class BatchRow(models.Model):
    """One pinned ground truth of a revision."""

    project = models.ForeignKey(Project, models.CASCADE)
    revision = models.ForeignKey(BatchRevision, models.CASCADE, related_name="rows")
    item = models.ForeignKey(Item, models.PROTECT, related_name="+")
    truth = models.ForeignKey(GroundTruth, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "item"], name="batch_row_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} in {self.revision_id}"


class DroppedRow(models.Model):
    """A row left out of a revision because it is too close to an evaluation row."""

    project = models.ForeignKey(Project, models.CASCADE)
    revision = models.ForeignKey(BatchRevision, models.CASCADE, related_name="dropped")
    item = models.ForeignKey(Item, models.CASCADE, related_name="+")
    evaluation_item = models.ForeignKey(Item, models.CASCADE, related_name="+")
    similarity = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "item"], name="dropped_row_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} is like {self.evaluation_item_id}"


class Evaluation(models.Model):
    """Challenger beside champion on the same evaluation rows; answers are in the file."""

    project = models.ForeignKey(Project, models.CASCADE)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="evaluations")
    challenger = models.ForeignKey(ModelVersion, models.PROTECT, related_name="evaluations")
    champion = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    answers = models.ForeignKey(StoredFile, models.PROTECT, null=True)
    summary = models.JSONField(default=dict)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.challenger} against {self.champion}"


class GateResult(models.Model):
    """One measured condition of an evaluation; only `failed` blocks, unless it is waived."""

    class Result(models.TextChoices):
        PASSED = "passed"
        FAILED = "failed"
        NOT_ENOUGH = "not enough"

    project = models.ForeignKey(Project, models.CASCADE)
    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="gates")
    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    group = models.CharField(max_length=200, blank=True)
    rows = models.PositiveIntegerField()
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    bound = models.FloatField(null=True)
    result = models.CharField(max_length=20, choices=Result)
    more_rows_needed = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    waived_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    waiver_reason = models.TextField(blank=True)
    waived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Two segments may share a value: the name says of which one.
            models.UniqueConstraint(
                fields=["evaluation", "slug", "name", "group"], name="gate_unique"
            ),
            models.CheckConstraint(
                name="waivers_give_a_reason",
                condition=Q(waived_by=None) | ~Q(waiver_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.result}"


class RegressionCase(models.Model):
    """An accepted flag kept as a test: no later champion should answer it wrong again."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="regression_cases")
    flag = models.OneToOneField(Flag, models.CASCADE, related_name="regression_case")
    item = models.ForeignKey(Item, models.PROTECT, related_name="+")
    is_pinned = models.BooleanField(default=False)
    unpin_reason = models.TextField(blank=True)  # Of the last time the pin was taken away.
    created_at = models.DateTimeField()

    objects = RegressionCaseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"case of flag {self.flag_id}"


class CaseReview(models.Model):
    """Append-only: whether a new model's wrong answer to a case counts; the newest holds."""

    class Verdict(models.TextChoices):
        COUNTS = "counts", "counts"
        EXCUSED = "excused", "does not count"

    project = models.ForeignKey(Project, models.CASCADE)
    case = models.ForeignKey(RegressionCase, models.CASCADE, related_name="reviews")
    # It holds for this ground truth and this wrong answer, whichever version gives it.
    truth = models.ForeignKey(GroundTruth, models.PROTECT, related_name="+")
    answer = models.CharField(max_length=120)
    verdict = models.CharField(max_length=20, choices=Verdict)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="excuses_give_a_reason", condition=Q(verdict="counts") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.verdict}"


class Receipt(models.Model):
    """Proof for the agent: on this very case the new version now answers right."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="receipts")
    flag = models.ForeignKey(Flag, models.CASCADE, related_name="receipts")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="receipts")
    old_answer = models.CharField(max_length=120)
    new_answer = models.CharField(max_length=120)
    new_confidence = models.FloatField(null=True)
    is_learned = models.BooleanField()  # Else the version never saw this case in training.
    sent_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)  # A rollback unfixed it.

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flag", "version"], name="one_receipt_per_version"),
        ]

    def __str__(self) -> str:
        return f"receipt for flag {self.flag_id}"
