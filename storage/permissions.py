"""What a role may do, in one table; a route names the scope that it needs."""

from __future__ import annotations

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "read:farms": "regions, farms, fields and crops; their summaries, balances, advice, yield maps",
    "read:devices": "devices, readings and tracks",
    "read:alerts": "alerts and their rules",
    "read:reports": "filed reports and heads of evidence; each pull is written down",
    "write:farms": "farms, fields, boundaries and crop zones",
    "write:records": "water and its supplies, loads, adjustments, decisions on advice, investments",
    "write:devices": "register and claim devices, their credentials and calibrations",
    "write:alerts": "acknowledge alerts, change their rules",
    "write:reports": "file reports, and set when they file themselves",
    "sign:reports": "countersign reports and heads of evidence, with a key that was made known",
    "subscribe:reports": "have filed reports told to a webhook",
    "read:metrics": "counts of the API's process: requests, times, connections",
    "admin:access": "accounts, clients and the audit log",
}

_READS = frozenset({"read:farms", "read:devices", "read:alerts", "read:reports"})
_WRITES = _READS | {"write:farms", "write:records", "write:alerts", "subscribe:reports"}

ROLES: Mapping[str, frozenset[str]] = {
    "administrator": frozenset(SCOPES),
    "agronomist": _WRITES,
    "operator": _WRITES | {"write:devices"},
    "ministry": frozenset({"read:farms", "read:reports", "sign:reports", "subscribe:reports"}),
    "reader": _READS,
}
