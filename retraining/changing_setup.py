"""Change a project to fit a description: what can change does, what cannot is refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from events.recording import record
from feedback.draws import plan_in_force
from labeling.guidelines import write_guideline
from labeling.models import Item, Queue, RoutingRule
from monitoring.audit_plans import change_audit_rate
from projects.classes import add_classes, clean_class_name
from projects.errors import Conflict, Invalid
from projects.models import LabelClass, Project, User
from retraining.models import Trigger
from retraining.project_file import ProjectSpec, QueueSpec
from retraining.setting_up import add_queue, add_quota, add_routing, rule_fields
from retraining.trainer_catalog import TRAINER_CATALOG


@transaction.atomic
def change_project(*, project: Project, spec: ProjectSpec, by: User, at: datetime) -> None:
    """Names, people and rows stay; queues that still hold items stay too."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    _refuse_what_cannot_change(project, spec)
    project.name = spec.name
    project.question = spec.question or project.question
    project.trainer = spec.trainer
    project.segment_keys = spec.segment_keys
    project.context_fields = spec.context_fields
    project.group_field = spec.group_field
    project.evaluation_share = spec.evaluation_share
    project.accuracy_target = spec.accuracy_target
    project.save()
    _change_classes(project, spec.classes, by=by, at=at)
    _change_queues(project, spec, at=at)
    _change_rules(project, spec, at=at)
    if spec.guideline.strip():
        write_guideline(project=project, text=spec.guideline, by=by, at=at)
    plan = plan_in_force(project, at=at)
    if plan is None or plan.rate != spec.audit_rate:
        change_audit_rate(project=project, rate=spec.audit_rate, at=at, by=by)
    record("project.changed", subject=project, at=at, actor=by)


def _refuse_what_cannot_change(project: Project, spec: ProjectSpec) -> None:
    if spec.task_type != project.task_type:
        raise Conflict("The kind of task cannot change: make a new project for it.")
    if spec.slug and spec.slug != project.slug:
        raise Conflict("The project's address cannot change: clients send to it.")
    if TRAINER_CATALOG[spec.trainer].task_type != spec.task_type:
        raise Invalid(f"Trainer {spec.trainer!r} is not for {spec.task_type!r} tasks.")
    same_identity = spec.context_fields == project.context_fields
    if not same_identity and Item.objects.filter(project=project).exists():
        raise Conflict("What makes two inputs the same cannot change once there are items.")
    if not 0 < spec.evaluation_share < 1:
        raise Invalid("evaluation_share is a share between 0 and 1.")


def _change_classes(project: Project, names: Iterable[str], *, by: User, at: datetime) -> None:
    """New names are added; what is left out is retired, and comes back when it is named again."""
    wanted = [clean_class_name(name) for name in names]
    add_classes(project=project, names=wanted, at=at, by=by)
    LabelClass.objects.filter(project=project, name__in=wanted).update(retired_at=None)
    gone = LabelClass.objects.filter(project=project, retired_at=None).exclude(name__in=wanted)
    for label_class in gone:
        record("class.retired", subject=label_class, at=at, actor=by)
    gone.update(retired_at=at)


def _change_queues(project: Project, spec: ProjectSpec, *, at: datetime) -> None:
    for wanted in spec.queues:
        if not _change_queue(project, wanted):
            add_queue(project, wanted, at)
    RoutingRule.objects.filter(project=project).delete()
    queues = {queue.slug: queue for queue in project.queues.all()}
    add_routing(project, spec.routing, queues)


def _change_queue(project: Project, wanted: QueueSpec) -> int:
    """An open item keeps the places it was queued with; the next ones follow the new overlap."""
    return Queue.objects.filter(project=project, slug=wanted.slug).update(
        name=wanted.name,
        overlap=wanted.overlap,
        lease_seconds=round(wanted.lease_minutes * 60),
        is_blind=wanted.is_blind,
        service_hours=wanted.service_hours,
    )


def _change_rules(project: Project, spec: ProjectSpec, *, at: datetime) -> None:
    """Quotas and triggers are those described; a trigger keeps when it last fired."""
    project.quotas.all().delete()
    for quota in spec.quotas:
        add_quota(project=project, spec=quota)
    project.triggers.exclude(name__in=[wanted.name for wanted in spec.triggers]).delete()
    for wanted in spec.triggers:
        Trigger.objects.update_or_create(
            project=project,
            name=wanted.name,
            defaults=rule_fields(wanted),
            create_defaults={**rule_fields(wanted), "created_at": at},
        )
