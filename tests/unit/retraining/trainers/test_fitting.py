"""What the trainers share: weights of classes, answers in parts, and being told what is amiss."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from projects.errors import Invalid
from retraining.trainers import fitting
from retraining.trainers.fitting import answer_in_parts, balanced_weights, check_rows, fit_linear


def labels(**counts: int) -> pd.Series:
    return pd.Series([name for name, count in counts.items() for _ in range(count)])


def weights(balance: float, **counts: int) -> dict[str, float]:
    """The weight of each class's rows, which is one."""
    series = labels(**counts)
    found = balanced_weights(series, balance=balance)
    by_class = {name: set(found[(series == name).to_numpy()].tolist()) for name in counts}
    assert all(len(weight) == 1 for weight in by_class.values())
    return {name: next(iter(weight)) for name, weight in by_class.items()}


def test_balanced_classes_weigh_alike_together() -> None:
    # 10 rows / 2 classes / 8, and / 2.
    assert weights(1.0, often=8, rarely=2) == pytest.approx({"often": 0.625, "rarely": 2.5})


def test_without_balance_every_row_weighs_one() -> None:
    assert weights(0.0, often=8, rarely=2) == {"often": 1.0, "rarely": 1.0}


def test_half_balanced_is_the_root_of_balanced() -> None:
    found = weights(0.5, often=8, rarely=2)

    assert found == pytest.approx({"often": math.sqrt(0.625), "rarely": math.sqrt(2.5)})


def test_one_row_does_not_outvote_the_rest() -> None:
    found = weights(1.0, often=99, rarely=1)  # 100 / 2 / 1 would be 50.

    assert found == pytest.approx({"often": 100 / 2 / 99, "rarely": 10.0})


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"input": [], "label": []}), "no rows"),
        (pd.DataFrame({"input": ["a", None], "label": ["x", "y"]}), "need an input and a label"),
        (pd.DataFrame({"input": ["a", "b"], "label": ["x", None]}), "need an input and a label"),
        (pd.DataFrame({"input": ["a", "b"], "label": ["x", "x"]}), "every row is 'x'"),
    ],
)
def test_what_no_classifier_can_learn_from_is_refused(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        check_rows(frame)


def test_two_classes_can_be_learned() -> None:
    check_rows(pd.DataFrame({"input": ["a", "b"], "label": ["x", "y"]}))


class Echo:
    """A pipeline that takes each input for the scores of its classes."""

    classes_ = ("no", "yes")

    def predict_proba(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        assert len(rows) <= fitting.ROWS_AT_ONCE
        return rows


def test_answers_of_many_parts_keep_the_order_of_their_inputs() -> None:
    yes = np.linspace(0.0, 1.0, 2 * fitting.ROWS_AT_ONCE + 1)
    rows = np.column_stack([1 - yes, yes])

    answers = answer_in_parts(Echo(), rows)

    assert answers.classes == ("no", "yes")
    assert answers.scores.tolist() == rows.tolist()
    assert (answers.labels[0], answers.labels[-1]) == ("no", "yes")
    assert answers.confidences == [max(pair) for pair in rows.tolist()]


def test_of_two_equal_scores_the_first_class_is_the_answer() -> None:
    assert answer_in_parts(Echo(), np.array([[0.5, 0.5]])).labels == ["no"]


def test_no_inputs_have_scores_of_every_class_and_no_row() -> None:
    assert answer_in_parts(Echo(), np.empty((0, 2))).scores.shape == (0, 2)


def test_a_model_that_has_not_settled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_ROUNDS", 1)
    told: list[tuple[str, float, str]] = []

    fit_linear(
        np.array([[0.0, 1.0], [1.0, 0.0], [0.9, 0.4]]),
        pd.Series(["x", "y", "y"]),
        inverse_penalty=100.0,
        balance=1.0,
        report=lambda *said: told.append(said),
    )

    assert told == [("model", 0.95, "Stopped after 1 rounds before it had settled.")]


def test_a_model_that_has_settled_says_nothing() -> None:
    told: list[tuple[str, float, str]] = []

    fit_linear(
        np.array([[0.0, 1.0], [1.0, 0.0]]),
        pd.Series(["x", "y"]),
        inverse_penalty=1.0,
        balance=1.0,
        report=lambda *said: told.append(said),
    )

    assert told == []
