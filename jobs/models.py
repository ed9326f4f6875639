"""Background work as rows: the truth about what is to be done, under way and done."""

from django.db import models

from jobs.querysets import JobQuerySet


class Job(models.Model):
    """One piece of work, claimed by conditional update and fenced against zombies."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Lane(models.TextChoices):
        LIGHT = "light"
        TRAINING = "training"

    project_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=80)
    lane = models.CharField(max_length=20, choices=Lane, default=Lane.LIGHT)
    arguments = models.JSONField(default=dict)
    # The same work asked for twice is one row, as long as the first has not ended.
    key = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    fence = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    done_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    log = models.TextField(blank=True)
    error = models.TextField(blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                name="job_key_unique_while_open",
                condition=~models.Q(key="") & models.Q(state__in=["queued", "running"]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="job_open",
                condition=models.Q(state__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} {self.state}"

    @property
    def has_ended(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED, self.State.CANCELLED}


class Tick(models.Model):
    """When a periodic function is next due; the conditional update lets one worker run it."""

    name = models.CharField(max_length=80, unique=True)
    due_at = models.DateTimeField()
    ran_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class WorkerBeat(models.Model):
    """The last sign of life of a process that does background work."""

    name = models.CharField(max_length=120, unique=True)
    lane = models.CharField(max_length=20)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
