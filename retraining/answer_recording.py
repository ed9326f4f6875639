"""Store what the predictor answers before it answers; concurrent requests share a transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from types import TracebackType

from django.db import DatabaseError, close_old_connections, connections, transaction

from feedback.ingestion import Result, store_predictions
from feedback.models import Prediction
from feedback.prediction_body import PredictionBody
from jobs.crash_points import crash_point
from projects.errors import Conflict, DomainError, Invalid
from projects.models import Project
from retraining.live_models import Unavailable

GATHER_SECONDS = 0.005  # Requests that come within it share a transaction, and its fsync.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that nobody has been given yet."""

    body: PredictionBody
    identity: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is stored for an id, by this request or an earlier one."""

    external_id: str
    model_version: str
    answer: str
    confidence: float | None
    scores: dict[str, float] | None
    identity: str
    is_new: bool = False


Outcome = Recorded | DomainError


@dataclass
class _Asked:
    """One request's drafts, and where its outcomes go."""

    project: Project
    drafts: Sequence[Draft]
    at: datetime
    outcomes: Future[list[Outcome]] = field(default_factory=Future)


class Recorder:
    """One thread that stores everything; requests hand over drafts and wait for the outcomes."""

    def __init__(self) -> None:
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recorder")
        self._changed = threading.Condition()
        self._waiting: list[_Asked] = []
        self._under_way = 0

    def under_way(self) -> _UnderWay:
        """Around a request that will record: the writer waits a moment for its company."""
        return _UnderWay(self)

    def record(self, *, project: Project, drafts: Sequence[Draft], at: datetime) -> list[Outcome]:
        """The outcome of each draft once it is stored; raises Unavailable where it cannot be."""
        asked = _Asked(project, drafts, at)
        with self._changed:
            self._waiting.append(asked)
            self._changed.notify_all()
        self._writer.submit(self._store_waiting)
        try:
            return asked.outcomes.result(PATIENCE_SECONDS)
        except TimeoutError:
            asked.outcomes.cancel()
            raise Unavailable(
                f"The answer could not be recorded within {PATIENCE_SECONDS:g} s. Ask again."
            ) from None
        except DatabaseError as error:
            raise Unavailable("The database does not take the answer. Ask again.") from error

    def stop(self) -> None:
        self._writer.submit(connections.close_all)  # In its thread, which has its own.
        self._writer.shutdown()

    def count(self, change: int) -> None:
        with self._changed:
            self._under_way += change
            self._changed.notify_all()

    def _store_waiting(self) -> None:
        batch = [asked for asked in self._gather() if asked.outcomes.set_running_or_notify_cancel()]
        if batch:
            close_old_connections()
            self._store(batch)

    def _gather(self) -> list[_Asked]:
        """All that waits; while other requests are on their way, a moment longer."""
        deadline = time.monotonic() + GATHER_SECONDS
        with self._changed:
            while 0 < len(self._waiting) < self._under_way:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    break
            batch, self._waiting = self._waiting, []
        return batch

    def _store(self, batch: list[_Asked]) -> None:
        try:
            with transaction.atomic():
                outcomes = [outcome for group in _by_project(batch) for outcome in _record(group)]
                crash_point("record answers")
        except DatabaseError as error:
            # What one request sent must not cost another one its answer.
            if len(batch) > 1:
                for asked in batch:
                    self._store([asked])
            else:
                batch[0].outcomes.set_exception(error)
        except BaseException as error:
            for asked in batch:
                asked.outcomes.set_exception(error)
            raise
        else:
            crash_point("give answers")
            for asked, found in outcomes:
                asked.outcomes.set_result(found)


class _UnderWay:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        self._recorder.count(1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._recorder.count(-1)


def _by_project(batch: Iterable[_Asked]) -> Iterable[list[_Asked]]:
    ordered = sorted(batch, key=lambda asked: asked.project.pk)
    return [list(group) for _, group in groupby(ordered, key=lambda asked: asked.project.pk)]


def _record(group: list[_Asked]) -> list[tuple[_Asked, list[Outcome]]]:
    """In the caller's transaction: find what is known, store the rest, answer from both."""
    project, at = group[0].project, max(asked.at for asked in group)
    drafts = [draft for asked in group for draft in asked.drafts]
    known = _find_recorded(project, {draft.body.external_id for draft in drafts})
    fresh: dict[str, Draft] = {}
    for draft in drafts:
        if draft.body.external_id not in known:
            fresh.setdefault(draft.body.external_id, draft)
    refused = _store_fresh(project, fresh, known, at=at)
    answers = iter([_judge(draft, fresh, known, refused) for draft in drafts])
    return [(asked, [next(answers) for _ in asked.drafts]) for asked in group]


def _store_fresh(
    project: Project, fresh: dict[str, Draft], known: dict[str, Recorded], *, at: datetime
) -> dict[str, Invalid]:
    """Store the fresh drafts into `known`; returns those that were refused."""
    if not fresh:
        return {}
    lines = [(number, draft.body) for number, draft in enumerate(fresh.values())]
    answers = store_predictions(project=project, lines=lines, at=at).answers
    refused: dict[str, Invalid] = {}
    taken = set()
    for answer, (external_id, draft) in zip(answers, fresh.items(), strict=True):
        if answer.result is Result.ACCEPTED:
            known[external_id] = _as_recorded(draft)
        elif answer.result is Result.REJECTED:
            refused[external_id] = Invalid(answer.reason)
        else:  # Another process has stored this id since we looked.
            taken.add(external_id)
    known.update(_find_recorded(project, taken))
    return refused


def _judge(
    draft: Draft,
    fresh: dict[str, Draft],
    known: dict[str, Recorded],
    refused: dict[str, Invalid],
) -> Outcome:
    external_id = draft.body.external_id
    if external_id in refused:
        return refused[external_id]
    stored = known[external_id]
    if stored.identity != draft.identity:
        return Conflict("This external_id is stored with another input. Use a new id.")
    return stored if fresh.get(external_id) is draft else replace(stored, is_new=False)


def _find_recorded(project: Project, external_ids: set[str]) -> dict[str, Recorded]:
    """What is stored under these ids; of several versions the newest row."""
    if not external_ids:
        return {}
    rows = Prediction.objects.of(project).filter(external_id__in=external_ids).order_by("pk")
    return {
        row.external_id: Recorded(
            external_id=row.external_id,
            model_version=row.version.name,
            answer=row.output,
            confidence=row.confidence,
            scores=row.scores,
            identity=row.identity,
        )
        for row in rows
    }


def _as_recorded(draft: Draft) -> Recorded:
    body = draft.body
    return Recorded(
        external_id=body.external_id,
        model_version=body.model_version,
        answer=body.output,
        confidence=body.confidence,
        scores=body.scores,
        identity=draft.identity,
        is_new=True,
    )
