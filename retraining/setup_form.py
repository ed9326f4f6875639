"""The set-up form: the same as project.yaml, for the fields people change most."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms

from projects.task_types import TASK_TYPES
from retraining.project_file import PRESETS, ProjectSpec, project_spec
from retraining.trainer_catalog import TRAINER_CATALOG

DEFAULT_PRESET = "small team"
PRESET_TEXTS = {
    "small team": "One person answers each item.",
    "crowd of three": "Three people answer each item; more than half decide.",
    "regulated": "Two people answer each item, and twice as much is audited.",
}


def _lines(raw: str) -> list[str]:
    """One name a line; commas part them too."""
    parts = (part.strip() for line in raw.splitlines() for part in line.split(","))
    return list(dict.fromkeys(part for part in parts if part))


class SetupForm(forms.Form):
    """A project from its parts."""

    name = forms.CharField(max_length=120)
    question = forms.CharField(
        label="What annotators are asked", max_length=200, initial="Which class is right?"
    )
    task_type = forms.ChoiceField(label="Kind of task")
    classes = forms.CharField(
        label="Classes, one a line",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="The answers your model can give. An import can add them too.",
    )
    segment_keys = forms.CharField(
        label="Segments",
        required=False,
        max_length=400,
        help_text="Keys by which you look at accuracy, such as plan, channel.",
    )
    guideline = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="How to tell the classes apart, in your words.",
    )
    accuracy_target = forms.FloatField(
        label="Accuracy you aim for", min_value=0.01, max_value=1, initial=0.9
    )
    audit_percent = forms.FloatField(
        label="Of a hundred answers, drawn at random for audit",
        min_value=0,
        max_value=100,
        required=False,
        help_text="Empty: as it is, or for a new project as above: 5, and 10 for the regulated.",
    )

    def __init__(self, data: Any = None, *, spec: ProjectSpec | None = None) -> None:
        super().__init__(data, initial=_initial(spec) if spec else None)
        self.spec = spec
        kind = self.fields["task_type"]
        kind.choices = [(task.slug, task.title) for task in TASK_TYPES]  # type: ignore[attr-defined]  # A choice field.
        kind.disabled = spec is not None  # Its rows would no longer fit.

    def described(self, preset: str = DEFAULT_PRESET) -> ProjectSpec:
        """What the form says, over what is there, or over the preset for a new project."""
        said = self.cleaned_data
        fields: dict[str, Any] = {
            "name": said["name"],
            "question": said["question"],
            "classes": _lines(said["classes"]),
            "segment_keys": _lines(said["segment_keys"]),
            "guideline": said["guideline"],
            "accuracy_target": said["accuracy_target"],
        }
        if said["audit_percent"] is not None:
            fields["audit_rate"] = said["audit_percent"] / 100
        if self.spec is not None:
            return _changed(self.spec, fields)
        task_type = said["task_type"]
        trainer = next(t.slug for t in TRAINER_CATALOG if t.task_type == task_type)
        base = PRESETS.get(preset, PRESETS[DEFAULT_PRESET])
        return project_spec({**base, **fields, "task_type": task_type, "trainer": trainer})


def preset_choices(chosen: str) -> list[dict[str, object]]:
    """For the radio buttons of a new project."""
    return [
        {
            "value": name,
            "title": name.capitalize(),
            "text": PRESET_TEXTS[name],
            "is_chosen": name == chosen,
        }
        for name in PRESETS
    ]


def _changed(spec: ProjectSpec, fields: dict[str, Any]) -> ProjectSpec:
    """Checked like a file: what still names a class or a segment that is gone is told."""
    return project_spec({**msgspec.to_builtins(spec), **fields})


def _initial(spec: ProjectSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "question": spec.question,
        "task_type": spec.task_type,
        "classes": "\n".join(spec.classes),
        "segment_keys": ", ".join(spec.segment_keys),
        "guideline": spec.guideline,
        "accuracy_target": spec.accuracy_target,
        "audit_percent": round(spec.audit_rate * 100, 9),
    }
