"""Brings database, static files and, in demo mode, the demo to where `up` can start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Migrate, collect static files and load the demo (in demo mode, once)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--without-static", action="store_true", help="leave static files")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("migrating the database")
        call_command("migrate", interactive=False, verbosity=0)
        if not options["without_static"]:
            self.stdout.write("collecting static files")
            call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO and "load_demo" in get_commands():
            call_command("load_demo", if_missing=True, stdout=self.stdout)
