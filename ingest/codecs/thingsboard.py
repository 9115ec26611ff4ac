"""ThingsBoard's device API: `{key: value}`, or `{"ts": ms, "values": {key: value}}`, or a list.

Its topic names no device, so an operator's mapping says which topic is whose and what the keys
mean. Without readings in the mapping, the keys are our own names: `quantity`, `quantity/depth_cm`,
`quantity:channel`.
"""

from collections.abc import Iterator
from typing import Any

from ingest.codecs.documents import load_any
from ingest.codecs.lorawan.models import Field
from ingest.codecs.metric_names import own_name
from ingest.codecs.plain_json import (
    EPOCHS,
    MAX_RECORDS,
    Dated,
    Plan,
    Rule,
    arrival,
    epoch,
    measured,
)
from ingest.messages import Context, Decoded, PayloadError, Reading, Rejected


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings, by the plan in the context's options.

    Raises
    ------
    PayloadError
        If it is no telemetry of ThingsBoard, or does not say whose it is.
    """
    plan: Plan = context.options
    document = load_any(payload)
    device = plan.identity.of(context.levels, document)
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    for position, record in enumerate(_records(document)):
        place = f"record {position}: " if isinstance(document, list) else ""
        try:
            values, dated = _opened(record, context)
        except PayloadError as error:
            rejected.append(Rejected(error.reason, place + error.detail))
            continue
        rules = plan.rules or tuple(_by_name(values, rejected, place))
        measured(device, values, rules, dated, (readings, rejected), place)
    why = None if readings or rejected else "no key of the mapping is there"
    return Decoded(device, readings, [], rejected, ignored=why)


def _records(document: object) -> list[Any]:
    records = document if isinstance(document, list) else [document]
    if len(records) > MAX_RECORDS:
        raise PayloadError(
            "too-many-records", f"{len(records)} records; send at most {MAX_RECORDS} at once"
        )
    return records


def _opened(record: object, context: Context) -> tuple[dict[str, Any], Dated]:
    """The values of a record, and its time."""
    if not isinstance(record, dict):
        raise PayloadError("bad-message", f"a {type(record).__name__}, not keys and values")
    if "ts" not in record or not isinstance(record.get("values"), dict):
        return record, arrival(context)
    return record["values"], (epoch(record["ts"], EPOCHS["epoch-ms"]), "device", 0)


def _by_name(values: dict[str, Any], rejected: list[Rejected], place: str) -> Iterator[Rule]:
    for key in values:
        target = own_name(key)
        if target is None:
            detail = f"{place}{key[:40]!r} is no quantity of the catalogue; add it to the mapping"
            rejected.append(Rejected("unknown-quantity", detail))
            continue
        field = Field(target.quantity, None, depth_cm=target.depth_cm, channel=target.channel)
        yield Rule((key,), key[:40], field)
