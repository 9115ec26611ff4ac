"""A report as a workbook (XLSX): a cover, figures as an office reads them, tidy observations."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import xlsxwriter

from reports.cells import write
from reports.documents import document, tables
from reports.documents.paper import Paper
from reports.documents.tables import Column, Row, Table
from reports.documents.words import DECIMALS, Words
from reports.statements.columns import COLUMNS, SUPPRESSED, whole

QUIET, SHADE, EMPTY = "#5B6B74", "#E6EDF1", "#D5D9DC"
NAMES_WIDTH, FIGURE_WIDTH = 38, 17
LINE_HEIGHT, LETTERS = 15, 15  # of a line of a head, and how many fit in it
WIDTHS = {"REPORT": 20, "INDICATOR": 28, "COMMENT": 40, "FARM": 20, "FIELD": 20, "CROP": 18}


class _Head(NamedTuple):
    """A column of a table of figures."""

    words: str
    column: Column
    part: str  # OBS_VALUE, CI95_LOW, CI95_HIGH or DEMONSTRATED


def workbook(paper: Paper, words: Words) -> bytes:
    """A report's workbook: the same bytes for the same report."""
    made = io.BytesIO()
    at = paper.said["filed_at"] or paper.said["as_of"]
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.set_properties(
            {
                "title": document.title(paper, words),
                "subject": f"{document.subject(paper, words)}, {document.season(paper, words)}",
                "author": "Dala",
                "created": dt.datetime.fromisoformat(at).replace(tzinfo=None),
            }
        )
        styles = _Styles(book)
        _cover(book.add_worksheet(words.say("sheet.cover")), styles, paper, words)
        _Figures(book.add_worksheet(words.say("sheet.figures")), styles, words).put(paper)
        _tidy(book.add_worksheet(words.say("sheet.observations")), styles, paper)
    return made.getvalue()


