"""Store predictions: the one way in for the API, imports, the predictor and commands."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from django.db import connection, transaction

from events.recording import record
from feedback.draws import plan_in_force, store_draws
from feedback.flagging import attach_waiting_flags
from feedback.models import Flag, Import, Prediction
from feedback.prediction_body import BodyReader, PredictionBody
from feedback.prediction_rows import (
    CHUNK_ROWS,
    Insertion,
    Key,
    PredictionRow,
    Shared,
    insert_rows,
)
from projects.errors import Invalid
from projects.identity import draw_share, identity_of
from projects.models import Project
from projects.versions import external_version


class Result(StrEnum):
    """What became of one line."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Answer(msgspec.Struct, omit_defaults=True, gc=False):
    """The answer to one line, by the number it had in the body or file."""

    line: int
    result: Result
    external_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A line that was refused before it could be decoded."""

    reason: str


CHUNK_BYTES = 16 * 2**20  # Lines may be long: what is held at once is bounded too.

_encode = msgspec.json.Encoder().encode
Content = bytes | PredictionBody | Unreadable
Line = tuple[int, Content]
Read = tuple[Answer, PredictionRow | None]


@dataclass
class Ingested:
    """Counts and one answer for each line, in the order of the lines."""

    counts: Counter[Result] = field(default_factory=Counter)
    # Answers that are no class of the project, with how often: a model may say anything.
    unknown_outputs: Counter[str] = field(default_factory=Counter)
    answers: list[Answer] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """How many lines are in the database now, by this call or an earlier one."""
        return self.counts[Result.ACCEPTED] + self.counts[Result.DUPLICATE]

    def add(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self.answers.append(answer)
            self.counts[answer.result] += 1


def store_predictions(
    *,
    project: Project,
    lines: Iterable[Line],
    at: datetime,
    imported: Import | None = None,
    with_last: Callable[[Ingested], None] | None = None,
) -> Ingested:
    """Store every good line and answer every line; a bad one never costs a good one.

    Each some thousand lines are one transaction, with their draws and their event; `with_last`
    runs inside the last of them.
    """
    store = _Store(project, at, imported)
    total = Ingested()
    for chunk, is_last in _with_last(_chunks(lines, CHUNK_ROWS[connection.vendor])):
        read = store.read(chunk)
        with transaction.atomic():
            total.unknown_outputs += store.write(read)
            total.add(answer for answer, _ in read)
            if is_last and with_last:
                with_last(total)
    return total


class _Store:
    """What stays the same while the lines of one call are stored."""

    def __init__(self, project: Project, at: datetime, imported: Import | None) -> None:
        self.project = project
        self.at = at
        self.imported = imported
        self.shared = Shared(project.pk, at, imported.pk if imported else None)
        self.reader = BodyReader(project, at=at)
        self.plan = plan_in_force(project, at=at)
        self.classes = set(project.classes.values_list("name", flat=True))
        self.versions: dict[str, int] = {}

    def read(self, chunk: Iterable[Line]) -> list[Read]:
        """An answer for every line, and the row of every good one."""
        return [self._read_line(number, content) for number, content in chunk]

    def write(self, read: list[Read]) -> Counter[str]:
        """Insert the rows and judge those whose key was taken; answers that are no class."""
        firsts: dict[Key, PredictionRow] = {}
        for _, row in read:
            if row:
                firsts.setdefault(row.key, row)
        done = insert_rows(list(firsts.values()), self.shared)
        for answer, row in read:
            if row and (row.key not in done.new_ids or firsts[row.key] is not row):
                first = firsts[row.key].body_hash
                stored = first if row.key in done.new_ids else done.known_hashes.get(row.key)
                _judge(answer, row, stored)
        self._follow_up(done)
        outputs = Counter(firsts[key].output for key in done.new_ids)
        return Counter({name: n for name, n in outputs.items() if name not in self.classes})

    def _read_line(self, number: int, content: Content) -> Read:
        try:
            row = self._row(content)
        except Invalid as error:
            return Answer(number, Result.REJECTED, reason=error.message), None
        return Answer(number, Result.ACCEPTED, row.external_id), row

    def _row(self, content: Content) -> PredictionRow:
        if isinstance(content, Unreadable):
            raise Invalid(content.reason)
        body, canonical = self.reader.read(content)
        cleaned: Any = body.input
        return PredictionRow(
            external_id=body.external_id,
            version_id=self._version_id(body.model_version),
            input=_as_json(cleaned),
            context=_as_json(body.context),
            output=body.output,
            confidence=body.confidence,
            scores=None if body.scores is None else _as_json(body.scores),
            segments=_as_json(body.segments),
            customer_ref=body.customer_ref,
            occurred_at=self.at if body.occurred_at is None else body.occurred_at,
            identity=identity_of(self.project, cleaned, body.context),
            body_hash=hashlib.sha256(canonical).hexdigest(),
        )

    def _version_id(self, name: str) -> int:
        """An unknown version is registered as an external one."""
        if name not in self.versions:
            self.versions[name] = external_version(self.project, name, at=self.at).pk
        return self.versions[name]

    def _follow_up(self, done: Insertion) -> None:
        """What follows from the new rows: draws, waiting flags, the event."""
        if not done.new_ids:
            return
        if self.plan and self.plan.rate > 0:
            rate = self.plan.rate
            drawn = [
                pk for key, pk in done.new_ids.items() if draw_share(self.project, key[0]) < rate
            ]
            store_draws(plan=self.plan, prediction_ids=drawn, at=self.at)
        _attach_flags(self.project, done.new_ids, at=self.at)
        record(
            "predictions.received",
            subject=self.project,
            at=self.at,
            accepted=len(done.new_ids),
            imported=self.imported.pk if self.imported else None,
        )


def _judge(answer: Answer, row: PredictionRow, stored_hash: str | None) -> None:
    """Compare a line with what is stored under its id and version."""
    if stored_hash == row.body_hash:
        answer.result = Result.DUPLICATE
        return
    answer.result = Result.CONFLICT
    answer.reason = (
        "this external_id and model_version are stored with another body; "
        "a prediction is not changed after it is stored."
    )


def _attach_flags(project: Project, new_ids: dict[Key, int], *, at: datetime) -> None:
    waiting = set(Flag.objects.waiting(project).values_list("external_id", flat=True))
    if not waiting:
        return
    wanted = [pk for (external_id, _), pk in new_ids.items() if external_id in waiting]
    predictions = Prediction.objects.of(project).filter(pk__in=wanted).select_related("project")
    attach_waiting_flags(predictions=list(predictions), at=at)


def _chunks(lines: Iterable[Line], most_lines: int) -> Iterator[list[Line]]:
    """Lists of lines, bounded in their number and in what they hold."""
    chunk: list[Line] = []
    size = 0
    for line in lines:
        chunk.append(line)
        if isinstance(line[1], bytes):
            size += len(line[1])
        if len(chunk) == most_lines or size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _with_last(chunks: Iterator[list[Line]]) -> Iterator[tuple[list[Line], bool]]:
    """Each chunk and whether it is the last; without any, an empty one."""
    chunk = next(chunks, [])
    for following in chunks:
        yield chunk, False
        chunk = following
    yield chunk, True


def _as_json(value: dict[str, Any]) -> str:
    return _encode(value).decode() if value else "{}"
