"""Run the benches and print each figure beside its floor."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.postgres import Server, running_postgres

MODULES = ["ingest", "labeling", "pages", "predict"]


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, running_postgres(durable=True) as server:
        results = [
            measure
            for name in arguments.only or MODULES
            for measure in _run(name, server, Path(folder))
        ]
    print(table(results))
    report = {"machine": machine(), "measures": results}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return int(any(measure["is_kept"] is False for measure in results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", help=f"modules to run: {', '.join(MODULES)}")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    return parser.parse_args()


def _run(name: str, server: Server, folder: Path) -> list[dict[str, Any]]:
    """In a process and a database of its own, so that no module feels another's rows."""
    out, home = folder / f"{name}.json", folder / name
    home.mkdir()
    with server.fresh_database() as url:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DATA_DIR": str(home),
            "SECRET_KEY": "for the bench only, long enough for the checks of Django itself",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        }
        subprocess.run(
            [sys.executable, "-m", "bench.alone", name, str(out)], env=environment, check=True
        )
    measures: list[dict[str, Any]] = json.loads(out.read_text())
    return measures


def machine() -> dict[str, str]:
    """What a reader needs to know to compare."""
    packages = ("django", "psycopg", "gunicorn")
    return {
        "day": date.today().isoformat(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def table(measures: list[dict[str, Any]]) -> str:
    lines = [f"{'measure':50} {'here':>18} {'floor':>18} {'ratio':>8} {'bound':>16}"]
    for measure in measures:
        lines.append(
            f"{measure['name']:50} {_figure(measure['value'], measure['unit']):>18} "
            f"{_figure(measure['floor'], measure['unit']):>18} {_ratio(measure):>8} "
            f"{_bound(measure):>16}  {_verdict(measure)}"
        )
    return "\n".join(lines)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.4g} {unit}"


def _ratio(measure: dict[str, Any]) -> str:
    return "" if measure["ratio"] is None else f"{measure['ratio']:.3f}"


def _bound(measure: dict[str, Any]) -> str:
    return "" if measure["bound"] is None else f"{measure['better']} {measure['bound']:g}"


def _verdict(measure: dict[str, Any]) -> str:
    return {True: "kept", False: "BROKEN", None: ""}[measure["is_kept"]]


if __name__ == "__main__":
    sys.exit(main())
