"""What a measurement was made on: a number of rows a second means little without it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Machine(NamedTuple):
    """The computer, and the Python that ran the measurement."""

    cpu: str
    cores: int  # that this process may use
    system: str
    python: str


def this_machine() -> Machine:
    """Look at the machine we run on."""
    return Machine(
        cpu=_cpu_model(),
        cores=_cores(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def packages(*names: str) -> dict[str, str]:
    """Versions of installed packages whose speed is in a measurement."""
    return {name: importlib.metadata.version(name) for name in names}


def server_of(machine: Mapping[str, Any]) -> str:
    """The database that a report names beside its machine."""
    server = f"PostgreSQL {machine['postgresql']}"
    if "timescaledb" in machine:
        return f"TimescaleDB {machine['timescaledb']} on {server}"
    return server


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: what a container leaves us
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model(path: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()
