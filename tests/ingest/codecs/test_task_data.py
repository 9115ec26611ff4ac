"""TASKDATA.XML: tasks, machines and products by name, within bounds."""

import tracemalloc

import pytest

from ingest.codecs import task_data
from ingest.codecs.task_data import Element, Machine, Stretch, Task, read_task_data
from ingest.messages import PayloadError
from tests.ingest.made_task_data import HARVESTER, MACHINE, NAMES, TASK, document

MADE = {"TASKDATA.XML": document()}


def test_a_task_has_the_names_of_what_it_refers_to():
    data = read_task_data(MADE)

    assert data.controller == "Maker 2"
    assert data.tasks == (
        Task(
            "TSK-1",
            "Sowing",
            "North",
            (Stretch("2025-05-27T10:00:00", "2025-05-27T10:00:03", 4, ((116, 60),)),),
            ("TLG00001",),
            ("DVC-1",),
            ("Barley",),
        ),
    )
    assert data.machines == {"DVC-1": Machine("DVC-1", "Seeder", "S/N 42", "A00284000DE00001")}
    assert data.elements["DET-2"] == Element("DET-2", "DVC-1", 2, "")


def test_the_name_of_a_machine_tells_a_harvester():
    # NAME (ISO 11783-5) has the device class in bits 49 to 55: 0x0E >> 1 is 7, harvesters.
    (made,) = read_task_data({"T": document(HARVESTER)}).machines.values()
    (other,) = read_task_data({"T": document(MACHINE)}).machines.values()

    assert (made.harvests, other.harvests) == (True, False)


def test_parts_in_files_of_their_own_belong_to_it():
    files = {
        "TASKDATA.XML": document(TASK, '<XFR A="DVC00001" B="1"/>'),
        "DVC00001.xml": f"<XFC>{MACHINE}{NAMES}</XFC>".encode(),
    }

    data = read_task_data(files)

    assert data.others == ("DVC00001",)
    assert (data.tasks[0].field, list(data.machines)) == ("North", ["DVC-1"])


def test_what_means_nothing_takes_no_memory():
    """Guidance lines and boundaries may be megabytes."""
    points = '<PNT A="2" C="54.580684068" D="10.209195754"/>' * 100_000
    made = document(f'<PFD A="PFD-1" C="North"><PLN A="1"><LSG A="1">{points}</LSG></PLN></PFD>')
    tracemalloc.start()
    try:
        read_task_data({"TASKDATA.XML": made})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < len(made)


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<a>" * 101, "elements 100 deep"),
        ('<TSK A="1"/>' * 20_001, "more than 20,000 tasks"),
        ('<TSK><TLG A="1"/></TSK>' + '<PFD A="1"/>' * 200_001, "more than 200,000 tasks"),
        ('<XFR A="1"/>' * 10_001, "more than 10,000 files"),
        ("<a/>" * 1_000_000, "more than 1,000,000 elements"),
        ("<a", r"TASKDATA.XML, line 1, column \d+: not well-formed \(invalid token\)$"),
    ],
)
def test_endless_xml_ends_in_a_reason(inside, reason):
    with pytest.raises(PayloadError, match=reason):
        read_task_data({"TASKDATA.XML": document(inside)})


def test_too_large_a_document_is_not_parsed(monkeypatch):
    monkeypatch.setattr(task_data, "MAX_XML_BYTES", 1_000)
    with pytest.raises(PayloadError, match="XML of more than"):
        read_task_data({"TASKDATA.XML": document(NAMES * 20)})


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><ISO11783_TaskData A="&b;"/>',
        '<!DOCTYPE l SYSTEM "file:///etc/hostname"><ISO11783_TaskData/>',
        '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><ISO11783_TaskData>&a;'
        "</ISO11783_TaskData>",
    ],
)
def test_entities_and_document_types_are_refused(bomb):
    with pytest.raises(PayloadError, match="document type or entities"):
        read_task_data({"TASKDATA.XML": bomb.encode()})
