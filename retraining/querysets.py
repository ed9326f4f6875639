"""Reads of batches and dataset rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from projects.models import Project
    from retraining.models import Batch, DatasetRow, DatasetVersion


class BatchQuerySet(models.QuerySet["Batch"]):
    def undecided(self, project: Project) -> BatchQuerySet:
        """Batches whose rows are spoken for until they end."""
        return self.filter(
            project=project, state__in=["proposed", "approved", "training", "evaluated"]
        )

    def waiting_for_a_lead(self, project: Project) -> BatchQuerySet:
        return self.filter(project=project, state__in=["proposed", "evaluated", "failed"])


class DatasetRowQuerySet(models.QuerySet["DatasetRow"]):
    def in_chain(self, dataset: DatasetVersion | None) -> DatasetRowQuerySet:
        """The rows of a dataset and of all its ancestors, superseded ones included."""
        ids = []
        while dataset is not None:
            ids.append(dataset.pk)
            dataset = dataset.parent
        return self.filter(dataset_id__in=ids)
