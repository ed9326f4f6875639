"""Progress as JSON lines on stdout; the end of a program as an exit code and a last line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from projects.errors import DomainError
from retraining.programs.contract import EXIT_MEMORY, EXIT_REFUSED


def report(step: str, share: float, note: str = "") -> None:
    """One line for the parent; the share is of the whole program."""
    sys.stdout.write(json.dumps({"step": step, "share": round(share, 4), "note": note}) + "\n")
    sys.stdout.flush()


def run(program: Callable[[Path, Path], None]) -> int:
    """Call the program with its two folders; bad data and no memory end it in a named way."""
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m retraining.programs.NAME DIR_IN DIR_OUT\n")
        return EXIT_REFUSED
    try:
        program(Path(sys.argv[1]), Path(sys.argv[2]))
    except MemoryError:
        sys.stderr.write("MemoryError\n")
        return EXIT_MEMORY
    except (DomainError, ValueError) as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        return EXIT_REFUSED
    return 0
