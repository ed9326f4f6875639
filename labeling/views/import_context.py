"""What the import page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse

from feedback.models import Import
from feedback.table_reading import Table
from labeling.import_plan import PARTS, Column, Part, columns_of, guess
from projects.models import Project
from projects.versions import find_champion

KIND = Import.Kind
Context = dict[str, object]

_KIND_WORDS = {
    KIND.PREDICTIONS: "predictions",
    KIND.TRAINING: "training set",
    KIND.EVALUATION: "test set",
}
_STATE_WORDS = {
    Import.State.WAITING: ("waits", "info"),
    Import.State.RUNNING: ("coming in", "info"),
    Import.State.DONE: ("done", "good"),
    Import.State.FAILED: ("failed", "bad"),
    Import.State.UNDONE: ("undone", ""),
}


def import_rows(imports: Sequence[Import]) -> list[Context]:
    return [_row(imported) for imported in imports]


def work_context(imported: Import, slug: str) -> Context:
    """For components/_progress.html."""
    job = imported.job
    is_over = imported.state not in {Import.State.WAITING, Import.State.RUNNING}
    named = {"slug": slug, "pk": imported.pk}
    return {
        "title": f"{imported.file_name} is coming in",
        "steps": [],
        "done": imported.next_row,
        "total": max(imported.next_row, job.total_count or 1 if job else 1),
        "left": job.note if job else "",
        "log": [],
        "cancel_url": None,
        "poll_url": reverse("labeling:import-progress", kwargs=named),
        "is_over": is_over,
    }


def mapping_context(
    project: Project, *, kind: str, table: Table, sent: Mapping[str, str], problem: str
) -> Context:
    """For projects/_mapping.html: guessed from the names, or as it was sent."""
    columns, champion = columns_of(table), find_champion(project)
    version = sent.get("version") or (champion.name if champion else "v1")
    has_classes = project.classes.filter(retired_at=None).exists()
    return {
        "columns": columns,
        "fields": [_field(part, columns, sent) for part in PARTS[kind]],
        "problem": problem,
        "version": version if kind == KIND.PREDICTIONS else None,
        "asks_trained_on": kind == KIND.TRAINING,
        "asks_add_classes": kind != KIND.PREDICTIONS,
        "add_classes": "add_classes" in sent or not has_classes,
        "found_words": _found_words(project, table),
    }


def _field(part: Part, columns: list[Column], sent: Mapping[str, str]) -> Context:
    sent_name = f"field_{part.name}"
    return {
        "name": part.name,
        "label": part.label,
        "is_required": part.is_required,
        "help": part.help,
        "chosen": sent.get(sent_name, "") if sent_name in sent else guess(part, columns),
    }


def _found_words(project: Project, table: Table) -> str:
    """Segments and context come along by themselves."""
    found = [k for k in [*project.segment_keys, *project.context_fields] if k in table.columns]
    return f"Taken along by their names: {', '.join(found)}." if found else ""


def _row(imported: Import) -> Context:
    words, tone = _STATE_WORDS[Import.State(imported.state)]
    return {
        "pk": imported.pk,
        "file_name": imported.file_name,
        "kind_words": _KIND_WORDS[Import.Kind(imported.kind)],
        "state_words": words,
        "tone": tone,
        "accepted": imported.accepted,
        "duplicates": imported.duplicates,
        "conflicts": imported.conflicts,
        "rejected": imported.rejected + imported.refused,
        "created_at": imported.created_at,
        "by": imported.by,
        "problems": [(problem["line"], problem["reason"]) for problem in imported.problems],
        "can_undo": imported.state in {Import.State.DONE, Import.State.FAILED},
    }
