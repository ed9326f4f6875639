"""Run one bench module in a process and a database of its own: `python -m bench.alone NAME OUT`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command


def main(name: str, out: str) -> None:
    """The environment names the database; it is empty, and dropped afterwards."""
    django.setup()
    call_command("migrate", verbosity=0)
    measures = import_module(f"bench.{name}").measure()
    Path(out).write_text(json.dumps([measure.as_json for measure in measures]))


if __name__ == "__main__":
    main(*sys.argv[1:])
