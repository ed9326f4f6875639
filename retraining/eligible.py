"""Which ground truths a batch may take: train use, accepted, and not spoken for."""

from __future__ import annotations

from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce

from feedback.models import Import
from labeling.models import Item, ItemSource
from labeling.querysets import ItemQuerySet
from projects.models import Deployment, ModelVersion, Project
from retraining.models import Batch, BatchRow, DatasetRow, DatasetVersion

TRAINED_ON = "trained_on"  # In an import's mapping: the live model was trained on these rows.


def champion_dataset(project: Project) -> DatasetVersion | None:
    """What the live version was trained on here; None for an external or no version."""
    line = Deployment.objects.current(project.pk)
    return dataset_of(line.version) if line else None


def dataset_of(version: ModelVersion) -> DatasetVersion | None:
    """What the version was trained on here; None for an external one."""
    if version.dataset_id is None:
        return None
    return DatasetVersion.objects.select_related("parent").get(pk=version.dataset_id)


def eligible_items(project: Project, *, besides: Batch | None = None) -> ItemQuerySet:
    """Items a batch could take now; `besides` is a batch whose own rows are not held against it."""
    undecided = Batch.objects.undecided(project)
    if besides is not None:
        undecided = undecided.exclude(pk=besides.pk)
    known = DatasetRow.objects.in_chain(champion_dataset(project))
    return (
        Item.objects.settled(project)
        .filter(use=Item.Use.TRAIN, truth__answer__retired_at=None)
        .exclude(truth__in=known.values("truth"))
        .exclude(truth__in=rows_of(undecided).values("truth"))
    )


def new_items(project: Project) -> ItemQuerySet:
    """Eligible items that no batch has held yet: what quotas count.

    After a batch ended without promotion, or was rolled back, its rows may go into another, but
    they do not fire a trigger again. Nor do imported rows that the live model knows already.
    """
    trained_on = Import.objects.filter(project=project, **{f"mapping__{TRAINED_ON}": True})
    known = ItemSource.objects.filter(
        project=project,
        kind=ItemSource.Kind.IMPORT,
        reference__in=trained_on.values("pk"),
    )
    return (
        eligible_items(project)
        .exclude(truth__in=rows_of(Batch.objects.filter(project=project)).values("truth"))
        .exclude(pk__in=known.values("item"))
    )


def rows_of(batches: QuerySet[Batch]) -> QuerySet[BatchRow]:
    """The rows of each batch's approved revision, else of its newest."""
    revisions = batches.annotate(newest=Max("revisions__id")).values(
        standing=Coalesce(F("approved_revision"), F("newest"))
    )
    return BatchRow.objects.filter(revision_id__in=revisions)
