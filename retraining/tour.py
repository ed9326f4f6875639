"""The demo's guided strip: which step of the loop the project is at, and where to go."""

from __future__ import annotations

from dataclasses import dataclass

from projects.models import Project


@dataclass(frozen=True)
class TourStrip:
    step: int
    of: int
    text: str
    url: str
    label: str
    dismiss_url: str


def tour_strip(project: Project | None, *, hidden: bool) -> TourStrip | None:
    """None outside the demo's projects, or once it was closed."""
    if hidden or project is None or not project.is_demo:
        return None
    return None
