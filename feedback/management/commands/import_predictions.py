"""Bring predictions in from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback.import_watching import run_here
from feedback.models import Import
from feedback.prediction_imports import PredictionMapping, start_prediction_import
from jobs import clock
from projects.errors import DomainError
from projects.models import Project


class Command(BaseCommand):
    help = "Import predictions from a CSV or JSON lines file; the same file twice is stored once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--input", default="input", metavar="COLUMN")
        parser.add_argument("--output", default="output", metavar="COLUMN")
        parser.add_argument("--id", default="", metavar="COLUMN", help="else file and line number")
        parser.add_argument("--model-version", default="", metavar="NAME")
        parser.add_argument("--model-version-column", default="", metavar="COLUMN")
        parser.add_argument("--confidence", default="", metavar="COLUMN")
        parser.add_argument("--customer", default="", metavar="COLUMN")
        parser.add_argument("--time", default="", metavar="COLUMN")
        parser.add_argument("--segment", action="append", default=[], metavar="COLUMN")
        parser.add_argument("--context", action="append", default=[], metavar="COLUMN")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = Project.objects.get(slug=options["project"])
            imported = start_prediction_import(
                project=project,
                content=options["file"].read_bytes(),
                file_name=options["file"].name,
                mapping=_mapping(options),
                by=project.owner,
                at=clock.now(),
            )
        except Project.DoesNotExist:
            raise CommandError(f"There is no project {options['project']!r}.") from None
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.") from error
        except DomainError as error:
            raise CommandError(error.message) from error
        if run_here(imported, self.stdout.write).state != Import.State.DONE:
            raise CommandError("The import did not finish; see the job's page.")


def _mapping(options: dict[str, Any]) -> PredictionMapping:
    return PredictionMapping(
        input=options["input"],
        output=options["output"],
        external_id=options["id"],
        model_version=options["model_version_column"],
        version=options["model_version"],
        confidence=options["confidence"],
        customer_ref=options["customer"],
        occurred_at=options["time"],
        segments=options["segment"],
        context=options["context"],
    )
