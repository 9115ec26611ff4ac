"""The documents keep up with the code they describe."""

import ast
import re
from pathlib import Path

import dala
from api.app import make_app
from api.settings import ApiSettings
from embedded.home import EmbeddedSettings
from ingest.codecs.lorawan import MODELS
from ingest.subscriber import MqttSettings
from storage.database import DatabaseSettings, make_engine
from storage.quantities import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
REFUSALS = {"PayloadError", "Rejected", "_refused"}


def _reasons_in_code() -> set[str]:
    """Every literal reason given to PayloadError, Rejected or _refused in ingest/."""
    found = set()
    for path in (ROOT / "ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS:
                texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
                found |= {text for text in texts[:1] if isinstance(text, str)}
                # _refused(device, reason, detail) has its reason second
                second = node.args[1] if node.func.id == "_refused" else None  # type: ignore[attr-defined]
                if isinstance(second, ast.Constant):
                    found.add(second.value)
    return found


def _first_column(document: str, heading: str) -> set[str]:
    """The code words that begin the rows of tables below a heading."""
    below = (ROOT / document).read_text().split(heading)[1]
    rows = re.findall(r"^\| ((?:`[a-z0-9-]+`(?:, )?)+) \|", below, re.MULTILINE)
    return set(re.findall(r"`([a-z0-9-]+)`", " ".join(rows)))


def test_every_reason_for_a_refusal_is_explained_and_no_other():
    assert _first_column("docs/protocol.md", "## Reasons for a refusal") == _reasons_in_code()


def test_every_quantity_and_device_profile_is_in_the_protocol():
    text = (ROOT / "docs/protocol.md").read_text()

    assert [name for name in CATALOGUE if not re.search(rf"\b{name}\b", text)] == []
    assert [name for name in MODELS if f"`{name}`" not in text] == []


def test_every_setting_is_explained():
    text = (ROOT / "docs/settings.md").read_text()
    settings = (DatabaseSettings, MqttSettings, EmbeddedSettings, ApiSettings)
    names = [f"DALA_{name.upper()}" for one in settings for name in one.model_fields]

    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_every_verb_is_in_the_readme_and_no_other():
    table = (ROOT / "README.md").read_text().split("| verb | does |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`.+?`) \| ", table, re.MULTILINE)
    told = {name for cell in cells for name in re.findall(r"`([a-z]+)", cell)}
    groups = {one.name for one in dala.app.registered_groups}

    assert told == {name for name, _ in dala.VERBS} | groups


def test_every_address_of_the_api_is_in_the_readme():
    text = (ROOT / "README.md").read_text().split("## The API")[1].split("**Security.**")[0]
    described = {path.split("?")[0] for path in re.findall(r"`([a-z][^`]*)`", text)}
    described = {re.sub(r"{\w+}", "{}", path) for path in described}
    app = make_app(make_engine("postgresql://nobody@127.0.0.1:1/none"))  # never connected to

    paths = {re.sub(r"{\w+}", "{}", path) for path in app.openapi()["paths"]}

    assert {path.removeprefix("/v1/") for path in paths} <= described


def test_links_between_documents_lead_somewhere():
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]

    assert broken == []
