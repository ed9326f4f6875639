"""Projects with their people, classes, keys, model versions, deployments and stored files."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from projects.querysets import ApiKeyQuerySet, DeploymentQuerySet, ProjectQuerySet


class User(AbstractUser):
    """A person; what they may do hangs on their memberships."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    AGENT = "agent", "Support agent"
    ANNOTATOR = "annotator", "Annotator"
    REVIEWER = "reviewer", "Reviewer"
    LEAD = "lead", "ML lead"
    ENGINEER = "engineer", "Engineer"
    VIEWER = "viewer", "Viewer"


def new_identity_key() -> str:
    return secrets.token_hex(32)


class Project(models.Model):
    """One production model under maintenance."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    question = models.CharField(max_length=200, default="Which class is right?")
    task_type = models.CharField(max_length=40)
    trainer = models.CharField(max_length=40)
    owner = models.ForeignKey(User, models.PROTECT, related_name="owned_projects")
    deputy = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=200, blank=True)
    segment_keys = models.JSONField(default=list)
    # Fields of a prediction's context that are part of an item's identity.
    context_fields = models.JSONField(default=list)
    group_field = models.CharField(max_length=80, blank=True)
    # Decides draws and uses by keyed hash; never rotated, or the uses of items would change.
    identity_key = models.CharField(max_length=64, default=new_identity_key, editable=False)
    evaluation_share = models.FloatField(default=0.2)
    accuracy_target = models.FloatField(default=0.9)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="evaluation_share_is_a_share",
                condition=Q(evaluation_share__gt=0, evaluation_share__lt=1),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def project_id(self) -> int:
        """A project is a subject of its own events."""
        return self.pk


class LabelClass(models.Model):
    """One possible answer; accepted classes can be chosen, retired ones no longer."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="classes")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0)
    accepted_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="class_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One role of one person in one project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "role"], name="membership_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.project}"


class ApiKey(models.Model):
    """A hashed, scoped, expiring key of one project; the key itself is shown once."""

    class Scope(models.TextChoices):
        INGEST = "ingest", "Send predictions and imports"
        PREDICT = "predict", "Ask the live model"
        FLAG = "flag", "Flag predictions"
        READ = "read", "Read predictions, ground truth and reports"
        LABEL = "label", "Answer items, as the annotator who made the key"
        DECIDE = "decide", "Settle answers, classes and issues, as the person who made the key"

    project = models.ForeignKey(Project, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class StoredFile(models.Model):
    """A content-addressed file: its name is the SHA-256 of its bytes."""

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=80)
    stored_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest


class ProjectFile(models.Model):
    """That a project may see a stored file; the same bytes may serve several projects."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="files")
    file = models.ForeignKey(StoredFile, models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "file"], name="project_file_unique"),
        ]

    def __str__(self) -> str:
        return self.file_id


class ModelVersion(models.Model):
    """A trained pipeline, or an external version known by name only."""

    class Kind(models.TextChoices):
        TRAINED = "trained"
        EXTERNAL = "external"

    project = models.ForeignKey(Project, models.CASCADE, related_name="versions")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind)
    artifact = models.ForeignKey(StoredFile, models.PROTECT, null=True)
    manifest = models.JSONField(default=dict)
    # Of the approved batch revision: at most one version comes of it.
    approved_hash = models.CharField(max_length=64, blank=True)
    # The dataset it was trained on, by id: the row lives in a higher layer.
    dataset_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="version_name_unique"),
            models.UniqueConstraint(
                fields=["project", "approved_hash"],
                name="one_version_per_approved_hash",
                condition=~Q(approved_hash=""),
            ),
            models.CheckConstraint(
                name="trained_versions_have_a_file",
                condition=Q(kind="external") | Q(artifact__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Deployment(models.Model):
    """An append-only line: from here on this version is the champion, or a shadow."""

    class Role(models.TextChoices):
        CHAMPION = "champion"
        SHADOW = "shadow"

    class Cause(models.TextChoices):
        FIRST = "first"
        PROMOTION = "promotion"
        ROLLBACK = "rollback"

    project = models.ForeignKey(Project, models.CASCADE, related_name="deployments")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="deployments")
    role = models.CharField(max_length=20, choices=Role, default=Role.CHAMPION)
    cause = models.CharField(max_length=20, choices=Cause)
    # Two promotions at once would take the same number: one of them is refused.
    sequence = models.PositiveIntegerField()
    reason = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "role", "sequence"], name="one_champion"),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.role} {self.sequence}"


class IdempotentAnswer(models.Model):
    """What a request with this key was answered, stored with its effect."""

    project = models.ForeignKey(Project, models.CASCADE)
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    response = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="idempotency_key_unique"),
        ]

    def __str__(self) -> str:
        return self.key
