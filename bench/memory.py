"""How much memory a process held at most."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mb(status: Path = Path("/proc/self/status")) -> float:
    """Most memory that this process held so far. [MB, of 10⁶ bytes]

    Linux keeps in ``ru_maxrss`` what the process was before it became this program, which is the
    size of its parent; where it tells the program's own peak, that is taken.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def now_mb(statm: Path = Path("/proc/self/statm")) -> float:
    """Memory that this process holds, or the most it held where only that is told. [MB]"""
    try:
        pages = int(statm.read_text().split()[1])
    except OSError:
        return peak_mb()
    return pages * resource.getpagesize() / 1e6
