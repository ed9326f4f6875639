"""Runs the whole product on this machine: broker, web, predictor, workers and beat."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.broker import BrokerMissing
from jobs.programs import Site, is_answering_here, programs, site_from_settings
from jobs.supervisor import (
    PortTaken,
    SecondCopy,
    StartFailed,
    Supervisor,
    check_port_is_free,
    only_copy,
)

READY_SECONDS = 60
DIED = 70


class Stop(Exception):
    """A person or the system asked us to end."""


class Command(BaseCommand):
    help = "Run web, predictor, workers, beat and, without REDIS_URL, a broker of our own."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only say whether it could start now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        site = site_from_settings()
        try:
            with only_copy(site.data_dir):
                check_port_is_free(site.host, site.port, setting="PORT")
                check_port_is_free(site.host, site.predictor_port, setting="PREDICTOR_PORT")
                if not options["check"]:
                    self.run(site)
        except (SecondCopy, PortTaken, StartFailed, BrokerMissing) as error:
            raise CommandError(str(error)) from error

    def run(self, site: Site) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _stop)
        supervisor = Supervisor(programs(site), site.data_dir / "log", ties_children=True)
        try:
            supervisor.start_all(announce=lambda name: self.say(f"starting {name}"))
            self.welcome(site)
            self.watch(supervisor)
        except Stop:
            self.say("\nstopping (unfinished work goes on at the next start)")
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # A second Ctrl-C must not leave orphans.
            supervisor.stop_all()

    def say(self, words: str) -> None:
        """At once, also where the output is a file or a pipe."""
        self.stdout.write(words)
        self.stdout.flush()

    def welcome(self, site: Site) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while (
            not (ready := is_answering_here(f"{site.address}/readyz"))
            and time.monotonic() < deadline
        ):
            time.sleep(0.25)
        word = "ready" if ready else f"up, but not ready: see {site.address}/readyz"
        self.say(f"\nSetright is {word}.\n\n  {site.address}\n")
        if settings.DEMO and "demo_accounts" in get_commands():
            call_command("demo_accounts", stdout=self.stdout)
        self.say(f"\n  logs: {site.data_dir / 'log'}    stop: Ctrl-C\n")

    def watch(self, supervisor: Supervisor) -> None:
        """Return never: a whole that lacks a part is stopped, so that whoever runs us sees it."""
        while not (dead := supervisor.dead()):
            time.sleep(0.5)
        name = dead[0]
        code = supervisor.running[name].returncode
        raise CommandError(
            f"{name} ended with {code}, so everything is stopped. Its last lines:\n"
            f"{supervisor.last_lines(name)}",
            returncode=DIED,
        )


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop
