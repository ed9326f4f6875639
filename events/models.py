"""One append-only line for every state change, chained per project once it is sealed."""

from django.db import models

from events.querysets import EventQuerySet

FIRST_DIGEST = "0" * 64


class Event(models.Model):
    """Ids, state names and numbers only: nothing here might have to be erased."""

    project_id = models.BigIntegerField()
    name = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    actor_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    # Given by the sealer: an id is not an order, because a transaction may commit late.
    position = models.BigIntegerField(null=True)
    digest = models.CharField(max_length=64, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project_id", "position"], name="event_position_unique"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project_id", "id"],
                name="event_unsealed",
                condition=models.Q(position__isnull=True),
            ),
            models.Index(fields=["subject_type", "subject_id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.subject_type} {self.subject_id}"


class Chain(models.Model):
    """Where a project's sealed log ends; whoever seals holds this row."""

    project_id = models.BigIntegerField(unique=True)
    position = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default=FIRST_DIGEST)

    def __str__(self) -> str:
        return f"{self.position} events of project {self.project_id}"
