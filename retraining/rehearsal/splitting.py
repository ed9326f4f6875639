"""Which rows of a labeled history play which part."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from projects.errors import Invalid
from retraining.chance import seeded_chance
from retraining.rehearsal.corpus import LabeledRow, drop_duplicates
from retraining.rehearsal.options import CLEAN_TRAFFIC, DRIFTED_TRAFFIC, HELD_OUT_SHARE
from retraining.rehearsal.typos import mistype_share


@dataclass(frozen=True, slots=True)
class Parts:
    """`base` trains the champion, `frozen` is for gates, `test` for the report alone."""

    known_classes: tuple[str, ...]
    new_classes: tuple[str, ...]
    base: list[LabeledRow]
    frozen: list[LabeledRow]
    clean: list[LabeledRow]
    drifted: list[LabeledRow]
    test: list[LabeledRow]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a history is to be split."""

    new_class_count: int = 0
    new_class_names: tuple[str, ...] = ()
    new_share: float = 0.15
    typos: float = 0.2
    base: int = 40
    frozen: int = 10
    seed: int = 0


def split_history(
    rows: Sequence[LabeledRow],
    *,
    wanted: Wanted,
    canonical: Callable[[str | bytes], str],
    test: Sequence[LabeledRow] | None = None,
) -> Parts:
    """Duplicates go first; the same seed gives the same parts; raises Invalid."""
    chance = seeded_chance("split", wanted.seed)
    seen: set[str] = set()
    history = _by_class(drop_duplicates(rows, canonical=canonical, seen=seen), chance)
    if test is None:
        history, held_out = _hold_out(history)
    else:
        held_out = _by_class(drop_duplicates(test, canonical=canonical, seen=seen), chance)
    new = choose_new_classes(sorted(history), wanted=wanted)
    known = tuple(label for label in sorted(history) if label not in new)
    base, frozen, rest, short = _take_base(history, known, wanted)
    known_rest = _shuffled([row for label in known for row in rest[label]], chance)
    new_rest = _shuffled([row for label in new for row in history[label]], chance)
    share = wanted.new_share if new else 0.0
    scale = min(1.0, _scale(len(known_rest), len(new_rest), share))
    clean_count, drifted_count = int(scale * CLEAN_TRAFFIC), int(scale * DRIFTED_TRAFFIC)
    clean, known_rest = known_rest[:clean_count], known_rest[clean_count:]
    drifted = _mix(known_rest, new_rest, count=drifted_count, share=share, chance=chance)
    if not drifted:
        raise Invalid("Nothing is left for traffic after base and frozen rows. Ask for fewer.")
    tested = _test_rows(held_out, known, new, share, chance)
    if not tested:
        raise Invalid("No rows are left to test on: the test data shares no class with the data.")
    return Parts(
        known_classes=known,
        new_classes=new,
        base=base,
        frozen=frozen,
        clean=clean,
        drifted=mistype_share(drifted, share=wanted.typos, chance=chance),
        test=mistype_share(tested, share=wanted.typos, chance=chance),
        notes=_notes(scale, clean_count, len(drifted), short, wanted, new),
    )


def choose_new_classes(classes: Sequence[str], *, wanted: Wanted) -> tuple[str, ...]:
    """Those named, else so many by the seed; at least two stay known."""
    unknown = sorted(set(wanted.new_class_names) - set(classes))
    if unknown:
        raise Invalid(f"{unknown[0]!r} cannot be a new class: the data has no such class.")
    chance = seeded_chance("new classes", wanted.seed)
    count = min(wanted.new_class_count, len(classes))
    new = set(wanted.new_class_names) or set(chance.sample(sorted(classes), count))
    if len(classes) - len(new) < 2:
        raise Invalid(f"Of {len(classes)} classes at least two must stay known.")
    return tuple(sorted(new))


ByClass = dict[str, list[LabeledRow]]


def _by_class(rows: Sequence[LabeledRow], chance: random.Random) -> ByClass:
    groups: ByClass = defaultdict(list)
    for row in rows:
        groups[row.label].append(row)
    return {label: _shuffled(groups[label], chance) for label in sorted(groups)}


def _hold_out(history: ByClass) -> tuple[ByClass, ByClass]:
    cut = {label: round(HELD_OUT_SHARE * len(rows)) for label, rows in history.items()}
    kept = {label: rows[cut[label] :] for label, rows in history.items()}
    return kept, {label: rows[: cut[label]] for label, rows in history.items()}


def _take_base(
    history: ByClass, known: Sequence[str], wanted: Wanted
) -> tuple[list[LabeledRow], list[LabeledRow], ByClass, list[str]]:
    """Base and frozen rows of every known class; a class with few rows gives in proportion."""
    base: list[LabeledRow] = []
    frozen: list[LabeledRow] = []
    rest: ByClass = {}
    short = []
    for label in known:
        rows = history[label]
        first = wanted.base
        if len(rows) < wanted.base + wanted.frozen:
            first = max(1, len(rows) * wanted.base // (wanted.base + wanted.frozen))
            short.append(label)
        base += rows[:first]
        frozen += rows[first : first + wanted.frozen]
        rest[label] = rows[first + wanted.frozen :]
    return base, frozen, rest, short


def _scale(known: int, new: int, share: float) -> float:
    """How much of the full traffic these rows can fill."""
    by_known = known / (CLEAN_TRAFFIC + DRIFTED_TRAFFIC * (1 - share))
    return min(by_known, new / (DRIFTED_TRAFFIC * share)) if share else by_known


def _mix(
    known: Sequence[LabeledRow],
    new: Sequence[LabeledRow],
    *,
    count: int,
    share: float,
    chance: random.Random,
) -> list[LabeledRow]:
    new_count = round(count * share)
    return _shuffled([*new[:new_count], *known[: count - new_count]], chance)


def _test_rows(
    held_out: ByClass,
    known: Sequence[str],
    new: Sequence[str],
    share: float,
    chance: random.Random,
) -> list[LabeledRow]:
    """As many as keep the shares of the drifted traffic."""
    of_known = _shuffled([row for label in known for row in held_out.get(label, [])], chance)
    of_new = _shuffled([row for label in new for row in held_out.get(label, [])], chance)
    counts = [len(of_known) / (1 - share)] if share < 1 else []
    counts += [len(of_new) / share] if share else []
    return _mix(of_known, of_new, count=int(min(counts) + 1e-9), share=share, chance=chance)


def _shuffled(rows: Sequence[LabeledRow], chance: random.Random) -> list[LabeledRow]:
    return chance.sample(rows, len(rows))


def _notes(
    scale: float,
    clean: int,
    drifted: int,
    short: Sequence[str],
    wanted: Wanted,
    new: Sequence[str],
) -> tuple[str, ...]:
    notes = []
    if scale < 1:
        notes.append(f"The data allows {clean} clean and {drifted} drifted rows of traffic only.")
    if short:
        notes.append(
            f"{len(short)} classes have fewer than {wanted.base} base and {wanted.frozen} frozen"
            " rows; they give what they have, in proportion."
        )
    if wanted.new_share and not new:
        notes.append("No class is new, so no traffic is.")
    return tuple(notes)
