"""Compare a challenger with the champion on held-out rows, and judge it by the gates.

Both models answer in processes of their own; an external champion's answers are those recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from jobs.errors import JobFailed
from jobs.running import JobRun
from labeling.models import Item
from monitoring.intervals import Drawn, Estimate, weighted_interval
from projects.files import store_file
from projects.models import ModelVersion, Project, StoredFile
from projects.versions import find_champion
from retraining.evaluation_rows import EvaluationRow, evaluation_rows, recorded_answers
from retraining.gates import Comparison, GateOutcome, judge
from retraining.gates.base import PairedRow, RegressionCase, Source
from retraining.model_files import read_model_file
from retraining.models import Batch, Evaluation, GateResult
from retraining.program_runs import Program, finished_programs
from retraining.programs.contract import ANSWERS, MODEL, EvaluateSpec
from retraining.programs.tables import AnswerRow, input_table, read_answers
from retraining.raw_inputs import raw_input
from retraining.regression_cases import StandingCase, cases_for
from retraining.signatures import ArtifactRefused

INPUTS = "inputs.parquet"
Answers = Mapping[str, AnswerRow]  # By item id.


@dataclass(frozen=True)
class Compared:
    """Everything an evaluation found, before it is stored."""

    challenger: ModelVersion
    champion: ModelVersion | None
    outcomes: list[GateOutcome]
    summary: dict[str, object]
    answers: StoredFile


def compare(
    *, run: JobRun, project: Project, challenger: ModelVersion, share: tuple[int, int]
) -> Compared:
    """Let both models answer every evaluation row and regression case."""
    rows = evaluation_rows(project)
    cases = cases_for(project)
    champion = find_champion(project)
    if champion == challenger:
        champion = None
    asked = {str(row.item_id): row.input for row in rows}
    asked |= {str(case.item.pk): case.item.input for case in cases}
    table = input_table((key, raw_input(value)) for key, value in sorted(asked.items()))
    new, old = _ask(run, challenger, champion, table, share)
    if champion is not None and champion.kind == ModelVersion.Kind.EXTERNAL:
        old = _recorded(champion, rows, cases)
    return Compared(
        challenger=challenger,
        champion=champion,
        outcomes=_judge(rows, cases, new, old) if champion is not None else [],
        summary=_summarise(rows, cases, new, old),
        answers=_store_answers(project, rows, cases, new, old, at=run.now()),
    )


def store_evaluation(*, batch: Batch, compared: Compared, at: datetime) -> Evaluation:
    """The evaluation with its gate results; the caller's transaction decides with it."""
    evaluation = Evaluation.objects.create(
        project_id=batch.project_id,
        batch=batch,
        challenger=compared.challenger,
        champion=compared.champion,
        answers=compared.answers,
        summary=compared.summary,
        at=at,
    )
    GateResult.objects.bulk_create(
        GateResult(
            project_id=batch.project_id,
            evaluation=evaluation,
            slug=outcome.slug,
            name=outcome.name,
            group=outcome.group,
            rows=outcome.rows,
            value=outcome.value,
            low=outcome.low,
            high=outcome.high,
            bound=outcome.bound,
            result=outcome.result,
            more_rows_needed=outcome.more_rows_needed or 0,
            note=outcome.note,
            details=outcome.as_json(),
        )
        for outcome in compared.outcomes
    )
    return evaluation


def _ask(
    run: JobRun,
    challenger: ModelVersion,
    champion: ModelVersion | None,
    table: bytes,
    share: tuple[int, int],
) -> tuple[Answers, Answers]:
    """The challenger's answers and the champion's, which run side by side."""
    models = [challenger]
    if champion is not None and champion.kind == ModelVersion.Kind.TRAINED:
        models.append(champion)
    programs = [_program(model, table) for model in models]
    with finished_programs(run, programs, share=share) as finished:
        given = [
            {answer.id: answer for answer in read_answers(one.folder / ANSWERS)} for one in finished
        ]
    return given[0], given[1] if len(given) > 1 else {}


