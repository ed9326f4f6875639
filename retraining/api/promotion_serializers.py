"""What the API says about deployments and receipts, and what it takes for a promotion."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from projects.models import Deployment
from retraining.models import Receipt
from retraining.receipts import plain_sentence


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """One line of what was live when."""

    version = serializers.CharField(source="version.name", read_only=True)

    class Meta:
        model = Deployment
        fields = ("sequence", "version", "cause", "reason", "at")


class ReceiptSerializer(serializers.ModelSerializer[Receipt]):
    """The old and the new answer on the agent's own case."""

    flag = serializers.UUIDField(source="flag.code", read_only=True)
    version = serializers.CharField(source="version.name", read_only=True)
    sentence = serializers.SerializerMethodField(help_text="To paste to the customer.")

    class Meta:
        model = Receipt
        fields = (
            "id",
            "flag",
            "version",
            "old_answer",
            "new_answer",
            "new_confidence",
            "is_learned",
            "sent_at",
            "seen_at",
            "revoked_at",
            "sentence",
        )

    def get_sentence(self, receipt: Receipt) -> str:
        return "" if receipt.revoked_at else plain_sentence(receipt)


class PromotionSerializer(serializers.Serializer[dict[str, Any]]):
    """Whether the lead promotes although some gates lack evidence."""

    confirm_not_enough = serializers.BooleanField(default=False)


class WaiverSerializer(serializers.Serializer[dict[str, Any]]):
    """Which gate, as the list of gates names it, and why it does not matter here."""

    slug = serializers.CharField(max_length=40)
    group = serializers.CharField(max_length=200, allow_blank=True, default="")
    reason = serializers.CharField(max_length=2_000)


class NoteSerializer(serializers.Serializer[dict[str, Any]]):
    """What the agent adds; may be left out."""

    note = serializers.CharField(max_length=2_000, allow_blank=True, default="")
