"""`dala ingest` as a process: logs, signals, metrics, and the subscriber until it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import structlog

from ingest import logs
from ingest.broker_access import BrokerAccess
from ingest.codecs import BUILT_IN, Registry
from ingest.metrics import Metrics, MetricsServer
from ingest.settings import CLIENT_ID, BrokerAddress, MqttSettings, Worker
from ingest.subscriber import Subscriber
from storage.sealing import Seal

BROKER_PATIENCE_S = 5.0

log = structlog.get_logger()


def serve(
    engine: sa.Engine,
    address: BrokerAddress,
    *,
    client_id: str = CLIENT_ID,
    worker: Worker = Worker(),  # noqa: B008 - it cannot change
    metrics_port: int | None = None,
    metrics_host: str = "127.0.0.1",
    retire: bool = False,
    registry: Registry = BUILT_IN,
    settings: MqttSettings | None = None,
) -> None:
    """Store what devices publish until SIGTERM or SIGINT; what waits then is stored first.

    Parameters
    ----------
    client_id : str
        Under it the broker keeps our session; workers add their number to it.
    worker : Worker
        Which of how many; the broker must know shared subscriptions if there are several.
    metrics_port : int, optional
        Answer `/metrics` there; 0 takes a free port, None answers nowhere.
    metrics_host : str
        Where to listen. Other than loopback lets the network read the numbers.
    retire : bool
        Store what the broker has queued for this client id, give its session up, and return.
    """
    logs.configure()
    metrics = Metrics()
    subscriber = Subscriber(
        engine,
        address,
        client_id=client_id,
        worker=worker,
        settings=settings,
        metrics=metrics,
        registry=registry,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: subscriber.stop())
    with (
        _telling(metrics, metrics_host, metrics_port),
        _keeping_access(_broker_access(engine, address, settings or MqttSettings(), worker)),
    ):
        subscriber.run(retire=retire)


@contextmanager
def _telling(metrics: Metrics, host: str, port: int | None) -> Iterator[None]:
    """Answer `/metrics`, where it is to be answered."""
    if port is None:
        yield
        return
    server = MetricsServer(metrics, port, host)
    log.info("metrics", address=f"http://{host}:{server.port}/metrics")
    try:
        yield
    finally:
        server.close()


@contextmanager
def _keeping_access(access: BrokerAccess | None) -> Iterator[None]:
    """Tell the broker of devices' credentials, where it is to be told."""
    if access is None:
        yield
        return
    # Ingest goes on without it; only the very first time the broker does not know us yet.
    access.start(patience_s=BROKER_PATIENCE_S)
    try:
        yield
    finally:
        access.stop()


def _broker_access(
    engine: sa.Engine, address: BrokerAddress, settings: MqttSettings, worker: Worker
) -> BrokerAccess | None:
    """Who tells the broker of devices' credentials, where it is to be told: the first worker."""
    if settings.mqtt_admin_url is None or worker.number != 1:
        return None
    admin = BrokerAddress.parse(settings.mqtt_admin_url.get_secret_value())
    return BrokerAccess(engine, admin, service=address, seal=Seal.from_environment())
