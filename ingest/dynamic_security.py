"""Mosquitto's dynamic security (mosquitto_dynamic_security.so): who may come, and on which topics.

Its commands go to a topic of the broker's own and are answered on another. Version 2.0 knows no
placeholder for a name in a topic, so that each device has a role of its own.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingest.connection import Connection, Handlers
from ingest.settings import BrokerAddress
from storage.credentials import Change, device_of
from storage.registering import GATEWAYS

COMMANDS = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{COMMANDS}/response"
# Who comes, where the broker is told to say so (log_dest topic): the name is its last word.
NOTICES = "$SYS/broker/log/N"
_CAME = re.compile(r"New client connected from .* u'([^']+)'\)\.$")
CLIENT_ID = "dala-broker-access"
OURS = "dala:"  # begins the names of our roles: what has another is none of our business
SERVICE_ROLE = f"{OURS}service"
ANSWER_S = 15.0
POLL_S = 0.05
COMMANDS_AT_ONCE = 200

Command = dict[str, Any]
_GONE_ALREADY = frozenset({"Client not found", "Role not found"})


class CommandRefused(RuntimeError):
    """The broker will not do what it was told; the message says why."""


def role_of(device_id: str) -> str:
    """The name of a device's role."""
    return f"{OURS}device:{device_id}"


def acls(device_id: str, kind: str, topic_filters: Sequence[str]) -> list[Command]:
    """What a device may say and hear: its own readings, its own receipts.

    A gateway may say and hear what it was given for the devices behind it; one that was given
    nothing, as :mod:`embedded.broker_access` has it, whatever is not of our own devices.
    """
    own = f"dala/v1/{device_id}"
    found = [_send(f"{own}/senml"), _send(f"{own}/track"), *_hear(f"{own}/receipt", exactly=True)]
    if kind not in GATEWAYS:
        return found
    for one in topic_filters:
        found += [_send(one), *_hear(one)]
    if not topic_filters:
        found += [_send("#"), _send("dala/#", allow=False, priority=5)]
        for rank in range(2):  # what is its own stands above that
            found[rank]["priority"] = 10
        for commands in ("spBv1.0/+/NCMD/#", "spBv1.0/+/DCMD/#", "spBv1.0/STATE/#"):
            found += _hear(commands)
    return found


def service_acls() -> list[Command]:
    """What ingest may say and hear."""
    return [
        _send("dala/v1/+/receipt"),
        _send("spBv1.0/#"),
        *_hear("#"),
        *_hear("$share/#"),
    ]


def _send(topic: str, *, allow: bool = True, priority: int = 0) -> Command:
    return {
        "acltype": "publishClientSend", "topic": topic, "allow": allow, "priority": priority
    }  # fmt: skip


def _hear(topic: str, *, exactly: bool = False) -> list[Command]:
    kind = "subscribeLiteral" if exactly else "subscribePattern"
    return [
        {"acltype": kind, "topic": topic, "allow": True, "priority": 0},
        {"acltype": "publishClientReceive", "topic": topic, "allow": True, "priority": 0},
    ]


def came(notice: bytes) -> str | None:
    """The user name of who has just connected, if that is what the broker says."""
    found = _CAME.search(notice.decode(errors="replace"))
    return found[1] if found else None


class State:
    """What the broker knows of ours."""

    def __init__(self, clients: Iterable[Mapping[str, Any]], roles: Iterable[str]) -> None:
        listed = list(clients)
        self.clients = {one["username"] for one in listed}
        self.roles = {one for one in roles if one.startswith(OURS)}
        self.devices = {
            one["username"]
            for one in listed
            if any(role["rolename"].startswith(f"{OURS}device:") for role in one.get("roles", ()))
        }


def commands_for(change: Change, state: State, token: str | None) -> list[Command]:
    """What makes the broker know a credential as it is, given what it knows; in this order.

    Raises
    ------
    CommandRefused
        If the broker has no such client and there is no token to make it with, or one that is no
        device of ours: an administrator, or ingest.
    """
    username, role = change.username, role_of(change.device_id)
    if change.is_over:
        gone = username not in state.devices
        return [] if gone else [{"command": "deleteClient", "username": username}]
    if username in state.clients and username not in state.devices:
        raise CommandRefused("the broker has another account of this name")
    rules = acls(change.device_id, change.kind, change.topic_filters)
    verb = "modifyRole" if role in state.roles else "createRole"
    found: list[Command] = [{"command": verb, "rolename": role, "acls": rules}]
    if username not in state.clients:
        if token is None:
            raise CommandRefused(
                "the broker does not have its token, and nobody can know it: give it a new one"
            )
        found.append(
            {
                "command": "createClient",
                "username": username,
                "password": token,
                "clientid": device_of(username),
                "textname": f"device {change.device_id}",
                "roles": [{"rolename": role}],
            }
        )
    elif token is not None:
        found.append({"command": "setClientPassword", "username": username, "password": token})
    # Whoever is disabled is disconnected by it.
    switch = "disableClient" if change.disabled else "enableClient"
    return [*found, {"command": switch, "username": username}]