def _program(version: ModelVersion, table: bytes) -> Program:
    try:
        content = read_model_file(version)
    except ArtifactRefused as error:
        raise JobFailed(str(error)) from error
    return Program(
        name="evaluate",
        title=f"{version.name} answers",
        spec=EvaluateSpec(
            trainer=version.manifest["trainer"],
            digest=version.manifest["digest"],
            inputs=(INPUTS,),
        ),
        files={MODEL: content, INPUTS: table},
    )


def _recorded(
    champion: ModelVersion, rows: Sequence[EvaluationRow], cases: Sequence[StandingCase]
) -> Answers:
    """An external champion's answers by item, where they are known."""
    items = {row.identity: row.item_id for row in rows}
    items |= {case.item.identity: case.item.pk for case in cases}
    known = recorded_answers(champion, set(items))
    return {
        str(items[identity]): AnswerRow(str(items[identity]), label, 1.0)
        for identity, label in known.items()
    }


def _judge(
    rows: Sequence[EvaluationRow], cases: Sequence[StandingCase], new: Answers, old: Answers
) -> list[GateOutcome]:
    """Rows without the champion's answer are left out: they cannot be compared."""
    paired = tuple(
        PairedRow(
            item_id=str(row.item_id),
            label=row.label,
            champion_right=old[str(row.item_id)].label == row.label,
            challenger_right=new[str(row.item_id)].label == row.label,
            source=row.source,
            probability=row.probability,
            segments=row.segments,
        )
        for row in rows
        if str(row.item_id) in old
    )
    kept = tuple(
        RegressionCase(
            case_id=str(case.case.pk),
            champion_right=old[str(case.item.pk)].label == case.right_answer,
            challenger_right=new[str(case.item.pk)].label == case.right_answer,
            is_pinned=case.case.is_pinned,
            is_held_out=case.item.use == Item.Use.EVALUATION,
        )
        for case in cases
        if str(case.item.pk) in old
    )
    return judge(Comparison(rows=paired, cases=kept))


def _summarise(
    rows: Sequence[EvaluationRow], cases: Sequence[StandingCase], new: Answers, old: Answers
) -> dict[str, object]:
    """How often each is right, by where the rows come from."""
    return {
        "rows": len(rows),
        "compared_rows": sum(str(row.item_id) in old for row in rows),
        "challenger": _by_source(rows, new),
        "champion": _by_source(rows, old),
        "cases": {
            "all": len(cases),
            "challenger_right": sum(_is_right(case, new) for case in cases),
            "champion_right": sum(_is_right(case, old) for case in cases),
        },
    }


def _by_source(rows: Sequence[EvaluationRow], answers: Answers) -> dict[str, dict[str, object]]:
    known = [row for row in rows if str(row.item_id) in answers]
    return {
        source.value: _as_json(_accuracy([r for r in known if r.source is source], answers))
        for source in Source
    }


def _accuracy(rows: Sequence[EvaluationRow], answers: Answers) -> Estimate:
    return weighted_interval(
        Drawn(answers[str(row.item_id)].label == row.label, row.probability) for row in rows
    )


def _as_json(estimate: Estimate) -> dict[str, object]:
    return asdict(estimate)


def _is_right(case: StandingCase, answers: Answers) -> bool:
    answer = answers.get(str(case.item.pk))
    return answer is not None and answer.label == case.right_answer


def _store_answers(
    project: Project,
    rows: Sequence[EvaluationRow],
    cases: Sequence[StandingCase],
    new: Answers,
    old: Answers,
    *,
    at: datetime,
) -> StoredFile:
    """One line per row, and per case, with both answers: the evidence behind the figures."""
    lines = [
        {"item": row.item_id, "truth": row.truth_id, "label": row.label, "source": row.source}
        for row in rows
    ]
    lines += [
        {"item": case.item.pk, "case": case.case.pk, "label": case.right_answer} for case in cases
    ]
    for line in lines:
        key = str(line["item"])
        line["challenger"], line["confidence"] = new[key].label, new[key].confidence
        line["champion"] = old[key].label if key in old else None
    content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    return store_file(
        content=content.encode(), media_type="application/x-ndjson", at=at, project=project
    )
