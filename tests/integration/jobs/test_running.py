"""A job is added once, run by one worker at a time under its fence, and ends in a named state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import adding, nudging, registry, running, sweeping, watching
from jobs.beats import note_beat
from jobs.clock import SetClock
from jobs.errors import FenceLost, JobCancelled, JobFailed
from jobs.models import Job, Tick, WorkerBeat
from jobs.running import JobRun

pytestmark = pytest.mark.django_db

KIND = "test.work"
SECOND = timedelta(seconds=1)
Work = Callable[[JobRun], None]
Register = Callable[[Work], None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """What jobs of the kind do."""
    return lambda work: monkeypatch.setitem(registry.JOBS, KIND, work)


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The messages that would wake a worker."""
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(nudging, "_nudge", lambda job_id, lane: sent.append((job_id, lane)))
    return sent


def add(clock: SetClock, **named: object) -> Job:
    return adding.add_job(KIND, at=clock.at, **named)  # type: ignore[arg-type]  # Its own arguments.


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def claim(job: Job, clock: SetClock) -> JobRun:
    run = running.claim_job(job.pk, at=clock.at)
    assert run is not None
    return run


def nothing(run: JobRun) -> None:
    return None


def breaks(run: JobRun) -> None:
    raise KeyError("days")


# Adding


