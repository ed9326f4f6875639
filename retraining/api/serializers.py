"""What the API says about batches and gates, and what it takes for a decision."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from retraining.models import Batch, BatchRevision, GateResult
from retraining.revisions import difference_of, newest_revision


class RevisionSerializer(serializers.ModelSerializer[BatchRevision]):
    """An immutable revision; `hash` is what an approval names."""

    rows = serializers.IntegerField(source="rows.count", read_only=True)
    near_duplicates_left_out = serializers.IntegerField(source="dropped.count", read_only=True)

    class Meta:
        model = BatchRevision
        fields = (
            "number",
            "hash",
            "rows",
            "near_duplicates_left_out",
            "classes",
            "trainer",
            "created_at",
        )


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch as the list shows it."""

    version = serializers.CharField(
        source="version.name", default=None, allow_null=True, read_only=True
    )

    class Meta:
        model = Batch
        fields: tuple[str, ...] = (
            "number",
            "state",
            "cause",
            "explanation",
            "proposed_at",
            "decided_at",
            "reason",
            "error",
            "version",
        )


class BatchDetailSerializer(BatchSerializer):
    """A batch with the revision to read: the approved one, else the newest."""

    revision = serializers.SerializerMethodField()
    changed = serializers.SerializerMethodField(
        help_text="What differs from the revision now; empty when it can be approved as it is."
    )

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "revision", "changed")

    @extend_schema_field(RevisionSerializer)
    def get_revision(self, batch: Batch) -> dict[str, object]:
        return dict(RevisionSerializer(batch.approved_revision or newest_revision(batch)).data)

    def get_changed(self, batch: Batch) -> list[str]:
        if batch.state != Batch.State.PROPOSED:
            return []
        return difference_of(newest_revision(batch)).sentences


class GateSerializer(serializers.ModelSerializer[GateResult]):
    """One gate of the newest evaluation."""

    is_waived = serializers.SerializerMethodField()

    class Meta:
        model = GateResult
        fields = (
            "slug",
            "name",
            "group",
            "result",
            "rows",
            "value",
            "low",
            "high",
            "bound",
            "more_rows_needed",
            "note",
            "is_waived",
        )

    def get_is_waived(self, gate: GateResult) -> bool:
        return gate.waived_at is not None


class WishSerializer(serializers.Serializer[dict[str, str]]):
    """Why a batch is wanted now; may be left out."""

    reason = serializers.CharField(max_length=2_000, required=False, allow_blank=True, default="")


class ApprovalSerializer(serializers.Serializer[dict[str, str]]):
    """The hash of the revision that was read."""

    revision = serializers.CharField(min_length=64, max_length=64)
