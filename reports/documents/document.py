"""What a document says beside figures: which report, how to check it, what is left out, methods."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from reports.documents import tables
from reports.documents.contents import CONTENTS
from reports.documents.paper import Paper
from reports.documents.words import Words

METHOD_HEADS = ("method", "version", "conventions", "zones")


def title(paper: Paper, words: Words) -> str:
    """What kind of report it is."""
    return str(paper.said["title"][words.language])


def subject(paper: Paper, words: Words) -> str:
    """Of whom."""
    of = paper.said["subject"]
    return str(of["name"]) if "farm" in of else tables.area_name(of["area"], words, names_of(paper))


def names_of(paper: Paper) -> Mapping[str, Mapping[str, str]]:
    """Names of areas; of the subject those that were signed."""
    of = paper.said["subject"]
    return {**paper.names, **({of["area"]: of["names"]} if of.get("names") else {})}


def season(paper: Paper, words: Words) -> str:
    """Of when."""
    of = words.say("document.season_of", season=paper.said["season"])
    period = _days(paper, words)
    return f"{of}, {period}" if period else of


def _days(paper: Paper, words: Words) -> str:
    period = paper.said["period"]
    if period is None:
        return ""
    first = dt.date.fromisoformat(period["start"])
    last = dt.date.fromisoformat(period["end"]) - dt.timedelta(days=1)
    return words.say("document.days", first=words.day(first), last=words.day(last))


def facts(paper: Paper, words: Words) -> list[tuple[str, str]]:
    """What says which report this is."""
    said, seal = paper.said, paper.seal
    of = said["subject"]
    found = [("code", of.get("farm") or of["area"])]
    if "farm" in of:
        found.append(("area", tables.area_name(of["area"], words, names_of(paper))))
    found.append(("season", str(said["season"])))
    if period := _days(paper, words):
        found.append(("period", period))
    found.append(("as_of", words.moment(said["as_of"])))
    if seal is not None:
        number = said["revision"]
        first = words.say("document.revision_first", revision=number)
        found = [("number", said["number"]), ("revision", str(number) if number else first), *found]
        if said["reason"]:
            found.append(("reason", said["reason"]))
        found += [("filed_at", words.moment(said["filed_at"])), ("filed_by", said["filed_by"])]
        found.append(("signed_by", seal.owner or seal.kid))
        others = [
            f"{owner or kid} ({words.moment(at.isoformat())})"
            for owner, kid, at in seal.countersigned
        ]
        nobody = words.say("document.nobody")
        found.append(("countersigned_by", "; ".join(others) or nobody))
    found.append(("program", said["code"]["version"]))
    return [(words.say(f"document.{key}"), str(value)) for key, value in found]


def address(paper: Paper) -> str:
    """Where a report's file is pulled; empty where nobody said where the API is reached."""
    if paper.address is None or paper.seal is None:
        return ""
    said = paper.said
    return f"{paper.address.rstrip('/')}/v1/reports/{said['number']}?revision={said['revision']}"


def checking(paper: Paper, words: Words) -> list[str]:
    """How to check what the document shows."""
    if paper.seal is None:
        return [words.say("document.check_draft")]
    said = paper.said
    place = address(paper)
    pull = words.say("document.check_pull", address=place) if place else words.say(
        "document.check_pull_by_number", number=said["number"], revision=said["revision"]
    )  # fmt: skip
    command = f"dala verify {said['number']}.json --keys keys.json"
    evidence = f"{command} --evidence evidence.zip"
    verify = words.say("document.check_verify", command=command)
    return [
        words.say("document.check_signed"),
        pull,
        f"{verify}. {words.say('document.check_keys')}",
        words.say("document.check_evidence", command=evidence),
        words.say("document.check_digest"),
    ]


def notes(paper: Paper, words: Words) -> list[str]:
    """How the figures were made, what is left empty, and what the statement remarks."""
    said = paper.said
    content = said["content"]
    found = [words.say(f"methods.{one}") for one in CONTENTS[said["kind"]].methods]
    of_farm = "farm" in said["subject"]
    found.append(words.say(f"methods.{'suppression_farm' if of_farm else 'suppression'}"))
    results = len(content["inputs"]["season_results"])
    found.append(words.say("methods.inputs", results=results))
    return found + [words.entered("remark", one) for one in content["remarks"]]


def methods(paper: Paper) -> list[tuple[str, str, str, str]]:
    """Method, version, conventions and number of crop zones of the results."""
    return [
        (
            one["method"],
            str(one["version"]),
            _conventions(one["conventions"]),
            str(one["crop_zones"]),
        )
        for one in paper.said["content"]["methods"]
    ]


def _conventions(said: str) -> str:
    """Conventions of a manifest, JSON, as a list."""
    found = json.loads(said)
    return ", ".join(f"{name}: {_bare(value)}" for name, value in sorted(found.items()))


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def excluded(paper: Paper, words: Words) -> tuple[str, list[str], list[list[str]]]:
    """Denominators in words, and what is left out and why: heads and lines."""
    coverage = paper.said["content"]["coverage"]
    counted = words.say(
        "excluded.farms",
        reporting=coverage["farms_reporting"],
        registered=coverage["farms_registered"],
        zones=coverage["crop_zones"],
    )
    left = coverage["excluded"]
    of_farm = "farm" in paper.said["subject"]
    keys = ["field", "crop", "area", "reason", "notes"] if of_farm else ["reason", "zones", "area"]
    lines = [(_of_field if of_farm else _of_area)(one, words) for one in left]
    heads = [words.say(f"excluded.{one}") for one in keys]
    heads[keys.index("area")] += f", {words.unit('ha')}"
    return counted, heads, lines


def _of_field(one: Mapping[str, Any], words: Words) -> list[str]:
    crop, notes = words.coded("CROP", one["crop"]), "; ".join(one["notes"])
    return [one["field"], crop, _hectares(one, words), _why(one, words), notes]


def _of_area(one: Mapping[str, Any], words: Words) -> list[str]:
    empty = words.say("excluded.too_few")
    zones, hectares = one.get("crop_zones"), _hectares(one, words)
    return [_why(one, words), empty if zones is None else str(zones), hectares or empty]


def _why(one: Mapping[str, Any], words: Words) -> str:
    return words.coded("COVERAGE", one["reason"])


def _hectares(one: Mapping[str, Any], words: Words) -> str:
    return words.number(float(one["area_ha"]), "ha") if "area_ha" in one else ""
