"""What must be true of batches, datasets, versions and receipts, whatever happened."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from django.db.models import Model, QuerySet

from events.models import Event
from feedback.models import Flag, FlagDecision, Prediction
from jobs.models import Job
from labeling.models import Annotation, GroundTruth, Item, Lease, Skip
from projects.files import read_file
from projects.identity import TRAIN, identity_of, use_of
from projects.models import Deployment, ModelVersion, Project
from retraining import receipt_jobs
from retraining.datasets import read_rows
from retraining.models import (
    Batch,
    BatchRevision,
    BatchRow,
    DatasetRow,
    DatasetVersion,
    DroppedRow,
    Evaluation,
    Receipt,
)
from retraining.open_models import open_version
from tests.integration.state_machine.loop_model import GRAPH, Learned, Loop, Shown

ROW = ("item_id", "truth_id", "truth__answer__name")


def shown(revision: BatchRevision) -> Shown:
    """What a lead reads of it now."""
    rows = revision.rows.values_list(*ROW)
    return Shown(
        pk=revision.pk,
        digest=revision.hash,
        rows={item: (truth, name) for item, truth, name in rows},
        retired=frozenset(revision.retired),
        champion=revision.champion.name if revision.champion else "",
    )


def batches_are_as_modelled(project: Project, loop: Loop) -> None:
    """Each in the state of the model; approved is what was shown, row by row."""
    columns = ("pk", "state", "approved_revision_id", "approved_revision__hash", "version__name")
    found = Batch.objects.filter(project=project).values_list(*columns)
    assert {pk: stored for pk, *stored in found} == {
        pk: [
            each.state,
            each.approved.pk if each.approved else None,
            each.approved.digest if each.approved else None,
            each.version or None,
        ]
        for pk, each in loop.proposals.items()
    }
    approved = [each.approved for each in loop.proposals.values() if each.approved]
    pinned = BatchRow.objects.filter(revision__in=[each.pk for each in approved])
    assert not approved or sorted(pinned.values_list("revision_id", *ROW)) == sorted(
        (each.pk, item, *row) for each in approved for item, row in each.rows.items()
    )


def one_champion(project: Project, loop: Loop) -> None:
    """A line without gaps, as modelled; the last of it is the only live version."""
    line = Deployment.objects.filter(project=project, role=Deployment.Role.CHAMPION)
    stored = list(line.order_by("sequence").values_list("sequence", "version__name"))
    assert stored == list(enumerate(loop.live, start=1))
    live = Deployment.objects.current(project.pk)
    assert live is not None
    assert live.version.name == loop.champion


def fixed_flags_have_their_receipt(project: Project) -> None:
    told = Receipt.objects.filter(project=project, revoked_at=None).values("flag")
    assert not Flag.objects.filter(project=project, state="fixed").exclude(pk__in=told).exists()


def events_agree_with_states(project: Project) -> None:
    """Every batch went along the domain's graph, and its last event is its state."""
    paths: dict[int, list[str]] = defaultdict(lambda: [""])
    told = Event.objects.filter(project_id=project.pk)
    of_batches = told.filter(subject_type="retraining.batch").order_by("pk")
    states = set(GRAPH) | set().union(*GRAPH.values())
    for pk, name in of_batches.values_list("subject_id", "name"):
        state = name.removeprefix("batch.").replace("_", " ")
        if state in states:
            paths[pk].append(state)
    for path in paths.values():
        assert all(then in GRAPH.get(now, set()) for now, then in pairwise(path)), path
    stored = dict(Batch.objects.filter(project=project).values_list("pk", "state"))
    assert {pk: path[-1] for pk, path in paths.items()} == stored
    rows: list[tuple[str, QuerySet[Any]]] = [
        ("dataset.folded", DatasetVersion.objects.all()),
        ("version.trained", ModelVersion.objects.filter(kind=ModelVersion.Kind.TRAINED)),
        ("batch.revised", BatchRevision.objects.all()),
    ]
    for name, kept in rows:
        events = told.filter(name=name).values_list("subject_id", flat=True)
        assert len(events) == kept.filter(project=project).count(), name
    _receipts_were_told(project, told)


def _receipts_were_told(project: Project, told: QuerySet[Event]) -> None:
    """Sent, taken back by a rollback, and sent again by the same version once it is live again."""
    balance: Counter[int] = Counter()
    for pk, name in told.filter(subject_type="retraining.receipt").values_list(
        "subject_id", "name"
    ):
        balance[pk] += {"receipt.sent": 1, "receipt.revoked": -1}[name]
    receipts = Receipt.objects.filter(project=project).values_list("pk", "revoked_at")
    assert dict(balance) == {pk: int(revoked_at is None) for pk, revoked_at in receipts}


class Facts:
    """Rows that are written once: none may change or vanish."""

    def __init__(self, project: Project) -> None:
        ours = {"project": project.pk}
        self.tables: list[tuple[type[Model], dict[str, int], set[str]]] = [
            *((model, ours, set()) for model in (Annotation, GroundTruth, Lease, Skip)),
            *((model, ours, set()) for model in (Deployment, ModelVersion, Evaluation)),
            *((model, ours, set()) for model in (DatasetVersion, DatasetRow)),
            *((model, ours, set()) for model in (BatchRevision, BatchRow, DroppedRow)),
            (FlagDecision, {"flag__project": project.pk}, set()),
            (Event, {"project_id": project.pk}, {"position", "digest"}),
            (Receipt, ours, {"sent_at", "seen_at", "revoked_at"}),
        ]
        self.known: dict[type[Model], dict[int, tuple[object, ...]]] = {}

    def look(self) -> None:
        for model, ours, changing in self.tables:
            columns = [f.attname for f in model._meta.concrete_fields if f.name not in changing]
            stored = model._default_manager.filter(**ours).values_list("pk", *columns)
            rows = {row[0]: row for row in stored}
            for pk, row in self.known.get(model, {}).items():
                assert rows.get(pk) == row, f"{model.__name__} {pk} changed"
            self.known[model] = rows


