"""Where the embedded broker's unix socket is."""

import hashlib
import os
import tempfile
from pathlib import Path

LONGEST_PATH = 100  # The kernel stops at about 107 bytes, some systems a little earlier.


def broker_socket(data_dir: Path) -> Path:
    """Beside the data, or in a short private temporary folder where that path is too long."""
    path = data_dir.absolute() / "broker.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"setright-{os.getuid()}-{digest}" / "broker.sock"
