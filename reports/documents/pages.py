"""All that pages show, as plain values in one language: the page lays them out, and no more."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import segno

from reports.documents import charts, document, tables
from reports.documents.contents import CONTENTS, Contents
from reports.documents.document import address
from reports.documents.map_of_area import of_areas
from reports.documents.map_of_farm import of_fields
from reports.documents.paper import Paper
from reports.documents.tables import GROUPS, Column, Row, Table, find
from reports.documents.words import Words
from reports.statements.columns import SUPPRESSED, Observation

MOST_COLUMNS = 8  # of a table on a page
# About what a letter takes in a table, and what stands beside a cell's text [mm].
OF_HEAD_MM, OF_CELL_MM, OF_MORE_MM, PADDING_MM = 1.75, 1.6, 1.1, 3.6
LEAST_MM = 17.0  # so that heads do not become towers
NAME_MM = 36.0
SPACE = "\u00a0"  # at which no line ends


def of(paper: Paper, words: Words) -> dict[str, Any]:
    """All that pages show, as values of JSON."""
    said, seal = paper.said, paper.seal
    found = tables.of(said, words, document.names_of(paper))
    contents = CONTENTS[said["kind"]]
    counted, heads, lines = document.excluded(paper, words)
    at = said["filed_at"] or said["as_of"]
    return {
        "language": words.language,
        "title": document.title(paper, words),
        "subject": document.subject(paper, words),
        "season": document.season(paper, words),
        "draft": seal is None,
        "mark": words.say("document.draft" if seal is None else "document.filed"),
        "stamp": words.say("document.stamp") if seal is None else "",
        "number": said["number"] or "",
        "made_at": int(dt.datetime.fromisoformat(at).timestamp()),
        "facts": [list(one) for one in document.facts(paper, words)],
        "seal": [] if seal is None else [
            [words.say("document.digest"), seal.digest], [words.say("document.key"), seal.kid],
        ],
        "qr": "" if seal is None else qr(address(paper), said, seal.digest),
        "qr_about": words.say("document.qr"),
        "check_title": words.say("document.check"),
        "unsigned": "" if seal is None else words.say("document.check_signed"),
        "check": _checking(paper, words),
        "page": words.say("document.page", page="{page}", pages="{pages}"),
        "cards_title": words.say("document.key_figures"),
        "cards": cards(found, contents, words),
        "map": _map(paper, found, contents, words),
        "charts": list(_charts(found, contents, words)),
        "tables": [cut for one in found for cut in _laid_out(one, words)],
        "legend": f"{words.say('sheet.legend')} {words.say('sheet.legend_interval')}",
        "excluded": {"title": words.say("excluded.title"), "counted": counted, "heads": heads,
                     "lines": lines, "none": words.say("excluded.none")},
        "methods": {
            "title": words.say("methods.title"),
            "heads": [words.say(f"methods.{one}") for one in document.METHOD_HEADS],
            "lines": [list(one) for one in document.methods(paper)],
            "none": words.say("methods.none"),
            "notes": document.notes(paper, words),
        },
        "file": "" if seal is None else seal.file.decode(),
    }  # fmt: skip


def _checking(paper: Paper, words: Words) -> list[str]:
    """How to check it; of pages also that the signed file is in them."""
    first, *more = document.checking(paper, words)
    if paper.seal is None:
        return [first, *more]
    name = f"{paper.said['number']}.json"
    return [f"{first} {words.say('document.check_attached', name=name)}", *more]


def qr(place: str, said: Mapping[str, Any], digest: str) -> str:
    """A code, as SVG, of where a report is and of its digest."""
    what = place or f"dala-report:{said['number']}?revision={said['revision']}"
    code = segno.make(f"{what}#sha256={digest}", error="m", micro=False)
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=1, border=0, xmldecl=False, svgns=True)
    return picture.getvalue().decode()


def cards(found: Sequence[Table], contents: Contents, words: Words) -> list[dict[str, str]]:
    """The figures of the whole that a reader looks for first."""
    table = find(found)
    cells = table.rows[0].cells if table is not None else {}
    wanted = [one for one in contents.key_figures if one in cells]
    made = [_card(cells[one], words) for one in wanted]
    if {"FARMS_REPORTING", "FARMS_REGISTERED"} <= cells.keys():
        reporting, registered = (
            words.number(cells[one]["OBS_VALUE"], "count")
            for one in ("FARMS_REPORTING", "FARMS_REGISTERED")
        )
        label = words.say("indicator.FARMS_REPORTING")
        made.append(
            {"label": label, "value": f"{reporting} / {registered}", "unit": "", "more": ""}
        )
    return made


def _card(one: Observation, words: Words) -> dict[str, str]:
    cell = _cell(one, words)
    is_there = "OBS_VALUE" in one
    more = cell["more"] if "CI95_LOW" not in one else f"95{SPACE}%: {cell['more']}"
    return {
        "label": words.say(f"indicator.{one['INDICATOR']}"),
        "value": cell["text"],
        "unit": words.unit(one["UNIT_MEASURE"]) if is_there else "",
        "more": more if is_there else words.entered("comment", one.get("COMMENT", "")),
    }


def _map(
    paper: Paper, found: Sequence[Table], contents: Contents, words: Words
) -> dict[str, Any] | None:
    if "farm" in paper.said["subject"]:
        return of_fields(paper, find(found, "FIELD"), contents.of_fields, words)
    return of_areas(paper, find(found, below=True), contents.of_areas, words)


def _charts(found: Sequence[Table], contents: Contents, words: Words) -> Iterator[dict[str, Any]]:
    for bars in contents.bars:
        table = find(found, *bars.division, below=bars.below)
        made = None if table is None else charts.chart(table, bars, words)
        if made is not None and table is not None:
            yield made | {"caption": f"{made['caption']} · {table.caption(words)}"}


def _laid_out(table: Table, words: Words) -> Iterator[dict[str, Any]]:
    """A table as the page shows it; the whole on its side, and a wide one in parts."""
    if not table.division:
        yield _on_its_side(table, words)
        return
    caption = table.caption(words)
    parts = _parts(table)
    for group, part in parts:
        more = caption
        if len(parts) > 1:
            name = ", ".join(words.say(f"group.{one}") for one in group)
            more = words.say("table.continued", caption=caption, group=name)
        yield _page_table(part, more, words)


def _parts(table: Table) -> list[tuple[list[str], Table]]:
    """The table, or parts of it by groups of indicators, each narrow enough for a page."""
    parts: list[tuple[list[str], list[Column]]] = []
    for group, indicators in GROUPS.items():
        columns = [one for one in table.columns if one.indicator in indicators]
        if not columns:
            continue
        if parts and len(parts[-1][1]) + len(columns) + len(table.division) <= MOST_COLUMNS:
            parts[-1][0].append(group)
            parts[-1][1].extend(columns)
        else:
            parts.append(([group], columns))
    return [(group, table.with_columns(columns)) for group, columns in parts]


def _page_table(table: Table, caption: str, words: Words) -> dict[str, Any]:
    shows = [place for place, _ in enumerate(table.division) if _says(table.rows, place)]
    heads = [words.say(f"head.{table.division[place]}") for place in shows]
    of_one = all(row.farms in {"", "1"} for row in table.rows)
    rows = []
    for row in table.rows:
        cells = [{"text": row.names[place], "more": "", "kind": "name"} for place in shows]
        cells += [
            _cell(row.cells[one.indicator], words) if one.indicator in row.cells
            else {"text": "", "more": "", "kind": "none"}
            for one in table.columns
        ]  # fmt: skip
        if not of_one:
            cells.append({"text": row.farms, "more": "", "kind": "count"})
        rows.append(cells)
    heads += [words.headed(one.indicator, one.unit) for one in table.columns]
    if not of_one:
        heads.append(words.say("sheet.farms"))
    widths = _widths(heads, rows, len(shows))
    return {"caption": caption, "names": len(shows), "heads": heads, "rows": rows, "widths": widths}


def _says(rows: Sequence[Row], place: int) -> bool:
    """Whether a column of what figures are of says anything."""
    return place == 0 or any(row.names[place] for row in rows)


def _on_its_side(table: Table, words: Words) -> dict[str, Any]:
    (row,) = table.rows
    of_one = row.farms in {"", "1"}
    rows = []
    for column in table.columns:
        one = row.cells[column.indicator]
        name = {"text": words.headed(*column), "more": "", "kind": "name"}
        cells = [name, _cell(one, words)]
        if not of_one:
            cells.append({"text": str(one.get("FARMS", "")), "more": "", "kind": "count"})
        rows.append(cells)
    heads = [words.say("head.indicator"), words.say("head.value")]
    if not of_one:
        heads.append(words.say("sheet.farms"))
    return {"caption": table.caption(words), "names": 1, "heads": heads, "rows": rows, "widths": []}


def _widths(
    heads: Sequence[str], rows: Sequence[Sequence[Mapping[str, str]]], names: int
) -> list[float]:
    """Shares of the page that columns ask for: their longest word, or line of a cell [mm].

    The first ones are names, which may take several lines.
    """
    widths = []
    for place, head in enumerate(heads):
        words = max(len(word) for word in head.split(" ")) * OF_HEAD_MM
        texts = max((len(row[place]["text"]) * OF_CELL_MM for row in rows), default=0.0)
        if place < names:
            texts = min(texts, NAME_MM)
        more = [part for row in rows for part in row[place]["more"].split("; ")]
        widest = max(words, texts, *(len(part) * OF_MORE_MM for part in more)) + PADDING_MM
        widths.append(max(widest, LEAST_MM))
    return [round(one, 1) for one in widths]


def _cell(one: Observation, words: Words) -> dict[str, str]:
    if one["OBS_STATUS"] == SUPPRESSED:
        return {"text": "", "more": "", "kind": "empty"}
    if "OBS_VALUE" not in one:
        return {"text": "—", "more": "", "kind": "missing"}
    unit = one["UNIT_MEASURE"]
    more = []
    if "CI95_LOW" in one:
        low, high = (words.number(one[name], unit) for name in ("CI95_LOW", "CI95_HIGH"))
        more.append(f"{low}{SPACE}…{SPACE}{high}")
    if one.get("DEMONSTRATED") is not None:
        is_so = one["DEMONSTRATED"]
        more.append(words.say("figure.demonstrated" if is_so else "figure.not_demonstrated"))
    return {"text": words.number(one["OBS_VALUE"], unit), "more": "; ".join(more), "kind": "value"}
