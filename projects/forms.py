"""What engineers send about keys and members, parsed at the edge."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms

from projects.models import ApiKey, Role

DAYS = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "never")]


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="Where it is used, such as “web shop”.")
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.INGEST, ApiKey.Scope.PREDICT],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(label="Expires after", choices=DAYS, initial="365", required=False)

    def expires_at(self, at: datetime) -> datetime | None:
        days = self.cleaned_data["days"]
        return at + timedelta(days=int(days)) if days else None


class MemberForm(forms.Form):
    address = forms.CharField(label="User name or e-mail", max_length=200)
    role = forms.ChoiceField(choices=Role.choices)


class RolesForm(forms.Form):
    role = forms.MultipleChoiceField(
        choices=Role.choices, error_messages={"required": "Choose at least one role."}
    )


def problem_of(form: forms.Form) -> str:
    """The form's errors as one line."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
