"""What the architecture tests read."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.architecture.tree import ROOT


@pytest.fixture(scope="session")
def project_file() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
