"""From an approved batch to an evaluated version, with the real trainer process."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from feedback.models import AuditDraw, AuditPlan, Import, Prediction
from jobs.adding import request_cancel
from jobs.clock import SetClock
from jobs.errors import FenceLost, JobCancelled, JobFailed
from jobs.models import Job
from jobs.running import JobRun, claim_job, drain_jobs
from labeling.answers import class_answer
from labeling.models import Item, ItemSource
from labeling.queueing import requeue_item
from labeling.settlement import accept_answer
from projects.models import ModelVersion, Project, User
from projects.versions import deploy
from retraining import batches, promotion
from retraining.datasets import read_manifest, read_rows
from retraining.models import Batch, DatasetVersion, Evaluation, GateResult
from retraining.project_file import ProjectSpec
from retraining.proposing import propose_by_person, propose_import_batch
from retraining.recounting import evaluation_inputs, rows_equal_to_evaluation
from retraining.revisions import newest_revision
from retraining.setting_up import set_up_project
from retraining.training import train_batch
from tests.history import items_of, label_topics
from tests.people import Team, make_person, make_team

pytestmark = pytest.mark.django_db(transaction=True)

TOPICS = ["billing", "delivery", "refund"]


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def approve(project: Project, by: User, clock: SetClock) -> Batch:
    batch = propose_by_person(project=project, by=by, at=clock.at)
    return batches.approve_batch(batch=batch, revision=newest_revision(batch), by=by, at=clock.at)


def claimed(batch: Batch, clock: SetClock) -> JobRun:
    assert batch.job is not None
    run = claim_job(batch.job.pk, at=clock.at)
    assert run is not None
    return run


def fresh(batch: Batch) -> Batch:
    return Batch.objects.select_related("version", "dataset", "job", "project").get(pk=batch.pk)


def version_of(batch: Batch) -> ModelVersion:
    version = fresh(batch).version
    assert version is not None
    return version


def dataset_of(batch: Batch) -> DatasetVersion:
    dataset = fresh(batch).dataset
    assert dataset is not None
    return dataset


def test_the_first_version_comes_of_an_import_and_meets_no_gates(clock: SetClock) -> None:
    olga = make_person("olga")
    project = set_up_project(
        spec=ProjectSpec(name="Intents", classes=TOPICS), owner=olga, at=clock.at
    )
    label_topics(project, dict.fromkeys(TOPICS, 12), at=clock.at, source="import", method="import")
    label_topics(project, {"refund": 5}, at=clock.at, use="evaluation", source="import")
    batch = propose_import_batch(project=project, at=clock.at)
    batches.approve_batch(batch=batch, revision=newest_revision(batch), by=olga, at=clock.at)

    drain_jobs()

    batch = fresh(batch)
    assert (batch.state, batch.error, batch.cause) == ("evaluated", "", "import")
    version = version_of(batch)
    assert (version.name, version.approved_hash) == ("v1", newest_revision(batch).hash)
    assert version.manifest["facts"]["classes"] == dict.fromkeys(TOPICS, 12)
    evaluation = Evaluation.objects.get()
    assert (evaluation.champion, evaluation.gates.count()) == (None, 0)
    assert evaluation.summary["challenger"]["frozen"]["rows"] == 5
    assert batch.job is not None
    assert (batch.job.state, batch.job.done_count > 50) == (Job.State.DONE, True)
    assert "Dataset 1: 36 rows." in batch.job.log


def test_the_next_version_builds_on_the_live_one_and_is_judged_beside_it(
    team: Team, clock: SetClock
) -> None:
    project = team.project
    label_topics(project, {"billing": 10, "delivery": 10}, at=clock.at)
    label_topics(project, {"billing": 6, "delivery": 6}, at=clock.at, use="evaluation")
    first = approve(project, team.lena, clock)
    drain_jobs()
    deploy(
        version=version_of(first),
        expected=team.version,
        cause="promotion",
        at=clock.at,
        by=team.lena,
    )
    corrected = next(iter(items_of(project, "billing")))
    requeue_item(item=corrected, at=clock.at, by=None, reason="doubt")
    corrected.refresh_from_db()
    accept_answer(
        item=corrected,
        answer=class_answer(project, "delivery"),
        method="reviewer",
        confidence=1.0,
        at=clock.at,
    )
    label_topics(project, {"refund": 8}, at=clock.at)

    second = approve(project, team.lena, clock)
    drain_jobs()

    old, new = dataset_of(first), dataset_of(second)
    assert (new.parent, new.row_count, new.added_count) == (old, 28, 9)
    assert new.counts["classes"] == {"billing": 9, "delivery": 11, "refund": 8}
    assert read_manifest(new).shards[0] == read_manifest(old).shards[0]
    labels = {row["identity"]: row["label"] for row in read_rows(new)}
    assert (len(labels), labels[corrected.identity]) == (28, "delivery")
    assert version_of(second).manifest["facts"]["rows"] == 28
    evaluation = Evaluation.objects.get(batch=second)
    assert evaluation.champion == version_of(first)
    assert set(evaluation.gates.values_list("slug", flat=True)) >= {"overall", "regression"}
    assert evaluation.summary["compared_rows"] == 12
    wanted = evaluation_inputs(project)
    assert len(wanted) == 12
    assert rows_equal_to_evaluation(project=project, evaluation_inputs=wanted) == 0
    trained_on = {str(row["input"]) for row in read_rows(new)}
    assert rows_equal_to_evaluation(project=project, evaluation_inputs=trained_on) == 28 + 1


def test_an_external_champion_is_compared_by_what_it_answered(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    held_out = label_topics(
        team.project, {"billing": 2, "delivery": 2}, at=clock.at, use="evaluation"
    )
    plan = AuditPlan.objects.create(project=team.project, rate=0.5, since=clock.at)
    for item in held_out[:3]:
        prediction = Prediction.objects.create(
            project=team.project,
            version=team.version,
            external_id=f"p{item.pk}",
            input=item.input,
            output="billing",
            identity=item.identity,
            body_hash="",
            occurred_at=clock.at,
            received_at=clock.at,
        )
        AuditDraw.objects.create(
            project=team.project,
            plan=plan,
            prediction=prediction,
            probability=0.5,
            drawn_at=clock.at,
        )

    batch = approve(team.project, team.lena, clock)
    drain_jobs()

    evaluation = Evaluation.objects.get(batch=batch)
    assert evaluation.champion == team.version
    assert (evaluation.summary["rows"], evaluation.summary["compared_rows"]) == (4, 3)
    assert evaluation.summary["champion"]["audited"]["value"] == pytest.approx(2 / 3)
    overall = evaluation.gates.get(slug="overall")
    assert (overall.rows, overall.result) == (3, GateResult.Result.NOT_ENOUGH)
    assert overall.more_rows_needed >= 47


def test_the_same_rows_again_are_the_same_version(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    first = approve(team.project, team.lena, clock)
    drain_jobs()
    promotion.do_not_promote(batch=first, by=team.lena, at=clock.at, reason="Not yet")

    second = approve(team.project, team.lena, clock)
    drain_jobs()

    assert fresh(second).state == Batch.State.EVALUATED
    assert version_of(second) == version_of(first)
    assert DatasetVersion.objects.count() == 1


def test_a_version_kept_back_can_be_compared_again(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)
    drain_jobs()
    promotion.do_not_promote(batch=batch, by=team.lena, at=clock.at, reason="Not yet")

    batches.ask_for_evaluation(batch=batch, by=team.lena, at=clock.at)
    drain_jobs()

    assert fresh(batch).state == Batch.State.EVALUATED
    assert Evaluation.objects.filter(batch=batch).count() == 2


def test_cancelling_stops_the_trainer_and_ends_the_batch(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)
    run = claimed(batch, clock)
    request_cancel(run.job, at=clock.at)

    with pytest.raises(JobCancelled):
        train_batch(run=run, batch_id=batch.pk)

    batch = fresh(batch)
    assert (batch.state, batch.error) == (Batch.State.CANCELLED, "Cancelled on request.")
    assert not ModelVersion.objects.filter(kind="trained").exists()


def test_what_cannot_be_learned_fails_with_the_trainers_words(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)

    drain_jobs()

    batch = fresh(batch)
    assert batch.state == Batch.State.FAILED
    assert "at least two classes" in batch.error
    assert batch.job is not None
    assert (batch.job.state, batch.job.attempt) == (Job.State.FAILED, 1)


def test_a_training_that_takes_too_long_fails(
    team: Team, clock: SetClock, settings: Settings
) -> None:
    settings.TRAINING_SECONDS = 1
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)

    drain_jobs()

    assert fresh(batch).state == Batch.State.FAILED
    assert "timed out" in fresh(batch).error


def test_a_failed_batch_is_tried_again_under_a_new_job(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)
    with pytest.raises(JobFailed):
        train_batch(run=claimed(batch, clock), batch_id=batch.pk)
    Job.objects.update(state=Job.State.FAILED)

    again = batches.retry_batch(batch=batch, by=team.lena, at=clock.at)

    assert (again.state, again.error) == (Batch.State.APPROVED, "")
    assert again.job != batch.job


def test_a_correction_after_the_approval_stops_the_start(team: Team, clock: SetClock) -> None:
    (item, *_) = label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)
    requeue_item(item=item, at=clock.at, by=team.rita, reason="doubt")

    drain_jobs()

    batch = fresh(batch)
    assert batch.state == Batch.State.CANCELLED
    assert "Corrected since: 1 row" in batch.error
    assert not DatasetVersion.objects.exists()


def test_a_worker_that_lost_its_job_changes_nothing(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    batch = approve(team.project, team.lena, clock)
    zombie = claimed(batch, clock)
    Job.objects.update(fence=zombie.fence + 1)

    with pytest.raises(FenceLost):
        train_batch(run=zombie, batch_id=batch.pk)

    assert fresh(batch).state == Batch.State.APPROVED


def test_imported_test_rows_are_held_out_whatever_their_hash_says(
    team: Team, clock: SetClock
) -> None:
    (item,) = label_topics(team.project, {"refund": 1}, at=clock.at)
    made = Import.objects.create(
        project=team.project,
        kind=Import.Kind.EVALUATION,
        file_name="test.csv",
        file_digest="",
        created_at=clock.at,
    )
    ItemSource.objects.create(
        project=team.project, item=item, kind="import", reference=made.pk, at=clock.at
    )

    assert evaluation_inputs(team.project) == {item.input["text"].casefold()}
    assert Item.objects.get().use == Item.Use.TRAIN  # What the recount does not look at.
