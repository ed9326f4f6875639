"""Which keys sign and verify model files, and what is said where there is no file to verify."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from projects.models import ModelVersion
from retraining.model_files import check_model_file, read_model_file, signing_keys
from retraining.signatures import ArtifactRefused


@pytest.fixture(autouse=True)
def _one_key(settings: Settings) -> None:
    settings.ARTIFACT_KEY_ID, settings.ARTIFACT_KEY = "k2", "the key that signs from now on"
    settings.ARTIFACT_OLD_KEYS = {}


def test_the_key_that_signs_is_known_by_its_id() -> None:
    assert signing_keys() == {"k2": b"the key that signs from now on"}


def test_older_keys_still_verify(settings: Settings) -> None:
    settings.ARTIFACT_OLD_KEYS = {"k0": "the first: with a colon", "k1": "schlüssel"}

    assert signing_keys() == {
        "k0": b"the first: with a colon",
        "k1": "schlüssel".encode(),
        "k2": b"the key that signs from now on",
    }


def test_an_older_key_of_the_same_id_does_not_take_the_place_of_the_one_that_signs(
    settings: Settings,
) -> None:
    settings.ARTIFACT_OLD_KEYS = {"k2": "an older key of that id"}

    assert signing_keys() == {"k2": b"the key that signs from now on"}


def test_an_external_version_has_no_file_to_read() -> None:
    version = ModelVersion(name="their own", kind=ModelVersion.Kind.EXTERNAL)

    with pytest.raises(ArtifactRefused, match="their own is an external version"):
        read_model_file(version)


def test_an_external_version_may_go_live_without_a_file() -> None:
    check_model_file(ModelVersion(name="their own", kind=ModelVersion.Kind.EXTERNAL))


def test_a_file_that_is_gone_is_told_by_the_versions_name() -> None:
    version = ModelVersion(name="v2", kind=ModelVersion.Kind.TRAINED, artifact_id="0" * 64)

    with pytest.raises(ArtifactRefused, match="The model file of v2 is damaged or gone"):
        read_model_file(version)
