"""The loop as a bare scikit-learn script: floor and yardstick for rehearsals on CLINC.

    python -m bench.bare_loop loop --data data_full.json [--seeds 5]
    python -m bench.bare_loop score --train train.jsonl --test test.jsonl
    python -m bench.bare_loop corpus --data data_full.json --out FOLDER [--seed 0]

`loop` plays the whole story in memory: 128 intents of which 8 are new, 15 % new and 20 % mistyped
rows after the drift, 400 labels. `score` fits the bare pipeline on given rows and says how many of
the test rows it has right. `corpus` writes `history.csv` and `test.csv` for `manage.py rehearse`.
Nothing of the product is imported: what is measured here must not share its mistakes.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import time
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

Row = tuple[str, str]
INTENTS, NEW = 128, 8
BASE, FROZEN = 40, 10
CLEAN, DRIFTED = 1_600, 4_000
NEW_SHARE, TYPOS, LETTERS = 0.15, 0.2, 0.12
LABELS, FLAGGED, AUDITED = 400, 200, 100
RECALL, FALSE_FLAGS = 0.3, 0.02
ANNOTATORS = (0.95, 0.88, 0.80)
TO_SIMILAR = 0.6
TRAIN_SHARE = 0.8


@dataclass(frozen=True)
class Outcome:
    before: float
    after: float
    production: float
    accepted: int
    right_labels: float
    seconds: float


@dataclass(frozen=True)
class World:
    new: frozenset[str]
    base: list[Row]
    drifted: list[Row]
    test: list[Row]


def bare_pipeline() -> Pipeline:
    """Words and characters inside words; the same settings as the product's default trainer."""
    words = TfidfVectorizer(
        ngram_range=(1, 2),
        token_pattern=r"\w+|[^\w\s]+",
        lowercase=False,
        sublinear_tf=True,
        dtype=np.float32,
    )
    characters = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        lowercase=False,
        sublinear_tf=True,
        min_df=2,
        dtype=np.float32,
    )
    features = make_union(words, characters)
    features.set_params(transformer_weights={"tfidfvectorizer-1": 0.5, "tfidfvectorizer-2": 1.0})
    model = LogisticRegression(C=30, tol=2e-4, max_iter=300, class_weight="balanced")
    return make_pipeline(features, model)


def fit(rows: list[Row]) -> Pipeline:
    texts, labels = zip(*rows, strict=True)
    return bare_pipeline().fit([canonical(text) for text in texts], labels)


def accuracy(model: Pipeline, rows: list[Row]) -> float:
    texts, labels = zip(*rows, strict=True)
    return float(np.mean(model.predict([canonical(text) for text in texts]) == np.array(labels)))


