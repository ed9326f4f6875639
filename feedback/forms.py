"""What agents send, parsed at the edge."""

from __future__ import annotations

from typing import Any

from django import forms

from feedback.flagging import Report
from feedback.models import Flag
from projects.classes import clean_class_name
from projects.errors import Invalid
from projects.models import LabelClass
from projects.requests import is_row_id
from projects.task_types.text_classification import canonical_text

MOST_AT_ONCE = 200


class FlagForm(forms.Form):
    """A flag; what it should have been is a class or a new name."""

    reason = forms.ChoiceField(
        choices=Flag.Reason.choices, error_messages={"required": "Choose what is wrong."}
    )
    answer_name = forms.CharField(max_length=120, required=False)
    severity = forms.ChoiceField(choices=Flag.Severity.choices, required=False)
    note = forms.CharField(max_length=2000, required=False)
    ticket_url = forms.URLField(max_length=200, required=False, assume_scheme="https")

    def __init__(self, data: Any = None, *, classes: list[LabelClass]) -> None:
        super().__init__(data)
        self.by_name = {canonical_text(c.name): c for c in classes}

    def clean_answer_name(self) -> str:
        name: str = self.cleaned_data["answer_name"]
        try:
            return clean_class_name(name) if name.strip() else ""
        except Invalid as error:
            raise forms.ValidationError(error.message) from error

    @property
    def report(self) -> Report:
        said = self.cleaned_data
        suggested = self.by_name.get(canonical_text(said["answer_name"]))
        return Report(
            reason=said["reason"],
            suggested=suggested,
            proposed_name="" if suggested else said["answer_name"],
            severity=int(said["severity"] or Flag.Severity.LITTLE),
            note=said["note"],
            ticket_url=said["ticket_url"],
        )


class PastedFlagForm(FlagForm):
    """A flag on an id that somebody pasted, whether or not it has arrived."""

    external_id = forms.CharField(
        max_length=200, error_messages={"required": "Give the id of the answer."}
    )


class ChosenForm(forms.Form):
    """Rows of a list, by their numbers."""

    prediction = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        sent = [value for value in data.getlist("prediction") if is_row_id(value)]
        field = self.fields["prediction"]
        field.choices = [(value, value) for value in sent[:MOST_AT_ONCE]]  # type: ignore[attr-defined]  # A choice field.


class MergeForm(forms.Form):
    into = forms.IntegerField(min_value=1)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=2000, error_messages={"required": "Say why."})


class TitleForm(forms.Form):
    title = forms.CharField(max_length=200)


def problem_of(form: forms.Form) -> str:
    """The form's errors as one line."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
