"""Reads of batches and dataset rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F

if TYPE_CHECKING:
    from projects.models import Project
    from retraining.models import Batch, DatasetRow, DatasetVersion, RegressionCase


class BatchQuerySet(models.QuerySet["Batch"]):
    def undecided(self, project: Project) -> BatchQuerySet:
        """Batches whose rows are spoken for until they end."""
        return self.filter(
            project=project, state__in=["proposed", "approved", "training", "evaluated"]
        )

    def listed(self, project: Project) -> BatchQuerySet:
        """Newest first, with what the list shows."""
        related = self.filter(project=project).select_related("project", "version", "decided_by")
        return related.order_by("-number")

    def waiting_for_a_lead(self, project: Project) -> BatchQuerySet:
        return self.filter(project=project, state__in=["proposed", "evaluated", "failed"])


class DatasetRowQuerySet(models.QuerySet["DatasetRow"]):
    def in_chain(self, dataset: DatasetVersion | None) -> DatasetRowQuerySet:
        """The rows of a dataset and of all its ancestors, superseded ones included."""
        return self.filter(dataset_id__in=[link.pk for link in _chain(dataset)])

    def standing(self, dataset: DatasetVersion | None) -> DatasetRowQuerySet:
        """The rows a model trained on this dataset learns from."""
        gone = {truth_id for link in _chain(dataset) for truth_id in link.superseded}
        return self.in_chain(dataset).exclude(truth_id__in=gone)


class RegressionCaseQuerySet(models.QuerySet["RegressionCase"]):
    def standing(self, project: Project) -> RegressionCaseQuerySet:
        """Cases whose flag stands and whose ground truth still contradicts the flagged answer."""
        return (
            self.filter(
                project=project,
                flag__state__in=["open", "fixed", "still wrong"],
                item__state="resolved",
                item__truth__answer__isnull=False,
                item__truth__answer__retired_at=None,
            )
            .exclude(item__truth__answer__name=F("flag__output"))
            .select_related("flag", "item__truth__answer")
        )


def _chain(dataset: DatasetVersion | None) -> list[DatasetVersion]:
    """The dataset and its ancestors, newest first."""
    links = []
    while dataset is not None:
        links.append(dataset)
        dataset = dataset.parent
    return links