class Uses:
    """What each dataset and each evaluation was made of, looked at once when it is new."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.trained: set[str] = set()
        self.measured: set[str] = set()
        self.last_dataset = self.last_evaluation = 0

    def look(self, loop: Loop) -> None:
        datasets = DatasetVersion.objects.filter(project=self.project, pk__gt=self.last_dataset)
        for dataset in datasets.order_by("pk"):
            self.last_dataset = dataset.pk
            self._look_at(dataset, loop)
        done = Evaluation.objects.filter(project=self.project, pk__gt=self.last_evaluation)
        for pk, answers in done.order_by("pk").values_list("pk", "answers_id"):
            self.last_evaluation = pk
            lines = [json.loads(line) for line in read_file(answers or "").splitlines()]
            items = [line["item"] for line in lines if "case" not in line]
            measured = Item.objects.filter(pk__in=items).values_list("identity", flat=True)
            self.measured |= set(measured)
        assert not self.trained & self.measured, "trained on what is measured with"

    def _look_at(self, dataset: DatasetVersion, loop: Loop) -> None:
        """Exactly the labels that were approved, on top of the champion's of that time."""
        proposals = [loop.proposals[batch.pk] for batch in Batch.objects.filter(dataset=dataset)]
        expected, *others = (loop.outcome_of(each.standing) for each in proposals)
        assert all(other == expected for other in others), "one dataset of different rows"
        rows = list(read_rows(dataset))
        assert _by_truth(expected) == {int(str(row["row_id"])): row["label"] for row in rows}
        assert (dataset.row_count, len(rows)) == (len(expected.rows), len(expected.rows))
        inputs = [identity_of(self.project, {"text": row["input"]}) for row in rows]
        assert len(set(inputs)) == len(inputs), "an input is learned twice"
        assert {use_of(self.project, identity=identity) for identity in inputs} <= {TRAIN}
        self.trained |= set(inputs)


def _by_truth(learned: Learned) -> dict[int, str]:
    return dict(learned.rows.values())


ReceiptDue = tuple[int, int, str, str, bool]


def accepted_too_late(project: Project) -> set[int]:
    """Flags that a tick finds accepted, on answers of other versions than the live one."""
    line = Deployment.objects.current(project.pk)
    truths = {
        item.identity: item.truth.answer.name
        for item in Item.objects.filter(project=project, state="resolved")
        if item.truth and item.truth.answer and item.truth.answer.retired_at is None
    }
    waiting = Flag.objects.filter(
        project=project, state__in=["open", "still wrong"], regression_case=None
    )
    return {
        flag.pk
        for flag in waiting.select_related("prediction")
        if truths.get(flag.identity, flag.output) != flag.output
        and line is not None
        and flag.prediction is not None
        and flag.prediction.version_id != line.version_id
    }


def is_asked_for(late: set[int], project: Project) -> None:
    """The live version will be asked about each of them: a job is waiting for a worker."""
    line = Deployment.objects.current(project.pk)
    assert line is not None
    jobs = Job.objects.filter(state=Job.State.QUEUED, kind=receipt_jobs.SEND_RECEIPTS)
    assert not late or jobs.filter(arguments={"deployment_id": line.pk}).exists()


def receipts_due(line: Deployment, learned: Learned) -> set[ReceiptDue]:
    """Flag, version, old and new answer, and whether it was learned: of this deployment's job."""
    version, project = line.version, line.project
    if Deployment.objects.current(project.pk) != line or version.artifact_id is None:
        return set()
    told = Receipt.objects.filter(version=version, revoked_at=None).values("flag")
    waiting = Flag.objects.filter(project=project, state__in=["open", "still wrong"])
    items = {item.identity: item for item in Item.objects.filter(project=project)}
    model, due = open_version(version), set()
    for flag in waiting.exclude(pk__in=told):
        item = items.get(flag.identity)
        truth = item.truth.answer.name if item and item.truth and item.truth.answer else ""
        if item is None or truth in {"", flag.output}:
            continue
        (answer,) = model.answer([item.input])
        if answer.label == truth:
            is_learned = learned.rows.get(item.pk, (0, ""))[1] == truth
            due.add((flag.pk, version.pk, flag.output, truth, is_learned))
    return due


def revocations_due(project: Project, standing: list[str]) -> set[int]:
    """Receipts of versions that were rolled back, where nothing wrong is answered right by now."""
    live = ModelVersion.objects.get(project=project, name=standing[-1])
    doubtful = Receipt.objects.filter(project=project, revoked_at=None, flag__state="fixed")
    due = set()
    for receipt in doubtful.exclude(version__name__in=standing).select_related("flag"):
        item = Item.objects.get(project=project, identity=receipt.flag.identity)
        truth = item.truth.answer.name if item.truth and item.truth.answer else None
        if truth in {None, receipt.flag.output} or _says(live, item) != truth:
            due.add(receipt.pk)
    return due


def _says(version: ModelVersion, item: Item) -> str | None:
    """A trained version's own answer; of an external one, what it was recorded to say last."""
    if version.artifact_id:
        return open_version(version).answer([item.input])[0].label
    recorded = Prediction.objects.filter(version=version, identity=item.identity)
    return recorded.order_by("pk").values_list("output", flat=True).last()
