"""Predictions, flags and issues as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.ingestion import Result
from feedback.models import Flag, Issue, Prediction

INPUT = {
    "oneOf": [
        {"type": "string", "description": "A text."},
        {
            "type": "object",
            "description": 'As stored: {"text": ...}, {"image": digest} of a file uploaded before, '
            'or {"image_base64": ...}.',
        },
    ]
}
SEGMENTS = {"type": "object", "additionalProperties": {"type": "string"}}
SCORES = {"type": "object", "additionalProperties": {"type": "number"}, "nullable": True}


@extend_schema_field(INPUT)
class InputField(serializers.JSONField):
    """A text, or an object."""


@extend_schema_field(SEGMENTS)
class SegmentsField(serializers.JSONField):
    """Names and values by which quality is looked at."""


@extend_schema_field(SCORES)
class ScoresField(serializers.JSONField):
    """Class name to probability."""


class PredictionBodySerializer(serializers.Serializer[Any]):
    """One prediction as it is sent; only for the schema, `prediction_body` reads it."""

    external_id = serializers.CharField(max_length=200, help_text="Your id; unique per version.")
    model_version = serializers.CharField(max_length=80)
    input = InputField()
    output = serializers.CharField(max_length=120, help_text="The class that was answered.")
    confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    scores = ScoresField(required=False)
    segments = SegmentsField(required=False)
    customer_ref = serializers.CharField(required=False, max_length=200)
    occurred_at = serializers.DateTimeField(
        required=False, help_text="With a time zone; the time of arrival where it is left out."
    )


PredictionBodySerializer._declared_fields["context"] = serializers.DictField(
    required=False, help_text="Anything else about it."
)


class AnswerSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    result = serializers.ChoiceField(choices=[result.value for result in Result])
    external_id = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)


class IngestReportSerializer(serializers.Serializer[Any]):
    """Counts, and an answer for each line."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    conflicts = serializers.IntegerField()
    rejected = serializers.IntegerField()
    unknown_outputs = serializers.DictField(child=serializers.IntegerField())
    lines = AnswerSerializer(many=True)


class PredictionSerializer(serializers.ModelSerializer[Prediction]):
    model_version = serializers.CharField(source="version.name")
    input = InputField()
    segments = SegmentsField()
    scores = ScoresField()

    class Meta:
        model = Prediction
        fields = (
            "id",
            "external_id",
            "model_version",
            "input",
            "output",
            "confidence",
            "scores",
            "segments",
            "context",
            "customer_ref",
            "occurred_at",
            "received_at",
        )


class PredictionPageSerializer(serializers.Serializer[Any]):
    """Some predictions, newest first; `next_cursor` is empty at the end."""

    results = PredictionSerializer(many=True)
    next_cursor = serializers.CharField()


class FlagBodySerializer(serializers.Serializer[Any]):
    """A report on a prediction; on an id that has not arrived yet it waits for it."""

    external_id = serializers.CharField(max_length=200)
    model_version = serializers.CharField(
        max_length=80, required=False, default="", help_text="Else the newest prediction."
    )
    reason = serializers.ChoiceField(choices=Flag.Reason.choices)
    suggested = serializers.CharField(max_length=120, required=False, default="")
    proposed_name = serializers.CharField(max_length=120, required=False, default="")
    severity = serializers.ChoiceField(choices=Flag.Severity.choices, default=Flag.Severity.LITTLE)
    note = serializers.CharField(max_length=10_000, required=False, default="")
    ticket_url = serializers.URLField(max_length=200, required=False, default="")


class FlagSerializer(serializers.ModelSerializer[Flag]):
    issue = serializers.IntegerField(source="issue.number", default=None, allow_null=True)
    suggested = serializers.CharField(source="suggested.name", default="")
    agent = serializers.CharField(source="agent.username")
    ticket_url = serializers.CharField(help_text="Or empty.")

    class Meta:
        model = Flag
        fields = (
            "code",
            "external_id",
            "prediction",
            "output",
            "reason",
            "suggested",
            "proposed_name",
            "severity",
            "note",
            "ticket_url",
            "state",
            "issue",
            "agent",
            "created_at",
        )


class IssueSerializer(serializers.ModelSerializer[Issue]):
    flag_count = serializers.IntegerField()
    customer_count = serializers.IntegerField()
    fixed_in = serializers.CharField(source="fixed_by")

    class Meta:
        model = Issue
        fields = (
            "number",
            "title",
            "state",
            "flag_count",
            "customer_count",
            "fixed_in",
            "created_at",
            "changed_at",
        )


class StoredImageSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(help_text='Send it as {"image": digest}.')
    media_type = serializers.CharField()
    bytes = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
