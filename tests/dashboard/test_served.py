"""How the API sends the page: encodings, caches, policy, and words where nobody built it."""

import asyncio
from pathlib import Path

import httpx
import pytest

from api.app import make_app
from api.page import accepts
from api.settings import ApiSettings
from storage.database import make_engine


def get(path: str, headers: dict[str, str] | None = None, **settings: object) -> httpx.Response:
    """The API's answer; no question of these reaches the database."""
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
    app = make_app(engine, ApiSettings(**settings))  # type: ignore[arg-type]

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers or {"Accept-Encoding": "identity"})

    return asyncio.run(ask())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "assets/main-1a2b.js").write_text("plain")
    (tmp_path / "assets/main-1a2b.js.gz").write_bytes(b"packed by gzip")
    (tmp_path / "assets/main-1a2b.js.br").write_bytes(b"packed by brotli")
    (tmp_path.parent / "secret.txt").write_text("not ours to send")
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/sign-in", "/farms/turkistan-01/fields/7?day=2025-07-01"])
def test_every_address_of_the_page_is_the_page(built: Path, path: str) -> None:
    answer = get(path, page_folder=built)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_the_policy_lets_nothing_in_from_elsewhere(built: Path) -> None:
    policy = get("/", page_folder=built).headers["content-security-policy"]

    assert "unsafe" not in policy
    assert "http" not in policy
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy


def test_tiles_of_an_operator_are_let_in_and_nothing_else_of_their_host(built: Path) -> None:
    url = "https://tiles.example/{z}/{x}/{y}.png"
    settings = {"page_folder": built, "map_tile_url": url, "map_tile_attribution": "© Example"}
    policy = get("/", **settings).headers["content-security-policy"]

    assert "connect-src 'self' https://tiles.example;" in policy
    assert "img-src 'self' data: blob: https://tiles.example;" in policy
    assert "script-src 'self';" in policy
    told = {"tile_url": url, "tile_attribution": "© Example"}
    assert get("/page.json", **settings).json() == told


def test_a_tile_address_cannot_add_to_the_policy() -> None:
    with pytest.raises(ValueError, match="map_tile_url"):
        ApiSettings(map_tile_url="https://tiles.example; script-src *")


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br", "br", b"packed by brotli"),
        ("gzip, br;q=0", "gzip", b"packed by gzip"),
        ("identity", None, b"plain"),
    ],
)
def test_an_asset_comes_packed_and_is_kept_for_ever(
    built: Path, accepted: str, encoding: str | None, body: bytes
) -> None:
    path = built / "assets/main-1a2b.js"
    expected = {None: path, "gzip": Path(f"{path}.gz"), "br": Path(f"{path}.br")}[encoding]

    async def raw() -> tuple[httpx.Headers, bytes]:
        app = make_app(
            make_engine("postgresql://nobody@127.0.0.1:1/none"), ApiSettings(page_folder=built)
        )
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")
        asked = client.stream("GET", "/assets/main-1a2b.js", headers={"Accept-Encoding": accepted})
        async with client, asked as answer:
            return answer.headers, b"".join([part async for part in answer.aiter_raw()])

    headers, sent = asyncio.run(raw())
    assert sent == body == expected.read_bytes()
    assert headers.get("content-encoding") == encoding
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path", ["/assets/..%2f..%2fsecret.txt", "/assets/.hidden", "/assets/gone-99.js", "/secret.txt"]
)
def test_nothing_but_the_page_is_sent(built: Path, path: str) -> None:
    answer = get(path, page_folder=built)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_build_the_api_says_how_to_get_one(tmp_path: Path) -> None:
    answer = get("/", page_folder=tmp_path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:dala:problem:page-not-built"
    assert "make page" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("br", True),
        ("gzip, BR", True),
        ("*", True),
        ("br;q=0.5", True),
        ("br; q=0", False),
        ("br;q=0.000", False),
        ("gzip", False),
        ("", False),
    ],
)
def test_encodings_are_chosen_as_rfc_9110_says(header: str, taken: bool) -> None:
    assert accepts(header, "br") is taken
