"""Set a project up from its description, and describe one that is set up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from feedback.models import AuditPlan
from labeling.guidelines import write_guideline
from labeling.models import Guideline, Queue, RoutingRule
from monitoring.audit_plans import change_audit_rate
from projects.creating import create_project
from projects.errors import Invalid
from projects.models import Project, User
from retraining.models import CoverageQuota, Trigger
from retraining.project_file import (
    ProjectSpec,
    QueueSpec,
    QuotaSpec,
    RoutingSpec,
    TriggerSpec,
)
from retraining.trainer_catalog import TRAINER_CATALOG
from retraining.trigger_rules import clean_rule


@transaction.atomic
def set_up_project(
    *, spec: ProjectSpec, owner: User, at: datetime, is_demo: bool = False
) -> Project:
    """The project with its queues, routing, quotas, triggers, guideline and audit plan."""
    trainer = TRAINER_CATALOG[spec.trainer]
    if trainer.task_type != spec.task_type:
        raise Invalid(f"Trainer {spec.trainer!r} is for {trainer.task_type!r} tasks.")
    project = create_project(
        name=spec.name,
        slug=spec.slug,
        task_type=spec.task_type,
        trainer=spec.trainer,
        question=spec.question,
        classes=spec.classes,
        segment_keys=spec.segment_keys,
        context_fields=spec.context_fields,
        group_field=spec.group_field,
        evaluation_share=spec.evaluation_share,
        accuracy_target=spec.accuracy_target,
        owner=owner,
        is_demo=is_demo,
        at=at,
    )
    _set_up_labeling(project, spec, owner=owner, at=at)
    for quota in spec.quotas:
        add_quota(project=project, spec=quota)
    for trigger in spec.triggers:
        Trigger.objects.create(
            project=project,
            name=trigger.name,
            **rule_fields(trigger),
            created_at=at,
        )
    change_audit_rate(project=project, rate=spec.audit_rate, at=at, by=owner)
    return project


def add_quota(*, project: Project, spec: QuotaSpec) -> CoverageQuota:
    """One more quota; the class must be one of the project's."""
    label_class = None
    if spec.label_class:
        label_class = project.classes.filter(name=spec.label_class).first()
        if label_class is None:
            raise Invalid(f"A quota names {spec.label_class!r}, which is not a class.")
    quota, _ = CoverageQuota.objects.update_or_create(
        project=project,
        label_class=label_class,
        segment_key=spec.segment_key,
        segment_value=spec.segment_value,
        defaults={"wanted": spec.wanted},
    )
    return quota


def rule_fields(spec: TriggerSpec) -> dict[str, Any]:
    """The described rule as a trigger stores it."""
    return clean_rule(
        join=spec.join, conditions=spec.conditions, cool_down_hours=spec.cool_down_hours
    )


def describe_project(project: Project) -> ProjectSpec:
    """The description that sets up an equal project."""
    plan = AuditPlan.objects.filter(project=project).order_by("id").last()
    guideline = Guideline.objects.filter(project=project).order_by("number").last()
    return ProjectSpec(
        name=project.name,
        slug=project.slug,
        task_type=project.task_type,
        trainer=project.trainer,
        question=project.question,
        classes=[c.name for c in project.classes.filter(retired_at=None)],
        segment_keys=project.segment_keys,
        context_fields=project.context_fields,
        group_field=project.group_field,
        evaluation_share=project.evaluation_share,
        accuracy_target=project.accuracy_target,
        audit_rate=plan.rate if plan else 0.0,
        guideline=guideline.text if guideline else "",
        queues=[_queue_spec(queue) for queue in project.queues.order_by("id")],
        routing=[_routing_spec(rule) for rule in project.routing_rules.select_related("queue")],
        quotas=[_quota_spec(quota) for quota in _quotas_that_can_be_met(project)],
        triggers=[_trigger_spec(trigger) for trigger in project.triggers.order_by("id")],
    )


def _quotas_that_can_be_met(project: Project) -> QuerySet[CoverageQuota]:
    """Without those of classes that are retired: nobody can label for them any more."""
    quotas = project.quotas.exclude(label_class__retired_at__isnull=False)
    return quotas.select_related("label_class").order_by("id")


def _set_up_labeling(project: Project, spec: ProjectSpec, *, owner: User, at: datetime) -> None:
    queues = {queue.slug: add_queue(project, queue, at) for queue in spec.queues}
    add_routing(project, spec.routing, queues)
    if spec.guideline.strip():
        write_guideline(project=project, text=spec.guideline, by=owner, at=at)


def add_routing(project: Project, rules: list[RoutingSpec], queues: dict[str, Queue]) -> None:
    """In the order of the description; every rule names a queue that is there."""
    for position, rule in enumerate(rules):
        if rule.queue not in queues:
            raise Invalid(f"Routing names the queue {rule.queue!r}, which is not described.")
        RoutingRule.objects.create(
            project=project,
            position=position,
            source=rule.source,
            least_severity=rule.least_severity,
            queue=queues[rule.queue],
            head_start_hours=rule.head_start_hours,
        )


def add_queue(project: Project, spec: QueueSpec, at: datetime) -> Queue:
    return Queue.objects.create(
        project=project,
        slug=spec.slug,
        name=spec.name,
        overlap=spec.overlap,
        lease_seconds=round(spec.lease_minutes * 60),
        is_blind=spec.is_blind,
        service_hours=spec.service_hours,
        created_at=at,
    )


def _queue_spec(queue: Queue) -> QueueSpec:
    return QueueSpec(
        slug=queue.slug,
        name=queue.name,
        overlap=queue.overlap,
        lease_minutes=queue.lease_seconds / 60,
        is_blind=queue.is_blind,
        service_hours=queue.service_hours,
    )


def _routing_spec(rule: RoutingRule) -> RoutingSpec:
    return RoutingSpec(
        queue=rule.queue.slug,
        source=rule.source,
        least_severity=rule.least_severity,
        head_start_hours=rule.head_start_hours,
    )


def _quota_spec(quota: CoverageQuota) -> QuotaSpec:
    return QuotaSpec(
        wanted=quota.wanted,
        label_class=quota.label_class.name if quota.label_class else "",
        segment_key=quota.segment_key,
        segment_value=quota.segment_value,
    )


def _trigger_spec(trigger: Trigger) -> TriggerSpec:
    return TriggerSpec(trigger.name, trigger.conditions, trigger.join, trigger.cool_down_hours)
