"""Simulated devices at work: each publishes its messages and keeps them until the receipt.

They send as a device on a farm does (:mod:`seeds.courier`), but nobody switches them off: their
messages wait in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from ingest.subscriber import BrokerAddress
from seeds.buffers import MemoryBuffer, Number
from seeds.courier import SENML, TRACK, Courier, NoReceipt
from seeds.link import Dialect, Login
from seeds.messages import Outgoing, Sender, numbered
from seeds.sending import Pace

__all__ = ["Delivered", "Login", "NoReceipt", "SimulatedDevice", "deliver_all"]

PACE = Pace(window=200, first_pause_s=3.0, longest_pause_s=20.0)
AT_ONCE = 6  # devices that publish at the same time
PATIENCE_S = 60.0  # without a receipt


class Delivered(NamedTuple):
    """What the receipts of a device add up to."""

    messages: int
    stored: int
    duplicate: int
    rejected: dict[str, int]


class SimulatedDevice:
    """One device on one connection."""

    def __init__(
        self,
        address: BrokerAddress,
        device_id: str,
        login: Login,
        *,
        boot: int = 1,
        dialect: Dialect | None = None,
    ):
        self._address, self._id, self._login, self._boot = address, device_id, login, boot
        self._dialect = dialect or Dialect()

    def deliver(
        self,
        messages: Sequence[Outgoing],
        *,
        on_receipt: Callable[[int], None] = lambda _count: None,
        patience_s: float = PATIENCE_S,
    ) -> Delivered:
        """Publish and wait until every message is receipted.

        Raises
        ------
        OSError
            If there is no broker; PermissionError if it refuses the device.
        NoReceipt
            If no receipt comes for ``patience_s``.
        """
        courier = Courier(
            self._id,
            MemoryBuffer(),
            self._address,
            self._login,
            boot=self._boot,
            pace=PACE,
            dialect=self._dialect,
            on_receipt=on_receipt,
        )
        for message in messages:
            courier.put(TRACK if message.kind == "track" else SENML, partial(self._write, message))
        courier.deliver(patience_s)
        return Delivered(len(messages), courier.stored, courier.duplicate, courier.rejected)

    def _write(self, message: Outgoing, number: Number) -> bytes:
        return numbered(message, self._id, *number)


def deliver_all(
    address: BrokerAddress,
    senders: Sequence[Sender],
    logins: Callable[[str], Login],
    *,
    on_receipt: Callable[[int], None],
    boot: int | None = None,
    patience_s: float = PATIENCE_S,
) -> list[Delivered]:
    """Let many devices deliver, a few at a time.

    Their boot is the time by default: each run is of devices whose memory is new.
    """
    dialect, begun = Dialect(), int(time.time())

    def one(sender: Sender) -> Delivered:
        login = logins(sender.device_id)
        device = SimulatedDevice(
            address, sender.device_id, login, boot=boot or begun, dialect=dialect
        )
        return device.deliver(sender.messages, on_receipt=on_receipt, patience_s=patience_s)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, senders))