def test_a_worker_is_woken_once_the_cause_of_the_work_is_stored(
    clock: SetClock,
    nudges: list[tuple[int, str]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = add(clock, lane=Job.Lane.TRAINING)
        assert nudges == []

    assert nudges == [(job.pk, "training")]


def test_the_same_work_is_one_row_until_it_has_ended(clock: SetClock, register: Register) -> None:
    register(nothing)
    first = add(clock, key="all")
    assert add(clock, key="all") == first
    assert add(clock, key="another") != first

    running.run_job(first.pk)

    assert add(clock, key="all") != first


def test_work_without_a_key_is_a_row_each_time(clock: SetClock) -> None:
    assert add(clock) != add(clock)


@pytest.mark.parametrize(
    ("state", "becomes", "is_taken"),
    [
        ("queued", "cancelled", True),
        ("running", "running", True),
        ("done", "done", False),
        ("failed", "failed", False),
        ("cancelled", "cancelled", False),
    ],
)
def test_what_waits_is_cancelled_at_once_and_what_runs_is_asked_to_stop(
    clock: SetClock, state: str, becomes: str, is_taken: bool
) -> None:
    job = add(clock)
    Job.objects.update(state=state)

    assert adding.request_cancel(job, at=clock.at) is is_taken

    asked = fresh(job)
    assert (asked.state, asked.cancel_requested_at) == (becomes, clock.at if is_taken else None)


def test_failed_work_is_tried_again_from_its_first_attempt(
    clock: SetClock, register: Register
) -> None:
    register(breaks)
    job = add(clock)
    Job.objects.update(state="failed", attempt=3, error="KeyError", ended_at=clock.at)
    clock.advance(SECOND)

    assert adding.retry_job(job, at=clock.at)

    again = fresh(job)
    assert (again.state, again.attempt, again.error, again.due_at, again.ended_at) == (
        "queued",
        0,
        "",
        clock.at,
        None,
    )


@pytest.mark.parametrize("state", ["queued", "running", "done", "cancelled"])
def test_only_failed_work_is_tried_again(clock: SetClock, state: str) -> None:
    job = add(clock)
    Job.objects.update(state=state)

    assert not adding.retry_job(job, at=clock.at)

    assert fresh(job).state == state


def test_work_that_was_once_to_be_cancelled_runs_when_it_is_tried_again(
    clock: SetClock, register: Register
) -> None:
    register(nothing)
    job = add(clock)
    Job.objects.update(state="failed", cancel_requested_at=clock.at)

    adding.retry_job(job, at=clock.at)
    running.run_job(job.pk)

    assert fresh(job).state == "done"


def test_failed_work_is_not_tried_again_beside_a_newer_row_of_the_same_work(
    clock: SetClock,
) -> None:
    job = add(clock, key="all")
    Job.objects.update(state="failed")
    newer = add(clock, key="all")

    assert not adding.retry_job(job, at=clock.at)

    assert [fresh(one).state for one in (job, newer)] == ["failed", "queued"]


# Running


def test_a_job_is_given_its_arguments_and_ends(clock: SetClock, register: Register) -> None:
    given: list[dict[str, object]] = []
    register(lambda run, **arguments: given.append(arguments))
    job = add(clock, item_id=7, names=["a"])

    assert running.run_job(job.pk)

    assert given == [{"item_id": 7, "names": ["a"]}]
    ended = fresh(job)
    assert (ended.state, ended.ended_at, ended.lease_until, ended.attempt) == (
        "done",
        clock.at,
        None,
        1,
    )


def test_a_job_that_has_ended_does_nothing_when_its_message_comes_again(
    clock: SetClock, register: Register
) -> None:
    ran: list[int] = []
    register(lambda run: ran.append(run.fence))
    job = add(clock)
    running.run_job(job.pk)

    assert not running.run_job(job.pk)

    assert ran == [1]


def test_a_job_waits_until_it_is_due(clock: SetClock) -> None:
    job = add(clock, due_at=clock.at + SECOND)

    assert running.claim_job(job.pk, at=clock.at) is None
    assert running.claim_job(job.pk, at=clock.at + SECOND) is not None


@pytest.mark.parametrize(("seconds", "is_given"), [(0, False), (1, True)])
def test_a_job_passes_on_only_when_its_lease_has_run_out(
    clock: SetClock, seconds: int, is_given: bool
) -> None:
    job = add(clock)
    claim(job, clock)

    clock.advance(running.LEASE + timedelta(seconds=seconds))

    assert (running.claim_job(job.pk, at=clock.at) is not None) is is_given


def test_progress_holds_the_job_for_another_lease(clock: SetClock) -> None:
    job = add(clock)
    run = claim(job, clock)
    clock.advance(20 * SECOND)

    run.progress(3, 10, note="x" * 300)

    held = fresh(job)
    assert (held.done_count, held.total_count, held.note) == (3, 10, "x" * 200)
    assert (held.lease_until, held.heartbeat_at) == (clock.at + running.LEASE, clock.at)


def test_progress_without_a_total_or_a_note_keeps_those_that_are_there(clock: SetClock) -> None:
    run = claim(add(clock), clock)
    run.progress(3, 10, note="rows")

    run.progress(4)

    held = fresh(run.job)
    assert (held.done_count, held.total_count, held.note) == (4, 10, "rows")


def test_a_worker_whose_job_passed_on_writes_nothing_more(clock: SetClock) -> None:
    job = add(clock)
    zombie = claim(job, clock)
    clock.advance(running.LEASE + SECOND)
    owner = claim(job, clock)
    owner.progress(5)

    writes: list[Callable[[], None]] = [
        lambda: zombie.progress(9),
        lambda: zombie.append_log("mine"),
        zombie.hold,
    ]
    for write in writes:
        with pytest.raises(FenceLost):
            write()

    held = fresh(job)
    assert (held.done_count, held.log, held.fence) == (5, "", 2)
    owner.hold()


def test_a_worker_that_comes_to_its_end_too_late_does_not_end_the_others_run(
    clock: SetClock, register: Register
) -> None:
    job = add(clock)

    def is_overtaken(run: JobRun) -> None:
        clock.advance(running.LEASE + SECOND)
        claim(job, clock)

    register(is_overtaken)
    running.run_job(job.pk)

    assert fresh(job).state == "running"


def test_a_worker_that_fails_after_its_job_passed_on_says_nothing(
    clock: SetClock, register: Register
) -> None:
    job = add(clock)

    def loses(run: JobRun) -> None:
        clock.advance(running.LEASE + SECOND)
        claim(job, clock)
        run.progress(1)

    register(loses)

    assert running.run_job(job.pk)

    assert (fresh(job).state, fresh(job).error) == ("running", "")


def test_work_that_breaks_is_tried_three_times_after_longer_and_longer_pauses(
    clock: SetClock, register: Register
) -> None:
    register(breaks)
    job = add(clock)

    pauses = []
    for _ in range(3):
        with pytest.raises(KeyError):
            running.run_job(job.pk)
        pauses.append((fresh(job).due_at - clock.at).total_seconds())
        assert not running.run_job(job.pk)
        clock.at = max(clock.at, fresh(job).due_at)

    assert pauses[:2] == [5, 20]
    ended = fresh(job)
    assert (ended.state, ended.attempt, ended.error) == ("failed", 3, "KeyError: 'days'")


def test_work_that_cannot_succeed_fails_at_once_with_its_reason(
    clock: SetClock, register: Register
) -> None:
    def cannot(run: JobRun) -> None:
        raise JobFailed("The file is gone.")

    register(cannot)
    job = add(clock)

    running.run_job(job.pk)

    assert (fresh(job).state, fresh(job).error) == ("failed", "The file is gone.")


def test_work_that_was_asked_to_stop_is_cancelled_with_its_words(
    clock: SetClock, register: Register
) -> None:
    def stops(run: JobRun) -> None:
        adding.request_cancel(run.job, at=clock.at)
        if run.is_cancel_requested():
            raise JobCancelled("Stopped after 3 rows.")

    register(stops)
    job = add(clock)

    running.run_job(job.pk)

    assert (fresh(job).state, fresh(job).error) == ("cancelled", "Stopped after 3 rows.")


def test_work_that_was_to_stop_when_its_worker_died_does_not_begin_again(
    clock: SetClock, register: Register
) -> None:
    ran: list[int] = []
    register(lambda run: ran.append(run.fence))
    job = add(clock)
    claim(job, clock)
    adding.request_cancel(job, at=clock.at)
    clock.advance(running.LEASE + SECOND)

    running.run_job(job.pk)

    assert (fresh(job).state, ran) == ("cancelled", [])


def test_work_that_kills_every_worker_is_given_up(clock: SetClock, register: Register) -> None:
    ran: list[int] = []
    register(lambda run: ran.append(run.fence))
    job = add(clock)
    for _ in range(running.ATTEMPTS):
        claim(job, clock)
        clock.advance(running.LEASE + SECOND)

    assert running.run_job(job.pk)

    assert ran == []
    assert (fresh(job).state, fresh(job).error) == ("failed", "The worker died three times.")


def test_the_log_of_a_job_keeps_its_newest_lines(clock: SetClock) -> None:
    run = claim(add(clock), clock)

    run.append_log("first \n")
    run.append_log("x" * running.LOG_CHARACTERS)

    log = fresh(run.job).log
    assert len(log) == running.LOG_CHARACTERS
    assert log.endswith("x\n")
    assert "first" not in log


def test_draining_one_project_leaves_the_work_of_others(
    clock: SetClock, register: Register
) -> None:
    register(nothing)
    mine, theirs = add(clock, project_id=1), add(clock, project_id=2)

    assert running.drain_jobs(1) == 1
    assert [fresh(job).state for job in (mine, theirs)] == ["done", "queued"]

    assert running.drain_jobs() == 1


# Sweeping and watching


@pytest.mark.parametrize(("seconds", "is_woken"), [(2, False), (3, True)])
def test_a_worker_is_woken_again_for_what_nobody_took(
    clock: SetClock, nudges: list[tuple[int, str]], seconds: int, is_woken: bool
) -> None:
    job = add(clock)

    woken = sweeping.renudge(clock.at + timedelta(seconds=seconds))

    assert nudges == ([(job.pk, "light")] if is_woken else [])
    assert woken == len(nudges)


def test_nobody_is_woken_for_work_that_runs_or_has_ended(
    clock: SetClock, nudges: list[tuple[int, str]]
) -> None:
    claim(add(clock), clock)
    Job.objects.filter(pk=add(clock).pk).update(state="done")

    sweeping.renudge(clock.at + 10 * SECOND)

    assert nudges == []


def test_one_sweep_wakes_for_a_bounded_number_the_longest_due_first(
    clock: SetClock, nudges: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST_NUDGES", 2)
    third, first, second = (
        add(clock, due_at=clock.at - timedelta(hours=hours)) for hours in (1, 3, 2)
    )

    sweeping.renudge(clock.at)

    assert [job_id for job_id, _ in nudges] == [first.pk, second.pk]
    assert fresh(third).state == "queued"


def test_a_tick_runs_when_it_is_due_and_not_before(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[object] = []
    every = timedelta(seconds=5)
    ticks = {"a": registry.PeriodicFunction("a", every, ran.append)}
    monkeypatch.setattr(sweeping, "TICKS", ticks)
    start = clock.at

    for seconds in (0, 4, 5, 6):
        sweeping.run_ticks(start + timedelta(seconds=seconds))

    assert ran == [start, start + every]
    tick = Tick.objects.get()
    assert (tick.ran_at, tick.due_at) == (start + every, start + 2 * every)


def test_workers_are_woken_also_when_a_tick_fails(
    clock: SetClock, nudges: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(at: object) -> None:
        raise KeyError("days")

    monkeypatch.setattr(sweeping, "TICKS", {"a": registry.PeriodicFunction("a", SECOND, fails)})
    job = add(clock)

    with pytest.raises(ExceptionGroup):
        sweeping.sweep(clock.at + 10 * SECOND)

    assert nudges == [(job.pk, "light")]


def test_a_name_is_registered_once() -> None:
    registry.JOBS.pop(KIND, None)
    try:
        registry.job(KIND)(nothing)
        with pytest.raises(ValueError, match=KIND):
            registry.job(KIND)(nothing)
    finally:
        registry.JOBS.pop(KIND, None)
    with pytest.raises(ValueError, match=r"events\.seal"):
        registry.tick("events.seal", every=SECOND)(lambda at: None)


def test_a_lane_tells_what_waits_runs_and_is_late_and_who_works_on_it(clock: SetClock) -> None:
    claim(add(clock), clock)
    late = add(clock, due_at=clock.at - timedelta(minutes=5))
    add(clock, due_at=clock.at + timedelta(minutes=5))
    add(clock, lane=Job.Lane.TRAINING, due_at=clock.at + SECOND)
    note_beat(name="a", lane="light", at=clock.at)
    note_beat(name="b", lane="light", at=clock.at - watching.SEEN_WITHIN)

    light, training = watching.lanes(at=clock.at)

    assert (light.name, light.waiting, light.running, light.workers_seen) == ("light", 2, 1, 1)
    assert light.oldest_due_at == late.due_at
    assert (training.waiting, training.running, training.workers_seen) == (1, 0, 0)
    assert training.oldest_due_at is None


def test_a_worker_is_alive_for_half_a_minute_after_it_was_seen(clock: SetClock) -> None:
    for name, seconds in (("gone", 30), ("new", 0), ("old", 29)):
        note_beat(name=name, lane="light", at=clock.at - timedelta(seconds=seconds))

    seen = [(worker.name, worker.is_alive) for worker in watching.workers(at=clock.at)]

    assert seen == [("new", True), ("old", True), ("gone", False)]


def test_processes_long_gone_are_forgotten_when_a_new_one_comes(clock: SetClock) -> None:
    for name, hours in (("long gone", 25), ("yesterday", 24)):
        note_beat(name=name, lane="light", at=clock.at - timedelta(hours=hours))
    note_beat(name="here", lane="light", at=clock.at)
    note_beat(name="here", lane="light", at=clock.at + SECOND)

    assert set(WorkerBeat.objects.values_list("name", flat=True)) == {"yesterday", "here"}
