"""What all trainers on scikit-learn share: checks, weights, the linear model, answers."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from projects.errors import Invalid
from retraining.trainers.base import Answers, Report

MOST_ROUNDS = 300
TOLERANCE = 2e-4  # Tighter gains nothing measurable and doubles the time.
HEAVIEST = 10.0  # A class of one row must not outvote the rest.
ROWS_AT_ONCE = 2_000  # Bounds the memory of scores while answering.


def check_rows(frame: pd.DataFrame) -> None:
    """Refuse what no classifier can learn from."""
    if frame.empty:
        raise Invalid("There is nothing to train on: the dataset has no rows.")
    if frame["label"].isna().any() or frame["input"].isna().any():
        raise Invalid("Training rows need an input and a label; some have none.")
    if frame["label"].nunique() < 2:
        only = frame["label"].iloc[0]
        raise Invalid(f"Training needs at least two classes; every row is {only!r}.")


def balanced_weights(labels: pd.Series, *, balance: float) -> NDArray[np.float64]:
    """Weights that make classes count alike (balance 1), as their rows do (0), or between.

    Training rows are chosen, not drawn: their class shares say little about traffic.
    """
    counts = labels.map(labels.value_counts()).to_numpy(dtype=np.float64)
    weights = (len(labels) / labels.nunique() / counts) ** balance
    return np.clip(weights, 1 / HEAVIEST, HEAVIEST)


def fit_linear(
    features: Any,  # A scipy sparse matrix or an array: no common type has stubs.
    labels: pd.Series,
    *,
    inverse_penalty: float,
    balance: float,
    report: Report,
) -> LogisticRegression:
    """Multinomial logistic regression by L-BFGS: deterministic, with probabilities."""
    model = LogisticRegression(C=inverse_penalty, tol=TOLERANCE, max_iter=MOST_ROUNDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(
            features,
            labels.to_numpy(dtype=str),
            sample_weight=balanced_weights(labels, balance=balance),
        )
    if model.n_iter_.max() >= MOST_ROUNDS:
        report("model", 0.95, f"Stopped after {MOST_ROUNDS} rounds before it had settled.")
    return model


def answer_in_parts(
    pipeline: Any,  # A fitted scikit-learn Pipeline: no stubs.
    prepared: Sequence[str] | NDArray[np.float64],
) -> Answers:
    """Class and probability for every prepared input."""
    classes = tuple(str(name) for name in pipeline.classes_)
    parts = [
        pipeline.predict_proba(prepared[start : start + ROWS_AT_ONCE])
        for start in range(0, len(prepared), ROWS_AT_ONCE)
    ]
    scores = np.concatenate(parts).astype(np.float64) if parts else np.empty((0, len(classes)))
    best = scores.argmax(axis=1)
    return Answers(
        classes=classes,
        labels=[classes[place] for place in best],
        confidences=[float(c) for c in scores[np.arange(len(best)), best]],
        scores=scores,
    )
