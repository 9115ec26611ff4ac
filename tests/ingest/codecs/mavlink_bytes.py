"""Messages of MAVLink that tests make: as mavlink2rest writes them, and as frames."""

from typing import Any


def message(kind: str, system: int = 1, **fields: Any) -> dict[str, Any]:
    """One message of mavlink2rest."""
    return {
        "header": {"system_id": system, "component_id": 1, "sequence": 0},
        "message": {"type": kind} | fields,
    }


def place(boot_ms: int, **more: Any) -> dict[str, Any]:
    """GLOBAL_POSITION_INT of a drone on its way over the steppe."""
    fields = {
        "time_boot_ms": boot_ms,
        "lat": 512_500_000,
        "lon": 714_500_000,
        "alt": 347_500,
        "relative_alt": 25_000,
        "vx": 300,
        "vy": -400,
        "vz": 10,
        "hdg": 27_050,
    }
    return message("GLOBAL_POSITION_INT", **fields | more)


def clock(boot_ms: int, time_us: int, system: int = 1) -> dict[str, Any]:
    """SYSTEM_TIME: which moment an uptime was."""
    return message("SYSTEM_TIME", system, time_boot_ms=boot_ms, time_unix_usec=time_us)


def battery(
    cells: tuple[int, ...] = (12_587,), level: int = 80, number: int = 0, **more: Any
) -> dict[str, Any]:
    """BATTERY_STATUS of a pack."""
    voltages = [*cells, *[65_535] * (10 - len(cells))]
    fields = {"id": number, "voltages": voltages, "battery_remaining": level, "temperature": 32_767}
    return message("BATTERY_STATUS", **fields | more)


def frames(*messages: dict[str, Any], version: int = 2, signed: bool = False) -> bytes:
    """Frames as pymavlink packs them, of messages of mavlink2rest."""
    from pymavlink.dialects.v20 import common

    sender = common.MAVLink(None, srcSystem=1)
    if signed:
        sender.signing.secret_key, sender.signing.sign_outgoing = bytes(32), True
        sender.signing.timestamp = 1
    packed = b""
    for one in messages:
        fields = dict(one["message"])
        kind = fields.pop("type")
        if kind == "BATTERY_STATUS":
            rest = {"battery_function": 0, "type": 0, "current_battery": -1}
            fields = rest | {"current_consumed": -1, "energy_consumed": -1} | fields
        made = getattr(common, f"MAVLink_{kind.lower()}_message")(**fields)
        packed += bytes(made.pack(sender, force_mavlink1=version == 1))
    return packed


def logged(first_us: int, *messages: dict[str, Any]) -> bytes:
    """A telemetry log: before each frame the time of the ground station, a second apart."""
    return b"".join(
        (first_us + later * 1_000_000).to_bytes(8, "big") + frames(one)
        for later, one in enumerate(messages)
    )
