"""What every trainer provides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from retraining.trainer_catalog import TrainerEntry, Value

Report = Callable[[str, float, str], None]  # Step, share of the whole work done, note.


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer per input; `scores` has a row per input and a column per class."""

    classes: tuple[str, ...]
    labels: list[str]
    confidences: list[float]
    scores: NDArray[np.float64]


class Trainer(Protocol):
    """Fits pipelines and answers with them; the same seed and rows give the same pipeline."""

    @property
    def slug(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def entry(self) -> TrainerEntry: ...

    def fit(
        self,
        frame: pd.DataFrame,
        *,
        parameters: Mapping[str, Value],
        seed: int,
        report: Report,
    ) -> Pipeline:
        """Learn from the columns `input` and `label`; raises Invalid with what is missing."""
        ...

    def answer(self, pipeline: Pipeline, inputs: Sequence[str | bytes]) -> Answers:
        """Answer every input; labels are among the classes the pipeline was fitted on."""
        ...
