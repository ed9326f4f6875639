"""What every endpoint may answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

PROBLEM = "application/problem+json"


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457): what happened and what to do next."""

    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.JSONField(help_text="A sentence, or the problems by field.")


class NothingSerializer(serializers.Serializer[dict[str, str]]):
    """No fields: a reason that was sent along would be lost."""


class ReasonSerializer(serializers.Serializer[dict[str, str]]):
    """Why; kept beside the decision."""

    reason = serializers.CharField(max_length=2_000)
