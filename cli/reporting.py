"""Verbs for reports: make one, file it, list and show what was filed."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli import speaking
from cli.speaking import fail, moment, print_table, say, trouble
from reports.documents import FORMS

if TYPE_CHECKING:
    import sqlalchemy as sa

    from reports.messages import Language
    from reports.statements.filing import Filing
    from reports.statements.signing import SigningKey
    from reports.statements.statement import Asked, Statement

app = typer.Typer(
    help="Reports: make, file, list, show; and the keys that they are signed with.",
    no_args_is_help=True,
)
Region = Annotated[
    str | None, typer.Option(help="KZ for the country, KZ-61 a region, or a district's code.")
]
OfFarm = Annotated[str | None, typer.Option(help="Short name of a farm, in place of a region.")]
SeasonYear = Annotated[int, typer.Option(min=1990, max=2100, help="Year of harvest.")]
AsOf = Annotated[str | None, typer.Option(help="What stood then, 2026-01-31T00:00:00Z; now.")]
File = Annotated[bool, typer.Option("--file", help="Number, sign and keep it.")]
Reason = Annotated[
    str | None, typer.Option(help="Of a revision: why figures differ from those filed.")
]
Analyze = Annotated[
    bool, typer.Option("--analyze", help="With --file: compute first what came since.")
]
Author = Annotated[str | None, typer.Option(help="Who files it; by default who is at the console.")]
Out = Annotated[Path | None, typer.Option(help="File to write; of --file as `dala verify` reads.")]
Form = Annotated[
    Literal["table", "json", "csv", "xlsx", "pdf"],
    typer.Option("--format", help="Of what is shown or written; xlsx and pdf are for people."),
]
Lang = Annotated[Literal["kk", "ru", "en"], typer.Option(help="Language of xlsx and pdf.")]
Number = Annotated[str, typer.Argument(help="Of a report, such as water-2026-0001.")]


def water(
    season: SeasonYear,
    region: Region = None,
    farm: OfFarm = None,
    first: Annotated[
        str | None, typer.Option("--from", help="Of a farm: first day, as 2025-06-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included.")] = None,
    as_of: AsOf = None,
    file: File = False,
    reason: Reason = None,
    analyze: Analyze = False,
    author: Author = None,
    out: Out = None,
    form: Form = "table",
    lang: Lang = "en",
) -> None:
    """Water applied: by month, source, technology, tariff band; of a farm by field."""
    period = None
    try:
        if first is not None and last is not None:
            end = dt.date.fromisoformat(last) + dt.timedelta(days=1)
            period = dt.date.fromisoformat(first), end
        elif first is not None or last is not None:
            fail("give both --from and --to, or neither")
    except (ValueError, OverflowError) as error:
        fail(trouble(error))
    _make(
        "water", region, farm, season, as_of, file, reason, author, out, form, lang, analyze, period
    )


def _verb(kind: str, words: str) -> Callable[..., None]:
    def verb(
        season: SeasonYear,
        region: Region = None,
        farm: OfFarm = None,
        as_of: AsOf = None,
        file: File = False,
        reason: Reason = None,
        analyze: Analyze = False,
        author: Author = None,
        out: Out = None,
        form: Form = "table",
        lang: Lang = "en",
    ) -> None:
        _make(kind, region, farm, season, as_of, file, reason, author, out, form, lang, analyze)

    verb.__doc__ = words
    return verb


app.command("water")(water)
for _kind, _words in (
    ("savings", "Water saved: apparent, real, recoverable, with intervals; demonstrated or not."),
    ("yields", "Yields by crop: harvested area, bunker and clean weight, kg/ha and ц/га."),
    ("harvest", "Harvest bulletin: thousand ha, share done, thousand t, ц/га, by area and crop."),
    ("programme", "Indicators of the programme: digital farms, hectares, devices, cost per m³."),
):
    app.command(_kind)(_verb(_kind, _words))


def _make(
    kind: str,
    region: str | None,
    farm: str | None,
    season: int,
    as_of: str | None,
    file: bool,
    reason: str | None,
    author: str | None,
    out: Path | None,
    form: str,
    lang: Language,
    analyze: bool,
    period: tuple[dt.date, dt.date] | None = None,
) -> None:
    from cli import report_documents, report_news
    from reports.statements.statement import Asked

    asked = Asked(kind, season, farm, region, period)
    try:
        asked.check()
        at = moment("--as-of", as_of)
    except ValueError as error:
        fail(f"{str(error)[0].upper()}{str(error)[1:]}.")
    report_documents.check(form, out)
    if file:
        if analyze:
            report_news.compute(asked)
        _file(asked, None if as_of is None else at, reason, author, out, form, lang)
    elif form in FORMS:
        report_documents.write_draft(asked, at, out, form, lang)
    else:
        _show_statement(_statement(asked, at), out, form)


def _statement(asked: Asked, as_of: dt.datetime) -> Statement:
    from reports.statements import statement

    made: Statement = with_database(
        lambda connection: statement.of(connection, asked, as_of=as_of), "Not made"
    )
    return made


def _show_statement(made: Statement, out: Path | None, form: str) -> None:
    from reports.statements.kinds import KINDS

    title = KINDS[made.asked.kind].title["en"]
    whose = made.asked.farm or made.asked.area
    said = {
        "kind": made.asked.kind,
        "subject": made.subject,
        "season": made.asked.season,
        "as_of": made.as_of.isoformat(),
        "content": made.content,
    }
    observations = made.content["observations"]
    _write(f"{title}, {whose}, {made.asked.season} — not filed", said, observations, out, form)
    for one in made.content["methods"]:
        say(f"{one['crop_zones']} crop zones by: {one['method']}, version {one['version']}")
    for remark in made.content["remarks"]:
        say(remark)


def _write(title: str, said: Any, observations: Any, out: Path | None, form: str) -> None:
    if form == "table" and out is None:
        from rich.console import Console

        from reports.printing_statements import print_statement

        print_statement(title, observations, Console())
        return
    text = _csv(observations) if form == "csv" else json.dumps(said, ensure_ascii=False, indent=1)
    if out is None:
        print(text)
    else:
        save(out, text.encode())


def _csv(observations: Any) -> str:
    """Observations with every column; a name that a spreadsheet would run stays a name."""
    import csv
    import io
    import re

    from reports.cells import AS_TEXT, RUNS
    from reports.statements.columns import COLUMNS, whole

    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for one in observations:
        cells = whole(one).items()
        writer.writerow(
            {
                name: re.sub(RUNS, AS_TEXT, value) if isinstance(value, str) else value
                for name, value in cells
            }
        )
    return made.getvalue().rstrip("\n")


def _file(
    asked: Asked,
    as_of: dt.datetime | None,
    reason: str | None,
    author: str | None,
    out: Path | None,
    form: str,
    lang: Language,
) -> None:
    from cli import report_documents, report_news
    from reports.statements import filing

    key = read_key()

    def enter(connection: sa.Connection) -> tuple[Filing, bytes, str]:
        older = report_news.warning(connection, asked) if as_of is None else ""
        made = filing.file(
            connection, asked, key, author=author or speaking.author(), as_of=as_of, reason=reason
        )
        if made.is_news:
            details = {"revision": made.revision.revision, "reason": made.revision.reason}
            number = made.report.number
            speaking.note(
                connection, "report.file", f"report:{number}", made.report.farm_id, details
            )
        return made, filing.envelope(connection, made.revision), older

    made, content, older = with_database(enter, "Not filed")
    number, revision = made.report.number, made.revision.revision
    if not made.is_news:
        say(f"Report {number} says the same already (revision {revision}): nothing was filed.")
    else:
        say(f"Filed as report {number}" + (f", revision {revision}." if revision else "."))
    if older:
        say(older)
    if form in FORMS:
        report_documents.write_filed(number, revision, out, form, lang)
    elif out is not None:
        save(out, content)
        say(f"Check it anywhere with: dala verify {out} --keys keys.json")


@app.command("list")
def list_reports(
    kind: Annotated[str | None, typer.Option(help="water, savings, yields, harvest, …")] = None,
    region: Region = None,
    season: Annotated[int | None, typer.Option(help="Year of harvest.")] = None,
) -> None:
    """Print what was filed, by when it changed last."""
    from storage import filing

    found = with_database(
        lambda connection: filing.page(
            connection, kind=kind, area=region, season=season, limit=100_000
        ),
        "Not listed",
    )
    rows = [
        [
            one.report.number,
            one.farm or one.report.area_code or "",
            str(one.report.season),
            str(one.revision),
            f"{one.as_of:%Y-%m-%d %H:%M}",
            f"{one.filed_at:%Y-%m-%d %H:%M}",
            one.filed_by,
            one.reason or "",
        ]
        for one in found
    ]
    print_table(
        ("number", "of", "season", "rev.", "as of, UTC", "filed, UTC", "by", "reason"),
        rows,
        "No report was filed yet: `dala report water --region KZ --season 2025 --file`.",
    )


@app.command()
def show(
    number: Number,
    revision: Annotated[int | None, typer.Option(min=0, help="The newest by default.")] = None,
    out: Out = None,
    form: Form = "table",
    lang: Lang = "en",
) -> None:
    """Show or write a report as it was filed."""
    from cli import report_documents
    from reports.statements import filing as statements
    from storage import filing

    report_documents.check(form, out)
    if form in FORMS:
        report_documents.write_filed(number, revision, out, form, lang)
        return

    def find(connection: sa.Connection) -> bytes:
        found = filing.revision(connection, filing.get(connection, number), revision)
        return statements.envelope(connection, found)

    content = with_database(find, "Not shown")
    said = json.loads(content)["report"]
    if form == "csv":
        _write("", said, said["content"]["observations"], out, form)
    elif out is not None:
        save(out, content)
    elif form == "json":
        sys.stdout.buffer.write(content)  # no line's end: `dala verify` takes the very bytes
    else:
        whose = said["subject"].get("farm") or said["subject"]["area"]
        title = f"{said['title']['en']}, {whose}, {said['season']} — {number}"
        _write(title, said, said["content"]["observations"], None, form)


# --- what they share ------------------------------------------------------------------------------


def key_file() -> Path:
    """Where the private key is: DALA_REPORT_KEY_FILE, else in DALA_HOME."""
    from api.settings import ApiSettings
    from embedded.home import EmbeddedSettings
    from reports.statements.signing import KEY_FILE

    return ApiSettings().report_key_file or EmbeddedSettings().home / KEY_FILE


def read_key() -> SigningKey:
    from reports.statements.signing import SigningKey

    try:
        return SigningKey.read(key_file())
    except FileNotFoundError:
        fail(f"There is no key to sign with at {key_file()}: `dala report key` makes one.")
    except (OSError, ValueError) as error:
        fail(trouble(error))


def with_database(ask: Callable[[sa.Connection], Any], refused: str) -> Any:
    from seeds.services import open_services
    from storage.database import NotFound, take_time

    with open_services("report") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                take_time(connection)
                return ask(connection)
        except NotFound as error:
            fail(f"{refused}: there is no {error}.")
        except ValueError as error:
            fail(f"{refused}: {error}.")


def save(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        fail(trouble(error))
