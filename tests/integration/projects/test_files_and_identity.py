"""Stored files, what "the same input" is, and what follows from that alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from jobs.clock import SetClock
from projects.errors import NotFound
from projects.files import FileDamaged, access_file, path_of, read_file, store_file
from projects.identity import code_of, draw_share, identity_of, use_of
from projects.models import Project, ProjectFile, StoredFile
from tests.people import make_team

pytestmark = pytest.mark.django_db

# `printf 'abc' | sha256sum`
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
KEY = "000102030405060708090a0b0c0d0e0f"
DRAW_OF_A = 0x5F087200197CC5A3
USE_OF_ABC = 0x8B4852E870D4AAD0


@pytest.fixture
def project(clock: SetClock) -> Project:
    return make_team(at=clock.at).project


def store(clock: SetClock, project: Project | None = None, content: bytes = b"abc") -> StoredFile:
    return store_file(content=content, media_type="text/plain", at=clock.at, project=project)


def test_a_file_is_named_by_what_it_holds_and_kept_once(project: Project, clock: SetClock) -> None:
    first, second = store(clock, project), store(clock, project)

    assert first == second
    assert (first.digest, first.size) == (ABC, 3)
    assert read_file(ABC) == b"abc"
    assert ProjectFile.objects.count() == 1


def test_no_piece_of_a_half_written_file_is_left_behind(project: Project, clock: SetClock) -> None:
    content = b"only in this test"
    stored = store(clock, project, content)

    folder = Path(default_storage.path(path_of(stored.digest))).parent

    assert [file.name for file in folder.iterdir() if file.name.startswith(".part-")] == []


def test_a_file_that_was_changed_on_the_disk_is_not_read(project: Project, clock: SetClock) -> None:
    stored = store(clock, project, b"to be damaged")
    Path(default_storage.path(path_of(stored.digest))).write_bytes(b"to be dAmaged")

    with pytest.raises(FileDamaged, match="restore it from the backup"):
        read_file(stored.digest)

    Path(default_storage.path(path_of(stored.digest))).write_bytes(b"to be damaged")


def test_a_project_sees_only_files_that_were_stored_for_it(
    project: Project, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2").project
    store(clock, project)
    store(clock)

    assert access_file(project, ABC).digest == ABC
    for outsider, digest in ((other, ABC), (project, "0" * 64)):
        with pytest.raises(NotFound):
            access_file(outsider, digest)


@pytest.mark.parametrize(
    "text",
    ["Where is it", "where  is\nit", "\uff37here is it", " WHERE IS IT\u00a0", "where\u2003is it"],
)
def test_the_same_words_are_the_same_input_however_they_are_set(
    project: Project, text: str
) -> None:
    assert identity_of(project, {"text": text}) == identity_of(project, {"text": "where is it"})


@pytest.mark.parametrize("text", ["where is it?", "whereis it", "where was it", "wo ist es"])
def test_other_words_are_another_input(project: Project, text: str) -> None:
    assert identity_of(project, {"text": text}) != identity_of(project, {"text": "where is it"})


def test_an_identity_is_the_hash_of_the_canonical_text(project: Project) -> None:
    assert identity_of(project, {"text": " ABC "}) == ABC


def test_declared_context_makes_another_input_and_other_context_does_not(
    project: Project,
) -> None:
    project.context_fields = ["country", "shop"]

    def identity(**context: object) -> str:
        return identity_of(project, {"text": "abc"}, context)

    plain = identity_of(project, {"text": "abc"})
    assert identity(country="") == identity(agent="ann") == plain
    distinct = [
        plain,
        identity(country="at"),
        identity(shop="at"),
        identity(country="at", shop="x"),
    ]
    assert len(set(distinct)) == 4
    assert identity(shop=7) == identity(shop="7")


def test_use_and_draw_are_the_published_keyed_hash(project: Project) -> None:
    """The digest's first eight bytes, of `printf 'draw:a' | openssl dgst -sha256 -mac HMAC`."""
    project.identity_key = KEY

    assert draw_share(project, "a") == pytest.approx(DRAW_OF_A / 2**64, abs=1e-15)
    project.evaluation_share = USE_OF_ABC / 2**64 * 1.0001
    assert use_of(project, identity=ABC) == "evaluation"
    project.evaluation_share = USE_OF_ABC / 2**64 * 0.9999
    assert use_of(project, identity=ABC) == "train"


def test_an_item_has_one_code_in_its_project_that_the_key_alone_tells(project: Project) -> None:
    project.identity_key = KEY
    code = code_of(project, identity=ABC)

    assert code == code_of(project, identity=ABC)
    others = [code, code_of(project, identity=ABC[::-1])]
    project.slug = "another"
    others.append(code_of(project, identity=ABC))
    project.slug, project.identity_key = "intents", KEY[::-1]
    others.append(code_of(project, identity=ABC))
    assert len(set(others)) == 4


def test_rows_of_one_group_have_one_use_whatever_they_say(project: Project) -> None:
    project.evaluation_share = 0.5
    groups = [f"customer {number}" for number in range(20)]

    uses = [
        {use_of(project, identity=f"{number:064}", group=group) for number in range(10)}
        for group in groups
    ]

    assert {len(use) for use in uses} == {1}
    assert set.union(*uses) == {"train", "evaluation"}


def test_about_the_declared_share_is_kept_for_evaluation(project: Project) -> None:
    project.identity_key = KEY
    identities = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2_000)]

    kept = sum(use_of(project, identity=identity) == "evaluation" for identity in identities)

    # 400 expected; four standard deviations of sqrt(2000 * 0.2 * 0.8) = 17.9 to either side.
    assert 328 < kept < 472


def test_a_draw_says_nothing_about_the_use(project: Project) -> None:
    project.identity_key = KEY
    names = [f"{number:064}" for number in range(2_000)]

    drawn = [name for name in names if draw_share(project, name) < 0.2]
    both = sum(use_of(project, identity=name) == "evaluation" for name in drawn)

    # A fifth of the drawn ones, give or take four standard deviations.
    assert abs(both / len(drawn) - 0.2) < 0.08
