"""TASKDATA.XML of an ISO 11783-10 task data set: which tasks, machines and products it names.

Read as a stream of elements, so that maps, guidance lines and boundaries cost nothing. Attributes
have single letters in the standard; those that are read are named here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ErrorString

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ingest.messages import PayloadError

MAX_XML_BYTES = 32 << 20  # of all its files together
MAX_ELEMENTS = 1_000_000  # more do not fit into its bytes, if they are points of lines and maps
MAX_KEPT = 200_000  # elements that mean something to us
MAX_TASKS = 20_000
MAX_FILES = 10_000  # that it refers to
MAX_DEPTH = 100
MAX_TEXT = 200
ROOTS = {"ISO11783_TaskData", "XFC"}  # XFC: of a file that TASKDATA.XML refers to
EFFECTIVE = 4  # type of a stretch of time at work

# Device classes of ISO 11783-1 in a machine's NAME, as far as they name a machine that harvests.
_HARVESTERS = {7, 8, 9}  # harvesters, root harvesters, forage harvesters


class Element(NamedTuple):
    """A part of a machine that says something."""

    id: str
    device: str  # the machine's id in the set
    kind: int | None  # 1 device, 2 function, 3 bin, 4 section, 5 unit, 6 connector, 7 navigation
    name: str


class Machine(NamedTuple):
    """A device of the set (DVC)."""

    id: str
    name: str
    serial: str
    client_name: str  # 64 bits in hex; its class is among them

    @property
    def harvests(self) -> bool:
        """Whether its NAME is of a class of harvesters."""
        try:
            return (int(self.client_name, 16) >> 49) & 0x7F in _HARVESTERS
        except ValueError:
            return False


class Stretch(NamedTuple):
    """A stretch of time of a task (TIM), with what was counted until its end."""

    start: str
    stop: str
    kind: int | None
    totals: tuple[tuple[int, int], ...]  # DDI and raw number


class Task(NamedTuple):
    """A piece of work (TSK)."""

    id: str
    name: str
    field: str  # its name, or its id in the set
    stretches: tuple[Stretch, ...]
    logs: tuple[str, ...]  # names of its time logs, as TLG00001
    machines: tuple[str, ...]  # ids in the set
    products: tuple[str, ...]  # their names


class TaskData(NamedTuple):
    """What a set says beside its time logs."""

    controller: str  # who made the task controller, and its version
    tasks: tuple[Task, ...]
    machines: Mapping[str, Machine]
    elements: Mapping[str, Element]
    others: tuple[str, ...]  # files that it refers to (XFR)
    xml_elements: int = 0  # whatever they mean


NOTHING = TaskData("", (), {}, {}, ())


def read_task_data(files: Mapping[str, bytes], *, at_most: int = MAX_ELEMENTS) -> TaskData:
    """Read TASKDATA.XML and, in any order, the files that it refers to; so many elements of XML.

    Raises
    ------
    PayloadError
        If one is not XML of a task data set, or too large; the message names file and line.
    """
    if sum(map(len, files.values())) > MAX_XML_BYTES:
        raise PayloadError("too-large", f"XML of more than {MAX_XML_BYTES >> 20} MB")
    reader = _Reader(at_most)
    for path, content in files.items():
        name = path[-80:]
        parser = DefusedXMLParser(target=reader.begin(name), forbid_dtd=True)
        try:
            parser.feed(content)
            parser.close()
        except ParseError as error:
            line, column = error.position
            detail = f"{name}, line {line}, column {column + 1}: {ErrorString(error.code)}"
            raise PayloadError("bad-xml", detail) from error
        except DefusedXmlException as error:
            detail = f"{name}: declares a document type or entities, as no task data does"
            raise PayloadError("bad-xml", detail) from error
        except (LookupError, ValueError) as error:  # of an encoding
            if isinstance(error, PayloadError):
                raise
            raise PayloadError("bad-xml", f"{name}: {str(error)[:200]}") from error
    return reader.made()


class _Reader:
    """Target of the parser: keeps what stands at the few paths that mean something."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._controller = ""
        self._names: dict[str, dict[str, str]] = {"PFD": {}, "PDT": {}}
        self._machines: dict[str, Machine] = {}
        self._elements: dict[str, Element] = {}
        self._others: list[str] = []
        self._tasks: list[dict[str, Any]] = []
        self._elements_seen = self._kept = 0
        self._file, self._path = "", [""]

    def begin(self, file: str) -> "_Reader":
        self._file, self._path = file, []
        return self

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        self._elements_seen += 1
        if self._elements_seen > self._at_most:
            raise PayloadError("too-large", f"{self._file}: more than {self._at_most:,} elements")
        if len(self._path) > MAX_DEPTH:
            raise PayloadError("bad-xml", f"{self._file}: elements {MAX_DEPTH} deep")
        if len(self._path) == 1:
            if tag not in ROOTS:
                detail = f"{self._file}: begins with {tag[:40]!r}: no ISO 11783-10 task data"
                raise PayloadError("bad-task-data", detail)
            maker = (attributes.get(f"TaskController{name}", "") for name in _OF_CONTROLLER)
            self._controller = self._controller or " ".join(part for part in maker if part)
            return
        keep = _KEEPERS.get(tuple(self._path[1:])) if len(self._path) <= _DEEPEST else None
        if keep is None:
            return
        self._kept += 1
        if self._kept > MAX_KEPT:
            detail = f"{self._file}: more than {MAX_KEPT:,} tasks, machines and their parts"
            raise PayloadError("too-large", detail)
        keep(self, {name: text.strip()[:MAX_TEXT] for name, text in attributes.items()})

    def end(self, _tag: str) -> None:
        self._path.pop()

    def data(self, _text: str) -> None:
        """Text between elements means nothing."""

    def close(self) -> None:
        """The end of a file is not that of the set."""

    def _named(self, one: dict[str, str]) -> None:
        tag = self._path[-1]
        name = one.get("C" if tag == "PFD" else "B", "")
        self._names[tag][one.get("A", "")] = name or one.get("A", "")

    def _other(self, one: dict[str, str]) -> None:
        self._bounded(self._others, MAX_FILES, "files that it refers to")
        self._others.append(one.get("A", ""))

    def _machine(self, one: dict[str, str]) -> None:
        made = Machine(one.get("A", ""), one.get("B", ""), one.get("E", ""), one.get("D", ""))
        self._machines[made.id] = made
        self._machine_now = made.id

    def _element(self, one: dict[str, str]) -> None:
        made = Element(one.get("A", ""), self._machine_now, _whole(one.get("C")), one.get("D", ""))
        self._elements[made.id] = made

    def _bounded(self, gathered: list[Any], at_most: int, what: str) -> None:
        if len(gathered) >= at_most:
            raise PayloadError("too-large", f"{self._file}: more than {at_most:,} {what}")

    def _task(self, one: dict[str, str]) -> None:
        self._bounded(self._tasks, MAX_TASKS, "tasks")
        lists: dict[str, Any] = {"stretches": [], "logs": [], "machines": [], "products": []}
        named = {"id": one.get("A", ""), "name": one.get("B", ""), "field": one.get("E", "")}
        self._tasks.append(named | lists)

    def _stretch(self, one: dict[str, str]) -> None:
        made = Stretch(one.get("A", ""), one.get("B", ""), _whole(one.get("D")), ())
        self._tasks[-1]["stretches"].append((made, []))

    def _counted(self, one: dict[str, str]) -> None:
        ddi, raw = _whole(one.get("A"), 16), _whole(one.get("B"))
        if ddi is not None and raw is not None:
            self._tasks[-1]["stretches"][-1][1].append((ddi, raw))

    def _log(self, one: dict[str, str]) -> None:
        self._tasks[-1]["logs"].append(one.get("A", ""))

    def _assigned(self, one: dict[str, str]) -> None:
        self._tasks[-1]["machines"].append(one.get("C", ""))

    def _product(self, one: dict[str, str]) -> None:
        self._tasks[-1]["products"].append(one.get("A", ""))

    def made(self) -> TaskData:
        """The set, with names in place of ids, which may come after what refers to them."""
        fields, products = self._names["PFD"], self._names["PDT"]
        tasks = tuple(
            Task(
                one["id"],
                one["name"],
                fields.get(one["field"], one["field"]),
                tuple(made._replace(totals=tuple(said)) for made, said in one["stretches"]),
                tuple(one["logs"]),
                tuple(dict.fromkeys(one["machines"])),
                tuple(dict.fromkeys(products.get(name, name) for name in one["products"])),
            )
            for one in self._tasks
        )
        others = tuple(self._others)
        return TaskData(
            self._controller, tasks, self._machines, self._elements, others, self._elements_seen
        )


_OF_CONTROLLER = ("Manufacturer", "Version")
_KEEPERS = {
    ("PFD",): _Reader._named,
    ("PDT",): _Reader._named,
    ("XFR",): _Reader._other,
    ("DVC",): _Reader._machine,
    ("DVC", "DET"): _Reader._element,
    ("TSK",): _Reader._task,
    ("TSK", "TIM"): _Reader._stretch,
    ("TSK", "TIM", "DLV"): _Reader._counted,
    ("TSK", "TLG"): _Reader._log,
    ("TSK", "DAN"): _Reader._assigned,
    ("TSK", "PAN"): _Reader._product,
}
_DEEPEST = 1 + max(map(len, _KEEPERS))


def _whole(text: str | None, base: int = 10) -> int | None:
    """A whole number as XML has it; None where there is none."""
    if not text or len(text) > 20:
        return None
    try:
        return int(text, base)
    except ValueError:
        return None
