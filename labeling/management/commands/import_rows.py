"""Bring a team's own labeled rows in from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback.import_watching import run_here
from feedback.models import Import
from jobs import clock
from labeling.row_imports import RowMapping, start_row_import
from projects.errors import DomainError
from projects.models import Project

KINDS = {"train": Import.Kind.TRAINING, "evaluation": Import.Kind.EVALUATION}


class Command(BaseCommand):
    help = "Import labeled rows from a CSV or JSON lines file, as training rows or as a test set."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--use", required=True, choices=KINDS)
        parser.add_argument("--input", default="input", metavar="COLUMN")
        parser.add_argument("--label", default="label", metavar="COLUMN")
        parser.add_argument("--segment", action="append", default=[], metavar="COLUMN")
        parser.add_argument("--context", action="append", default=[], metavar="COLUMN")
        parser.add_argument(
            "--trained-on", action="store_true", help="the live model was trained on these rows"
        )
        parser.add_argument("--trained-on-column", default="", metavar="COLUMN")
        parser.add_argument(
            "--add-classes", action="store_true", help="accept classes that are not known yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = Project.objects.get(slug=options["project"])
            imports = start_row_import(
                project=project,
                kind=KINDS[options["use"]],
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
        ended = [run_here(imported, self.stdout.write) for imported in imports]
        if any(imported.state != Import.State.DONE for imported in ended):
            raise CommandError("The import did not finish; see the job's page.")


def _mapping(options: dict[str, Any]) -> RowMapping:
    return RowMapping(
        input=options["input"],
        label=options["label"],
        segments=options["segment"],
        context=options["context"],
        trained_on=options["trained_on"],
        trained_on_column=options["trained_on_column"],
        add_classes=options["add_classes"],
    )
