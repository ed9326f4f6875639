"""A team's own labeled rows: training rows, test sets, and what keeps the two apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedback.models import Import
from jobs.clock import SetClock
from jobs.running import drain_jobs
from labeling.annotating import submit_annotation
from labeling.answers import class_answer
from labeling.claims import lease_next_slot
from labeling.models import GroundTruth, Item, ItemSource
from labeling.queueing import queue_input
from labeling.row_imports import RowMapping, start_row_import
from projects.errors import Invalid
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

TRAINING, EVALUATION = Import.Kind.TRAINING, Import.Kind.EVALUATION


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def bring_in(
    team: Team,
    clock: SetClock,
    *rows: tuple[str, str],
    kind: str = TRAINING,
    content: bytes = b"",
    **changes: Any,
) -> Import:
    """The import of these rows of text and label, after its job has run."""
    return bring_in_all(team, clock, *rows, kind=kind, content=content, **changes)[0]


def bring_in_all(
    team: Team,
    clock: SetClock,
    *rows: tuple[str, str],
    kind: str = TRAINING,
    content: bytes = b"",
    **changes: Any,
) -> list[Import]:
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    imports = start_row_import(
        project=team.project,
        kind=kind,
        content=content or "\n".join(lines).encode(),
        file_name="rows.csv" if content else "rows.jsonl",
        mapping=RowMapping(input="text", label="label", **changes),
        by=team.ed,
        at=clock.at,
    )
    drain_jobs()
    return [Import.objects.get(pk=imported.pk) for imported in imports]


def test_training_rows_are_resolved_items_for_training_only(team: Team, clock: SetClock) -> None:
    imported = bring_in(
        team, clock, *[(f"text {n}", "billing") for n in range(40)], trained_on=True
    )

    items = Item.objects.select_related("truth__answer")
    assert imported.accepted == 40
    assert {(item.use, item.state, item.queue) for item in items} == {("train", "resolved", None)}
    assert {item.truth.answer.name for item in items if item.truth and item.truth.answer} == {
        "billing"
    }
    assert {truth.method for truth in GroundTruth.objects.all()} == {"import"}
    assert ItemSource.objects.filter(kind="import", reference=imported.pk).count() == 40
    assert imported.mapping["trained_on"] is True


def test_a_test_set_is_for_evaluation_only(team: Team, clock: SetClock) -> None:
    bring_in(team, clock, *[(f"text {n}", "billing") for n in range(40)], kind=EVALUATION)

    assert set(Item.objects.values_list("use", flat=True)) == {"evaluation"}


def test_segments_and_context_come_with_the_row(team: Team, clock: SetClock) -> None:
    content = b"text,label,language,page\nhello,billing,en,home\nhallo,billing,,\n"

    bring_in(team, clock, content=content, segments=["language"], context=["page"])

    first, second = Item.objects.order_by("id")
    assert (first.segments, first.context) == ({"language": "en"}, {"page": "home"})
    assert (second.segments, second.context) == ({}, {"page": ""})


def test_a_test_row_equal_to_a_training_row_is_refused_and_counted(
    team: Team, clock: SetClock
) -> None:
    bring_in(team, clock, ("Where is my parcel?", "delivery"), ("other", "billing"))

    imported = bring_in(
        team, clock, ("  where IS my   parcel? ", "delivery"), ("new", "refund"), kind=EVALUATION
    )

    assert (imported.accepted, imported.refused) == (1, 1)
    assert imported.problems == [
        {
            "line": 1,
            "reason": "the same input is known for train, so it is never used for evaluation.",
        }
    ]
    assert Item.objects.filter(use="evaluation").count() == 1


def test_a_training_row_equal_to_a_test_row_is_refused_too(team: Team, clock: SetClock) -> None:
    bring_in(team, clock, ("Where is my parcel?", "delivery"), kind=EVALUATION)

    imported = bring_in(team, clock, ("where is my parcel?", "delivery"))

    assert (imported.accepted, imported.refused) == (0, 1)
    assert not Item.objects.filter(use="train").exists()


def test_the_same_file_again_changes_nothing(team: Team, clock: SetClock) -> None:
    rows = [("a", "billing"), ("b", "refund")]
    bring_in(team, clock, *rows)

    again = bring_in(team, clock, *rows)

    assert (again.accepted, again.duplicates, again.problems) == (0, 2, [])
    assert Item.objects.count() == GroundTruth.objects.count() == 2


def test_a_row_that_contradicts_an_earlier_one_is_told(team: Team, clock: SetClock) -> None:
    bring_in(team, clock, ("a", "billing"))

    imported = bring_in(
        team, clock, ("a", "refund"), ("b", "billing"), ("B", "billing"), ("b ", "refund")
    )

    assert (imported.accepted, imported.duplicates, imported.conflicts) == (1, 1, 2)
    assert [(told["line"], told["reason"]) for told in imported.problems] == [
        (1, "the same input has been accepted as 'billing'."),
        (4, "the same input is 'billing' in line 2."),
    ]


def test_an_input_in_a_queue_gets_its_answer_from_there(team: Team, clock: SetClock) -> None:
    text = next(
        text
        for text in map(str, range(100))
        if queue_input(
            project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
        ).use
        == "train"
    )

    imported = bring_in(team, clock, (text, "billing"))

    assert imported.conflicts == 1
    assert "waits for its answer in a queue" in imported.problems[0]["reason"]


def test_an_input_that_people_have_answered_alike_is_a_duplicate(
    team: Team, clock: SetClock
) -> None:
    for text in map(str, range(100)):
        item = queue_input(
            project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
        )
        lease = lease_next_slot(queue=team.queue, annotator=team.bob, at=clock.at)
        assert lease is not None
        submit_annotation(lease=lease, answer=class_answer(team.project, "billing"), at=clock.at)
        if item.use == "train":
            break

    imported = bring_in(team, clock, (text, "billing"))

    assert (imported.accepted, imported.duplicates) == (0, 1)


def test_an_unknown_class_is_refused_with_what_to_do(team: Team, clock: SetClock) -> None:
    imported = bring_in(team, clock, ("a", "billing"), ("b", "telex"))

    assert (imported.accepted, imported.rejected) == (1, 1)
    assert "'telex' is not a class of this project" in imported.problems[0]["reason"]
    assert "add classes" in imported.problems[0]["reason"]


def test_an_unknown_class_is_added_where_that_was_asked_for(team: Team, clock: SetClock) -> None:
    imported = bring_in(team, clock, ("b", "telex"), ("c", " telex  "), add_classes=True)

    assert imported.accepted == 2
    assert team.project.classes.filter(name="telex", accepted_at=clock.at).exists()


def test_a_retired_class_is_refused(team: Team, clock: SetClock) -> None:
    team.project.classes.filter(name="refund").update(retired_at=clock.at)

    imported = bring_in(team, clock, ("b", "refund"), add_classes=True)

    assert "the class 'refund' is retired" in imported.problems[0]["reason"]


def test_bad_rows_are_told_by_their_line_and_cost_no_other(team: Team, clock: SetClock) -> None:
    content = (
        b"text,label,page\n,billing,x\nno label,,x\nshort\nnul,billing,a\x00b\ngood,billing,x\n"
    )

    imported = bring_in(team, clock, content=content, context=["page"])

    assert (imported.accepted, imported.rejected) == (1, 4)
    assert [problem["line"] for problem in imported.problems] == [2, 3, 4, 5]


def test_a_line_may_leave_out_a_segment(team: Team, clock: SetClock) -> None:
    rows = [{"text": "hi", "label": "billing", "lang": "en"}, {"text": "ho", "label": "billing"}]
    content = "\n".join(map(json.dumps, rows)).encode()

    imported = bring_in(team, clock, content=content, segments=["lang"], context=["lang"])

    assert (imported.rejected, imported.accepted) == (0, 2)
    assert Item.objects.latest("pk").context == {}


def test_an_object_is_no_class(team: Team, clock: SetClock) -> None:
    rows = [json.dumps({"text": "hi", "label": label}) for label in ({"is": "billing"}, "billing")]

    imported = bring_in(team, clock, content="\n".join(rows).encode())

    assert (imported.rejected, imported.accepted) == (1, 1)
    assert "stands where a text is expected" in imported.problems[0]["reason"]


def test_a_column_may_say_which_rows_the_live_model_knows(team: Team, clock: SetClock) -> None:
    content = b"text,label,used\na,billing,yes\nb,billing,0\nc,billing,\nd,billing,perhaps\n"

    known, new = bring_in_all(team, clock, content=content, trained_on_column="used")

    assert known.mapping["trained_on"] is True
    assert new.mapping["trained_on"] is False
    assert (known.accepted, known.rejected) == (1, 0)
    assert (new.accepted, new.rejected) == (2, 1)
    assert new.problems == [{"line": 5, "reason": "used: say yes or no."}]
    source = ItemSource.objects.get(reference=known.pk)
    assert source.item.input == {"text": "a"}


def test_rows_the_live_model_was_trained_on_cannot_be_a_test_set(
    team: Team, clock: SetClock
) -> None:
    with pytest.raises(Invalid, match="cannot measure it"):
        bring_in(team, clock, ("a", "billing"), kind=EVALUATION, trained_on=True)


def test_a_file_without_the_named_column_is_refused(team: Team, clock: SetClock) -> None:
    with pytest.raises(Invalid, match="no column 'label'"):
        bring_in(team, clock, content=b"text,class\na,b\n")


def test_the_number_of_rows_does_not_change_the_number_of_queries(
    team: Team, clock: SetClock, django_assert_max_num_queries: Any
) -> None:
    rows = [(f"text {n}", "billing") for n in range(300)]

    with django_assert_max_num_queries(60):
        bring_in(team, clock, *rows)
