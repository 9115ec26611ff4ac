"""What one look at the news is told as: once for all who see the same, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from typing import Any, NamedTuple

import msgspec
from fastapi.sse import format_sse_event

from api.routes.alerts import alert_out
from reports.messages import Language
from storage.live_news import Facts, LiveAlert, LiveDevice, LiveReading, Position
from storage.quantities import CATALOGUE

TOGETHER = 500  # readings or devices in one event


class View(NamedTuple):
    """What a client may see."""

    farms: frozenset[int]
    everything: bool
    alerts: bool


class Batch:
    """What one look found, which was for some farms, or for every one."""

    def __init__(
        self, position: Position, facts: Facts, *, farms: Set[int], everything: bool
    ) -> None:
        self.position, self.is_empty = position, not any(facts)
        self._looked_at, self._everything = farms, everything
        self._facts = facts
        self._farms: dict[int | None, Facts] = defaultdict(lambda: Facts([], [], []))
        for reading in facts.readings:
            self._farms[reading.farm_id].readings.append(reading)
        for device in facts.devices:
            self._farms[device.farm_id].devices.append(device)
        for alert in facts.alerts:
            self._farms[alert.farm_id].alerts.append(alert)
        self._told: dict[tuple[View, Language], Sequence[bytes]] = {}

    def covers(self, view: View) -> bool:
        """Whether it was looked at all that a client may see."""
        return self._everything or not (view.everything or view.farms - self._looked_at)

    def events(self, view: View, language: Language) -> Sequence[bytes]:
        """What a client is told of it: nothing but its farms' affairs."""
        told = self._told.get((view, language))
        if told is None:
            told = self._told[view, language] = list(self._say(view, language))
        return told

    def _say(self, view: View, language: Language) -> Iterator[bytes]:
        own = [self._facts] if view.everything else self._of(view.farms)
        readings = [_reading(one) for facts in own for one in facts.readings]
        devices = [_device(one) for facts in own for one in facts.devices]
        alerts = [one for facts in own for one in facts.alerts if view.alerts]
        told: list[tuple[str, Any]] = [
            *(("readings", part) for part in _parts(readings)),
            *(("devices", part) for part in _parts(devices)),
            *(("alert", _alert(one, language)) for one in alerts),
        ]
        # The position stands behind the last: whoever is cut off before gets the whole batch again.
        for place, (name, content) in enumerate(told, 1):
            last = place == len(told)
            yield event(name, content, position=self.position if last else None)

    def _of(self, farms: frozenset[int]) -> list[Facts]:
        return [facts for farm, facts in self._farms.items() if farm in farms]


def event(name: str, content: Any, *, position: Position | None = None) -> bytes:
    """An event as it stands on the wire."""
    dumped = content.model_dump_json() if hasattr(content, "model_dump_json") else None
    data = dumped or msgspec.json.encode(content).decode()
    return format_sse_event(
        event=name, data_str=data, id=None if position is None else str(position)
    )


def _parts(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), TOGETHER):
        yield rows[start : start + TOGETHER]


def _reading(one: LiveReading) -> dict[str, Any]:
    told = {name: value for name, value in one._asdict().items() if name != "farm_id"}
    return told | {"unit": CATALOGUE[one.quantity].unit}


def _device(one: LiveDevice) -> dict[str, Any]:
    return {name: value for name, value in one._asdict().items() if name != "farm_id"}


def _alert(one: LiveAlert, language: Language) -> Any:
    return alert_out(one.alert, one.farm, one.timezone, language)
