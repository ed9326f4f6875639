"""The image trainer."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.pipeline import Pipeline

from projects.errors import Invalid
from retraining.trainer_catalog import Value
from retraining.trainers.image import ImageTrainer


def png(pixels: object, *, scale: int = 1) -> bytes:
    image = Image.fromarray(np.asarray(pixels, dtype=np.uint8))
    out = io.BytesIO()
    image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST).save(
        out, "PNG"
    )
    return out.getvalue()


@pytest.fixture(scope="module")
def digits() -> pd.DataFrame:
    loaded = load_digits()
    return pd.DataFrame(
        {
            "input": [png(image * 15) for image in loaded.images],
            "label": [str(digit) for digit in loaded.target],
        }
    ).sample(frac=1, random_state=0)


def fit(frame: pd.DataFrame, **parameters: Value) -> Pipeline:
    return ImageTrainer().fit(
        frame, parameters=parameters, seed=0, report=lambda step, share, note: None
    )


def test_digits_are_read_right_97_times_of_100(digits: pd.DataFrame) -> None:
    pipeline = fit(digits[:800])

    answers = ImageTrainer().answer(pipeline, digits["input"][800:].tolist())

    assert np.mean(np.array(answers.labels) == digits["label"][800:]) >= 0.97


def test_a_larger_image_of_the_same_is_the_same(digits: pd.DataFrame) -> None:
    pipeline = fit(digits[:200])
    pixels = load_digits().images[5] * 15

    answers = ImageTrainer().answer(pipeline, [png(pixels), png(pixels, scale=7)])

    assert answers.scores[0].tolist() == pytest.approx(answers.scores[1].tolist())


def test_the_side_of_the_images_can_be_chosen(digits: pd.DataFrame) -> None:
    pipeline = fit(digits[:300], side=16)

    assert pipeline["features"].n_features_in_ == 256
    assert ImageTrainer().answer(pipeline, digits["input"][:50].tolist()).labels == (
        digits["label"][:50].tolist()
    )


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n broken", b"<svg/>"])
def test_what_is_no_image_is_refused_with_its_place(digits: pd.DataFrame, content: bytes) -> None:
    pipeline = fit(digits[:50])

    with pytest.raises(Invalid, match="Input 1 is not an image"):
        ImageTrainer().answer(pipeline, [digits["input"].iloc[0], content])


def test_more_landmarks_than_rows_are_as_many_as_there_are_rows(digits: pd.DataFrame) -> None:
    pipeline = fit(digits[:30], landmarks=400)

    assert pipeline["model"].n_features_in_ == 30
