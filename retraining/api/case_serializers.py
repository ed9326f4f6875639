"""What the API says about broken regression cases, and what it takes about them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from retraining.models import CaseReview


class BrokenCaseSerializer(serializers.Serializer[Any]):
    """A case that the live model answers right and the new one wrong."""

    case = serializers.IntegerField(source="case_id", read_only=True)
    input = serializers.JSONField(source="item.input", read_only=True)
    right_answer = serializers.CharField(read_only=True)
    champion_answer = serializers.CharField(read_only=True)
    challenger_answer = serializers.CharField(read_only=True)
    is_pinned = serializers.BooleanField(read_only=True)
    review = serializers.CharField(read_only=True, help_text="waiting, confirmed or excused")
    reason = serializers.CharField(source="said.reason", default="", read_only=True)


class VerdictSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether the case counts; a reason is needed where it does not."""

    verdict = serializers.ChoiceField(choices=CaseReview.Verdict.choices)
    reason = serializers.CharField(max_length=2_000, allow_blank=True, default="")


class PinSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether the case may never break; a reason is needed to take a pin away."""

    is_pinned = serializers.BooleanField()
    reason = serializers.CharField(max_length=2_000, allow_blank=True, default="")
