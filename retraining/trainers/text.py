"""Short texts: word and character TF-IDF with logistic regression."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

from projects.errors import Invalid
from projects.task_types.text_classification import canonical_text
from retraining.trainer_catalog import TEXT, Value
from retraining.trainers.base import Answers, Report
from retraining.trainers.fitting import answer_in_parts, check_rows, fit_linear

WORD = r"\w+|[^\w\s]+"  # Single letters and marks too: "a b" and "?!" are texts.
SMALL = 200  # With fewer rows, pairs of characters seen once are kept.


class TextTrainer:
    """Sublinear TF-IDF of words and of characters inside words, logistic regression.

    Characters carry words that were mistyped, words carry the rest: Wang and Manning 2012,
    "Baselines and bigrams"; Zhang, Zhao and LeCun 2015, "Character-level convolutional networks
    for text classification" (their n-gram TF-IDF baseline).
    """

    entry = TEXT
    slug = entry.slug
    title = entry.title

    def fit(
        self,
        frame: pd.DataFrame,
        *,
        parameters: Mapping[str, Value],
        seed: int,  # The solver draws nothing; part of every trainer's call.
        report: Report,
    ) -> Pipeline:
        check_rows(frame)
        chosen = self.entry.clean_parameters(parameters)
        texts = _prepare(frame["input"].tolist())
        report("features", 0.05, "Counting words and characters.")
        features = _features(chosen, rows=len(texts))
        try:
            matrix = features.fit_transform(texts)
        except ValueError as error:
            raise Invalid(f"The texts hold nothing to learn from: {error}.") from error
        report("model", 0.2, f"{matrix.shape[0]} rows, {matrix.shape[1]} features.")
        model = fit_linear(
            matrix,
            frame["label"],
            inverse_penalty=float(chosen["inverse_penalty"]),
            balance=float(chosen["balance"]),
            report=report,
        )
        report("model", 1.0, "")
        _plain_places(features)
        return Pipeline([("features", features), ("model", model)])

    def answer(self, pipeline: Pipeline, inputs: Sequence[str | bytes]) -> Answers:
        return answer_in_parts(pipeline, _prepare(inputs))


def _features(chosen: Mapping[str, Value], *, rows: int) -> FeatureUnion:
    most = chosen["most_features"]
    words = TfidfVectorizer(
        ngram_range=(1, chosen["longest_words"]),
        token_pattern=WORD,
        lowercase=False,
        sublinear_tf=True,
        max_features=most,
        dtype=np.float32,
    )
    characters = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, chosen["longest_characters"]),
        lowercase=False,
        sublinear_tf=True,
        min_df=1 if rows < SMALL else 2,
        max_features=most,
        dtype=np.float32,
    )
    return FeatureUnion(
        [("words", words), ("characters", characters)],
        transformer_weights={"words": chosen["word_share"], "characters": 1.0},
    )


def _plain_places(features: FeatureUnion) -> None:
    """Columns as Python's numbers: skops writes each of NumPy's as a file of its own.

    The model file is a quarter as large, and written and opened about seven times as fast.
    """
    for _, vectorizer in features.transformer_list:
        places = vectorizer.vocabulary_
        vectorizer.vocabulary_ = {term: int(place) for term, place in places.items()}


def _prepare(inputs: Sequence[str | bytes]) -> list[str]:
    if any(not isinstance(text, str) for text in inputs):
        raise Invalid("The text trainer reads texts; some inputs are none.")
    return [canonical_text(str(text)) for text in inputs]
