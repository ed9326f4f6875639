"""The files of the repository that the rules are about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ["events", "jobs", "projects", "feedback", "labeling", "monitoring", "retraining"]
LAYERS = ["config", "retraining", "monitoring", "labeling", "feedback", "projects"]


def code_modules() -> Iterator[Path]:
    """Our Python, without tests, migrations and benches."""
    for folder in ["config", *APPS]:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def own_scripts() -> list[Path]:
    return sorted((ROOT / "static" / "js").rglob("*.js"))


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
