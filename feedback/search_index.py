"""The search index of words: filled by a job, a minute behind at most, and asked in one place.

PostgreSQL keeps words as a `tsvector` under a GIN index, SQLite in an FTS5 table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import BooleanField, Max
from django.db.models.expressions import RawSQL

from feedback.models import Prediction, SearchMark
from feedback.search_words import words_of, words_typed
from projects.models import Project

BATCH = 1_000
COMMON = 2_000  # Predictions with the same words, from which on they are not gathered first.
# Ids are given before they are committed: what was under way ten minutes ago has ended.
SETTLED_AFTER = timedelta(minutes=10)
SCAN_EVERY = timedelta(seconds=30)

CREATE_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming_words (
        prediction_id bigint, project_id bigint, words text
    ) ON COMMIT DELETE ROWS
"""
COPY_TO_STAGE = "COPY incoming_words (prediction_id, project_id, words) FROM STDIN"
INSERT_FROM_STAGE = """
    INSERT INTO feedback_searchwords (prediction_id, project_id, words)
    SELECT prediction_id, project_id, array_to_tsvector(string_to_array(words, ' '))
    FROM incoming_words ON CONFLICT (prediction_id) DO NOTHING
"""
INSERT = """
    INSERT OR REPLACE INTO feedback_searchwords (rowid, project_id, words) VALUES (%s, %s, %s)
"""
MISSING = """
    SELECT id FROM feedback_prediction
    WHERE id > %s AND NOT EXISTS (
        SELECT 1 FROM feedback_searchwords WHERE {key} = feedback_prediction.id
    ) ORDER BY id LIMIT %s
"""
DELETE = "DELETE FROM feedback_searchwords WHERE {key} = %s"
FOUND = {
    "postgresql": """
        SELECT prediction_id FROM feedback_searchwords
        WHERE project_id = %s AND words @@ %s::tsquery
    """,
    "sqlite": """
        SELECT rowid FROM feedback_searchwords
        WHERE project_id = %s AND feedback_searchwords MATCH %s
    """,
}
# SQLite would look up the words anew for each row, so it gathers them all the same.
OF_THIS_ROW = {
    "postgresql": "EXISTS ({words} AND prediction_id = feedback_prediction.id)",
    "sqlite": "feedback_prediction.id IN ({words})",
}
KEY = {"postgresql": "prediction_id", "sqlite": "feedback_searchwords.rowid"}


def is_behind(*, at: datetime) -> bool:
    """Whether there may be predictions that are not indexed yet."""
    mark = SearchMark.objects.filter(pk=1).first() or SearchMark()
    newest = _newest_id()
    return newest > mark.filled_to or (newest > mark.done_to and _is_scan_due(mark, at))


def fill(*, at: datetime) -> Iterator[int]:
    """Index what is missing, a batch in each transaction; yields how many were done so far."""
    mark, _ = SearchMark.objects.get_or_create(pk=1)
    is_scan, newest = _is_scan_due(mark, at), _newest_id()
    last, done = mark.done_to if is_scan else mark.filled_to, 0
    while ids := _missing(after=last):
        with transaction.atomic():
            _insert(ids)
        last, done = ids[-1], done + len(ids)
        yield done
    mark.filled_to = max(mark.filled_to, newest, last)
    if is_scan:
        mark.scanned_at = at
        _move_mark(mark, newest, at)
    mark.save()


def forget(prediction_ids: Iterable[int]) -> None:
    """Take predictions out of the index; for whoever deletes them, in the same transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(_for_us(DELETE), [(pk,) for pk in prediction_ids])


@dataclass(frozen=True)
class WordQuery:
    """A query for the ids of predictions that have all the words."""

    statement: str
    values: list[str | int]

    def is_common(self) -> bool:
        """Whether so many have the words that walking from the newest finds some at once."""
        counted = f"SELECT count(*) FROM ({self.statement} LIMIT {COMMON}) AS counted"  # noqa: S608  Constant.
        with connection.cursor() as cursor:
            cursor.execute(counted, self.values)
            (count,) = cursor.fetchone()
        return bool(count == COMMON)

    def of_this_row(self) -> RawSQL:
        """The same as a condition on each prediction that is looked at."""
        statement = OF_THIS_ROW[connection.vendor].format(words=self.statement)
        return RawSQL(statement, self.values, BooleanField())  # noqa: S611  Constant text.


def query_words(project: Project, typed: str) -> WordQuery | None:
    """None where no word was typed."""
    words = words_typed(typed)
    if not words:
        return None
    is_postgres = connection.vendor == "postgresql"
    query = _tsquery(words) if is_postgres else _fts_query(words)
    return WordQuery(FOUND[connection.vendor], [project.pk, query])


def _is_scan_due(mark: SearchMark, at: datetime) -> bool:
    return mark.scanned_at is None or at - mark.scanned_at >= SCAN_EVERY


def _newest_id() -> int:
    return Prediction.objects.aggregate(last=Max("id"))["last"] or 0


def _missing(*, after: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_for_us(MISSING), [after, BATCH])
        return [pk for (pk,) in cursor.fetchall()]


def _move_mark(mark: SearchMark, newest: int, at: datetime) -> None:
    """Everything up to the id seen a while ago is indexed now and is not looked at again."""
    if mark.seen_at is None or at - mark.seen_at >= SETTLED_AFTER:
        mark.done_to, mark.seen_to, mark.seen_at = mark.seen_to, newest, at


def _insert(ids: list[int]) -> None:
    found = Prediction.objects.filter(pk__in=ids).values_list(
        "pk", "project_id", "input", "external_id", "customer_ref"
    )
    rows = [
        (pk, project_id, " ".join(words_of(value=value, names=f"{external_id} {customer_ref}")))
        for pk, project_id, value, external_id, customer_ref in found
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(INSERT, rows)
            return
        cursor.execute(CREATE_STAGE)
        cursor.execute("DELETE FROM incoming_words")
        with cursor.copy(COPY_TO_STAGE) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(INSERT_FROM_STAGE)


def _for_us(statement: str) -> str:
    return statement.format(key=KEY[connection.vendor])


def _tsquery(words: Sequence[str]) -> str:
    """Words are letters and digits only, so quoting them leaves nothing to misread."""
    return " & ".join([*(f"'{word}'" for word in words[:-1]), f"'{words[-1]}':*"])


def _fts_query(words: Sequence[str]) -> str:
    return " AND ".join([*(f'"{word}"' for word in words[:-1]), f'"{words[-1]}" *'])
