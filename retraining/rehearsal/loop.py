"""The whole loop once: history in, figures out."""

from __future__ import annotations

import random
import resource
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from jobs import clock as the_clock
from jobs.clock import SetClock
from labeling.models import Item
from labeling.routing import route_new_draws
from labeling.sampling import queue_uncertain
from monitoring.audit_plans import change_audit_rate
from projects.identity import identity_of
from retraining import proposing
from retraining.chance import seeded_chance
from retraining.models import Batch
from retraining.open_models import OpenModel, open_version
from retraining.rehearsal import counting, versions
from retraining.rehearsal.crowd import Crowd
from retraining.rehearsal.figures import RehearsalFigures
from retraining.rehearsal.history import read_history
from retraining.rehearsal.inputs import messages
from retraining.rehearsal.keeping import keep_rows
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.people import SimulatedAnnotators, most_similar_classes
from retraining.rehearsal.progress import Progress
from retraining.rehearsal.splitting import Parts
from retraining.rehearsal.stage import Stage, opening, set_stage
from retraining.rehearsal.traffic import FlaggingAgents, Message, ingest


@dataclass(frozen=True)
class Rehearsal:
    """One run: where it is played, on what, and how far it has come."""

    options: RehearsalOptions
    parts: Parts
    stage: Stage
    clock: SetClock
    progress: Progress

    @property
    def chance(self) -> random.Random:
        return seeded_chance("rehearsal", self.options.seed)


def rehearse(
    options: RehearsalOptions, *, show: TextIO, keep_in: Path | None = None
) -> RehearsalFigures:
    """Play the loop under a set clock; raises our errors with what to change.

    `keep_in` is a folder for the rows that were trained and tested on.
    """
    started = time.monotonic()
    parts = read_history(options)
    with the_clock.set_to(opening(options.seed)) as clock:
        stage = set_stage(options=options, classes=list(parts.known_classes), at=clock.at)
        rehearsal = Rehearsal(options, parts, stage, clock, Progress(show))
        before, drift_at, drifted = _first_version_and_traffic(rehearsal)
        truths = _queue_work(rehearsal, drifted, drift_at)
        _label(rehearsal, truths)
        batch, is_promoted = _retrain(rehearsal)
        test = messages(stage.project, parts.test, at=clock.at)
        if keep_in is not None:
            keep_rows(keep_in, batch=batch, test=test)
        rehearsal.progress.step("Counting")
        return counting.count(
            project=stage.project,
            parts=parts,
            options=options,
            truths=truths,
            batch=batch,
            is_promoted=is_promoted,
            before=before,
            after=_opened(batch),
            drifted=drifted,
            test=test,
            drift_at=drift_at,
            seconds=time.monotonic() - started,
            peak_memory_mb=_peak_memory_mb(),
        )


def _first_version_and_traffic(
    rehearsal: Rehearsal,
) -> tuple[OpenModel, datetime, list[Message]]:
    """Version 1 goes live and answers clean traffic, then drifted traffic under audit."""
    stage, parts, clock = rehearsal.stage, rehearsal.parts, rehearsal.clock
    rehearsal.progress.step("Importing the base and test rows")
    versions.import_rows(
        stage=stage, rows=parts.frozen, use="evaluation", name="frozen", clock=clock
    )
    versions.import_rows(stage=stage, rows=parts.base, use="train", name="base", clock=clock)
    rehearsal.progress.step("Training version 1")
    model = versions.first_version(stage=stage, clock=clock)
    clean = messages(stage.project, parts.clean, at=clock.at)
    drifted = messages(stage.project, parts.drifted, at=clock.at)
    rehearsal.progress.step("Clean traffic", total=len(clean))
    for done in ingest(
        project=stage.project, model=model, messages=clean, name="clean", clock=clock
    ):
        rehearsal.progress.at(done)
    drift_at = clock.at
    change_audit_rate(
        project=stage.project, rate=_audit_rate(rehearsal), at=drift_at, by=stage.lead
    )
    rehearsal.progress.step("Drifted traffic", total=len(drifted))
    for done in ingest(
        project=stage.project, model=model, messages=drifted, name="drifted", clock=clock
    ):
        rehearsal.progress.at(done)
    return model, drift_at, drifted


def _audit_rate(rehearsal: Rehearsal) -> float:
    wanted = rehearsal.options.labels * rehearsal.options.mix["audit"]
    return min(1.0, wanted / len(rehearsal.parts.drifted))


def _queue_work(rehearsal: Rehearsal, drifted: list[Message], drift_at: datetime) -> dict[str, str]:
    """All draws are asked, then flags, then the least certain fill up to the labels."""
    options, stage, clock = rehearsal.options, rehearsal.stage, rehearsal.clock
    truths = {identity_of(stage.project, m.value): m.label for m in drifted}
    rehearsal.progress.step("Flags, draws and uncertain predictions")
    while route_new_draws(at=clock.at):
        pass
    agents = FlaggingAgents(
        stage, truths, options.flag_recall, options.false_flags, rehearsal.chance
    )
    room = max(0, options.labels - _queued(stage))
    agents.flag_until(min(options.wanted("flagged"), room), since=drift_at, clock=clock)
    queue_uncertain(
        project=stage.project,
        count=max(0, options.labels - _queued(stage)),
        since=drift_at,
        at=clock.at,
        by=stage.lead,
    )
    return truths


def _queued(stage: Stage) -> int:
    return Item.objects.filter(project=stage.project, queue__isnull=False).count()


def _label(rehearsal: Rehearsal, truths: dict[str, str]) -> None:
    parts, options = rehearsal.parts, rehearsal.options
    classes = (*parts.known_classes, *parts.new_classes)
    people = SimulatedAnnotators(
        accuracies=options.annotators,
        classes=classes,
        similar=most_similar_classes([*parts.base, *parts.drifted]),
        seed=options.seed,
    )
    crowd = Crowd(
        stage=rehearsal.stage,
        clock=rehearsal.clock,
        says=lambda person, item: people.answer(
            person, truth=truths[item.identity], key=f"{item.identity} {item.round}"
        ),
        truth=lambda item: truths[item.identity],
    )
    rehearsal.progress.step("Labeling", total=_queued(rehearsal.stage) * options.overlap)
    crowd.work_until_done(rehearsal.progress.at)


def _retrain(rehearsal: Rehearsal) -> tuple[Batch, bool]:
    """Propose, approve, train in its own process, gate, and promote if no gate fails."""
    stage, clock = rehearsal.stage, rehearsal.clock
    batch = proposing.propose_by_person(
        project=stage.project, by=stage.lead, at=clock.at, reason="the labels are used up"
    )
    rehearsal.progress.step("Training the challenger and checking it")
    batch = versions.train(stage=stage, batch=batch, clock=clock)
    rehearsal.progress.step("Promoting and sending receipts")
    is_promoted = versions.promote_if_nothing_failed(stage=stage, batch=batch, clock=clock)
    return Batch.objects.select_related("version").get(pk=batch.pk), is_promoted


def _opened(batch: Batch) -> OpenModel:
    if batch.version is None:
        raise ValueError("An evaluated batch has a version.")
    return open_version(batch.version)


def _peak_memory_mb() -> float:
    """Of this process or of the largest of its children: the trainer is one of them."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) / 1024
