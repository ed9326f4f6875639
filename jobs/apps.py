"""The application's configuration."""

from django.apps import AppConfig

from jobs import nudging


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs.tasks import wake_worker  # noqa: PLC0415  Tasks need the app registry.

        nudging.use(wake_worker)
