"""Set this process's limits, tie it to its parent, then become the program to run.

Run by path with `python -I -S`, standard library only: `confine.py LIMITS PARENT PROGRAM...`.
Limits are set here, not between fork and exec of the parent, because the parent has threads.
"""

import ctypes
import json
import os
import resource
import signal
import sys

DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG in linux/prctl.h.


def confine(limits: dict[str, tuple[int, int]], *, parent: int) -> None:
    """Lower every named limit; a program must not outlive the worker that watches it."""
    for name, wanted in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, ceiling = resource.getrlimit(kind)
        is_open = ceiling == resource.RLIM_INFINITY
        soft, hard = (most if is_open else min(most, ceiling) for most in wanted)
        resource.setrlimit(kind, (soft, hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # It died before the line above.
            sys.exit("The worker has gone.")


if __name__ == "__main__":
    confine(json.loads(sys.argv[1]), parent=int(sys.argv[2]))
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606  # Replacing this process is the point.
