"""The way from a new project to its first flag, and how far a project has come."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from feedback.models import Flag, Prediction
from projects.models import Project


@dataclass(frozen=True)
class FirstStep:
    title: str
    text: str
    url: str
    label: str
    state: str = "todo"


def first_steps(project: Project) -> list[FirstStep]:
    """Done, now and to do; nothing once the first flag is there."""
    if Flag.objects.filter(project=project).exists():
        return []
    named = {"slug": project.slug}
    has_predictions = Prediction.objects.filter(project=project).exists()
    has_way_in = has_predictions or project.api_keys.exists() or project.imports.exists()
    done = [bool(project.classes.exists()), has_way_in, has_predictions, False]
    steps = [
        ("Name the classes", "What your model can answer.", "retraining:project-edit", "Set up"),
        (
            "Open a way in",
            "A key for your own system, or a file from it.",
            "labeling:import-list",
            "Import a file",
        ),
        (
            "See the first answers",
            "They can be found as soon as they are here.",
            "feedback:prediction-find",
            "Find",
        ),
        (
            "Flag one that is wrong",
            "From then on the loop runs by itself.",
            "feedback:prediction-find",
            "Find and flag",
        ),
    ]
    now = done.index(False)
    return [
        FirstStep(
            title,
            text,
            reverse(url_name, kwargs=named),
            label,
            "done" if done[number] else "now" if number == now else "todo",
        )
        for number, (title, text, url_name, label) in enumerate(steps)
    ]
