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
