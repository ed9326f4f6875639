"""Reading a team's labeled history."""

import json
from pathlib import Path

import pytest

from projects.errors import Invalid
from projects.task_types.text_classification import canonical_text
from retraining.rehearsal.corpus import Corpus, LabeledRow, drop_duplicates, read_corpus


def read(path: Path, content: str | bytes, **columns: object) -> Corpus:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    wanted = {"input_column": "text", "label_column": "team", **columns}
    return read_corpus(path, **wanted)  # type: ignore[arg-type]  # The tests name columns freely.


def test_named_columns_are_read_from_csv(tmp_path: Path) -> None:
    content = 'id,text,team,app\n1,"late,\nvery late",delivery,shop\n2,refund,billing,help\n'

    corpus = read(tmp_path / "a.csv", content, segment_columns=("app",))

    assert corpus.rows == (
        LabeledRow("late,\nvery late", "delivery", {"app": "shop"}),
        LabeledRow("refund", "billing", {"app": "help"}),
    )


def test_named_columns_are_read_from_jsonl_and_numbers_become_texts(tmp_path: Path) -> None:
    lines = [{"text": "late", "team": 7, "app": None}, {"text": "refund", "team": True, "app": "x"}]

    corpus = read(
        tmp_path / "a.jsonl",
        "\n\n".join(map(json.dumps, lines)),
        segment_columns=("app",),
    )

    assert [(row.label, row.segments) for row in corpus.rows] == [
        ("7", {"app": ""}),
        ("true", {"app": "x"}),
    ]


def test_rows_without_input_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    corpus = read(tmp_path / "a.csv", "text,team\nlate,delivery\n ,billing\nrefund,\nlost\n")

    assert ([row.input for row in corpus.rows], corpus.left_out) == (["late"], 3)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "\ufefftext,team\nlate,delivery\n").rows


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "text,label\nlate,delivery\n", r"no column 'team'. It has: text, label"),
        ("a.csv", "text,team,team\nlate,a,b\n", "more than one column 'team'"),
        ("a.jsonl", '{"text": "late"}', r"line 1 has no column 'team'"),
        ("a.jsonl", r'{"text": "\ud800", "team": "b"}', "line 1: .* surrogate"),
        ("a.jsonl", r'{"text": "\u0000", "team": "b"}', "line 1: .* NUL"),
        ("a.jsonl", r'{"text": "late", "team": "\u0007"}', "line 1: A class needs"),
        ("a.csv", f"text,team\nlate,{'x' * 121}\n", "line 2: .* 120"),
        ("a.csv", f"text,team\n{'x' * 100_001},b\n", "line 2: .* MAX_TEXT_CHARACTERS"),
        ("a.jsonl", '{"text": "late", "team": ["b"]}', "line 1: a list stands"),
        ("a.jsonl", '{"text": "a", "team": "b"}\n{"text": ', "line 2 is not JSON"),
        ("a.jsonl", "[1]", "line 1 is not a JSON object"),
        ("a.jsonl", "[" * 100_000, "line 1 is not JSON"),
        ("a.csv", b"text,team\nsp\xe4t,delivery\n", "line 2 is not UTF-8"),
        ("a.csv", "text,team\nla\x00te,delivery\n", "line 2 holds a NUL"),
        ("a.csv", 'text,team\n"late"x,delivery\n', "line 2: "),
        ("a.csv", f"text,team\n{'x' * 2_000_000},delivery\n", "field larger than field limit"),
        ("a.csv", "", "no row with an input and a label"),
        ("a.csv", "text,team\n", "no row with an input and a label"),
        ("a.parquet", "", "neither .csv nor .jsonl"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(
    tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        read(tmp_path / name, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"gone\.csv cannot be read: No such file"):
        read_corpus(tmp_path / "gone.csv", input_column="text", label_column="team")


def test_the_first_of_equal_inputs_is_kept_over_several_calls() -> None:
    seen: set[str] = set()

    def canonical(value: str | bytes) -> str:
        return canonical_text(str(value))

    first = drop_duplicates(
        [LabeledRow("Late  parcel", "a"), LabeledRow("late parcel", "b")],
        canonical=canonical,
        seen=seen,
    )
    second = drop_duplicates(
        [LabeledRow("LATE PARCEL", "c"), LabeledRow("refund", "d")],
        canonical=canonical,
        seen=seen,
    )

    assert [row.label for row in first + second] == ["a", "d"]


def test_a_label_is_the_class_that_it_becomes(tmp_path: Path) -> None:
    corpus = read(tmp_path / "a.csv", "text,team\nlate, very  late \n")

    assert [row.label for row in corpus.rows] == ["very late"]