def commands_for_service(address: BrokerAddress, state: State) -> list[Command]:
    """What lets ingest in under its own name; nothing where the broker knows the name."""
    verb = "modifyRole" if SERVICE_ROLE in state.roles else "createRole"
    role: Command = {"command": verb, "rolename": SERVICE_ROLE, "acls": service_acls()}
    if address.user is None or address.user in state.clients:
        return [role] if verb == "modifyRole" else []
    return [
        role,
        {
            "command": "createClient",
            "username": address.user,
            "password": address.password or "",
            "textname": "dala ingest",
            "roles": [{"rolename": SERVICE_ROLE}],
        },
    ]


class Administration:
    """A connection over which a broker is told who may come."""

    def __init__(self, address: BrokerAddress) -> None:
        self._connection = Connection(
            address,
            CLIENT_ID,
            Handlers(self._take, lambda _mid: None),
            mqtt5=True,
            receive_maximum=1_000,
        )
        self._answers: dict[str, list[Command]] = {}
        self._came: list[str] = []

    def open(self) -> State:
        """Connect; answer what the broker knows.

        Raises
        ------
        OSError
            If the broker is not there or does not let us in.
        CommandRefused
            If it does not let us ask.
        """
        self._connection.open()
        if ANSWERS in self._connection.subscribe([ANSWERS, NOTICES]):
            raise CommandRefused(f"the broker lets us in but not read {ANSWERS}")
        clients, roles = self.tell(
            [
                {"command": "listClients", "verbose": True, "count": -1, "offset": 0},
                {"command": "listRoles", "verbose": False, "count": -1, "offset": 0},
            ]
        )
        return State(clients["data"]["clients"], roles["data"]["roles"])

    def tell(self, commands: Sequence[Command]) -> list[Command]:
        """Let the broker do all of these; its answers, in order.

        Raises
        ------
        CommandRefused
            With what it said of the first that it would not do.
        OSError
            If it is not there any more, or does not answer.
        """
        found: list[Command] = []
        for start in range(0, len(commands), COMMANDS_AT_ONCE):
            found += self._tell(commands[start : start + COMMANDS_AT_ONCE])
        for command, answer in zip(commands, found, strict=True):
            words = answer.get("error")
            gone = command["command"].startswith("delete") and words in _GONE_ALREADY
            if words is not None and not gone:
                raise CommandRefused(f"{command['command']}: {words}")
        return found

    def _tell(self, commands: Sequence[Command]) -> list[Command]:
        ours = secrets.token_hex(8)
        marked = [{**one, "correlationData": ours} for one in commands]
        if self._connection.publish(COMMANDS, json.dumps({"commands": marked}), qos=1) is None:
            raise ConnectionError(self._connection.ended or "the broker went away")
        until = time.monotonic() + ANSWER_S
        while ours not in self._answers:
            if time.monotonic() > until:
                raise ConnectionError("the broker does not answer; is its plugin loaded?")
            self.serve(POLL_S)
        return self._answers.pop(ours)

    def serve(self, timeout: float) -> None:
        """Read what is there; ConnectionError where the connection broke."""
        if not self._connection.serve(timeout):
            raise ConnectionError(self._connection.ended or "the broker went away")

    def take_came(self) -> list[str]:
        """User names of who connected since, where the broker says so."""
        found, self._came = self._came, []
        return found

    def close(self) -> None:
        """Say goodbye, and leave nothing behind."""
        if self._connection.is_open:
            self._connection.close(end_session=True)
        self._connection.abandon()

    def _take(self, mid: int, topic: str, payload: bytes) -> None:
        self._connection.acknowledge([mid])
        if topic == NOTICES:
            if (name := came(payload)) is not None:
                self._came.append(name)
            return
        try:
            answers = json.loads(payload)["responses"]
            self._answers = {answers[0]["correlationData"]: answers}
        except (ValueError, KeyError, IndexError, TypeError):
            return  # of somebody else's commands
