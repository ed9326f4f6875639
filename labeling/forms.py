"""What annotators, reviewers and leads send, parsed at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from labeling.answers import Answer, outside_answer
from labeling.models import Skip
from projects.models import LabelClass, Project

NONE_VALUE = "none"  # Classes are sent as numbers, so no class can be called this.
NAMED_NONE = f"{NONE_VALUE}:"  # And with it the name that others proposed.


class AnswerForm(forms.Form):
    """One of the classes, or none of these with an optional name."""

    answer = forms.CharField(max_length=200, error_messages={"required": "Choose a class."})
    proposed_name = forms.CharField(max_length=120, required=False)

    def __init__(self, data: Any, *, project: Project, classes: Sequence[LabelClass]) -> None:
        super().__init__(data)
        self.project = project
        self.classes = {str(label_class.pk): label_class for label_class in classes}

    def clean_answer(self) -> str:
        chosen: str = self.cleaned_data["answer"]
        if (
            chosen != NONE_VALUE
            and not chosen.startswith(NAMED_NONE)
            and chosen not in self.classes
        ):
            raise forms.ValidationError("That class is no longer offered. Choose another.")
        return chosen

    @property
    def given(self) -> Answer:
        chosen, name = self.cleaned_data["answer"], self.cleaned_data["proposed_name"]
        if chosen in self.classes:
            return Answer(self.classes[chosen])
        return outside_answer(self.project, name or chosen.removeprefix(NONE_VALUE).lstrip(":"))


class SkipForm(forms.Form):
    reason = forms.ChoiceField(choices=Skip.Reason.choices)
    note = forms.CharField(max_length=2000, required=False)


class ReasonForm(forms.Form):
    """Why a decision was made."""

    reason = forms.CharField(max_length=2000, error_messages={"required": "Say why."})


class AcceptForm(forms.Form):
    """A proposed class becomes one: how to tell it, and how many labels are wanted."""

    description = forms.CharField(max_length=2000, required=False)
    wanted = forms.IntegerField(min_value=1, max_value=100_000, required=False)


def problem_of(form: forms.Form) -> str:
    """The form's errors as one line."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
