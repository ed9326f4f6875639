"""Which language team gets this message?"""

from collections import Counter

import pandas as pd
import pytest

from projects.task_types.text_classification import canonical_text
from retraining.demo_data.language_desk import KNOWN, NEW, CatalogMessage, language_messages
from retraining.trainers import TRAINERS

EACH = 100


@pytest.fixture(scope="module")
def messages() -> dict[str, list[CatalogMessage]]:
    return language_messages(seed=0)


def test_every_language_has_enough_messages(messages: dict[str, list[CatalogMessage]]) -> None:
    assert set(messages) == {*KNOWN, *NEW}
    assert all(len(found) > 180 for found in messages.values())


def test_only_messages_of_three_words_without_placeholders(
    messages: dict[str, list[CatalogMessage]],
) -> None:
    for message in (m for found in messages.values() for m in found):
        assert len(message.text.split()) >= 3
        assert not set(message.text) & set("%{}<>")


def test_no_message_occurs_twice_in_any_language(
    messages: dict[str, list[CatalogMessage]],
) -> None:
    forms = Counter(canonical_text(m.text) for found in messages.values() for m in found)

    assert set(forms.values()) == {1}


def test_the_part_of_django_and_the_length_are_segments(
    messages: dict[str, list[CatalogMessage]],
) -> None:
    apps = {message.app for message in messages["German"]}

    assert {"conf", "admin", "auth"} <= apps
    for found in messages.values():
        long = sum(message.length == "long" for message in found) / len(found)
        assert 0.2 < long < 0.7


def test_the_same_seed_gives_the_same_order_and_another_another(
    messages: dict[str, list[CatalogMessage]],
) -> None:
    assert language_messages(seed=0) == messages
    assert language_messages(seed=1)["German"] != messages["German"]


def test_a_hundred_of_each_make_a_good_model_that_is_lost_in_new_markets(
    messages: dict[str, list[CatalogMessage]],
) -> None:
    rows = [(m.text, language) for language in KNOWN for m in messages[language][:EACH]]
    trainer = TRAINERS["text"]
    pipeline = trainer.fit(
        pd.DataFrame(rows, columns=["input", "label"]),
        parameters={},
        seed=0,
        report=lambda step, share, note: None,
    )
    rest = [(m.text, language) for language in KNOWN for m in messages[language][EACH:]]

    known = trainer.answer(pipeline, [text for text, _ in rest])
    new = trainer.answer(pipeline, [m.text for name in NEW for m in messages[name]])

    right = sum(said == truth for said, (_, truth) in zip(known.labels, rest, strict=True))
    assert right / len(rest) >= 0.9
    assert sum(new.confidences) / len(new.confidences) < 0.45
