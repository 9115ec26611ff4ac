"""What an installer takes along: settings of the device or of its network, and a code to scan."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import segno
from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.models_onboarding import ConfigurationOut, DeviceTokenOut, FileOut, SecretOut
from entry.devices import speaks_itself
from storage.credentials import Issued
from storage.devices import Datastream, Device, name_of
from storage.registering import GATEWAYS

YOUR_TOKEN = "<token>"  # noqa: S105 - where the secret is not to be shown
LORA = "lora:"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # of Debian and its kin
# What a device of the kind usually says first; of a quantity: an example.
_FIRST = {
    "soil-probe": ("soil_moisture/20", "soil_temperature/20", "battery_voltage"),
    "flow-meter": ("water_total", "water_flow"),
    "weather-station": ("air_temperature", "relative_humidity", "wind_speed", "rain"),
    "valve": ("valve_open:1", "water_pressure"),
}
_VALUES = {
    "soil_moisture": 0.284, "soil_temperature": 17.4, "battery_voltage": 3.6, "water_total": 1024.5,
    "water_flow": 36.0, "air_temperature": 24.1, "relative_humidity": 41.0, "wind_speed": 2.3,
    "rain": 0.2, "valve_open": 1, "water_pressure": 280.0,
}  # fmt: skip


class InstallerSettings(BaseSettings):
    """Read from the environment: ``DALA_PUBLIC_MQTT_URL``."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    public_mqtt_url: str | None = None

    @field_validator("public_mqtt_url")
    @classmethod
    def _says_where(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.username:
            raise ValueError("must be mqtts://host:port, as devices reach it, without a password")
        return url.rstrip("/")


def address_of(device_id: str, issued: Issued) -> str | None:
    """All that a device needs to come, in one line; None where nobody said where the broker is."""
    public = InstallerSettings().public_mqtt_url
    if public is None:
        return None
    url = urlsplit(public)
    user, word = quote(issued.username, safe=""), quote(issued.token, safe="")
    return f"{url.scheme}://{user}:{word}@{url.netloc}/?client_id={quote(device_id, safe='')}"


def told(device_id: str, issued: Issued) -> DeviceTokenOut:
    """A new token of one device of many, without its picture."""
    return DeviceTokenOut(
        client_id=device_id,
        username=issued.username,
        token=issued.token,
        qr_text=address_of(device_id, issued),
    )


def secret(device: Device, issued: Issued) -> SecretOut:
    """A new token, with a code that holds all that the device needs to come."""
    text = address_of(device.id, issued)
    svg, png = (None, None) if text is None else _pictures(text)
    return SecretOut(
        client_id=device.id,
        username=issued.username,
        token=issued.token,
        replaced_until=issued.replaced_until,
        qr_text=text,
        qr_svg=svg,
        qr_png=png,
    )


def _pictures(text: str) -> tuple[str, str]:
    """A QR code as SVG, and as a PNG in an address of its own."""
    code = segno.make(text, error="m", micro=False)
    svg = io.BytesIO()
    code.save(svg, kind="svg", scale=4, xmldecl=False, svgns=True)
    return svg.getvalue().decode(), code.png_data_uri(scale=6)


def configuration(
    device: Device,
    streams: Sequence[Datastream],
    topic_filters: Sequence[str],
    issued: Issued | None = None,
    username: str | None = None,
) -> ConfigurationOut:
    """How to set a device up; with its secret only where that is new."""
    url = InstallerSettings().public_mqtt_url
    own = f"dala/v1/{device.id}"
    publishes = [f"{own}/senml", f"{own}/track"]
    files: list[FileOut] = []
    if speaks_itself(device):
        name = username or device.id if issued is None else issued.username
        account = _account(device, url, name, YOUR_TOKEN if issued is None else issued.token)
        files.append(_settings(account, own))
        if device.kind in GATEWAYS:
            publishes += topic_filters
            files += [_chirpstack(account), _things_stack(account)]
        else:
            files.append(_pack(device, streams))
    else:
        publishes = []
        if (device.wire_id or "").startswith(LORA):
            files.append(_lorawan(device))
    return ConfigurationOut(
        device_id=device.id,
        broker_url=url,
        publishes=publishes,
        subscribes=[f"{own}/receipt"] if publishes else [],
        files=files,
    )


def _account(device: Device, url: str | None, username: str, token: str) -> dict[str, str]:
    parts = urlsplit(url or "mqtts://broker.invalid:8883")
    tls = parts.scheme == "mqtts"
    host = "<broker>" if url is None else str(parts.hostname)
    return {
        "host": host,
        "port": str(parts.port or (8883 if tls else 1883)),
        "tls": "true" if tls else "false",
        "scheme": "ssl" if tls else "tcp",
        "client_id": device.id,
        "username": username,
        "token": token,
    }


def _settings(account: dict[str, str], own: str) -> FileOut:
    text = {
        "host": account["host"],
        "port": int(account["port"]),
        "tls": account["tls"] == "true",
        "client_id": account["client_id"],
        "username": account["username"],
        "password": account["token"],
        "clean_session": False,
        "qos": 1,
        "readings_topic": f"{own}/senml",
        "track_topic": f"{own}/track",
        "receipt_topic": f"{own}/receipt",
    }
    return FileOut(
        name="mqtt.json",
        about="How the device comes to the broker. It keeps what it sent until the receipt.",
        text=json.dumps(text, ensure_ascii=False, indent=1),
    )


def _pack(device: Device, streams: Sequence[Datastream]) -> FileOut:
    names = [name_of(one) for one in streams] or list(_FIRST.get(device.kind, ("battery_voltage",)))
    head = {"bn": f"urn:dev:dala:{device.id}:", "bt": 1_782_000_000, "n": "boot", "v": 1}
    records = [
        {"n": name, "v": _VALUES.get(name.partition("/")[0].partition(":")[0], 1.0)}
        for name in names
    ]
    return FileOut(
        name="example.senml.json",
        about="A message of this device (SenML, RFC 8428): boot and seq number it, bt is the time.",
        text=json.dumps([head, {"n": "seq", "v": 1}, *records], ensure_ascii=False, indent=1),
    )


def _chirpstack(account: dict[str, str]) -> FileOut:
    text = "\n".join(
        [
            "[integration]",
            'enabled = ["mqtt"]',
            "",
            "[integration.mqtt]",
            f'server = "{account["scheme"]}://{account["host"]}:{account["port"]}"',
            f"client_id = {json.dumps(account['client_id'])}",
            f"username = {json.dumps(account['username'])}",
            f"password = {json.dumps(account['token'])}",
            "json = true",
            "qos = 1",
            "clean_session = false",
            # Without any file of TLS ChirpStack comes without TLS, whatever the server's scheme.
            *([f'ca_cert = "{CERTIFICATES}"'] if account["tls"] == "true" else []),
            "",
        ]
    )
    return FileOut(
        name="chirpstack.toml",
        about="ChirpStack 4: its part of chirpstack.toml; topics stay as they are by default, so "
        "the gateway needs application/# among its topics.",
        text=text,
    )


def _things_stack(account: dict[str, str]) -> FileOut:
    text = "\n".join(
        [
            "# A Mosquitto beside you takes uplinks from The Things Stack and hands them on;",
            "# with `persistence true` what waits for us outlives its restart.",
            "connection things-stack",
            "address eu1.cloud.thethings.network:8883",
            f"bridge_cafile {CERTIFICATES}",
            "remote_clientid dala-bridge",
            "remote_username <application>@<tenant>",
            "remote_password <API key of the application>",
            # Their word to other Mosquittos: topics and a version that no other broker takes.
            "notifications false",
            "try_private false",
            "topic v3/<application>@<tenant>/devices/+/up in 0",
            "topic v3/<application>@<tenant>/devices/+/location/solved in 0",
            "",
            "connection dala",
            f"address {account['host']}:{account['port']}",
            *([f"bridge_cafile {CERTIFICATES}"] if account["tls"] == "true" else []),
            f"remote_clientid {account['client_id']}",
            f"remote_username {account['username']}",
            f"remote_password {account['token']}",
            "cleansession false",
            "notifications false",
            "try_private false",
            "topic v3/# out 1",
            "",
        ]
    )
    return FileOut(
        name="things-stack-bridge.conf",
        about="The Things Stack 3 has a broker of its own (QoS 0): a bridge of Mosquitto; the "
        "gateway needs v3/# among its topics.",
        text=text,
    )


def _lorawan(device: Device) -> FileOut:
    eui = (device.wire_id or "").removeprefix(LORA)
    profile = device.profile or "none: the network decodes, or its bytes cannot be read"
    text = "\n".join(
        [
            f"DevEUI: {eui}",
            f"Profile here: {profile}",
            "",
            "ChirpStack 4: add the device under this DevEUI. With a codec of its maker in the",
            "device profile its values come decoded; without one the profile above is needed.",
            "Applications are published by ChirpStack's MQTT integration as JSON or protobuf.",
            "",
            "The Things Stack 3: register the end device under this DevEUI, with the payload",
            "formatter of the device repository, or none where the profile above is given.",
            "",
        ]
    )
    return FileOut(
        name="lorawan.txt", about="How the device is entered at its network server.", text=text
    )
