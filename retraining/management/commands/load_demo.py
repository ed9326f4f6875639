"""Build the demo's two projects with twenty days of history."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs import clock
from jobs.errors import JobFailed
from projects.demo_people import DEMO_PASSWORD
from projects.errors import DomainError
from retraining.demo.desks import DESKS
from retraining.demo.loading import is_demo_loaded, load_demo, load_desk


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-missing", action="store_true", help="do nothing if it is there")
        parser.add_argument("--desk", choices=DESKS, help="only this one, in this process")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_missing"] and is_demo_loaded():
            return
        try:
            if options["desk"]:
                load_desk(slug=options["desk"], at=clock.now())
                return
            load_demo(report=self._report)
        except DomainError as error:
            raise CommandError(error.message) from error
        except JobFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Demo accounts have the password {DEMO_PASSWORD!r}.")

    def _report(self, done: int, total: int, note: str) -> None:
        self.stdout.write(f"Demo {done}/{total}: {note}")
        self.stdout.flush()
