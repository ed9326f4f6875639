"""Recount, from what is stored, whether training ever saw an evaluation input."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from feedback.models import Import
from labeling.models import Item, ItemSource
from projects.identity import EVALUATION, use_of
from projects.models import Project
from projects.task_types import TASK_TYPES
from projects.task_types.text_classification import canonical_text
from retraining.datasets import read_manifest, read_shard
from retraining.models import DatasetVersion


def rows_equal_to_evaluation(*, project: Project, evaluation_inputs: Collection[str]) -> int:
    """Rows in any version's shards whose normalised input is one of these.

    The shards are read again, superseded rows included: they were trained on once.
    """
    wanted = set(evaluation_inputs)
    return sum(
        _normalised(row["input"]) in wanted
        for digest in _shards(project)
        for row in read_shard(digest)
    )


def evaluation_inputs(project: Project) -> set[str]:
    """Normalised inputs that must never be trained on, worked out anew.

    Imported test sets by their import, all else by the keyed hash; the stored use is not read.
    """
    frozen = set(
        ItemSource.objects.filter(
            project=project,
            kind=ItemSource.Kind.IMPORT,
            reference__in=Import.objects.filter(
                project=project, kind=Import.Kind.EVALUATION
            ).values("pk"),
        ).values_list("item_id", flat=True)
    )
    imported = set(
        ItemSource.objects.filter(project=project, kind=ItemSource.Kind.IMPORT).values_list(
            "item_id", flat=True
        )
    )
    canonical = TASK_TYPES[project.task_type].canonical
    items = Item.objects.filter(project=project).iterator()
    return {
        canonical(item.input)
        for item in items
        if item.pk in frozen or (item.pk not in imported and _falls_to_evaluation(project, item))
    }


def _falls_to_evaluation(project: Project, item: Item) -> bool:
    group = str(item.context.get(project.group_field, "")) if project.group_field else ""
    return use_of(project, identity=item.identity, group=group) == EVALUATION


def _normalised(value: object) -> str:
    return (
        hashlib.sha256(value).hexdigest()
        if isinstance(value, bytes)
        else canonical_text(str(value))
    )


def _shards(project: Project) -> Iterable[str]:
    datasets = DatasetVersion.objects.filter(project=project)
    return {shard.digest for dataset in datasets for shard in read_manifest(dataset).shards}
