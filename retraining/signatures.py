"""Signed manifests of model files: standard library only, so every process can check one.

HMAC-SHA256 (Krawczyk, Bellare and Canetti 1997) under a key with an id: a new key signs, old keys
still verify until they are taken out of the settings. What is signed names the stored file by its
hash; dumping the same model twice gives different bytes, so there is no hash of "the model".
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, TypedDict, cast

FORMAT = "setright model manifest 1"  # Part of what is signed: no other message fits.
SHORTEST_KEY = 16


class Manifest(TypedDict):
    """What is stored beside a model file."""

    format: str
    trainer: str
    digest: str
    size: int
    facts: dict[str, Any]
    key_id: str
    signature: str


class ArtifactRefused(Exception):
    """The file is not what a trusted manifest says, or must not be opened."""


def sign(
    content: bytes,
    *,
    trainer: str,
    facts: Mapping[str, Any],
    key_id: str,
    keys: Mapping[str, bytes],
) -> Manifest:
    """A manifest for exactly these bytes; `facts` are plain JSON values."""
    manifest = Manifest(
        format=FORMAT,
        trainer=trainer,
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        facts=dict(facts),
        key_id=key_id,
        signature="",
    )
    manifest["signature"] = _signature(manifest, keys)
    return manifest


def verify(content: bytes, manifest: Mapping[str, Any], *, keys: Mapping[str, bytes]) -> Manifest:
    """Signature first, then the hash; raises ArtifactRefused."""
    checked = _parse(manifest)
    if not hmac.compare_digest(checked["signature"], _signature(checked, keys)):
        raise ArtifactRefused("The manifest's signature is wrong: it was changed after signing.")
    if hashlib.sha256(content).hexdigest() != checked["digest"]:
        raise ArtifactRefused("The model file is not the one that was signed; restore it.")
    return checked


def _parse(manifest: Mapping[str, Any]) -> Manifest:
    kinds = {
        "format": str,
        "trainer": str,
        "digest": str,
        "size": int,
        "facts": dict,
        "key_id": str,
        "signature": str,
    }
    if set(manifest) != set(kinds):
        raise ArtifactRefused("The manifest does not have the fields of a signed one.")
    for name, kind in kinds.items():
        if not isinstance(manifest[name], kind):
            raise ArtifactRefused(f"The manifest's {name} is not a {kind.__name__}.")
    if manifest["format"] != FORMAT or not manifest["signature"].isascii():
        raise ArtifactRefused("The manifest is of another format.")
    return cast(Manifest, dict(manifest))  # Fields and kinds are checked above.


def _signature(manifest: Manifest, keys: Mapping[str, bytes]) -> str:
    key = keys.get(manifest["key_id"])
    if key is None:
        raise ArtifactRefused(
            f"The manifest was signed with key {manifest['key_id']!r}, which is not among the keys."
        )
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"A signing key has at least {SHORTEST_KEY} bytes.")
    signed = {name: value for name, value in manifest.items() if name != "signature"}
    message = json.dumps(signed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.digest(key, message.encode(), "sha256").hex()
