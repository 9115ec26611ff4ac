"""In which language to answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query, Response

from reports.messages import LANGUAGES, Language

DEFAULT: Language = "en"


def preferred(accept_language: str) -> Language:
    """The language of ours that an Accept-Language header (RFC 9110) likes best."""
    best, liked = DEFAULT, 0.0
    for part in accept_language.split(","):
        name, _, quality = part.strip().partition(";")
        primary = name.strip().lower().partition("-")[0]
        ours = next((one for one in LANGUAGES if one == primary), None)
        weight = _weight(quality)
        if ours is not None and weight > liked:
            best, liked = ours, weight
    return best


def _weight(quality: str) -> float:
    if not quality.strip():
        return 1.0
    name, _, value = quality.partition("=")
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip().lower() == "q" and 0.0 <= weight <= 1.0 else 0.0


def choose(
    response: Response,
    language: Annotated[
        Language | None, Query(description="of the texts; Accept-Language by default")
    ] = None,
    accept_language: Annotated[str, Header(max_length=1_000)] = "",
) -> Language:
    """The language asked for, said in the answer's headers."""
    chosen = language or preferred(accept_language)
    response.headers["Content-Language"] = chosen
    response.headers["Vary"] = "Accept-Language"
    return chosen


ChosenLanguage = Annotated[Language, Depends(choose)]
