"""Every trainer keeps the same promises."""

import io
import zipfile
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.pipeline import Pipeline

from projects.errors import Invalid
from projects.task_types import TASK_TYPES
from retraining.artifacts import dump_pipeline, load_pipeline
from retraining.trainer_catalog import TRAINER_CATALOG
from retraining.trainers import TRAINERS, Trainer


def keep_quiet(step: str, share: float, note: str) -> None:
    """A report that nobody reads."""


def text_of(label: str, number: int) -> str:
    return f"{label} {label}s are number {number} today"


def image_of(label: str, number: int) -> bytes:
    drawn = np.zeros((8, 8), dtype=np.uint8)
    place = ["left", "right", "top"].index(label)
    drawn[:, [1, 6, 3][place]] = 200 + number
    drawn[0, number % 8] = 40
    out = io.BytesIO()
    Image.fromarray(drawn).save(out, "PNG")
    return out.getvalue()


MAKERS = {"text": text_of, "image": image_of}


def rows_for(trainer: Trainer, labels: Sequence[str], each: int = 8) -> pd.DataFrame:
    make = MAKERS[trainer.entry.task_type]
    rows = [(make(label, number), label) for label in labels for number in range(each)]
    return pd.DataFrame(rows, columns=["input", "label"])


def fit(trainer: Trainer, frame: pd.DataFrame, *, seed: int = 0) -> Pipeline:
    return trainer.fit(frame, parameters={}, seed=seed, report=keep_quiet)


@pytest.fixture(params=list(TRAINERS), ids=lambda trainer: str(trainer.slug))
def trainer(request: pytest.FixtureRequest) -> Trainer:
    chosen: Trainer = request.param
    return chosen


LABELS = ("left", "right", "top")


def test_the_catalog_for_pages_lists_exactly_the_trainers() -> None:
    assert [t.entry for t in TRAINERS] == list(TRAINER_CATALOG)


def test_it_is_for_a_task_type_that_exists(trainer: Trainer) -> None:
    assert trainer.entry.task_type in TASK_TYPES


def test_it_learns_what_it_is_shown(trainer: Trainer) -> None:
    frame = rows_for(trainer, LABELS)

    answers = trainer.answer(fit(trainer, frame), frame["input"].tolist())

    assert answers.labels == frame["label"].tolist()
    assert answers.classes == LABELS


def test_confidences_are_the_probabilities_of_the_answers(trainer: Trainer) -> None:
    frame = rows_for(trainer, LABELS)

    answers = trainer.answer(fit(trainer, frame), frame["input"].tolist())

    assert answers.scores.shape == (len(frame), len(LABELS))
    assert answers.scores.sum(axis=1) == pytest.approx(np.ones(len(frame)))
    for label, confidence, scores in zip(
        answers.labels, answers.confidences, answers.scores, strict=True
    ):
        assert confidence == max(scores) == scores[answers.classes.index(label)]


def test_the_same_seed_gives_the_same_answers_to_the_last_bit(trainer: Trainer) -> None:
    frame = rows_for(trainer, LABELS)
    inputs = frame["input"].tolist()

    first = trainer.answer(fit(trainer, frame, seed=7), inputs)
    second = trainer.answer(fit(trainer, frame, seed=7), inputs)

    assert np.array_equal(first.scores, second.scores)


def test_its_file_opens_with_its_trusted_list_and_answers_alike(trainer: Trainer) -> None:
    frame = rows_for(trainer, LABELS)
    pipeline = fit(trainer, frame)

    opened = load_pipeline(dump_pipeline(pipeline), trainer=trainer.slug)

    inputs = frame["input"].tolist()
    before, after = trainer.answer(pipeline, inputs), trainer.answer(opened, inputs)
    assert np.array_equal(before.scores, after.scores)


def test_its_file_has_a_part_for_each_array_and_not_for_each_number(trainer: Trainer) -> None:
    content = dump_pipeline(fit(trainer, rows_for(trainer, LABELS)))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) < 20


def test_no_inputs_give_no_answers(trainer: Trainer) -> None:
    answers = trainer.answer(fit(trainer, rows_for(trainer, LABELS)), [])

    assert (answers.labels, answers.confidences, answers.scores.shape) == ([], [], (0, 3))


def test_a_class_of_one_row_is_learned_too(trainer: Trainer) -> None:
    frame = pd.concat([rows_for(trainer, LABELS[:2]), rows_for(trainer, LABELS[2:], each=1)])

    answers = trainer.answer(fit(trainer, frame), frame["input"].tolist()[-1:])

    assert answers.labels == ["top"]


def test_one_class_alone_is_refused_with_its_name(trainer: Trainer) -> None:
    with pytest.raises(Invalid, match="at least two classes; every row is 'left'"):
        fit(trainer, rows_for(trainer, LABELS[:1]))


def test_no_rows_are_refused(trainer: Trainer) -> None:
    with pytest.raises(Invalid, match="no rows"):
        fit(trainer, rows_for(trainer, ()))


@pytest.mark.parametrize("column", ["input", "label"])
def test_rows_with_something_missing_are_refused(trainer: Trainer, column: str) -> None:
    frame = rows_for(trainer, LABELS)
    frame.loc[3, column] = None

    with pytest.raises(Invalid, match="need an input and a label"):
        fit(trainer, frame)


def test_inputs_of_another_kind_are_refused(trainer: Trainer) -> None:
    wrong: list[str | bytes] = [b"bytes"] if trainer.entry.task_type == "text" else ["a text"]
    pipeline = fit(trainer, rows_for(trainer, LABELS))

    with pytest.raises(Invalid):
        trainer.answer(pipeline, wrong)


def test_it_tells_how_far_it_is_and_ends_at_the_whole(trainer: Trainer) -> None:
    shares: list[float] = []

    trainer.fit(
        rows_for(trainer, LABELS),
        parameters={},
        seed=0,
        report=lambda step, share, note: shares.append(share),
    )

    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_every_parameter_has_a_default_that_it_allows(trainer: Trainer) -> None:
    cleaned = trainer.entry.clean_parameters({})

    assert set(cleaned) == set(trainer.entry.parameters)
    assert trainer.entry.clean_parameters(cleaned) == cleaned


def test_an_unknown_parameter_is_refused_with_the_known_ones(trainer: Trainer) -> None:
    with pytest.raises(Invalid, match=r"no parameter '__class__'.*inverse_penalty"):
        trainer.entry.clean_parameters({"__class__": "os.system"})


@pytest.mark.parametrize("value", ["ten", True, None, float("nan"), float("inf"), -1, 1e9, [1]])
def test_a_value_outside_the_allowed_set_is_refused(trainer: Trainer, value: object) -> None:
    with pytest.raises(Invalid, match="inverse_penalty must be a number from"):
        trainer.entry.clean_parameters({"inverse_penalty": value})
