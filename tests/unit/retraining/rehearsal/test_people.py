"""How simulated annotators err."""

from collections import Counter

import pytest

from retraining.demo_data.postcode_desk import digit_rows
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.people import SimulatedAnnotators, most_similar_classes

CLASSES = ("cat", "dog", "owl", "fox", "eel")
PEOPLE = SimulatedAnnotators(
    accuracies=(0.9, 0.5), classes=CLASSES, similar=dict.fromkeys(CLASSES, "dog") | {"dog": "cat"}
)


def answers(person: int, *, truth: str = "cat", count: int = 4_000) -> Counter[str]:
    return Counter(PEOPLE.answer(person, truth=truth, key=f"item {n}") for n in range(count))


def test_each_is_right_as_often_as_they_are() -> None:
    assert answers(0)["cat"] / 4_000 == pytest.approx(0.9, abs=0.015)
    assert answers(1)["cat"] / 4_000 == pytest.approx(0.5, abs=0.025)


def test_wrong_answers_go_to_the_similar_class_and_the_rest_to_any_other() -> None:
    said = answers(1)
    wrong = sum(count for name, count in said.items() if name != "cat")

    assert said["dog"] / wrong == pytest.approx(0.6 + 0.4 / 4, abs=0.03)
    for name in ("owl", "fox", "eel"):
        assert said[name] / wrong == pytest.approx(0.4 / 4, abs=0.03)


def test_the_same_person_says_the_same_to_the_same_item() -> None:
    assert PEOPLE.answer(1, truth="cat", key="a") == PEOPLE.answer(1, truth="cat", key="a")


def test_people_err_on_different_items() -> None:
    first = [PEOPLE.answer(0, truth="cat", key=str(n)) for n in range(200)]
    second = [PEOPLE.answer(1, truth="cat", key=str(n)) for n in range(200)]

    assert first != second


def test_classes_that_share_words_are_similar() -> None:
    rows = [
        LabeledRow("refund my card payment", "refund"),
        LabeledRow("refund the card invoice", "billing"),
        LabeledRow("parcel lost by courier", "lost"),
        LabeledRow("parcel late by courier", "late"),
    ]

    assert most_similar_classes(rows) == {
        "refund": "billing",
        "billing": "refund",
        "lost": "late",
        "late": "lost",
    }


def test_images_are_compared_by_their_pixels() -> None:
    similar = most_similar_classes([LabeledRow(d.png, d.label) for d in digit_rows()])

    assert similar["9"] == "3"
    assert all(name != other for name, other in similar.items())
