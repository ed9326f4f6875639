"""Small trained versions, and batches that have been evaluated with given gate results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache

import pandas as pd

from projects.files import store_file
from projects.models import ModelVersion
from projects.versions import find_champion
from retraining.artifacts import PackedArtifact, pack
from retraining.case_answers import CaseAnswer
from retraining.case_reviews import judge_cases
from retraining.model_files import signing_keys
from retraining.models import Batch, BatchRevision, Evaluation, GateResult, RegressionCase
from retraining.regression_cases import as_standing
from retraining.trainers.text import TextTrainer
from tests.people import Team

# What the small models know: the first has never heard of parcels.
OLD_WORLD = {
    "my invoice is wrong": "billing",
    "the bill is too high": "billing",
    "where is my invoice": "billing",
    "i want my money back": "refund",
    "please refund the shoes": "refund",
    "money back for the coat": "refund",
}
NEW_WORLD = {
    **OLD_WORLD,
    "where is my parcel": "delivery",
    "the parcel is late": "delivery",
    "parcel not delivered": "delivery",
}


def make_trained_version(
    team: Team, name: str, *, at: datetime, rows: Mapping[str, str] = NEW_WORLD
) -> ModelVersion:
    """A version that really learned the rows."""
    packed = _train(tuple(rows.items()), tuple(signing_keys().items()))
    return ModelVersion.objects.create(
        project=team.project,
        name=name,
        kind=ModelVersion.Kind.TRAINED,
        artifact=store_file(content=packed.content, media_type="application/zip", at=at),
        manifest=packed.manifest,
        created_at=at,
    )


def make_evaluated_batch(
    team: Team,
    version: ModelVersion,
    *,
    at: datetime,
    gates: Mapping[str, str] | None = None,
) -> Batch:
    """A batch whose version was compared with the champion; `gates` maps group to result."""
    champion = find_champion(team.project)
    number = team.project.batches.count() + 1
    batch = Batch.objects.create(
        project=team.project,
        number=number,
        cause=Batch.Cause.PERSON,
        proposed_at=at,
        version=version,
    )
    batch.approved_revision = BatchRevision.objects.create(
        project=team.project,
        batch=batch,
        number=1,
        hash=f"{number:064}",
        champion=champion,
        classes=[],
        trainer="text",
        created_at=at,
    )
    batch.state = Batch.State.EVALUATED
    batch.save()
    evaluate_again(batch, at=at, champion=champion, gates=gates or {"": "passed"})
    return batch


def answer_cases(
    evaluation: Evaluation, answers: Mapping[RegressionCase, tuple[str, str]], *, at: datetime
) -> None:
    """Store what champion and challenger answered to each case, and judge the gate by it."""
    said = [
        CaseAnswer(
            case_id=case.pk,
            item_id=case.item_id,
            truth_id=as_standing(case).truth_id,
            right_answer=as_standing(case).right_answer,
            challenger=challenger,
            confidence=0.9,
            champion=champion,
        )
        for case, (champion, challenger) in answers.items()
    ]
    lines = "\n".join(json.dumps(answer.as_line()) for answer in said)
    evaluation.answers = store_file(
        content=lines.encode(), media_type="application/x-ndjson", at=at, project=evaluation.project
    )
    evaluation.save()
    judge_cases(evaluation, said, at=at)


def evaluate_again(
    batch: Batch, *, at: datetime, champion: ModelVersion | None, gates: Mapping[str, str]
) -> Evaluation:
    """One more evaluation of the batch's version."""
    assert batch.version is not None
    evaluation = Evaluation.objects.create(
        project=batch.project,
        batch=batch,
        challenger=batch.version,
        champion=champion,
        at=at,
    )
    for group, result in gates.items():
        GateResult.objects.create(
            project=batch.project,
            evaluation=evaluation,
            slug="groups",
            name="Class keeps",
            group=group,
            rows=80,
            result=result,
        )
    return evaluation


@cache
def _train(
    rows: tuple[tuple[str, str], ...], keys: tuple[tuple[str, bytes], ...]
) -> PackedArtifact:
    trainer = TextTrainer()
    pipeline = trainer.fit(
        pd.DataFrame(rows, columns=["input", "label"]),
        parameters={},
        seed=0,
        report=lambda step, share, note: None,
    )
    return pack(pipeline, trainer=trainer.slug, facts={}, key_id=keys[-1][0], keys=dict(keys))
