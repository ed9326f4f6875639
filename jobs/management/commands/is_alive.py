"""Says whether one process of this host shows signs of life, for container health checks."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs import clock
from jobs.models import WorkerBeat
from jobs.programs import is_answering_here, site_from_settings

SEEN_WITHIN = timedelta(seconds=60)


class Command(BaseCommand):
    help = "Exit with 0 if a process of this host is alive: web, predictor, worker, beat ..."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="which process")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if not self.is_alive(name):
            raise CommandError(f"{name} shows no sign of life")
        self.stdout.write(f"{name} is alive")

    def is_alive(self, name: str) -> bool:
        site = site_from_settings()
        if name == "web":
            return is_answering_here(f"{site.address}/healthz")
        if name == "predictor":
            return is_answering_here(f"{site.predictor_address}/healthz")
        recent = WorkerBeat.objects.filter(seen_at__gt=clock.now() - SEEN_WITHIN)
        if name == "beat":  # Beat itself writes nothing; what it sets off does.
            return recent.filter(lane="swept").exists()
        return recent.filter(name__startswith=f"{name}@{socket.gethostname()}/").exists()
