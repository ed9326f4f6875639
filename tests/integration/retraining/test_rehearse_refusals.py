"""`manage.py rehearse` looks first whether its figures have a place to go."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    data = tmp_path / "a.csv"
    data.write_text("input,label\na,b\n")

    for wrong in (["--json", tmp_path / "no" / "out.json"], ["--json", tmp_path]):
        with pytest.raises(CommandError, match="--json"):
            call_command("rehearse", "--data", str(data), *map(str, wrong))
    for option in ("--rows", "--keep"):
        with pytest.raises(CommandError, match="Name a folder"):
            call_command(
                "rehearse", "--data", str(data), "--json", str(tmp_path / "o.json"),
                option, str(data),
            )  # fmt: skip
        with pytest.raises(CommandError, match="cannot be made"):
            call_command(
                "rehearse", "--data", str(data), "--json", str(tmp_path / "o.json"),
                option, str(data / "below"),
            )  # fmt: skip
