"""docs/alerts.md says what the code does."""

import re
from pathlib import Path
from typing import Any

from analytics.watching.rules import RULES
from api.live import LiveSettings
from reports.notices import make_secret, signature
from storage.alerts import KINDS
from watch.settings import WatchSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "alerts.md").read_text()


def test_the_table_has_every_rule_with_its_defaults() -> None:
    for kind, rule in RULES.items():
        numbers = "; ".join(
            f"`{one.name}` {'by type' if one.default is None else format(one.default, 'g')}"
            for one in rule.parameters
        )
        row = f"| `{kind}` | {KINDS[kind].severity} | {rule.meaning} | {numbers} |"
        assert row in PAGE


def test_what_receivers_are_told_to_run_tells_our_messages_from_others() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    secret, body = make_secret(), b'{"type": "alert.opened"}'
    headers = {"webhook-id": "a", "webhook-timestamp": "1750000000"}
    headers["webhook-signature"] = "v1,AAAA " + signature(secret, "a", 1_750_000_000, body)

    assert names["is_ours"](secret, headers, body)
    assert not names["is_ours"](secret, headers, body + b" ")
    assert not names["is_ours"](make_secret(), headers, body)
    assert not names["is_ours"](secret, headers | {"webhook-timestamp": "1750000001"}, body)


def test_every_setting_is_on_the_page_of_settings() -> None:
    page = (DOCS / "settings.md").read_text()
    names = [f"DALA_{name.upper()}" for name in WatchSettings.model_fields]
    names += [f"DALA_LIVE_{name.upper()}" for name in LiveSettings.model_fields]

    assert [name for name in names if f"`{name}`" not in page] == []
