"""Predictions from files: every row counted once, every bad one told by its line."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from events.models import Event
from feedback import prediction_imports
from feedback.importing import end_lost_imports, start_import
from feedback.models import Import, Prediction
from feedback.prediction_imports import JOB, PredictionMapping, start_prediction_import
from jobs import running
from jobs.adding import request_cancel, retry_job
from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import JobRun, drain_jobs
from projects.errors import Invalid
from projects.identity import identity_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

FILE = b"""id,message,answer,sure,when,lang,page
a1,Where is my parcel?,delivery,0.9,2026-03-01T10:00:00+01:00,en,home
a2,Wo ist mein Paket?,delivery,,2026-03-01 10:00,de,
"""


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def mapping(**changes: Any) -> PredictionMapping:
    columns: dict[str, Any] = {
        "input": "message",
        "output": "answer",
        "external_id": "id",
        "version": "v1",
    }
    return PredictionMapping(**{**columns, **changes})


def bring_in(
    team: Team, clock: SetClock, content: bytes, name: str = "file.csv", **changes: Any
) -> Import:
    imported = start_prediction_import(
        project=team.project,
        content=content,
        file_name=name,
        mapping=mapping(**changes),
        by=team.ed,
        at=clock.at,
    )
    drain_jobs()
    imported.refresh_from_db()
    return imported


def test_rows_become_predictions_by_the_mapping(team: Team, clock: SetClock) -> None:
    imported = bring_in(
        team,
        clock,
        FILE,
        confidence="sure",
        occurred_at="when",
        segments=["lang"],
        context=["page"],
    )

    first, second = Prediction.objects.order_by("external_id")
    assert imported.state == "done"
    assert (imported.accepted, imported.rejected, imported.problems) == (2, 0, [])
    assert first.input == {"text": "Where is my parcel?"}
    assert (first.external_id, first.output, first.confidence) == ("a1", "delivery", 0.9)
    assert first.segments == {"lang": "en"}
    assert first.context == {"page": "home"}
    assert first.occurred_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert first.imported == imported
    assert second.confidence is None
    assert second.occurred_at.isoformat() == "2026-03-01T10:00:00+00:00"


def test_the_version_may_stand_in_a_column(team: Team, clock: SetClock) -> None:
    bring_in(team, clock, FILE, version="", model_version="lang")

    assert set(Prediction.objects.values_list("version__name", flat=True)) == {"en", "de"}


def test_rows_without_an_id_get_one_that_the_same_file_gives_again(
    team: Team, clock: SetClock
) -> None:
    bring_in(team, clock, FILE, external_id="")

    again = bring_in(team, clock, FILE, external_id="")

    assert (again.accepted, again.duplicates) == (0, 2)
    assert Prediction.objects.count() == 2


def test_bad_rows_are_told_by_their_line_and_cost_no_other(team: Team, clock: SetClock) -> None:
    content = (
        b"id,message,answer,sure,when\n"
        b"a1,good,delivery,0.5,\n"
        b",no id,delivery,0.5,\n"
        b"a3,,delivery,0.5,\n"
        b"a4,short\n"
        b"a5,unsure,delivery,nan,\n"
        b"a6,unsure,delivery,very,\n"
        b"a7,late,delivery,0.5,yesterday\n"
        b"a8,nul\x00,delivery,0.5,\n"
        b"a1,good,refund,0.5,\n"
        b"a9,good,delivery,1,\n"
    )

    imported = bring_in(team, clock, content, confidence="sure", occurred_at="when")

    assert (imported.accepted, imported.conflicts, imported.rejected) == (2, 1, 7)
    told = {problem["line"]: problem["reason"] for problem in imported.problems}
    assert list(told) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "external_id: Expected `str` of length >= 1" in told[3]
    assert "not empty" in told[4]
    assert "2 cells where the header has 5" in told[5]
    assert "not between 0 and 1" in told[6]
    assert "not a number" in told[7]
    assert "'yesterday' is not a time" in told[8]
    assert "NUL" in told[9]
    assert "another body" in told[10]


def test_json_lines_may_hold_numbers_and_may_lack_a_field(team: Team, clock: SetClock) -> None:
    lines = [
        {"id": 7, "message": "Where is my parcel?", "answer": "delivery"},
        {"id": 8, "message": "Where is my parcel?"},
        {"id": 9, "message": 5, "answer": "delivery"},
    ]
    content = b"\n".join(json.dumps(fields).encode() for fields in lines)

    imported = bring_in(team, clock, content, "file.jsonl")

    assert Prediction.objects.get().external_id == "7"
    assert [problem["line"] for problem in imported.problems] == [2, 3]
    assert "no 'answer'" in imported.problems[0]["reason"]


def test_a_line_may_leave_out_what_is_optional(team: Team, clock: SetClock) -> None:
    content = json.dumps({"id": 7, "message": "Where is it?", "answer": "delivery"}).encode()
    full = json.dumps(
        {"id": 8, "message": "Hm", "answer": "refund", "lang": "en", "sure": 0.9, "page": "home"}
    ).encode()

    imported = bring_in(
        team, clock, full + b"\n" + content, "file.jsonl",
        confidence="sure", segments=["lang"], context=["page"],
    )  # fmt: skip

    assert imported.problems == []
    sparse = Prediction.objects.get(external_id="7")
    assert (sparse.segments, sparse.context, sparse.confidence) == ({}, {}, None)


def test_an_input_without_its_declared_context_is_the_same_input_by_file_and_by_api(
    team: Team, clock: SetClock
) -> None:
    team.project.context_fields = ["page"]
    team.project.save()
    rows = [
        {"id": 1, "message": "Where?", "answer": "delivery", "page": "home"},
        {"id": 2, "message": "Where?", "answer": "delivery"},
    ]
    content = "\n".join(map(json.dumps, rows)).encode()

    bring_in(team, clock, content, "file.jsonl", context=["page"])

    without = identity_of(team.project, {"text": "Where?"})
    assert Prediction.objects.get(external_id="2").identity == without


@pytest.mark.parametrize("answer", [{"label": "delivery"}, ["delivery"]])
def test_an_object_is_no_text(team: Team, clock: SetClock, answer: object) -> None:
    content = json.dumps({"id": 7, "message": "Where is it?", "answer": answer}).encode()

    imported = bring_in(team, clock, content, "file.jsonl")

    assert "stands where a text is expected" in imported.problems[0]["reason"]
    assert not Prediction.objects.exists()


def test_only_the_first_problems_are_kept_and_all_are_counted(team: Team, clock: SetClock) -> None:
    content = b"id,message,answer\n" + b",x,delivery\n" * 150

    imported = bring_in(team, clock, content)

    assert imported.rejected == 150
    assert len(imported.problems) == 100


@pytest.mark.parametrize(
    ("content", "changes", "expected"),
    [
        (b"", {}, "empty"),
        (b"id,text,answer\na,b,c\n", {}, "no column 'message'"),
        (FILE, {"segments": ["tier"]}, "no column 'tier'"),
        (b"id,message,answer\na,M\xfcnchen,c\n", {}, "not UTF-8"),
        (FILE, {"version": ""}, "which model version"),
        (FILE, {"model_version": "lang"}, "which model version"),
        (FILE, {"output": ""}, "columns of the input"),
    ],
    ids=["empty", "column", "segment", "latin-1", "no version", "two versions", "no output"],
)
def test_what_cannot_work_is_refused_before_anything_is_stored(
    team: Team, clock: SetClock, content: bytes, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(Invalid, match=expected):
        bring_in(team, clock, content, **changes)

    assert not Import.objects.exists()
    assert not Job.objects.exists()


def many(count: int) -> bytes:
    return b"id,message,answer\n" + b"".join(b"r%d,text,delivery\n" % n for n in range(count))


def test_an_import_that_was_cut_off_goes_on_at_its_checkpoint(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.importing.CHUNK_ROWS", 10)
    imported = start_prediction_import(
        project=team.project,
        content=many(35),
        file_name="a.csv",
        mapping=mapping(),
        by=None,
        at=clock.at,
    )
    steps = iter([None, None, RuntimeError("killed")])

    def dies(*_: object, **__: object) -> None:
        if error := next(steps, None):
            raise error

    with monkeypatch.context() as patched:
        patched.setattr(JobRun, "progress", dies)
        with pytest.raises(RuntimeError, match="killed"):
            drain_jobs()
    imported.refresh_from_db()
    assert (imported.state, imported.accepted, imported.next_row) == ("running", 30, 30)

    clock.advance(running.LEASE * 4)
    drain_jobs()

    imported.refresh_from_db()
    assert (imported.state, imported.accepted, imported.duplicates) == ("done", 35, 0)
    assert Prediction.objects.count() == 35


def test_a_worker_that_lost_its_job_stores_nothing_more(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.importing.CHUNK_ROWS", 10)
    imported = start_prediction_import(
        project=team.project,
        content=many(35),
        file_name="a.csv",
        mapping=mapping(),
        by=None,
        at=clock.at,
    )

    def loses_it(run: JobRun, *_: object, **__: object) -> None:
        Job.objects.filter(pk=run.job.pk).update(fence=run.fence + 1)

    monkeypatch.setattr(JobRun, "progress", loses_it)
    assert imported.job
    running.run_job(imported.job.pk)

    assert Prediction.objects.count() == 10


def test_a_cancelled_import_keeps_what_is_in_and_says_so(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.importing.CHUNK_ROWS", 10)
    imported = start_prediction_import(
        project=team.project,
        content=many(35),
        file_name="a.csv",
        mapping=mapping(),
        by=None,
        at=clock.at,
    )

    def cancels(run: JobRun, *_: object, **__: object) -> None:
        request_cancel(run.job, at=clock.at)

    monkeypatch.setattr(JobRun, "progress", cancels)
    drain_jobs()

    imported.refresh_from_db()
    assert imported.job
    assert (imported.state, imported.accepted) == ("failed", 10)
    assert imported.job.state == "cancelled"
    assert "after 10 rows" in imported.job.error


def test_a_file_that_broke_after_it_was_sent_ends_the_import_with_the_reason(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = start_import(
        project=team.project,
        kind=Import.Kind.PREDICTIONS,
        job=JOB,
        content=FILE,
        file_name="a.csv",
        mapping=mapping(),
        columns=[],
        by=None,
        at=clock.at,
    )
    monkeypatch.setattr("feedback.importing.read_file", lambda _: b"\xff\xfe")
    drain_jobs()

    imported.refresh_from_db()
    assert imported.job
    assert imported.state == "failed"
    assert "UTF-16" in imported.problems[0]["reason"]
    assert "UTF-16" in imported.job.error


def test_start_and_end_are_in_the_event_log(team: Team, clock: SetClock) -> None:
    bring_in(team, clock, FILE)

    names = list(Event.objects.filter(name__startswith="import.").values_list("name", flat=True))
    assert names == ["import.started", "import.ended"]


def test_an_import_whose_job_gave_up_fails_with_the_reason_and_can_be_tried_again(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*arguments: object, **named: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(prediction_imports, "store_predictions", breaks)
        imported = start_prediction_import(
            project=team.project,
            content=FILE,
            file_name="file.csv",
            mapping=mapping(),
            by=team.ed,
            at=clock.at,
        )
        for _ in range(running.ATTEMPTS):
            with pytest.raises(OSError, match="disk is full"):
                running.run_job(Job.objects.get().pk)
            clock.advance(timedelta(minutes=10))

    assert end_lost_imports(at=clock.at) == 1
    imported.refresh_from_db()
    assert (imported.state, imported.ended_at) == (Import.State.FAILED, clock.at)
    assert "the disk is full" in imported.problems[0]["reason"]
    assert end_lost_imports(at=clock.at) == 0

    assert retry_job(Job.objects.get(), at=clock.at)
    drain_jobs()

    imported.refresh_from_db()
    assert (imported.state, imported.accepted, imported.problems) == (Import.State.DONE, 2, [])
