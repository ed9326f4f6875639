"""Which digit is this? scikit-learn's handwritten digits (UCI, CC BY 4.0), as small images.

Imports scikit-learn: for workers, rehearsals and the demo's loader.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from retraining.chance import seeded_chance

DARKEST = 16  # The data's grey levels: 0 is paper, 16 is ink.


@dataclass(frozen=True, slots=True)
class DigitImage:
    """One image as PNG bytes, black ink on white, eight by eight pixels."""

    png: bytes
    label: str


def digit_rows() -> list[DigitImage]:
    """All 1,797 digits in the order of the data."""
    data = load_digits()
    return [
        DigitImage(_png(image), str(label))
        for image, label in zip(data.images, data.target, strict=True)
    ]


def digits_by_class(seed: int = 0) -> dict[str, list[DigitImage]]:
    """Each digit's images in random order; the same seed gives the same order."""
    chance = seeded_chance("postcode desk", seed)
    rows = digit_rows()
    by_class = {str(n): [row for row in rows if row.label == str(n)] for n in range(10)}
    return {label: chance.sample(images, len(images)) for label, images in by_class.items()}


def _png(image: NDArray[np.float64]) -> bytes:
    levels = (255 - image / DARKEST * 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(levels).save(out, "PNG")
    return out.getvalue()
