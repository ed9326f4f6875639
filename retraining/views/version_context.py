"""What the page of models shows."""

from __future__ import annotations

from django.urls import reverse

from monitoring.accuracy import accuracy_by_version, audited_answers
from monitoring.intervals import Estimate
from projects.models import Deployment, ModelVersion, Project, Role
from retraining.batches import may_be_compared
from retraining.live_line import find_rollback_target, standing_versions
from retraining.models import Batch, DatasetVersion
from retraining.words import cause_words, count_of

Context = dict[str, object]

COMPARED = {Batch.State.EVALUATED, Batch.State.PROMOTED, Batch.State.NOT_PROMOTED}


def models_context(project: Project, *, roles: frozenset[Role]) -> Context:
    """For retraining/models_page.html; without a deployment `live` is None."""
    lines = list(Deployment.objects.champions(project.pk).select_related("version", "by"))
    measured = {g.value: g.estimate for g in accuracy_by_version(audited_answers(project))}
    live = lines[0] if lines else None
    return {
        "project": project,
        "can_decide": Role.LEAD in roles,
        "live": _live(live, measured) if live else None,
        "versions": _versions(project, live, measured),
        "deployments": [_line(line, line is live) for line in lines],
    }


def _live(line: Deployment, measured: dict[str, Estimate]) -> Context:
    by = f"By {line.by}" if line.by else "By Setright"
    return {
        "name": line.version.name,
        "since": line.at,
        "by_words": f"{by}{_reason(line)}",
        "accuracy_words": _accuracy_words(measured.get(line.version.name)),
    }


def _versions(
    project: Project, live: Deployment | None, measured: dict[str, Estimate]
) -> list[Context]:
    """The live one first, then by when they were made."""
    versions = list(project.versions.order_by("-created_at", "-pk"))
    versions.sort(key=lambda version: live is None or version.pk != live.version_id)
    datasets = DatasetVersion.objects.in_bulk([v.dataset_id for v in versions if v.dataset_id])
    batches = _batches(versions)
    standing = standing_versions(project)
    deployed = set(project.deployments.values_list("version_id", flat=True))
    target = find_rollback_target(project)
    return [
        {
            **_state(version, live, deployed),
            "pk": version.pk,
            "name": version.name,
            "dataset_words": _dataset_words(datasets.get(version.dataset_id or 0)),
            "made_at": version.created_at,
            "accuracy_words": _accuracy_words(measured.get(version.name)),
            **_batch(batches.get(version.pk), standing),
            "facts": _facts(version),
            "download_url": _download_url(project, version),
            "can_roll_back": version == target,
            "can_be_first": live is None,
        }
        for version in versions
    ]


def _batches(versions: list[ModelVersion]) -> dict[int | None, Batch]:
    """The newest of each version that came to a comparison, else the newest."""
    found = sorted(
        Batch.objects.filter(version__in=versions),
        key=lambda batch: (batch.state in COMPARED, batch.pk),
    )
    return {batch.version_id: batch for batch in found}


def _batch(batch: Batch | None, standing: list[ModelVersion]) -> Context:
    """Where a version comes from, and how it could go live where no rollback leads to it."""
    if batch is None or not may_be_compared(batch, standing):
        return {"batch_number": batch and batch.number, "way_words": ""}
    is_left = batch.state == Batch.State.PROMOTED
    words = f"It can go live{' again' if is_left else ''} only after a new comparison."
    is_open = batch.state == Batch.State.EVALUATED
    return {"batch_number": batch.number, "way_words": "" if is_open else words}


def _state(version: ModelVersion, live: Deployment | None, deployed: set[int]) -> Context:
    if live and version.pk == live.version_id:
        return {"is_live": True, "state_words": "live", "tone": "good"}
    words = "was live" if version.pk in deployed else "never live"
    return {"is_live": False, "state_words": words, "tone": ""}


def _line(line: Deployment, is_live: bool) -> Context:
    by = f" by {line.by}" if line.by else ""
    return {
        "at": line.at,
        "version_name": line.version.name,
        "words": f"{cause_words(line)}{by}{_reason(line)}",
        "state": "now" if is_live else "done",
    }


def _accuracy_words(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "No audited answer of it yet."
    return (
        f"{estimate.value:.2f} of its answers are right ({estimate.low:.2f} to "
        f"{estimate.high:.2f}, {count_of(estimate.rows, 'audited answer')})."
    )


def _dataset_words(dataset: DatasetVersion | None) -> str:
    if dataset is None:
        return "Trained elsewhere"
    return f"Dataset {dataset.number}, {count_of(dataset.row_count, 'row')}"


def _facts(version: ModelVersion) -> list[tuple[str, str]]:
    """Its card: from the signed manifest."""
    facts = version.manifest.get("facts", {})
    shown = {
        "Trainer": version.manifest.get("trainer"),
        "Rows": facts.get("rows"),
        "Classes": len(facts.get("classes", [])) or None,
        "Seed": facts.get("seed"),
        "Trained in": f"{facts['seconds']:.1f} s" if "seconds" in facts else None,
        "Environment": ", ".join(f"{k} {v}" for k, v in facts.get("environment", {}).items()),
        "File": version.artifact_id,
    }
    return [(name, str(value)) for name, value in shown.items() if value]


def _download_url(project: Project, version: ModelVersion) -> str:
    if version.artifact_id is None:
        return ""
    return reverse("retraining:version-file", kwargs={"slug": project.slug, "pk": version.pk})


def _reason(line: Deployment) -> str:
    """The end of a sentence; people write their reasons with a full stop and without."""
    return f": {line.reason.rstrip('.')}." if line.reason else "."
