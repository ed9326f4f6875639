"""`project.yaml`: a whole project as one file, which can be read and written again."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from projects.errors import Invalid


class QueueSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    slug: str = "everyday"
    name: str = "Everyday queue"
    overlap: int = 1
    lease_minutes: float = 10
    is_blind: bool = True
    service_hours: int = 72


class RoutingSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    queue: str = "everyday"
    source: str = ""
    least_severity: int = 0
    head_start_hours: int = 0


class QuotaSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    wanted: int
    label_class: str = ""
    segment_key: str = ""
    segment_value: str = ""


class TriggerSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    conditions: list[dict[str, Any]]
    join: str = "any"
    cool_down_hours: int = 24


def _quota_or_month() -> list[TriggerSpec]:
    """The default of a new project: quotas met, or 30 days, whichever is first."""
    return [TriggerSpec("Quotas met or a month", [{"kind": "quota"}, {"kind": "time", "days": 30}])]


class ProjectSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Everything a form or a file says about a project."""

    name: str
    task_type: str = "text"
    trainer: str = "text"
    slug: str = ""
    question: str = ""
    classes: list[str] = []
    segment_keys: list[str] = []
    context_fields: list[str] = []
    group_field: str = ""
    evaluation_share: float = 0.2
    accuracy_target: float = 0.9
    audit_rate: float = 0.05
    guideline: str = ""
    queues: list[QueueSpec] = msgspec.field(default_factory=lambda: [QueueSpec()])
    routing: list[RoutingSpec] = msgspec.field(default_factory=lambda: [RoutingSpec()])
    quotas: list[QuotaSpec] = []
    triggers: list[TriggerSpec] = msgspec.field(default_factory=_quota_or_month)


PRESETS: dict[str, dict[str, Any]] = {
    "small team": {"queues": [{"overlap": 1}], "audit_rate": 0.05},
    "crowd of three": {"queues": [{"overlap": 3}], "audit_rate": 0.05},
    "regulated": {
        "queues": [{"overlap": 2}],
        "audit_rate": 0.1,
        "triggers": [{"name": "Quotas met", "conditions": [{"kind": "quota"}]}],
    },
}


def read_project_file(raw: str | bytes) -> ProjectSpec:
    """The file's content; raises Invalid that names the line or the field."""
    try:
        return project_spec(yaml.safe_load(raw))
    except yaml.YAMLError as error:
        raise Invalid(f"project.yaml is not YAML: {' '.join(str(error).split())}") from error


def project_spec(fields: object) -> ProjectSpec:
    """Fields of a form, a preset or a file; unknown names are refused."""
    try:
        return msgspec.convert(fields, ProjectSpec)
    except msgspec.ValidationError as error:
        raise Invalid(f"The project's description does not fit: {error}") from error


def write_project_file(spec: ProjectSpec) -> str:
    """YAML that `read_project_file` reads back to the same description."""
    fields = msgspec.to_builtins(spec)
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
