"""What engineers send to import a file, parsed at the edge."""

from __future__ import annotations

from django import forms

from feedback.models import Import
from labeling.import_plan import PARTS, Choices
from projects.errors import Invalid

KINDS = [
    (Import.Kind.PREDICTIONS, "Predictions: what the model answered"),
    (Import.Kind.TRAINING, "Training set: what it learned from"),
    (Import.Kind.EVALUATION, "Test set: your own frozen test"),
]


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label="What it holds", choices=KINDS)
    file = forms.FileField(help_text="CSV or JSONL, in UTF-8.")


class MappingForm(forms.Form):
    """A column for each part, and what is true of all rows."""

    version = forms.CharField(max_length=80, required=False)
    trained_on = forms.BooleanField(required=False)
    add_classes = forms.BooleanField(required=False)

    def chosen(self, kind: str) -> dict[str, str]:
        """Part to column; what is not in the file is left out."""
        asked = {part.name: self.data.get(f"field_{part.name}", "") for part in PARTS[kind]}
        missing = [p.label for p in PARTS[kind] if p.is_required and not asked[p.name]]
        if missing:
            raise Invalid(f"Choose a column for: {', '.join(missing)}.")
        return {name: column for name, column in asked.items() if column}

    @property
    def choices(self) -> Choices:
        return Choices(**self.cleaned_data)


def problem_of(form: forms.Form) -> str:
    """The form's errors as one line."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
