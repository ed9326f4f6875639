"""`project.yaml`: a whole project as one file, which can be read and written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import yaml
from django.core.validators import slug_re
from msgspec import Meta

from feedback.prediction_body import holds_nul
from labeling.routing import SOURCES
from projects.errors import Invalid

LONGEST_FILE = 256 * 1024  # Characters: YAML is slow to read.
FORTNIGHT_HOURS = 14 * 24
DECADE_HOURS = 10 * 365 * 24

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Key = Annotated[str, Meta(min_length=1, max_length=80)]
Hours = Annotated[int, Meta(ge=0, le=DECADE_HOURS)]
Share = Annotated[float, Meta(ge=0, le=1)]
Scalar = str | int | float | bool | None


class QueueSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    slug: Annotated[str, Meta(min_length=1, max_length=60)] = "everyday"
    name: Name = "Everyday queue"
    overlap: Annotated[int, Meta(ge=1, le=100)] = 1
    lease_minutes: Annotated[float, Meta(ge=0.1, le=DECADE_HOURS * 60)] = 10
    is_blind: bool = True
    service_hours: Hours = 72


class RoutingSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    queue: str = "everyday"
    source: str = ""
    least_severity: Annotated[int, Meta(ge=0, le=3)] = 0
    head_start_hours: Annotated[int, Meta(ge=0, le=FORTNIGHT_HOURS)] = 0


class QuotaSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    wanted: Annotated[int, Meta(ge=1, le=1_000_000)]
    label_class: str = ""
    segment_key: Annotated[str, Meta(max_length=80)] = ""
    segment_value: Annotated[str, Meta(max_length=120)] = ""


class TriggerSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: Key
    conditions: Annotated[list[dict[str, Scalar]], Meta(min_length=1)]
    join: str = "any"
    cool_down_hours: Hours = 24


def _quota_or_month() -> list[TriggerSpec]:
    """The default of a new project: quotas met, or 30 days, whichever is first."""
    return [TriggerSpec("Quotas met or a month", [{"kind": "quota"}, {"kind": "time", "days": 30}])]


class ProjectSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Everything a form or a file says about a project."""

    name: Name
    task_type: str = "text"
    trainer: str = "text"
    slug: str = ""
    question: Annotated[str, Meta(max_length=200)] = ""
    classes: list[str] = []
    segment_keys: list[Key] = []
    context_fields: list[Key] = []
    group_field: Annotated[str, Meta(max_length=80)] = ""
    evaluation_share: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    accuracy_target: Annotated[float, Meta(gt=0, le=1)] = 0.9
    audit_rate: Share = 0.05
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
    if len(raw) > LONGEST_FILE:
        raise Invalid(
            f"project.yaml has {len(raw):,} characters; at most {LONGEST_FILE:,} are read."
        )
    try:
        return project_spec(yaml.safe_load(raw))
    except yaml.YAMLError as error:
        raise Invalid(f"project.yaml is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise Invalid("project.yaml is nested too deeply.") from error


def project_spec(fields: object) -> ProjectSpec:
    """Fields of a form, a preset or a file; unknown names are refused."""
    try:
        spec = msgspec.convert(fields, ProjectSpec)
    except msgspec.ValidationError as error:
        raise Invalid(f"The project's description does not fit: {error}") from error
    _check_texts(spec)
    _check_names(spec)
    _check_quotas(spec)
    return spec


def write_project_file(spec: ProjectSpec) -> str:
    """YAML that `read_project_file` reads back to the same description."""
    fields = msgspec.to_builtins(spec)
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)


def _check_texts(spec: ProjectSpec) -> None:
    """Only what every database stores: YAML has escapes for more."""
    try:
        msgspec.json.encode(spec)
    except UnicodeEncodeError as error:
        raise Invalid(f"project.yaml holds half a character: {error}.") from error
    if holds_nul(msgspec.to_builtins(spec)):
        raise Invalid("project.yaml holds a NUL character; remove it.")


def _check_names(spec: ProjectSpec) -> None:
    """What is known by its name has one, of its own; what is named is there."""
    if not spec.name.strip():
        raise Invalid("Give the project a name with letters or digits.")
    for noun, names in (
        ("queues", [queue.slug for queue in spec.queues]),
        ("triggers", [trigger.name for trigger in spec.triggers]),
        ("segment_keys", spec.segment_keys),
        ("context_fields", spec.context_fields),
    ):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Invalid(f"{noun}: {twice[0]!r} is there twice; rename or remove one.")
    if unfit := [queue.slug for queue in spec.queues if not slug_re.fullmatch(queue.slug)]:
        raise Invalid(f"queues: {unfit[0]!r} may hold letters, digits, hyphens and underscores.")
    if sources := sorted({rule.source for rule in spec.routing} - {"", *SOURCES}):
        raise Invalid(
            f"routing: nothing comes to a queue from {sources[0]!r}. The sources are "
            f"{' and '.join(SOURCES)}; leave source out for both."
        )
    if not any(rule.source == "" and rule.least_severity == 0 for rule in spec.routing):
        raise Invalid("routing: add a rule with only a queue; it takes what no other rule takes.")
    if unfit_keys := [key for key in spec.segment_keys if not _is_segment_key(key)]:
        raise Invalid(f"segment_keys: {unfit_keys[0]!r} needs a letter, and may hold no quotes.")


def _check_quotas(spec: ProjectSpec) -> None:
    """Each is about something that is there, and there once."""
    if lost := [q for q in spec.quotas if q.segment_key and q.segment_key not in spec.segment_keys]:
        raise Invalid(f"quotas: {lost[0].segment_key!r} is not one of segment_keys.")
    if loose := [quota for quota in spec.quotas if quota.segment_value and not quota.segment_key]:
        raise Invalid(f"quotas: {loose[0].segment_value!r} needs its segment_key.")
    _check_once(spec.quotas)
    named = [quota.label_class for quota in spec.quotas if quota.label_class]
    if strange := [name for name in named if name not in spec.classes]:
        raise Invalid(
            f"quotas: {strange[0]!r} is not one of the classes; take its quota away first."
        )


def _check_once(quotas: Sequence[QuotaSpec]) -> None:
    wanted = Counter((q.label_class, q.segment_key, q.segment_value) for q in quotas)
    if twice := [names for names, count in wanted.items() if count > 1]:
        told = ", ".join(name for name in twice[0] if name) or "all rows"
        raise Invalid(f"quotas: {told} is there twice; keep one.")


def _is_segment_key(key: str) -> bool:
    """Databases take a number for a place in a list, and SQLite cannot quote every mark."""
    return any(character.isalpha() for character in key) and not set(key) & set('"\\')
