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
from monitoring.intervals import Drawn, Estimate, weighted_interval
from projects.files import store_file
from projects.models import ModelVersion, Project, StoredFile
from projects.versions import find_champion
from retraining.case_answers import CaseAnswer
from retraining.case_reviews import gated_cases, judge_cases
from retraining.evaluation_rows import EvaluationRow, evaluation_rows, recorded_answers
from retraining.gate_results import store_outcomes
from retraining.gates import Comparison, GateOutcome, judge
from retraining.gates.base import PairedRow, Source
from retraining.live_line import hold_live_line
from retraining.model_files import read_model_file
from retraining.models import Batch, Evaluation
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
    case_answers: list[CaseAnswer]
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
    said = [_case_answer(case, new, old) for case in cases]
    return Compared(
        challenger=challenger,
        champion=champion,
        outcomes=_judge(rows, said, new, old) if champion is not None else [],
        summary=_summarise(rows, said, new, old),
        case_answers=said,
        answers=_store_answers(project, rows, said, new, old, at=run.now()),
    )


def store_evaluation(*, batch: Batch, compared: Compared, at: datetime) -> Evaluation:
    """The evaluation with its gate results; the caller's transaction decides with it."""
    hold_live_line(batch.project_id)  # A reviewer may judge its cases at this moment.
    evaluation = Evaluation.objects.create(
        project_id=batch.project_id,
        batch=batch,
        challenger=compared.challenger,
        champion=compared.champion,
        answers=compared.answers,
        summary=compared.summary,
        at=at,
    )
    store_outcomes(evaluation, compared.outcomes)
    judge_cases(evaluation, compared.case_answers, at=at)
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
    rows: Sequence[EvaluationRow], said: Sequence[CaseAnswer], new: Answers, old: Answers
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
    return judge(Comparison(rows=paired, cases=gated_cases(said)))


def _summarise(
    rows: Sequence[EvaluationRow], said: Sequence[CaseAnswer], new: Answers, old: Answers
) -> dict[str, object]:
    """How often each is right, by where the rows come from."""
    return {
        "rows": len(rows),
        "compared_rows": sum(str(row.item_id) in old for row in rows),
        "challenger": _by_source(rows, new),
        "champion": _by_source(rows, old),
        "cases": {
            "all": len(said),
            "challenger_right": sum(one.challenger == one.right_answer for one in said),
            "champion_right": sum(one.champion == one.right_answer for one in said),
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


def _case_answer(case: StandingCase, new: Answers, old: Answers) -> CaseAnswer:
    key = str(case.item.pk)
    return CaseAnswer(
        case_id=case.case.pk,
        item_id=case.item.pk,
        truth_id=case.truth_id,
        right_answer=case.right_answer,
        challenger=new[key].label,
        confidence=new[key].confidence,
        champion=old[key].label if key in old else None,
    )


def _store_answers(
    project: Project,
    rows: Sequence[EvaluationRow],
    said: Sequence[CaseAnswer],
    new: Answers,
    old: Answers,
    *,
    at: datetime,
) -> StoredFile:
    """One line per row, and per case, with both answers: the evidence behind the figures."""
    lines = [_row_line(row, new, old) for row in rows] + [answer.as_line() for answer in said]
    content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    return store_file(
        content=content.encode(), media_type="application/x-ndjson", at=at, project=project
    )


def _row_line(row: EvaluationRow, new: Answers, old: Answers) -> dict[str, object]:
    key = str(row.item_id)
    return {
        "item": row.item_id,
        "truth": row.truth_id,
        "label": row.label,
        "source": row.source,
        "challenger": new[key].label,
        "confidence": new[key].confidence,
        "champion": old[key].label if key in old else None,
    }
