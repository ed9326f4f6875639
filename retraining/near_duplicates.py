"""Training rows that are too close to an evaluation row: they would flatter the model.

Texts are sets of three-character shingles over letters and digits; two are near duplicates when
they share 0.9 of them (Jaccard; Broder 1997, "On the resemblance and containment of documents").
The join is exact and cheap: sets that are so alike share one of their few rarest shingles
(prefix filter: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from projects.task_types.text_classification import canonical_text

THRESHOLD = 0.9
SHINGLE = 3
ROUNDING = 1e-9  # 0.9 x 70 must not become 64 by the last bit of a float.

Shingles = frozenset[str]


@dataclass(frozen=True)
class Row:
    """A text with what else must be equal: the declared context fields."""

    key: int
    text: str
    context: tuple[str, ...] = ()


@dataclass(frozen=True)
class NearDuplicate:
    """A row and the most similar of the others."""

    key: int
    other: int
    similarity: float


def find_near_duplicates(
    rows: Iterable[Row], *, of: Iterable[Row], threshold: float = THRESHOLD
) -> list[NearDuplicate]:
    """Each row that is as close as the threshold to one of the others, with the closest."""
    index = _Index(of, threshold)
    found = (index.closest(row) for row in rows)
    return [near for near in found if near is not None]


def shingles_of(text: str) -> Shingles:
    """Case, punctuation and white space do not make two texts different here."""
    plain = "".join(c if c.isalnum() else " " for c in canonical_text(text))
    padded = f" {' '.join(plain.split())} "
    if len(padded) <= SHINGLE:
        return frozenset([padded if padded.strip() else f" {canonical_text(text)} "])
    return frozenset(padded[i : i + SHINGLE] for i in range(len(padded) - SHINGLE + 1))


class _Index:
    """The other rows by the rarest of their shingles."""

    def __init__(self, rows: Iterable[Row], threshold: float) -> None:
        self.threshold = threshold
        self.rows = [(row, shingles_of(row.text)) for row in rows]
        self.frequency = Counter(shingle for _, shingles in self.rows for shingle in shingles)
        self.places: dict[str, list[int]] = defaultdict(list)
        for place, (_, shingles) in enumerate(self.rows):
            for shingle in self._rarest(shingles):
                self.places[shingle].append(place)

    def closest(self, row: Row) -> NearDuplicate | None:
        shingles = shingles_of(row.text)
        best = None
        for place in sorted(self._candidates(shingles)):
            other, others = self.rows[place]
            if other.context != row.context:
                continue
            shared = len(shingles & others)
            similarity = shared / (len(shingles) + len(others) - shared)
            if similarity >= self.threshold and (best is None or similarity > best.similarity):
                best = NearDuplicate(row.key, other.key, similarity)
        return best

    def _candidates(self, shingles: Shingles) -> set[int]:
        return {place for s in self._rarest(shingles) for place in self.places.get(s, ())}

    def _rarest(self, shingles: Shingles) -> Iterator[str]:
        ordered = sorted(shingles, key=lambda shingle: (self.frequency[shingle], shingle))
        least_shared = math.ceil(self.threshold * len(ordered) - ROUNDING)
        length = len(ordered) - least_shared + 1
        return iter(ordered[:length])
