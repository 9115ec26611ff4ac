"""Write the OpenAPI document to a file, for programs that make types of it.

``python -m api.document FILE``; needs no database.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from api.app import make_app
from storage.database import make_engine


def document() -> dict[str, Any]:
    """The document as the API answers it."""
    return make_app(make_engine("postgresql://nobody@127.0.0.1:1/none")).openapi()  # never asked


def write(file: Path) -> bool:
    """Write the document where it differs from what is there; whether it did."""
    text = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return False
    file.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    write(Path(sys.argv[1]))