def canonical(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read_clinc(path: Path, *, seed: int) -> tuple[list[Row], list[Row]]:
    """Rows of the seed's 128 intents: train and val together, and test."""
    data = json.loads(path.read_text())
    intents = sorted({label for _, label in data["train"]})
    chosen = set(random.Random(seed).sample(intents, INTENTS))
    history = [(text, label) for text, label in data["train"] + data["val"] if label in chosen]
    return history, [(text, label) for text, label in data["test"] if label in chosen]


def make_world(history: list[Row], test: list[Row], chance: random.Random) -> World:
    seen: set[str] = set()
    history = distinct(history, seen)
    chance.shuffle(history)
    new = frozenset(chance.sample(sorted({label for _, label in history}), NEW))
    taken: Counter[str] = Counter()
    base, known, unseen = [], [], []
    for row in history:
        if row[1] in new:
            unseen.append(row)
            continue
        taken[row[1]] += 1
        if taken[row[1]] <= BASE:
            base.append(row)
        elif taken[row[1]] > BASE + FROZEN:
            known.append(row)
    tested = distinct(test, seen)
    chance.shuffle(tested)
    return World(
        new=new,
        base=base,
        drifted=mistyped(mixed(known[CLEAN:], unseen, DRIFTED, chance), chance),
        test=mistyped(
            mixed(
                [row for row in tested if row[1] not in new],
                [row for row in tested if row[1] in new],
                len(tested),
                chance,
            ),
            chance,
        ),
    )


def distinct(rows: list[Row], seen: set[str]) -> list[Row]:
    kept = []
    for row in rows:
        form = canonical(row[0])
        if form not in seen:
            seen.add(form)
            kept.append(row)
    return kept


def mixed(known: list[Row], new: list[Row], most: int, chance: random.Random) -> list[Row]:
    count = int(min(most, len(new) / NEW_SHARE, len(known) / (1 - NEW_SHARE)))
    fresh = round(count * NEW_SHARE)
    rows = [*new[:fresh], *known[: count - fresh]]
    return chance.sample(rows, len(rows))


def mistyped(rows: list[Row], chance: random.Random) -> list[Row]:
    chosen = set(chance.sample(range(len(rows)), round(TYPOS * len(rows))))
    return [
        (slip(text, chance) or text if place in chosen else text, label)
        for place, (text, label) in enumerate(rows)
    ]


def slip(text: str, chance: random.Random) -> str:
    typed, place = "", 0
    while place < len(text):
        kind = chance.randrange(3) if text[place].isalpha() and chance.random() < LETTERS else None
        if kind == 0:  # Dropped.
            place += 1
        elif kind == 2:  # Swapped.
            typed += text[place + 1 : place + 2] + text[place]
            place += 2
        else:
            typed += text[place] * (2 if kind == 1 else 1)
            place += 1
    return typed


def collect_labels(world: World, model: Pipeline, chance: random.Random) -> tuple[list[Row], float]:
    """The items asked with what the annotators agree on; the second is the share right."""
    asked = choose_items(world.drifted, model, chance)
    truths = [world.drifted[place][1] for place in asked]
    similar = nearest_classes([*world.base, *world.drifted])
    answers = [agree(truth, similar, chance) for truth in truths]
    right = statistics.mean(a == t for a, t in zip(answers, truths, strict=True))
    accepted = [
        (world.drifted[place][0], answer)
        for place, answer in zip(asked, answers, strict=True)
        if chance.random() < TRAIN_SHARE  # The rest is for evaluation.
    ]
    return accepted, right


def choose_items(drifted: list[Row], model: Pipeline, chance: random.Random) -> list[int]:
    scores = model.predict_proba([canonical(text) for text, _ in drifted])
    said = model.classes_[scores.argmax(axis=1)]
    places = range(len(drifted))
    drawn = [p for p in places if chance.random() < AUDITED / len(drifted)]
    flagged = [
        p for p in places if chance.random() < (FALSE_FLAGS if said[p] == drifted[p][1] else RECALL)
    ]
    asked = dict.fromkeys(drawn)
    wanted = min(LABELS, len(asked) + FLAGGED)
    for place in chance.sample(flagged, len(flagged)):
        if len(asked) < wanted:
            asked.setdefault(place)
    for place in np.argsort(scores.max(axis=1), kind="stable"):
        if len(asked) < LABELS:
            asked.setdefault(int(place))
    return list(asked)


def nearest_classes(rows: list[Row]) -> dict[str, str]:
    by_class: dict[str, list[str]] = defaultdict(list)
    for text, label in rows:
        by_class[label].append(canonical(text))
    names = sorted(by_class)
    centroids = TfidfVectorizer().fit_transform([" ".join(by_class[name]) for name in names])
    alike = (centroids @ centroids.T).toarray()
    np.fill_diagonal(alike, -1)
    return {name: names[place] for name, place in zip(names, alike.argmax(axis=1), strict=True)}


def agree(truth: str, similar: dict[str, str], chance: random.Random) -> str:
    """More than half of the annotators, else a reviewer, who is right."""
    said = []
    for right in ANNOTATORS:
        if chance.random() < right:
            said.append(truth)
        elif chance.random() < TO_SIMILAR:
            said.append(similar[truth])
        else:
            said.append(chance.choice([name for name in similar if name != truth]))
    [(answer, votes)] = Counter(said).most_common(1)
    return answer if 2 * votes > len(said) else truth


def play(path: Path, *, seed: int) -> Outcome:
    started = time.monotonic()
    chance = random.Random(seed)
    world = make_world(*read_clinc(path, seed=seed), chance)
    champion = fit(world.base)
    accepted, right = collect_labels(world, champion, chance)
    challenger = fit([*world.base, *accepted])
    return Outcome(
        before=accuracy(champion, world.test),
        after=accuracy(challenger, world.test),
        production=accuracy(champion, world.drifted),
        accepted=len(accepted),
        right_labels=right,
        seconds=time.monotonic() - started,
    )


def write_corpus(path: Path, folder: Path, *, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("history", "test"), read_clinc(path, seed=seed), strict=True):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([("text", "intent"), *rows])


def read_rows(path: Path) -> list[Row]:
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [(row["input"], row["label"]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    loop = commands.add_parser("loop")
    loop.add_argument("--data", type=Path, required=True)
    loop.add_argument("--seeds", type=int, default=5)
    score = commands.add_parser("score")
    score.add_argument("--train", type=Path, required=True)
    score.add_argument("--test", type=Path, required=True)
    corpus = commands.add_parser("corpus")
    corpus.add_argument("--data", type=Path, required=True)
    corpus.add_argument("--out", type=Path, required=True)
    corpus.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.command == "corpus":
        write_corpus(given.data, given.out, seed=given.seed)
    elif given.command == "score":
        print(f"{accuracy(fit(read_rows(given.train)), read_rows(given.test)):.4f}")
    else:
        show_loop(given.data, seeds=given.seeds)


def show_loop(path: Path, *, seeds: int) -> None:
    print("seed  before   after  production  accepted  right labels  seconds")
    outcomes = [play(path, seed=seed) for seed in range(seeds)]
    for seed, o in enumerate(outcomes):
        print(
            f"{seed:4}   {o.before:.3f}   {o.after:.3f}       {o.production:.3f}      "
            f"{o.accepted:4}         {o.right_labels:.3f}    {o.seconds:5.0f}"
        )
    before = statistics.mean(o.before for o in outcomes)
    after = statistics.mean(o.after for o in outcomes)
    print(f"mean   {before:.3f}   {after:.3f}   gain {after - before:.3f}")


if __name__ == "__main__":
    main()
