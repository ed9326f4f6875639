"""Repeatable randomness for simulations and demo data; never for keys or tokens."""

from __future__ import annotations

import random


def seeded_chance(*parts: object) -> random.Random:
    """The same parts give the same numbers, on every machine."""
    return random.Random(" ".join(map(str, parts)))  # noqa: S311  Simulation, no secret.
