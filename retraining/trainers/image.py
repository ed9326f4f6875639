"""Small grey images: pixels, a kernel approximation and logistic regression."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import Pipeline

from projects.errors import Invalid
from retraining.trainer_catalog import IMAGE, Value
from retraining.trainers.base import Answers, Report
from retraining.trainers.fitting import answer_in_parts, check_rows, fit_linear

MOST_PIXELS = 16_000_000  # Larger than any input that the product stores.
REACH = 20.0  # Measured on digits; divided by the pixel count so that it fits every side.


class ImageTrainer:
    """Grey pixels, Nystroem's map of an RBF kernel, logistic regression.

    Williams and Seeger 2001, "Using the Nystroem method to speed up kernel machines": as good as
    the kernel machine on small images, with probabilities, and linear in the number of rows.
    """

    entry = IMAGE
    slug = entry.slug
    title = entry.title

    def fit(
        self,
        frame: pd.DataFrame,
        *,
        parameters: Mapping[str, Value],
        seed: int,
        report: Report,
    ) -> Pipeline:
        check_rows(frame)
        chosen = self.entry.clean_parameters(parameters)
        report("features", 0.05, "Reading the images.")
        side = int(chosen["side"])
        pixels = read_pixels(frame["input"].tolist(), side=side)
        kernel = Nystroem(
            gamma=REACH * float(chosen["reach"]) / side**2,
            n_components=min(int(chosen["landmarks"]), len(pixels)),
            random_state=seed,
        )
        mapped = kernel.fit_transform(pixels)
        report("model", 0.3, f"{mapped.shape[0]} rows, {mapped.shape[1]} landmarks.")
        model = fit_linear(
            mapped,
            frame["label"],
            inverse_penalty=float(chosen["inverse_penalty"]),
            balance=float(chosen["balance"]),
            report=report,
        )
        report("model", 1.0, "")
        return Pipeline([("features", kernel), ("model", model)])

    def answer(self, pipeline: Pipeline, inputs: Sequence[str | bytes]) -> Answers:
        side = round(pipeline.n_features_in_**0.5)
        return answer_in_parts(pipeline, read_pixels(inputs, side=side))


def read_pixels(inputs: Sequence[str | bytes], *, side: int) -> NDArray[np.float64]:
    pixels = np.empty((len(inputs), side * side), dtype=np.float64)
    for number, content in enumerate(inputs):
        pixels[number] = _read_image(content, number=number, side=side)
    return pixels


def _read_image(content: str | bytes, *, number: int, side: int) -> NDArray[np.float64]:
    if not isinstance(content, bytes):
        raise Invalid(f"Input {number} is not the bytes of an image.")
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Invalid(f"Input {number} has more than {MOST_PIXELS} pixels.")
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise Invalid(f"Input {number} is not an image that can be read.") from error
    if grey.size != (side, side):
        grey = grey.resize((side, side), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float64).ravel() / 255
