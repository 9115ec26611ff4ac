"""A device to be killed: it measures as fast as it is told, and notes what it was told is kept.

It measures ``first``, ``first`` + 1, … and writes each number to ``log`` once the device has taken
it; a negative ``first`` only delivers what is left.
"""

import os
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from ingest.subscriber import BrokerAddress
from seeds.reference_device import Packing, ReferenceDevice
from seeds.ring_buffer import RingBuffer
from seeds.sending import Pace

PACE = Pace(window=20, first_pause_s=1.0, longest_pause_s=4.0)
PACKING = Packing(interval_s=0.2, budget_bytes=300)


def main(device_id: str, buffer: str, url: str, log: str, first: str) -> None:
    address = BrokerAddress.parse(url)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with closing(RingBuffer(Path(buffer))) as memory:
        device = ReferenceDevice(device_id, memory, address, None, packing=PACKING, pace=PACE)
        device.start()
        number = int(first)
        while number >= 0:
            device.measure("water_total", Decimal(number))
            os.write(written, b"%d\n" % number)
            number += 1
            time.sleep(0.004)
        device.finish()
        device.settle(30.0)
        device.stop()
