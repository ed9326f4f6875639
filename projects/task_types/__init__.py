"""The kinds of task: what an input is, what makes two the same, what an answer is."""

from projects.registry import Registry
from projects.task_types.base import TaskType
from projects.task_types.image_classification import ImageClassification
from projects.task_types.text_classification import TextClassification

TASK_TYPES: Registry[TaskType] = Registry(
    "task type", [TextClassification(), ImageClassification()]
)

__all__ = ["TASK_TYPES", "TaskType"]
