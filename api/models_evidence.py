"""What the API says of the tree of evidence."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from api.models import Out

_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


class HeadLine(Out):
    """The tree at a seal."""

    seal: int = Field(examples=[17])
    size: int = Field(description="entries of the tree", examples=[3_420])
    root: str = Field(description="SHA-256 in hex", examples=[_ROOT])
    sealed_at: dt.datetime
    kid: str = Field(description="of the key that signed it")
    countersignatures: int = Field(description="of witnesses")


class TreeConsistency(Out):
    """What shows that a later tree begins with an earlier one (RFC 9162, section 2.1.4)."""

    format: Literal["dala-tree-consistency/1"]
    first: int = Field(description="entries of the earlier tree", examples=[3_400])
    second: int = Field(description="of the later", examples=[3_420])
    proof: list[str] = Field(description="hashes in hex", examples=[[_ROOT]])
