"""What a lead sends to the monitor, parsed at the edge."""

from django import forms


class AuditPlanForm(forms.Form):
    """How many of a hundred answers are drawn at random."""

    percent = forms.FloatField(
        label="Of a hundred answers", min_value=0, max_value=100, help_text="0 draws none."
    )
