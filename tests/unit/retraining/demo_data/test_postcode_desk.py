"""Which digit is this?"""

import io
from collections import Counter

import pandas as pd
from PIL import Image

from retraining.demo_data.postcode_desk import digit_rows, digits_by_class
from retraining.trainers import TRAINERS


def test_all_digits_are_there_as_small_grey_images() -> None:
    rows = digit_rows()

    assert len(rows) == 1_797
    assert {row.label for row in rows} == set("0123456789")
    with Image.open(io.BytesIO(rows[0].png)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (8, 8))


def test_ink_is_dark_and_paper_is_white() -> None:
    with Image.open(io.BytesIO(digit_rows()[0].png)) as image:
        assert image.getpixel((0, 0)) == 255
        assert min(image.tobytes()) < 20


def test_the_same_seed_gives_the_same_order_and_another_another() -> None:
    assert digits_by_class(seed=3) == digits_by_class(seed=3)
    assert digits_by_class(seed=3) != digits_by_class(seed=4)


def test_a_champion_without_eight_and_nine_takes_a_nine_for_a_three() -> None:
    by_class = digits_by_class()
    trainer = TRAINERS["image"]
    rows = [(d.png, label) for label in "01234567" for d in by_class[label][:60]]
    pipeline = trainer.fit(
        pd.DataFrame(rows, columns=["input", "label"]),
        parameters={},
        seed=0,
        report=lambda step, share, note: None,
    )

    nines = Counter(trainer.answer(pipeline, [d.png for d in by_class["9"]]).labels)

    assert nines["3"] / nines.total() > 0.5
