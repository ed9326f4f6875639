"""Check every project's event log against its chain of digests."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events.models import Chain, Event
from events.sealing import verify_events


class Command(BaseCommand):
    help = "Check the event log: names the first line of a project that was changed or is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        logged = Event.objects.values_list("project_id", flat=True).distinct()
        chained = Chain.objects.values_list("project_id", flat=True)
        broken = [
            project_id for project_id in sorted({*logged, *chained}) if not self._holds(project_id)
        ]
        if broken:
            raise CommandError(f"The event log of {len(broken)} projects does not hold.")

    def _holds(self, project_id: int) -> bool:
        line = verify_events(project_id)
        sealed = Event.objects.sealed(project_id).count()
        waiting = Event.objects.unsealed().filter(project_id=project_id).count()
        if line is None:
            self.stdout.write(
                f"Project {project_id}: {sealed} events hold, {waiting} not yet sealed."
            )
            return True
        self.stderr.write(
            f"Project {project_id}: line {line.position} (event {line.event_id}) is broken: "
            f"{line.reason}."
        )
        return False
