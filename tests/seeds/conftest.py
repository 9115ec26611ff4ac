"""A broker and a device in this process, as long as a test needs them."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.seeds.broker import Mosquitto, StandIn
from tests.seeds.devices import Running, name_of


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    if shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("needs mosquitto, of the distribution's package of that name")
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield broker
    broker.stop()


@pytest.fixture
def stand_in(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[StandIn]:
    made = StandIn(mosquitto, name_of(request))
    yield made
    made.close()


@pytest.fixture
def running(
    mosquitto: Mosquitto, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., Running]:
    def start(**options: Any) -> Running:
        return Running(name_of(request), tmp_path / "memory", mosquitto.address, **options)

    return start
