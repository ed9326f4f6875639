"""Jobs and ticks of feedback."""

from datetime import datetime, timedelta

from feedback import flagging, importing, prediction_imports, search_index
from jobs.adding import add_job
from jobs.registry import job, tick
from jobs.running import JobRun

FILL = "feedback.fill_search_index"

job(prediction_imports.JOB)(prediction_imports.import_predictions)


@tick(FILL, every=timedelta(seconds=5))
def keep_search_filled(at: datetime) -> None:
    if search_index.is_behind(at=at):
        add_job(FILL, at=at, key="all")


@tick("feedback.attach_flags", every=timedelta(seconds=20))
def attach_flags(at: datetime) -> None:
    """A flag and its prediction may have been on their way at the same moment."""
    flagging.attach_overdue_flags(at=at)


@tick("feedback.end_lost_imports", every=timedelta(seconds=5))
def end_lost_imports(at: datetime) -> None:
    importing.end_lost_imports(at=at)


@job(FILL)
def fill_search_index(run: JobRun) -> None:
    for done in search_index.fill(at=run.now()):
        run.progress(done)
