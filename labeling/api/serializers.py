"""Items, answers and disagreements as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from feedback.api.serializers import InputField
from labeling.answers import Answer, class_answer, outside_answer
from labeling.guidelines import newest_guideline
from labeling.models import Annotation, Item, Queue, Skip
from labeling.own_work import TAKEN_BACK, is_undone, note_on
from projects.classes import accepted_classes
from projects.errors import Invalid
from projects.models import Project


class QueueSerializer(serializers.ModelSerializer[Queue]):
    """A queue, by the name that addresses use."""

    class Meta:
        model = Queue
        fields = ("slug", "name")


class GuidelineSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()


class AskedSerializer(serializers.Serializer[Any]):
    """What somebody has to know who judges an item."""

    queue = serializers.CharField()
    input = InputField()
    task_type = serializers.CharField()
    question = serializers.CharField()
    classes = serializers.ListField(
        child=serializers.CharField(), help_text="In the project's order."
    )
    guideline = GuidelineSerializer(allow_null=True)


class LeasedItemSerializer(AskedSerializer):
    """One item and what its page shows: nothing of the model, the flag or other people."""

    lease = serializers.UUIDField(help_text="Names it in what follows.")
    held_until = serializers.DateTimeField(help_text="Then others can have it; renew before.")


class ShortageSerializer(serializers.Serializer[Any]):
    queue = serializers.CharField()
    items = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="So many more annotators are needed.")


class EmptinessSerializer(serializers.Serializer[Any]):
    """Why there is no item."""

    kind = serializers.ChoiceField(
        choices=["done", "held", "none"],
        help_text="Nothing waits; the rest is with others; or nothing that this person may have.",
    )
    held_count = serializers.IntegerField()
    first_free_at = serializers.DateTimeField(allow_null=True)
    short = ShortageSerializer(many=True)


class NextItemSerializer(serializers.Serializer[Any]):
    """An item, or why there is none."""

    item = LeasedItemSerializer(allow_null=True)
    empty = EmptinessSerializer(allow_null=True)


class UndoneSerializer(serializers.Serializer[Any]):
    """The item, held again under a new lease; null where the answer had no place."""

    item = LeasedItemSerializer(allow_null=True)


class HeldSerializer(serializers.Serializer[Any]):
    """Until when; null where the item has passed on, or was held for long enough."""

    held_until = serializers.DateTimeField(allow_null=True)


class AnswerBodySerializer(serializers.Serializer[Any]):
    """A class by its name, or none of these with the name it should have."""

    answer = serializers.CharField(max_length=120, required=False, default="")
    none_of_these = serializers.BooleanField(required=False, default=False)
    proposed_name = serializers.CharField(max_length=120, required=False, default="")


class SkipBodySerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=Skip.Reason.choices)
    note = serializers.CharField(max_length=2_000, required=False, allow_blank=True, default="")


class SaidSerializer(serializers.Serializer[Any]):
    """What was said about an item: a class, or none of these."""

    answer = serializers.CharField(source="answer.name", default="")
    none_of_these = serializers.BooleanField(source="is_outside")
    proposed_name = serializers.CharField()


class AnnotationSerializer(SaidSerializer):
    """An answer as it was kept."""

    annotation = serializers.UUIDField(source="code", help_text="Names it in an undo.")
    counts = serializers.SerializerMethodField(help_text="Whether it has a place and stands.")
    note = serializers.SerializerMethodField(help_text="Why it decides nothing, or empty.")

    def get_counts(self, annotation: Annotation) -> bool:
        return annotation.counts and not is_undone(annotation)

    def get_note(self, annotation: Annotation) -> str:
        return TAKEN_BACK if is_undone(annotation) else note_on(annotation)


class GivenAnswerSerializer(serializers.Serializer[Any]):
    """What some people said, without their names."""

    answer = serializers.CharField(source="label_class.name", default="")
    none_of_these = serializers.BooleanField(source="is_outside")
    proposed_name = serializers.CharField()
    count = serializers.IntegerField()


class DisputedItemSerializer(serializers.Serializer[Any]):
    """An item on which the answers differ, or that too few people were left for."""

    code = serializers.UUIDField()
    queue = serializers.CharField()
    input = InputField()
    answers = GivenAnswerSerializer(many=True, help_text="Most first.")


class DisputedItemDetailSerializer(AskedSerializer):
    """The same with what has to be known to settle it."""

    code = serializers.UUIDField()
    answers = GivenAnswerSerializer(many=True, help_text="Most first.")


def asked_about(item: Item, queue: Queue | None, project: Project) -> dict[str, object]:
    """For AskedSerializer."""
    return {
        "queue": queue.slug if queue else "",
        "input": item.input,
        "task_type": project.task_type,
        "question": project.question,
        "classes": [label_class.name for label_class in accepted_classes(project)],
        "guideline": newest_guideline(project),
    }


def answer_in(fields: dict[str, Any], project: Project) -> Answer:
    """What the body says, or Invalid with what to change."""
    name, proposed = fields["answer"], fields["proposed_name"]
    if bool(name) == fields["none_of_these"]:
        raise Invalid("Give the name of a class as answer, or none_of_these, and not both.")
    if name and proposed:
        raise Invalid("A proposed_name goes with none_of_these alone.")
    return class_answer(project, name) if name else outside_answer(project, proposed)
