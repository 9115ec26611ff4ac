"""A paper in the form that was asked for, and what that depends on beside the paper."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from reports.documents import pages, typesetting
from reports.documents.paper import Paper
from reports.documents.words import Words
from reports.documents.workbook import workbook

LIBRARIES = ("segno", "typst", "xlsxwriter")


def render(paper: Paper, words: Words, form: str) -> bytes:
    """The bytes of a form: the same for the same paper.

    Raises
    ------
    reports.documents.typesetting.NotTypeset
        If no pages come of it in the time and size there is, or too many are at it already.
    """
    if form == "xlsx":
        # Of a hundred thousand figures it takes half a gigabyte for a quarter of a minute.
        with typesetting.turn():
            return workbook(paper, words)
    return typesetting.pdf(pages.of(paper, words))


@cache
def program() -> str:
    """Digest of what makes documents: sources, words, the page's layout, and libraries."""
    found = hashlib.sha256()
    for name in LIBRARIES:
        found.update(f"{name} {version(name)}\n".encode())
    folder = Path(__file__).parent
    for path in sorted(one for one in folder.rglob("*") if one.suffix in {".py", ".toml", ".typ"}):
        found.update(path.read_bytes())
    return found.hexdigest()
