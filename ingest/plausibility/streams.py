"""What is known of each datastream, and what its next readings are worth beside the last ones.

A reading that comes after a later one of its datastream is not judged here: its neighbours were
judged without it, and only its range and its time can tell against it. The same holds for one that
is out of range; neither is a neighbour of those that follow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from ingest.messages import from_us
from ingest.plausibility import beyond, rules
from ingest.plausibility.rules import Limits
from storage import devices, intervals, series
from storage.devices import RESTING_KINDS, StreamTraits
from storage.intervals import Gap
from storage.quantities import CATALOGUE, Kind, Quantity
from storage.readings import USABLE_BELOW, Quality

KEPT = 8  # newest readings of a datastream: neighbours, and the noise for the rule of spikes
LOOK_BACK_US = 14 * 24 * rules.HOUR_US  # no rule asks for more; older chunks are not looked into
MOST = 100_000  # readings of a run that are looked at: one every 12 s for a fortnight
NEVER_US = 2**62

Array = np.ndarray[Any, Any]

_STATE = np.dtype(
    [
        ("id", np.int32),
        ("count", np.int64),  # readings taken in; the newest is at (count - 1) % KEPT
        ("times", np.int64, KEPT),  # [µs since 1970]
        ("values", np.float64, KEPT),
        ("same_since", np.int64),  # since when the newest value has not changed [µs since 1970]
        ("low", np.float64),
        ("high", np.float64),
        ("step", np.float64),
        ("per_hour", np.float64),
        ("stuck_us", np.int64),
        ("rest", np.float64, 2),
        ("is_counter", bool),
        ("modulus", np.float64),
        ("longest_us", np.int64),  # pause that is no gap; NEVER_US where no interval is known
        ("learns", bool),  # its interval is not given, and it is watched
        ("unlearned", np.int64),  # readings since it was last tried to learn
    ]
)


class Judged(NamedTuple):
    """What became of a batch, as far as its neighbours tell; nothing is kept yet."""

    flags: Array  # to be added, for each row of the batch
    spikes: tuple[Array, Array]  # stored readings that turn out to be some: datastreams, times [µs]
    gaps: list[Gap]
    order: Array  # rows that count as neighbours, by datastream and time
    slots: Array  # of the rows in that order
    same_since: Array  # of the rows in that order
    late: Array  # rows that came after a later one


class Streams:
    """The newest readings of every datastream that was heard, and the rules for it."""

    def __init__(self) -> None:
        self._state = np.empty(0, _STATE)
        self._traits: dict[int, StreamTraits] = {}

    def look_up(self, connection: sa.Connection, table: Array) -> None:
        """Read the newest readings of datastreams that are met for the first time."""
        ids = np.unique(table["datastream_id"])
        missing = ids[~np.isin(ids, self._state["id"], assume_unique=True)]
        if not len(missing):
            return
        traits = devices.stream_traits(connection, missing.tolist())
        fresh = _with_rules(traits)
        earliest = int(table["time"].min())
        since = {one.id: from_us(earliest - LOOK_BACK_US) for one in traits}
        self._read_newest(connection, fresh, since)
        joined = np.concatenate([self._state, fresh])
        self._state = joined[np.argsort(joined["id"])]
        self._traits |= {one.id: one for one in traits}

    def _read_newest(
        self, connection: sa.Connection, fresh: Array, since: dict[int, dt.datetime]
    ) -> None:
        unchanged = {}
        fresh["same_since"] = NEVER_US
        known = series.newest(connection, since, count=KEPT)
        for row in fresh:
            times, values = known[int(row["id"])]
            if not len(times):
                continue
            row["count"] = len(times)
            row["times"][: len(times)], row["values"][: len(values)] = times, values
            row["same_since"] = _same_since(times, values, row["stuck_us"])
            if len(times) == KEPT and row["same_since"] == times[0] and row["stuck_us"] < NEVER_US:
                # A third more, since a run may have pauses of a third.
                unchanged[int(row["id"])] = from_us(int(times[-1] - 4 * row["stuck_us"] // 3))
        longer = series.newest(connection, unchanged, count=MOST)
        for row in fresh:
            if (run := longer.get(int(row["id"]))) is not None:
                row["same_since"] = _same_since(*run, row["stuck_us"])

    def out_of_range(self, table: Array) -> Array:
        """Which rows, of datastreams that were looked up, are beyond what the catalogue allows."""
        slots = np.searchsorted(self._state["id"], table["datastream_id"])
        return beyond(table["value"], self._state["low"][slots], self._state["high"][slots])

    def judge(self, table: Array) -> Judged:
        """Judge the rows of a batch, whose datastreams were looked up, by their neighbours.

        ``table`` has ``storage.readings.DTYPE``; of equal keys the first counts.
        """
        flags = np.zeros(len(table), table["quality"].dtype)
        rows, slots, late = self._in_order(table)
        before = _Before(self._state, table, rows, slots)
        limits = Limits(self._state["step"][slots], self._state["per_hour"][slots])
        spikes = _judge_changes(before, limits, flags)
        _judge_counters(before, flags)
        same_since = _judge_stillness(before, flags)
        gaps = self._gaps(before)
        return Judged(flags, spikes, gaps, rows, slots, same_since, late)

    def _in_order(self, table: Array) -> tuple[Array, Array, Array]:
        """Rows that follow what is known, sorted, with their slots; and rows that are late."""
        order = np.lexsort((table["time"], table["datastream_id"]))
        order = order[table["quality"][order] < USABLE_BELOW]
        ids, times = table["datastream_id"][order], table["time"][order]
        slots = np.searchsorted(self._state["id"], ids)
        count = self._state["count"][slots]
        newest = np.where(count > 0, self._state["times"][slots, (count - 1) % KEPT], -NEVER_US)
        follows = times > newest
        late = order[~follows]
        follows[1:] &= (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])  # the first of equal keys
        if follows.all():
            return order, slots, late
        return order[follows], slots[follows], late

    def _gaps(self, before: _Before) -> list[Gap]:
        pause_us = before.times - before.times_1
        known = ~np.isnan(before.values_1)
        longest = self._state["longest_us"][before.slots]
        found = np.flatnonzero(known & (pause_us > longest))
        self._state["unlearned"][before.slots[found]] = KEPT  # perhaps it speaks less often now
        gaps = []
        for row in found:
            one = self._traits[int(self._state["id"][before.slots[row]])]
            start, end = from_us(int(before.times_1[row])), from_us(int(before.times[row]))
            seconds = float(longest[row] / 1e6)
            gaps.append(Gap(one.id, one.quantity, one.device_id, one.farm_id, start, end, seconds))
        return gaps

    def keep(self, table: Array, judged: Judged, new: Array) -> None:
        """Take in the readings that were stored; to be called once they are committed."""
        self._break_runs(table, judged.late[new[judged.late]])
        stored = new[judged.order]
        rows, slots, since = (
            part[stored] for part in (judged.order, judged.slots, judged.same_since)
        )
        if not len(rows):
            return
        starts = np.flatnonzero(np.diff(slots, prepend=-1))
        sizes = np.diff(starts, append=len(slots))
        place = np.arange(len(slots)) - np.repeat(starts, sizes)
        last_few = place >= np.repeat(sizes, sizes) - KEPT
        at = (self._state["count"][slots] + place) % KEPT
        self._state["times"][slots[last_few], at[last_few]] = table["time"][rows[last_few]]
        self._state["values"][slots[last_few], at[last_few]] = table["value"][rows[last_few]]
        each, ends = slots[starts], starts + sizes - 1
        self._state["count"][each] += sizes
        self._state["same_since"][each] = since[ends]
        self._state["unlearned"][each] += sizes

    def _break_runs(self, table: Array, late: Array) -> None:
        """A late reading of another value: what was the same before it is no longer one run."""
        if not len(late):
            return
        slots = np.searchsorted(self._state["id"], table["datastream_id"][late])
        newest = self._state["values"][slots, (self._state["count"][slots] - 1) % KEPT]
        other = table["value"][late] != newest
        np.maximum.at(self._state["same_since"], slots[other], table["time"][late[other]])

    def learn_intervals(self, connection: sa.Connection) -> int:
        """Learn how often datastreams speak, where that is due; return how many have an answer."""
        due = np.flatnonzero(self._state["learns"] & (self._state["unlearned"] >= KEPT))
        if not len(due):
            return 0
        newest = self._state["times"][due, (self._state["count"][due] - 1) % KEPT]
        since = {
            int(self._state["id"][slot]): from_us(int(time) - LOOK_BACK_US)
            for slot, time in zip(due, newest, strict=True)
        }
        learned = intervals.learn(connection, since)
        self._state["unlearned"][due] = 0
        for slot in due:
            seconds = learned.get(int(self._state["id"][slot]))
            self._state["longest_us"][slot] = _longest_us(seconds)
            # What is known is looked at again only when a pause contradicts it.
            self._state["unlearned"][slot] = 0 if seconds is None else -NEVER_US
        return sum(seconds is not None for seconds in learned.values())


def _with_rules(traits: Sequence[StreamTraits]) -> Array:
    """What is known of datastreams before anything of them was read: a row of each."""
    named = sorted({one.quantity for one in traits})
    places = {name: place for place, name in enumerate(named)}
    of_quantity = np.zeros(len(named), _STATE)
    for row, name in zip(of_quantity, named, strict=True):
        _set_rules(row, CATALOGUE[name])
    rows = of_quantity[[places[one.quantity] for one in traits]]
    watched = [one.device_kind not in RESTING_KINDS for one in traits]
    pairs = list(zip(traits, watched, strict=True))
    rows["id"] = [one.id for one in traits]
    rows["modulus"] = [
        np.nan if one.counter_modulus is None else one.counter_modulus for one in traits
    ]
    rows["longest_us"] = [_longest_us(one.expected_interval_s if w else None) for one, w in pairs]
    rows["learns"] = [w and not one.interval_is_given for one, w in pairs]
    rows["unlearned"] = [0 if one.expected_interval_s is None else -NEVER_US for one in traits]
    return rows


def _set_rules(row: Any, quantity: Quantity) -> None:
    change, stuck = quantity.change, quantity.stuck
    row["low"], row["high"] = quantity.low, quantity.high
    row["step"], row["per_hour"] = change or (np.nan, np.nan)
    row["stuck_us"] = NEVER_US if stuck is None else round(stuck.after_h * rules.HOUR_US)
    row["rest"] = np.nan
    row["rest"][: len(stuck.rest if stuck else ())] = stuck.rest if stuck else ()
    row["is_counter"] = quantity.kind is Kind.COUNTER


def _longest_us(interval_s: int | None) -> int:
    return NEVER_US if interval_s is None else round(intervals.longest_s(interval_s) * 1e6)


def _same_since(times: Array, values: Array, stuck_us: int) -> int:
    """When the last value of a series came up; a pause of a third of the limit proves nothing."""
    changed = (values[1:] != values[:-1]) | (np.diff(times) > stuck_us // 3)
    last = np.flatnonzero(changed)
    return int(times[last[-1] + 1] if len(last) else times[0])


class _Before:
    """Rows in order, each with the reading before it: of the batch, or of those known."""

    def __init__(self, state: Array, table: Array, rows: Array, slots: Array) -> None:
        self.state, self.rows, self.slots = state, rows, slots
        self.times, self.values = table["time"][rows], table["value"][rows]
        starts = np.diff(slots, prepend=-1) != 0
        first = np.flatnonzero(starts)
        self.is_first = starts
        self.place = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
        self.times_1, self.values_1 = np.empty_like(self.times), np.empty_like(self.values)
        self.times_1[1:], self.values_1[1:] = self.times[:-1], self.values[:-1]
        self.times_1[first], self.values_1[first] = self._known(slots[first], 1)

    def _known(self, slots: Array, back: Array | int) -> tuple[Array, Array]:
        """The newest readings of datastreams but ``back - 1``; NaN where there is none."""
        at = self.state["count"][slots] - back
        there = (at >= 0) & (np.asarray(back) <= KEPT)
        values = np.where(there, self.state["values"][slots, at % KEPT], np.nan)
        return self.state["times"][slots, at % KEPT], values

    def back(self, rows: Array, by: int) -> tuple[Array, Array]:
        """Readings ``by`` places before some of the rows: times and values, NaN for none."""
        inside = self.place[rows] >= by
        at = np.maximum(rows - by, 0)
        beyond = np.where(inside, 1, by - self.place[rows])
        times, values = self._known(self.slots[rows], beyond)
        return np.where(inside, self.times[at], times), np.where(inside, self.values[at], values)


def _judge_changes(before: _Before, limits: Limits, flags: Array) -> tuple[Array, Array]:
    """Flag readings that moved too far, and lone ones that the next reading shows to be spikes."""
    values, times = before.values, before.times
    far = np.flatnonzero(rules.is_far(values, times, before.values_1, before.times_1, limits))
    none = np.empty(0, np.int64)
    if not len(far):
        return none, none
    limits = Limits(limits.step[far], limits.per_hour[far])
    times_1, values_1 = before.times_1[far], before.values_1[far]
    times_2, values_2 = before.back(far, 2)
    # After a spike the series goes on where it was before.
    goes_on = rules.is_near(values[far], times[far], values_2, times_2, limits)
    flags[before.rows[far[~goes_on]]] |= Quality.RATE_OF_CHANGE
    alone = rules.is_far(values_1, times_1, values_2, times_2, limits)
    alone &= (values_1 > values_2) == (values_1 > values[far])  # on the same side of both
    chosen = far[alone]
    if not len(chosen):
        return none, none
    earlier = np.stack([before.back(chosen, by)[1] for by in range(2, KEPT + 2)], axis=1)
    spikes = chosen[rules.stands_out(values_1[alone], earlier)]
    inside = before.place[spikes] >= 1
    flags[before.rows[spikes[inside] - 1]] |= Quality.SPIKE
    stored = spikes[~inside]
    return before.state["id"][before.slots[stored]].astype(np.int64), before.times_1[stored]


def _judge_counters(before: _Before, flags: Array) -> None:
    fell = np.flatnonzero(
        (before.values < before.values_1) & before.state["is_counter"][before.slots]
    )
    if len(fell):
        modulus = before.state["modulus"][before.slots[fell]]
        reset = rules.is_reset(before.values[fell], before.values_1[fell], modulus)
        flags[before.rows[fell[reset]]] |= Quality.COUNTER_RESET


def _judge_stillness(before: _Before, flags: Array) -> Array:
    """Flag values that have been the same for too long; returns since when each has been."""
    stuck_us = before.state["stuck_us"][before.slots]
    same = (before.values == before.values_1) & (before.times - before.times_1 <= stuck_us // 3)
    since = np.where(same, before.state["same_since"][before.slots], before.times)
    # The rows after the first of a run have the time of that.
    begins = np.where(~same | before.is_first, np.arange(len(same)), 0)
    since = since[np.maximum.accumulate(begins)] if len(same) else since
    still = np.flatnonzero(before.times - since >= stuck_us)
    if len(still):
        rest = before.state["rest"][before.slots[still]]
        moves = (before.values[still, None] != rest).all(axis=1)
        flags[before.rows[still[moves]]] |= Quality.STUCK
    return since
