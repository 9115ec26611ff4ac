"""The process that typesets: a document as JSON on stdin, a PDF on stdout. Imports nothing of ours.

What a document says reaches the pages as data (``sys.inputs``): a name with signs of typst's markup
is a name with signs.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Final

import typst

TEMPLATE = Path(__file__).with_name("report.typ")
MEMORY_BYTES, SECONDS = 3 * 2**30, 60
# Kept for ever, as a report is: with all that it needs inside, tagged, and the signed file in it.
ARCHIVED: Final = "a-3a"


def main() -> None:
    """Typeset what is on stdin."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    told = sys.stdin.buffer.read().decode()
    made_at = int(json.loads(told)["made_at"])
    compiler = typst.Compiler(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        # The fonts that typst carries within itself have every letter of Kazakh: the same pages on
        # every machine.
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=True),
        sys_inputs={"document": told},
    )
    try:
        pages = compiler.compile(format="pdf", timestamp=made_at, pdf_standards=[ARCHIVED])
    except typst.TypstError as error:
        # A name with a sign that no font here has is no reason to be without pages: it shows as a
        # box, which the standard does not allow.
        if "could not be displayed" not in f"{error.message} {error.diagnostic}":
            raise
        pages = compiler.compile(format="pdf", timestamp=made_at)
    assert isinstance(pages, bytes)  # noqa: S101 - of one file, as PDF is
    sys.stdout.buffer.write(pages)


if __name__ == "__main__":
    main()
