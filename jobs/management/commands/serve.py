"""Becomes one process of the product, for a container or a service of its own."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.programs import programs, site_from_settings


class Command(BaseCommand):
    help = "Run one process: web, predictor, worker, trainer, sweep or beat (see `up` for all)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="which process")

    def handle(self, *args: Any, **options: Any) -> None:
        known = {program.name: program for program in programs(site_from_settings())}
        program = known.get(options["name"])
        if program is None:
            raise CommandError(f"there is no {options['name']}; one of {', '.join(known)}")
        os.execve(  # noqa: S606  Our own command, so that signals reach the process itself.
            program.command[0], program.command, {**os.environ, **program.environment}
        )
