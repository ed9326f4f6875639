"""The text trainer."""

import random

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from projects.errors import Invalid
from retraining.trainer_catalog import Value
from retraining.trainers.text import TextTrainer

TOPICS = {
    "billing": "charged twice invoice refund payment card receipt amount owed",
    "delivery": "parcel courier late address tracking shipped package arrived lost",
    "account": "password login reset username locked verify email profile sign",
}


def frame_of(rows: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["input", "label"])


def sentences(each: int, *, seed: int = 0) -> pd.DataFrame:
    chance = random.Random(seed)
    return frame_of(
        [
            (" ".join(chance.sample(words.split(), 4)), topic)
            for topic, words in TOPICS.items()
            for _ in range(each)
        ]
    )


def fit(frame: pd.DataFrame, **parameters: Value) -> Pipeline:
    return TextTrainer().fit(
        frame, parameters=parameters, seed=0, report=lambda step, share, note: None
    )


def test_mistyped_words_are_still_recognised() -> None:
    pipeline = fit(sentences(100))

    answers = TextTrainer().answer(pipeline, ["invioce refudn paymnt", "passwrod lgoin resset"])

    assert answers.labels == ["billing", "account"]


def test_texts_that_are_the_same_input_get_the_same_answer() -> None:
    answers = TextTrainer().answer(fit(sentences(30)), ["Parcel LATE", "  parcel\n late "])

    assert answers.scores[0].tolist() == answers.scores[1].tolist()


def test_an_empty_text_is_answered_without_much_confidence() -> None:
    answers = TextTrainer().answer(fit(sentences(30)), ["", "   "])

    assert max(answers.confidences) < 0.6


def test_texts_of_single_marks_can_be_learned() -> None:
    pipeline = fit(frame_of([("?", "ask"), ("??", "ask"), ("!", "tell"), ("!!", "tell")]))

    assert TextTrainer().answer(pipeline, ["?", "!"]).labels == ["ask", "tell"]


def test_texts_without_any_content_are_refused() -> None:
    with pytest.raises(Invalid, match="nothing to learn from"):
        fit(frame_of([("", "ask"), (" ", "tell")]))


def test_a_rare_class_counts_like_a_frequent_one_when_balanced() -> None:
    often = [("late parcel arrived", "delivery")] * 95
    rare = [("late parcel lost", "loss")] * 5
    text = ["late parcel"]

    plain = TextTrainer().answer(fit(frame_of(often + rare), balance=0.0), text)
    balanced = TextTrainer().answer(fit(frame_of(often + rare), balance=1.0), text)

    assert balanced.scores[0][1] > 2 * plain.scores[0][1]


def test_features_are_bounded() -> None:
    pipeline = fit(sentences(100), most_features=100)

    assert pipeline["model"].n_features_in_ <= 200
