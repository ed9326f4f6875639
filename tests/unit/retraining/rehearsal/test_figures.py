"""What a rehearsal prints is what its page says."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from django.conf import settings

from retraining.rehearsal.figures import RehearsalFigures


def test_every_figure_is_explained_on_the_page() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "how-to" / "rehearse.md").read_text()

    assert [f.name for f in fields(RehearsalFigures) if f"`{f.name}`" not in page] == []
