"""The history to rehearse on: a team's file, or scikit-learn's digits as images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from retraining.demo_data.postcode_desk import digit_rows
from retraining.rehearsal.corpus import Corpus, LabeledRow, read_corpus
from retraining.rehearsal.inputs import canonical_form
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.splitting import Parts, Wanted, split_history
from retraining.words import count_of


def read_history(options: RehearsalOptions) -> Parts:
    """Every row in the part it plays; the same seed gives the same parts."""
    data = _digits() if options.data is None else _read(options, options.data)
    test = None if options.test is None else _read(options, options.test)
    wanted = Wanted(
        new_class_count=options.new_class_count,
        new_class_names=options.new_classes,
        new_share=options.new_share,
        # Letters can be mistyped, images cannot.
        typos=0.0 if options.digits else options.typos,
        base=options.base,
        frozen=options.frozen,
        seed=options.seed,
    )
    parts = split_history(
        data.rows, wanted=wanted, canonical=canonical_form, test=test.rows if test else None
    )
    told = [*_left_out(options.data, data), *_left_out(options.test, test)]
    return replace(parts, notes=(*parts.notes, *told))


def _digits() -> Corpus:
    return Corpus(tuple(LabeledRow(row.png, row.label) for row in digit_rows()))


def _read(options: RehearsalOptions, path: Path) -> Corpus:
    return read_corpus(
        path,
        input_column=options.input_column,
        label_column=options.label_column,
        segment_columns=options.segment_columns,
    )


def _left_out(path: Path | None, corpus: Corpus | None) -> Iterator[str]:
    if path is not None and corpus is not None and corpus.left_out:
        rows = count_of(corpus.left_out, "row")
        yield f"Left out of {path.name}, without an input or a label: {rows}."
