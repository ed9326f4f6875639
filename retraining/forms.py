"""What leads and engineers send, parsed at the edge."""

from __future__ import annotations

from typing import Any

from django import forms

from projects.models import LabelClass
from retraining.coverage import QuotaProgress


class ReasonForm(forms.Form):
    """Why a decision was made."""

    reason = forms.CharField(max_length=2000, error_messages={"required": "Say why."})


class AcceptClassForm(forms.Form):
    """A proposed class: how to tell it, and how many labels of it are wanted."""

    wanted = forms.IntegerField(
        label="New labels wanted", min_value=1, max_value=100_000, initial=20
    )
    description = forms.CharField(
        label="How to tell it",
        max_length=2000,
        required=False,
        widget=forms.Textarea,
        help_text="Goes into the guideline.",
    )

    def __init__(self, data: Any = None, *, proposal_pk: int) -> None:
        super().__init__(data, auto_id=f"id_%s_{proposal_pk}")
        self.proposal_pk = proposal_pk


class QuotaForm(forms.Form):
    """New labels wanted per class; an empty field takes the quota away."""

    def __init__(
        self,
        data: Any = None,
        *,
        classes: list[LabelClass],
        quotas: tuple[QuotaProgress, ...] = (),
    ) -> None:
        super().__init__(data)
        self.classes = classes
        wanted = {q.class_name: q.wanted for q in quotas if q.class_name and not q.segment_key}
        for label_class in classes:
            self.fields[self._name(label_class)] = forms.IntegerField(
                label=label_class.name,
                initial=wanted.get(label_class.name),
                min_value=1,
                max_value=100_000,
                required=False,
            )

    @property
    def wanted(self) -> dict[LabelClass, int | None]:
        """Without a class that was accepted after the form was drawn: it was not asked for."""
        sent = [c for c in self.classes if self._name(c) in self.data]
        return {c: self.cleaned_data[self._name(c)] for c in sent}

    @staticmethod
    def _name(label_class: LabelClass) -> str:
        return f"wanted_{label_class.pk}"


class TriggerForm(forms.Form):
    """A rule from its parts; at least one condition."""

    name = forms.CharField(max_length=80)
    when_quotas_met = forms.BooleanField(label="When all quotas are met", required=False)
    days = forms.IntegerField(
        label="When so many days have passed", min_value=1, max_value=3650, required=False
    )
    join = forms.ChoiceField(
        label="Of these", choices=[("any", "one is enough"), ("all", "all together")]
    )
    cool_down_hours = forms.IntegerField(
        label="Hours to wait after it fired", min_value=0, max_value=8760, initial=24
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not said.get("when_quotas_met") and not said.get("days"):
            raise forms.ValidationError("Choose at least one condition.")
        return said

    @property
    def conditions(self) -> list[dict[str, Any]]:
        said = self.cleaned_data
        by_quota = [{"kind": "quota"}] if said["when_quotas_met"] else []
        by_time = [{"kind": "time", "days": said["days"]}] if said["days"] else []
        return [*by_quota, *by_time]


def problem_of(form: forms.Form) -> str:
    """The form's errors as one line."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
