"""Coming to a broker: in the newest MQTT it speaks, with the topics that are ours."""

from __future__ import annotations

import structlog

from ingest.codecs import Registry
from ingest.connection import BrokerRefused, Connection, Handlers, NoGreeting
from ingest.presence import Presence
from ingest.settings import BrokerAddress, MqttSettings, Worker
from ingest.sharing import every_form, subscriptions

log = structlog.get_logger()


class Joining:
    """Makes connections, and remembers which protocol works."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        worker: Worker,
        settings: MqttSettings,
        registry: Registry,
    ) -> None:
        self._address, self._client_id, self._worker = address, client_id, worker
        self._receive_maximum = settings.receive_maximum
        self._registry = registry
        self._mqtt5 = True
        self._settled: bool | None = None  # which protocol is known to work here

    def new_connection(self, handlers: Handlers, presence: Presence | None) -> Connection:
        """A connection to be opened; ``presence`` is told for us if it breaks."""
        if self._settled is not None:
            self._mqtt5 = self._settled
        return Connection(
            self._address,
            self._client_id,
            handlers,
            mqtt5=self._mqtt5,
            receive_maximum=self._receive_maximum,
            will=None if presence is None else presence.will(),
        )

    def open(self, connection: Connection, *, retiring: bool) -> None:
        """Connect and subscribe; or ask for nothing more, ``retiring``.

        Raises
        ------
        BrokerRefused
            If waiting would not help.
        NoGreeting, OSError
            If the broker is not there, or does not accept us now or in this protocol.
        """
        try:
            connection.open()
        except NoGreeting as error:
            if error.too_old is not False:
                self._try_the_other_protocol(certain=bool(error.too_old))
            raise
        if self._mqtt5:
            self._settled = True
        self._mqtt5 = True  # who only seemed too old is asked again the next time
        self._subscribe(connection, retiring=retiring)

    def _try_the_other_protocol(self, *, certain: bool) -> None:
        """A broker that is too old says so, or just hangs up: then 3.1.1 and 5 take turns."""
        if self._settled is not None:
            return
        if self._worker.shares:
            if certain:
                raise self._cannot_share()
            return
        if certain:
            self._settled = False
        self._mqtt5 = not self._mqtt5
        if not self._mqtt5:
            log.info("broker does not speak MQTT 5; using 3.1.1")

    def _cannot_share(self) -> BrokerRefused:
        return BrokerRefused(
            f"the broker at {self._address.place} has no shared subscriptions, which several "
            "workers need. Run one `dala ingest` without --worker, or use a broker of MQTT 5, "
            "such as Mosquitto."
        )

    def _subscribe(self, connection: Connection, *, retiring: bool) -> None:
        wanted = subscriptions(self._registry, self._worker)
        if self._worker.shares and not connection.shares:
            raise self._cannot_share()
        if retiring:
            connection.unsubscribe(every_form(self._registry))
        elif refused := connection.subscribe(wanted):
            # An operator may give us a part; it must not look like silent devices.
            log.warning("not allowed to subscribe", topics=refused)
