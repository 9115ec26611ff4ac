"""A Mosquitto whose accounts are kept by its dynamic security, and clients of MQTT 5 on it."""

import os
import queue
import secrets
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from ingest.settings import BrokerAddress
from tests.ingest.servers import Mosquitto

PATH = f"{os.environ['PATH']}:/usr/sbin"
PLUGIN = "mosquitto_dynamic_security.so"


def plugin() -> Path:
    """The plugin of the distribution's package; skips where there is none."""
    folders = [Path(one) for one in ("/usr/lib", "/usr/local/lib")]
    found = [
        one for folder in folders for one in (*folder.glob(PLUGIN), *folder.glob(f"*/{PLUGIN}"))
    ]
    if not found or shutil.which("mosquitto_ctrl", path=PATH) is None:
        pytest.skip(f"needs mosquitto with {PLUGIN}, of the distribution's package mosquitto")
    return found[0]


class DynamicMosquitto(Mosquitto):
    """On a loopback port, with an administrator and nobody else."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.password, self._accounts = secrets.token_urlsafe(12), folder / "dynamic-security.json"
        self.log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._binary = shutil.which("mosquitto", path=PATH)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nplugin {plugin()}\n"
            f"plugin_opt_config_file {self._accounts}\n"
            f"log_dest topic\nlog_dest file {self.log}\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.forget()
        self.start()

    def forget(self) -> None:
        """Lose every account but the administrator's; only while it does not run."""
        self._accounts.unlink(missing_ok=True)
        command = ["mosquitto_ctrl", "dynsec", "init", str(self._accounts), "admin", self.password]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={"PATH": PATH})

    @property
    def admin_url(self) -> str:
        return f"mqtt://admin:{self.password}@127.0.0.1:{self.port}"

    @property
    def ingest_url(self) -> str:
        return f"mqtt://dala-ingest:{self.password}-ingest@127.0.0.1:{self.port}"

    @property
    def admin(self) -> BrokerAddress:
        return BrokerAddress.parse(self.admin_url)


class Visitor:
    """A client of MQTT 5, which is told what it may not do."""

    def __init__(
        self, broker: Mosquitto, username: str, token: str, *, client_id: str | None = None
    ) -> None:
        self._answers: queue.Queue[str] = queue.Queue()
        self.messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.ended = threading.Event()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=username.removesuffix("~2") if client_id is None else client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.username_pw_set(username, token)
        self.client.on_connect = lambda *args: self._answers.put(str(args[3]))
        self.client.on_disconnect = lambda *_: self.ended.set()
        self.client.on_publish = lambda *args: self._answers.put(str(args[3]))
        self.client.on_subscribe = lambda *args: self._answers.put(str(args[3][0]))
        self.client.on_message = lambda *args: self.messages.put((args[2].topic, args[2].payload))
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.greeting = self._answers.get(timeout=10)

    @property
    def came_in(self) -> bool:
        return self.greeting == "Success"

    def may_publish(self, topic: str, payload: bytes = b"[]") -> bool:
        self.client.publish(topic, payload, 1)
        return self._answers.get(timeout=10) != "Not authorized"

    def may_hear(self, topic_filter: str) -> bool:
        self.client.subscribe(topic_filter, 1)
        return self._answers.get(timeout=10) != "Not authorized"

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
