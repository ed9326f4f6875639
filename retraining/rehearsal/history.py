"""The history to rehearse on: a team's file, or scikit-learn's digits as images."""

from __future__ import annotations

from retraining.demo_data.postcode_desk import digit_rows
from retraining.rehearsal.corpus import LabelledRow, read_corpus
from retraining.rehearsal.inputs import canonical_form
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.splitting import Parts, Wanted, split_history


def read_history(options: RehearsalOptions) -> Parts:
    """Every row in the part it plays; the same seed gives the same parts."""
    rows = _rows(options, options.data)
    test = _rows(options, options.test) if options.test else None
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
    return split_history(rows, wanted=wanted, canonical=canonical_form, test=test)


def _rows(options: RehearsalOptions, path: object) -> tuple[LabelledRow, ...]:
    if options.digits or options.data is None:
        return tuple(LabelledRow(row.png, row.label) for row in digit_rows())
    return read_corpus(
        options.test if path is options.test and options.test else options.data,
        input_column=options.input_column,
        label_column=options.label_column,
        segment_columns=options.segment_columns,
    ).rows
