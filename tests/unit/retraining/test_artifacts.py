"""Model files are opened only when they are what a trusted manifest says."""

import copy
import io
import os
import zipfile

import pytest
import skops.io
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from retraining import artifacts
from retraining.artifacts import PackedArtifact, load_pipeline, open_artifact, pack
from retraining.signatures import ArtifactRefused, sign, verify

KEYS = {"2026a": b"a key of thirty-two random bytes", "2025": b"the one from the year before that"}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    made = Pipeline([("features", CountVectorizer()), ("model", LogisticRegression())])
    return made.fit(["hello there", "good bye"], ["greeting", "parting"])


@pytest.fixture(scope="module")
def packed(pipeline: Pipeline) -> PackedArtifact:
    return pack(pipeline, trainer="text", facts={"dataset": 7}, key_id="2026a", keys=KEYS)


def test_what_was_packed_opens_and_answers(packed: PackedArtifact) -> None:
    opened = open_artifact(packed.content, packed.manifest, keys=KEYS)

    assert opened.predict(["hello"]).tolist() == ["greeting"]


def test_the_manifest_carries_what_is_known_about_the_model(packed: PackedArtifact) -> None:
    assert packed.manifest["facts"] == {"dataset": 7}
    assert packed.manifest["size"] == len(packed.content)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trainer", "image"),
        ("digest", "0" * 64),
        ("size", 1),
        ("facts", {"dataset": 8}),
        ("key_id", "2025"),
        ("signature", "0" * 64),
        ("signature", "ü"),
        ("format", "another"),
        ("size", "one"),
        ("facts", None),
    ],
)
def test_a_manifest_changed_in_any_field_is_refused(
    packed: PackedArtifact, field: str, value: object
) -> None:
    changed = {**copy.deepcopy(packed.manifest), field: value}

    with pytest.raises(ArtifactRefused):
        open_artifact(packed.content, changed, keys=KEYS)


@pytest.mark.parametrize("extra", [{"more": 1}, {}])
def test_a_manifest_with_other_fields_is_refused(
    packed: PackedArtifact, extra: dict[str, object]
) -> None:
    without = {name: value for name, value in packed.manifest.items() if name != "size"}

    with pytest.raises(ArtifactRefused, match="fields"):
        verify(packed.content, {**without, **extra}, keys=KEYS)


def test_a_file_changed_by_one_bit_is_refused(packed: PackedArtifact) -> None:
    changed = bytes([packed.content[0] ^ 1]) + packed.content[1:]

    with pytest.raises(ArtifactRefused, match="not the one that was signed"):
        open_artifact(changed, packed.manifest, keys=KEYS)


def test_nothing_is_opened_before_the_signature_and_the_hash_are_checked(
    packed: PackedArtifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(artifacts, "load_pipeline", lambda *a, **k: opened.append(a))

    for content, keys in ((packed.content + b"x", KEYS), (packed.content, {"2026a": b"x" * 32})):
        with pytest.raises(ArtifactRefused):
            open_artifact(content, packed.manifest, keys=keys)

    assert opened == []


def test_a_file_signed_with_an_older_key_opens_while_that_key_is_kept(pipeline: Pipeline) -> None:
    old = pack(pipeline, trainer="text", facts={}, key_id="2025", keys=KEYS)

    open_artifact(old.content, old.manifest, keys=KEYS)
    with pytest.raises(ArtifactRefused, match="'2025', which is not among the keys"):
        open_artifact(old.content, old.manifest, keys={"2026a": KEYS["2026a"]})


def test_a_short_key_does_not_sign() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        sign(b"", trainer="text", facts={}, key_id="k", keys={"k": b"short"})


def test_facts_that_are_no_json_are_not_signed() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        sign(b"", trainer="text", facts={"loss": float("nan")}, key_id="2026a", keys=KEYS)


def test_a_signed_file_with_a_function_in_it_is_still_not_opened(pipeline: Pipeline) -> None:
    evil = Pipeline([("features", FunctionTransformer(os.system)), ("model", pipeline["model"])])
    packed = pack(evil, trainer="text", facts={}, key_id="2026a", keys=KEYS)

    with pytest.raises(ArtifactRefused, match="not trusted"):
        open_artifact(packed.content, packed.manifest, keys=KEYS)


def archive_of(**entries: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an archive",
        archive_of(),
        archive_of(**{"schema.json": "{}"}),
        archive_of(**{"schema.json": "no json"}),
        archive_of(**{"schema.json": '{"__class__": "dict", "__module__": "builtins"}'}),
    ],
)
def test_what_is_no_model_file_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactRefused):
        load_pipeline(content, trainer="text")


def test_an_object_that_gives_no_probabilities_is_refused() -> None:
    with pytest.raises(ArtifactRefused, match="pipeline"):
        load_pipeline(skops.io.dumps(CountVectorizer()), trainer="text")


def test_a_file_that_unpacks_without_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LARGEST_UNPACKED", 1_000)

    with pytest.raises(ArtifactRefused, match="too large"):
        load_pipeline(archive_of(**{"schema.json": "x" * 2_000}), trainer="text")


def test_a_trainer_nobody_knows_is_refused(packed: PackedArtifact) -> None:
    with pytest.raises(ArtifactRefused, match="unknown here"):
        load_pipeline(packed.content, trainer="os.system")
