"""How simulated annotators err: mostly towards the class that is most alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import LabelEncoder, normalize

from retraining.chance import seeded_chance
from retraining.rehearsal.corpus import LabeledRow
from retraining.trainers.image import read_pixels

TO_SIMILAR = 0.6  # Of the wrong answers; the rest is spread over all other classes.
SIDE = 8


@dataclass(frozen=True, slots=True)
class SimulatedAnnotators:
    """Each is right with an accuracy of their own; the same key gives the same answer."""

    accuracies: tuple[float, ...]
    classes: tuple[str, ...]
    similar: Mapping[str, str]
    seed: int = 0

    def answer(self, person: int, *, truth: str, key: str) -> str:
        """What this person says to the item known by `key`."""
        chance = seeded_chance("answer", self.seed, person, key)
        if chance.random() < self.accuracies[person]:
            return truth
        if chance.random() < TO_SIMILAR:
            return self.similar[truth]
        return chance.choice([name for name in self.classes if name != truth])


def most_similar_classes(rows: Sequence[LabeledRow]) -> dict[str, str]:
    """For every class the other one whose centroid is nearest, by cosine."""
    encoder = LabelEncoder()
    codes = encoder.fit_transform([row.label for row in rows])
    names = [str(name) for name in encoder.classes_]
    members = np.equal.outer(np.arange(len(names)), codes).astype(np.float64)
    centroids = normalize(members @ _features([row.input for row in rows]))
    alike = centroids @ centroids.T
    np.fill_diagonal(alike, -np.inf)
    return {
        name: names[int(place)] for name, place in zip(names, alike.argmax(axis=1), strict=True)
    }


def _features(inputs: Sequence[str | bytes]) -> NDArray[np.float64]:
    texts = [value for value in inputs if isinstance(value, str)]
    if len(texts) < len(inputs):
        return read_pixels(inputs, side=SIDE)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), max_features=20_000)
    features: NDArray[np.float64] = vectorizer.fit_transform(texts)
    return features
