"""Writes the reference pages, `.env.example` and the API's schema from the code."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.reference import stale


class Command(BaseCommand):
    help = "Write the generated pages, or with --check only say which are stale."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing, fail if stale")

    def handle(self, *args: Any, **options: Any) -> None:
        files = stale()
        names = ", ".join(str(path.relative_to(settings.BASE_DIR)) for path in files)
        if options["check"]:
            if files:
                raise CommandError(f"not what the code says: {names}. Run make docs.")
            return
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.stdout.write(f"wrote {names}" if files else "all pages were up to date")
