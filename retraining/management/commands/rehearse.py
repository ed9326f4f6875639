"""Play the loop on labeled history before any person is asked."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from projects.errors import DomainError, Invalid
from retraining.rehearsal.options import RehearsalOptions, parse_annotators, parse_mix

FOLDER = "SETRIGHT_REHEARSAL"  # Set once this process runs on the rehearsal's own database.


class Command(BaseCommand):
    """Runs without services: SQLite in a folder of its own, jobs in this process."""

    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--data", type=Path, help="CSV or JSONL of labeled rows")
        source.add_argument(
            "--digits", action="store_true", help="scikit-learn's digits, as images"
        )
        parser.add_argument("--input", default="input", help="column with the input")
        parser.add_argument("--label", default="label", help="column with the true class")
        parser.add_argument("--segment", action="append", default=[], help="segment column")
        parser.add_argument(
            "--test", type=Path, help="rows for the report; else 25 %% are held out"
        )
        new = parser.add_mutually_exclusive_group()
        new.add_argument("--new-classes", type=int, default=0, help="classes unseen at first")
        new.add_argument("--new-class", action="append", default=[], help="one by its name")
        parser.add_argument("--new-share", type=float, default=0.15)
        parser.add_argument("--typos", type=float, default=0.2)
        parser.add_argument("--base", type=int, default=40, help="rows per class to start with")
        parser.add_argument("--frozen", type=int, default=10, help="test rows per class for gates")
        parser.add_argument("--labels", type=int, default=400, help="items asked, all uses")
        parser.add_argument("--mix", default="flagged=0.5,uncertain=0.25,audit=0.25")
        parser.add_argument("--annotators", default="0.95,0.88,0.80", help="share right, each")
        parser.add_argument("--overlap", type=int, default=3, help="people per item")
        parser.add_argument("--flag-recall", type=float, default=0.3)
        parser.add_argument("--false-flags", type=float, default=0.02)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", type=Path, required=True, help="where the figures go")
        parser.add_argument(
            "--rows", type=Path, help="folder for the rows trained and tested on, as JSON lines"
        )
        parser.add_argument("--keep", type=Path, help="keep database and files in this folder")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            options = _options(given)
            options.check()
            _check_outputs(given["json"], folders=[given["rows"], given["keep"]])
            if FOLDER not in os.environ:
                _start_apart(given["keep"])
            self._rehearse(options, out=given["json"], keep_in=given["rows"])
        except DomainError as error:
            raise CommandError(error.message) from error

    def _rehearse(self, options: RehearsalOptions, *, out: Path, keep_in: Path | None) -> None:
        from retraining.rehearsal.loop import rehearse  # noqa: PLC0415  Seconds; help needs none.

        call_command("migrate", verbosity=0)
        figures = rehearse(options, show=sys.stderr, keep_in=keep_in)
        out.write_text(json.dumps(figures.as_json(), indent=2, ensure_ascii=False) + "\n")
        self.stdout.write(figures.as_table())


def _check_outputs(out: Path, *, folders: list[Path | None]) -> None:
    """Before minutes of work whose figures would have no place to go."""
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise Invalid(f"--json {out}: name a file in a folder that is there and can be written.")
    for folder in folders:
        if folder is not None and folder.exists() and not folder.is_dir():
            raise Invalid(f"{folder} is a file. Name a folder, or one that is not there yet.")
        if folder is not None:
            _make(folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"{folder} cannot be made: {error.strerror}. Name another folder.") from error


def _start_apart(keep: Path | None) -> None:
    """Run this command again in a process whose database and files are the rehearsal's own."""
    if keep is not None:
        sys.exit(_again(keep.resolve()))
    with tempfile.TemporaryDirectory(prefix="setright-rehearsal-") as folder:
        sys.exit(_again(Path(folder)))


def _again(folder: Path) -> int:
    environment = os.environ | {
        FOLDER: str(folder),
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'rehearsal.sqlite3'}",
        "SECRET_KEY": settings.SECRET_KEY,
        "REDIS_URL": "redis://127.0.0.1:1/0",  # Nobody is woken: jobs run in this process,
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "ERROR"),  # and nobody misses it.
    }
    manage = Path(settings.BASE_DIR) / "manage.py"
    return os.spawnve(  # noqa: S606  The same program, with the same arguments.
        os.P_WAIT, sys.executable, [sys.executable, str(manage), *sys.argv[1:]], environment
    )


def _options(given: dict[str, Any]) -> RehearsalOptions:
    return RehearsalOptions(
        data=given["data"],
        digits=given["digits"],
        input_column=given["input"],
        label_column=given["label"],
        segment_columns=tuple(given["segment"]),
        test=given["test"],
        new_class_count=given["new_classes"],
        new_classes=tuple(given["new_class"]),
        new_share=given["new_share"],
        typos=given["typos"],
        base=given["base"],
        frozen=given["frozen"],
        labels=given["labels"],
        mix=parse_mix(given["mix"]),
        annotators=parse_annotators(given["annotators"]),
        overlap=given["overlap"],
        flag_recall=given["flag_recall"],
        false_flags=given["false_flags"],
        seed=given["seed"],
    )
