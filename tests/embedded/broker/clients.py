"""A device, a gateway or the service at the broker, and what the broker said of them."""

import queue
import socket
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt


class Client:
    """A paho client whose callbacks end in queues."""

    def __init__(self, servers, user, password, *, client_id=None, keep=False, manual=False):
        url = urlsplit(servers.mqtt_url)
        self.answers, self.messages = queue.Queue(), queue.Queue()
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id or user or "nobody",
            clean_session=not keep,
            protocol=mqtt.MQTTv311,
            manual_ack=manual,
            reconnect_on_failure=False,
        )
        if user:
            self.paho.username_pw_set(user, password)
        self.paho.on_connect = lambda *args: self.answers.put((args[3], args[2]))
        self.paho.on_subscribe = lambda *args: self.answers.put(args[3])
        self.paho.on_message = lambda *args: self.messages.put(args[2])
        self.paho.connect(url.hostname, url.port)
        self.paho.loop_start()
        self.code, self.flags = self.answers.get(timeout=10)

    def subscribe(self, topic_filter):
        self.paho.subscribe(topic_filter, 1)
        (code,) = self.answers.get(timeout=10)
        return code.is_failure

    def publish(self, topic, payload, **options):
        self.paho.publish(topic, payload, 1, **options).wait_for_publish(10)

    def receive(self, count):
        return [self.messages.get(timeout=10) for _ in range(count)]

    def lose_connection(self):
        """As when the process is killed: no DISCONNECT."""
        self.paho._sock.shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def log_of(servers):
    return (servers.home.logs / "broker.log").read_text()
