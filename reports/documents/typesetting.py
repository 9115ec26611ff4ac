"""Pages as PDF: typst in a process of its own, which ends by itself or is ended.

A page with the names that people gave their fields is no program of ours: it may take all the time
and memory there is. And typst holds Python's lock, so beside the API it would stop every request.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Started as a file: typst is no part of this process.
PROCESS = Path(__file__).with_name("typst_process.py")
AT_ONCE = threading.BoundedSemaphore(2)
# Who waits holds a thread of the API: a few may, and the others are sent away at once.
IN_LINE = threading.BoundedSemaphore(12)
WAIT_S, LONGEST_S = 15.0, 30.0
LARGEST_BYTES = 32 * 2**20
BUSY = "other reports are being written: ask again in a minute"


class NotTypeset(RuntimeError):
    """No pages came of it in the time, memory or size there is; the message says why."""


def pdf(document: Mapping[str, Any]) -> bytes:
    """A document as PDF: the same bytes for the same document.

    Raises
    ------
    NotTypeset
        If it takes too long or grows too large, or too many are at it already.
    """
    with turn():
        return _typeset(json.dumps(document, ensure_ascii=False).encode())


@contextmanager
def turn() -> Iterator[None]:
    """Wait until few enough documents are being made: each takes memory and a thread.

    Raises
    ------
    NotTypeset
        If too many are at it, or that takes too long.
    """
    if not IN_LINE.acquire(blocking=False):
        raise NotTypeset(BUSY)
    try:
        if not AT_ONCE.acquire(timeout=WAIT_S):
            raise NotTypeset(BUSY)
        try:
            yield
        finally:
            AT_ONCE.release()
    finally:
        IN_LINE.release()


def _typeset(document: bytes) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROCESS)],
            input=document,
            capture_output=True,
            timeout=LONGEST_S,
            env={},  # of our secrets it needs none
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotTypeset(f"the pages took more than {LONGEST_S:.0f} s") from error
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NotTypeset(f"the pages could not be made: {' '.join(last) or done.returncode}")
    if len(done.stdout) > LARGEST_BYTES:
        raise NotTypeset(f"the pages have more than {LARGEST_BYTES // 2**20} MiB")
    return done.stdout