class _Styles:
    """How cells look; each once, for a workbook holds a limited number."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}
        self.title = self.of(bold=True, font_size=18)
        self.second = self.of(font_size=13)
        self.heading = self.of(bold=True, font_size=12, font_color="#1F6496")
        self.label = self.of(font_color=QUIET, valign="top")
        self.text = self.of(text_wrap=True, valign="top")
        self.name = self.of(valign="top", text_wrap=True)
        self.mono = self.of(font_name="Consolas", text_wrap=True, valign="top")
        self.head = self.of(bold=True, text_wrap=True, valign="bottom", bg_color=SHADE, bottom=1)
        self.figure_head = self.of(
            bold=True, text_wrap=True, valign="bottom", align="right", bg_color=SHADE, bottom=1
        )
        self.empty = self.of(bg_color=EMPTY)
        self.missing = self.of(align="right", font_color=QUIET)
        self.note = self.of(italic=True, font_color=QUIET)
        self.draft = self.of(bold=True, font_color="#A4461E")

    def of(self, **looks: Any) -> Any:
        key = tuple(sorted(looks.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(looks)
        return self._made[key]

    def number(self, unit: str) -> Any:
        decimals = DECIMALS.get(unit, 1)
        return self.of(num_format="#,##0" + ("." + "0" * decimals if decimals else ""))


def _cover(sheet: Any, styles: _Styles, paper: Paper, words: Words) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 80)
    sheet.set_column(2, 3, 20)
    _printed(sheet, landscape=False)
    is_draft = paper.seal is None
    mark = words.say("document.draft" if is_draft else "document.filed")
    write(sheet, 0, 0, mark, styles.draft if is_draft else styles.label)
    write(sheet, 1, 0, document.title(paper, words), styles.title)
    sheet.set_row(1, 28)
    of = f"{document.subject(paper, words)}, {document.season(paper, words)}"
    write(sheet, 2, 0, of, styles.second)
    line = 4
    for label, value in document.facts(paper, words):
        write(sheet, line, 0, label, styles.label)
        write(sheet, line, 1, value, styles.text)
        line += 1
    if paper.seal is not None:
        for key, value in (("digest", paper.seal.digest), ("key", paper.seal.kid)):
            write(sheet, line, 0, words.say(f"document.{key}"), styles.label)
            write(sheet, line, 1, value, styles.mono)
            line += 1
    line = _lines(
        sheet, styles, line + 1, words.say("document.check"), document.checking(paper, words)
    )
    counted, heads, rows = document.excluded(paper, words)
    line = _lines(sheet, styles, line, words.say("excluded.title"), [counted]) - 1
    # The second column is the wide one.
    order = (0, 4, 1, 2, 3) if len(heads) > 3 else (0, 1, 2)
    line = _grid(sheet, styles, line, heads, rows, order) + 1
    line = _lines(sheet, styles, line, words.say("methods.title"), document.notes(paper, words)) - 1
    heads = [words.say(f"methods.{one}") for one in document.METHOD_HEADS]
    _grid(sheet, styles, line, heads, document.methods(paper), (0, 2, 1, 3))


def _lines(sheet: Any, styles: _Styles, line: int, heading: str, said: Sequence[str]) -> int:
    """Sentences under a heading, over both columns; the line after them and a free one."""
    write(sheet, line, 0, heading, styles.heading)
    for one in said:
        line += 1
        sheet.merge_range(line, 0, line, 1, "", styles.text)
        write(sheet, line, 0, one, styles.text)
        sheet.set_row(line, LINE_HEIGHT * (1 + len(one) // 115))
    return line + 2


def _grid(
    sheet: Any,
    styles: _Styles,
    line: int,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    order: Sequence[int],
) -> int:
    """A table below a heading; the line after it."""
    if not rows:
        return line
    for place, of in enumerate(order):
        write(sheet, line, place, heads[of], styles.head)
    for row in rows:
        line += 1
        for place, of in enumerate(order):
            write(sheet, line, place, row[of], styles.text)
        sheet.set_row(
            line, LINE_HEIGHT * (1 + max(len(row[order[0]]) // 40, len(row[order[1]]) // 80))
        )
    return line + 1


def _printed(sheet: Any, *, landscape: bool) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&R&P / &N")
    if landscape:
        sheet.set_landscape()


class _Figures:
    """The sheet of figures: table under table, the first column and the title always in sight."""

    def __init__(self, sheet: Any, styles: _Styles, words: Words) -> None:
        self.sheet, self.styles, self.words = sheet, styles, words
        self.line = 0

    def put(self, paper: Paper) -> None:
        words, styles = self.words, self.styles
        self.sheet.set_column(0, 0, NAMES_WIDTH)
        self.sheet.set_column(1, 60, FIGURE_WIDTH)
        _printed(self.sheet, landscape=True)
        title = f"{document.title(paper, words)} · {document.subject(paper, words)}"
        write(self.sheet, 0, 0, f"{title}, {document.season(paper, words)}", styles.heading)
        number = paper.said["number"] or words.say("document.draft")
        as_of = f"{words.say('document.as_of')}: {words.moment(paper.said['as_of'])}"
        write(self.sheet, 1, 0, f"{number} · {as_of}", styles.label)
        write(self.sheet, 2, 0, words.say("sheet.legend"), styles.note)
        self.sheet.freeze_panes(3, 1)
        self.line = 4
        found = tables.of(paper.said, words, document.names_of(paper))
        for table in found:
            self._table(table)
        if not found:
            write(self.sheet, self.line, 0, words.say("sheet.empty"), styles.note)

    def _table(self, table: Table) -> None:
        write(self.sheet, self.line, 0, table.caption(self.words), self.styles.heading)
        self.line += 1
        if table.division:
            self._across(table)
        else:
            self._down(table)
        self.line += 2

    def _down(self, table: Table) -> None:
        """The whole: a line for each figure."""
        heads = ("head.indicator", "head.value", "sheet.low", "sheet.high", "sheet.demonstrated",
                 "sheet.farms")  # fmt: skip
        self._head_height([self.words.say(key) for key in heads])
        for place, key in enumerate(heads):
            style = self.styles.figure_head if place else self.styles.head
            write(self.sheet, self.line, place, self.words.say(key), style)
        (row,) = table.rows
        for column in table.columns:
            self.line += 1
            one = row.cells[column.indicator]
            write(self.sheet, self.line, 0, self.words.headed(*column), self.styles.name)
            for place, part in enumerate(("OBS_VALUE", "CI95_LOW", "CI95_HIGH", "DEMONSTRATED"), 1):
                self._cell(place, one, part)
            write(self.sheet, self.line, 5, one.get("FARMS"))

    def _across(self, table: Table) -> None:
        """A line for each crop, field, area …"""
        names, heads = len(table.division), self._heads(table)
        self._head_height([head.words for head in heads])
        for place, dimension in enumerate(table.division):
            words = self.words.say(f"head.{dimension}")
            write(self.sheet, self.line, place, words, self.styles.head)
        for place, head in enumerate(heads, names):
            write(self.sheet, self.line, place, head.words, self.styles.figure_head)
        last = names + len(heads)
        write(self.sheet, self.line, last, self.words.say("sheet.farms"), self.styles.figure_head)
        for row in table.rows:
            self.line += 1
            for place, name in enumerate(row.names):
                write(self.sheet, self.line, place, name, self.styles.name)
            for place, head in enumerate(heads, names):
                if (one := row.cells.get(head.column.indicator)) is not None:
                    self._cell(place, one, head.part)
            self._farms(last, row)

    def _head_height(self, heads: Sequence[str]) -> None:
        """Room for heads of several lines: not every program makes it by itself."""
        lines = max((1 + len(one) // LETTERS for one in heads), default=1)
        self.sheet.set_row(self.line, LINE_HEIGHT * min(lines, 4))

    def _heads(self, table: Table) -> list[_Head]:
        heads = []
        for column in table.columns:
            of = self.words.headed(*column)
            heads.append(_Head(of, column, "OBS_VALUE"))
            cells = [row.cells.get(column.indicator, {}) for row in table.rows]
            if any("CI95_LOW" in one for one in cells):
                for part, key in (("CI95_LOW", "low"), ("CI95_HIGH", "high")):
                    heads.append(_Head(f"{of} — {self.words.say(f'sheet.{key}')}", column, part))
            if any(one.get("DEMONSTRATED") is not None for one in cells):
                words = f"{self.words.say(f'indicator.{column.indicator}')} — "
                words += self.words.say("sheet.demonstrated").lower()
                heads.append(_Head(words, column, "DEMONSTRATED"))
        return heads

    def _farms(self, place: int, row: Row) -> None:
        farms = row.farms
        write(self.sheet, self.line, place, int(farms) if farms.isdecimal() else farms or None)

    def _cell(self, place: int, one: Mapping[str, Any], part: str) -> None:
        value = one.get(part)
        if part == "DEMONSTRATED":
            words = None if value is None else self.words.say(f"sheet.{'yes' if value else 'no'}")
            write(self.sheet, self.line, place, words, self.styles.missing)
        elif one["OBS_STATUS"] == SUPPRESSED:
            self.sheet.write_blank(self.line, place, None, self.styles.empty)
            if part == "OBS_VALUE":
                note = self.words.say("sheet.suppressed_note")
                self.sheet.write_comment(self.line, place, note, {"author": "Dala"})
        elif value is None:
            why = self.words.entered("comment", one.get("COMMENT", ""))
            write(self.sheet, self.line, place, "—" if part == "OBS_VALUE" else None,
                  self.styles.missing)  # fmt: skip
            if why and part == "OBS_VALUE":
                self.sheet.write_comment(self.line, place, why, {"author": "Dala"})
        else:
            write(self.sheet, self.line, place, value, self.styles.number(one["UNIT_MEASURE"]))


def _tidy(sheet: Any, styles: _Styles, paper: Paper) -> None:
    """Observations with every column, as in CSV."""
    said = paper.said
    beside = {} if paper.seal is None else {"REPORT": said["number"], "REVISION": said["revision"]}
    names = (*beside, *COLUMNS)
    for place, name in enumerate(names):
        sheet.set_column(place, place, WIDTHS.get(name, max(10, len(name) + 3)))
        write(sheet, 0, place, name, styles.head)
    observations = said["content"]["observations"]
    for line, one in enumerate(observations, start=1):
        full = beside | whole(one)
        for place, name in enumerate(names):
            write(sheet, line, place, full[name])
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(observations), len(names) - 1)
    _printed(sheet, landscape=True)
    sheet.repeat_rows(0)
