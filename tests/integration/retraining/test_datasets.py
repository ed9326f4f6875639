"""Approved rows become an immutable dataset version: what is new, on top of what was there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.models import Event
from jobs.clock import SetClock
from jobs.errors import FenceLost
from labeling.models import Item
from projects.files import read_file, store_file
from projects.versions import deploy, find_champion
from retraining import batches, datasets
from retraining.datasets import fold_batch, read_manifest, read_rows
from retraining.models import Batch, DatasetRow, DatasetVersion
from retraining.proposing import propose_by_person
from retraining.querysets import DatasetRowQuerySet
from retraining.rehearsal.keeping import keep_rows
from retraining.rehearsal.traffic import Message
from retraining.revisions import newest_revision
from tests.history import correct, label_input, label_topics, texts_of
from tests.people import Team, make_team
from tests.trained import make_trained_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def held() -> None:
    """The run still owns its job."""


def approved(team: Team, clock: SetClock) -> Batch:
    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at)
    return batches.approve_batch(
        batch=batch, revision=newest_revision(batch), by=team.lena, at=clock.at
    )


def fold(team: Team, clock: SetClock) -> DatasetVersion:
    return fold_batch(batch=approved(team, clock), at=clock.at, hold=held)


def go_live(team: Team, dataset: DatasetVersion, clock: SetClock) -> None:
    """A version that was trained on the dataset, whose batch is decided."""
    version = make_trained_version(team, f"v{dataset.number + 1}", at=clock.at)
    version.dataset_id = dataset.pk
    version.save()
    Batch.objects.update(state=Batch.State.PROMOTED)
    deploy(
        version=version,
        expected=find_champion(team.project),
        cause="promotion",
        at=clock.at,
        by=None,
    )


def labels(dataset: DatasetVersion) -> list[tuple[object, object]]:
    return sorted((row["input"], row["label"]) for row in read_rows(dataset))


def test_a_first_dataset_holds_the_approved_rows(team: Team, clock: SetClock) -> None:
    items = label_topics(team.project, {"refund": 2, "billing": 1}, at=clock.at)

    dataset = fold(team, clock)

    assert labels(dataset) == sorted(
        (item.input["text"], item.truth.answer.name)
        for item in Item.objects.all()
        if item.truth and item.truth.answer
    )
    assert (dataset.number, dataset.parent, dataset.row_count, dataset.added_count) == (
        1,
        None,
        3,
        3,
    )
    assert dataset.counts == {"classes": {"billing": 1, "refund": 2}}
    assert set(dataset.rows.values_list("item_id", flat=True)) == {item.pk for item in items}
    assert Event.objects.filter(name="dataset.folded", subject_id=dataset.pk).count() == 1


def test_each_row_carries_its_identity_and_segments(team: Team, clock: SetClock) -> None:
    (text,) = texts_of(team.project, "refund", use="train", count=1)
    item = label_input(
        team.project, text, "refund", at=clock.at, segments={"country": "de", "app": "shop"}
    )

    dataset = fold(team, clock)

    item.refresh_from_db()
    assert item.truth is not None
    (row,) = read_rows(dataset)
    assert (row["row_id"], row["item"]) == (str(item.truth.pk), str(item.code))
    assert row["identity"] == item.identity
    assert row["segments"] == '{"app": "shop", "country": "de"}'
    assert dataset.counts == {
        "classes": {"refund": 1},
        "segment app": {"shop": 1},
        "segment country": {"de": 1},
    }


def test_many_rows_are_several_files_and_none_is_lost(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "SHARD_ROWS", 2)
    label_topics(team.project, {"refund": 5}, at=clock.at)

    dataset = fold(team, clock)

    manifest = read_manifest(dataset)
    assert [shard.rows for shard in manifest.shards] == [2, 2, 1]
    assert len({row["row_id"] for row in read_rows(dataset)}) == 5
    assert sorted(manifest.files) == sorted(f"{shard.digest}.parquet" for shard in manifest.shards)


def test_the_next_dataset_is_its_parents_files_and_what_is_new(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    first = fold(team, clock)
    go_live(team, first, clock)
    label_topics(team.project, {"billing": 3}, at=clock.at)

    second = fold(team, clock)

    assert (second.number, second.parent, second.row_count, second.added_count) == (2, first, 5, 3)
    assert second.counts == {"classes": {"billing": 3, "refund": 2}}
    assert read_manifest(second).shards[:1] == read_manifest(first).shards
    assert len(labels(second)) == 5
    assert second.rows.count() == 3
    written = json.loads(read_file(second.manifest_id))
    assert written["parent"] == first.manifest_id


def test_a_corrected_row_of_the_parent_stands_once_with_its_new_answer(
    team: Team, clock: SetClock
) -> None:
    item, *_ = label_topics(team.project, {"refund": 2}, at=clock.at)
    first = fold(team, clock)
    go_live(team, first, clock)
    item.refresh_from_db()
    old_truth = item.truth
    assert old_truth is not None
    correct(item, "delivery", at=clock.at)

    second = fold(team, clock)

    found = dict(labels(second))
    assert (found[item.input["text"]], len(found)) == ("delivery", 2)
    assert second.superseded == [old_truth.pk]
    assert read_manifest(second).superseded == (str(old_truth.pk),)
    assert (second.row_count, second.counts) == (2, {"classes": {"delivery": 1, "refund": 1}})
    assert old_truth.pk not in truths(DatasetRow.objects.standing(second))
    assert old_truth.pk in truths(DatasetRow.objects.in_chain(second))


def truths(rows: DatasetRowQuerySet) -> set[int]:
    return set(rows.values_list("truth_id", flat=True))


def test_a_class_without_a_row_left_is_not_counted(team: Team, clock: SetClock) -> None:
    (item,) = label_topics(team.project, {"refund": 1}, at=clock.at)
    go_live(team, fold(team, clock), clock)
    correct(item, "delivery", at=clock.at)

    assert fold(team, clock).counts == {"classes": {"delivery": 1}}


def test_what_an_older_dataset_superseded_stays_out(team: Team, clock: SetClock) -> None:
    item, *_ = label_topics(team.project, {"refund": 2}, at=clock.at)
    go_live(team, fold(team, clock), clock)
    correct(item, "delivery", at=clock.at)
    go_live(team, fold(team, clock), clock)
    label_topics(team.project, {"billing": 1}, at=clock.at)

    third = fold(team, clock)

    assert dict(labels(third))[item.input["text"]] == "delivery"
    assert (third.row_count, len(labels(third))) == (3, 3)
    assert third.superseded == []
    assert len(read_manifest(third).superseded) == 1


def test_a_dataset_is_folded_once_however_often_it_is_asked_for(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = approved(team, clock)

    first = fold_batch(batch=batch, at=clock.at, hold=held)
    again = fold_batch(batch=Batch.objects.get(pk=batch.pk), at=clock.at, hold=held)

    assert first == again
    assert DatasetVersion.objects.count() == 1


def test_a_run_that_lost_its_job_leaves_no_dataset(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = approved(team, clock)

    def lost() -> None:
        raise FenceLost(7)

    with pytest.raises(FenceLost):
        fold_batch(batch=batch, at=clock.at, hold=lost)

    assert not DatasetVersion.objects.exists()
    assert Batch.objects.get(pk=batch.pk).dataset is None


def test_only_an_approved_revision_is_folded(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at)

    with pytest.raises(ValueError, match="approved"):
        fold_batch(batch=batch, at=clock.at, hold=held)


def test_datasets_of_each_project_are_numbered_by_themselves(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    for one in (team, other):
        label_topics(one.project, {"refund": 1}, at=clock.at)

    assert (fold(team, clock).number, fold(other, clock).number) == (1, 1)


def test_the_rows_kept_are_those_trained_on_and_those_tested_on(
    team: Team, clock: SetClock, tmp_path: Path
) -> None:
    (text,) = texts_of(team.project, "refund", use="train", count=1)
    label_input(team.project, text, "refund", at=clock.at)
    dataset = fold(team, clock)
    batch = Batch.objects.get(dataset=dataset)

    keep_rows(
        tmp_path / "rows" / "deeper",
        batch=batch,
        test=[Message({"text": "été à Paris"}, "delivery", {})],
    )

    folder = tmp_path / "rows" / "deeper"
    trained, tested = (
        (folder / name).read_text(encoding="utf-8") for name in ("train.jsonl", "test.jsonl")
    )
    assert [json.loads(line) for line in trained.splitlines()] == [
        {"input": text, "label": "refund"}
    ]
    assert tested == '{"input": "été à Paris", "label": "delivery"}\n'


def test_a_batch_that_came_to_no_dataset_keeps_no_rows(
    team: Team, clock: SetClock, tmp_path: Path
) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)

    keep_rows(tmp_path, batch=approved(team, clock), test=[])

    assert (tmp_path / "train.jsonl").read_text() == ""


def test_images_are_kept_in_base64(team: Team, clock: SetClock, tmp_path: Path) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    image = store_file(content=b"\x89PNG", media_type="image/png", at=clock.at)

    keep_rows(
        tmp_path,
        batch=approved(team, clock),
        test=[Message({"image": image.digest}, "7", {})],
    )

    assert json.loads((tmp_path / "test.jsonl").read_text()) == {"input": "iVBORw==", "label": "7"}
