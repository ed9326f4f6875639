"""Texts as thumbs type them: letters dropped, doubled or swapped."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from retraining.rehearsal.corpus import LabeledRow

LETTERS = 0.12  # Of the letters of a mistyped text.


def mistype(text: str, *, chance: random.Random, share: float = LETTERS) -> str:
    """Drop, double or swap (with what follows) each letter with the given chance."""
    typed: list[str] = []
    place = 0
    while place < len(text):
        letter, following = text[place], text[place + 1 : place + 2]
        place += 1
        if not letter.isalpha() or chance.random() >= share:
            typed.append(letter)
            continue
        slip = chance.choice(("drop", "double", "swap"))
        if slip == "double":
            typed += [letter, letter]
        elif slip == "swap":
            typed += [following, letter]
            place += len(following)
    return "".join(typed)


def mistype_share(
    rows: Sequence[LabeledRow], *, share: float, chance: random.Random
) -> list[LabeledRow]:
    """The same rows, of which exactly that share is mistyped; images stay as they are."""
    chosen = set(chance.sample(range(len(rows)), round(share * len(rows))))
    return [
        replace(row, input=_mistype_some(row.input, chance))
        if place in chosen and isinstance(row.input, str)
        else row
        for place, row in enumerate(rows)
    ]


def _mistype_some(text: str, chance: random.Random) -> str:
    """A text of a few letters may lose all of them: it then stays as it is."""
    typed = mistype(text, chance=chance)
    return typed if typed.strip() else text
