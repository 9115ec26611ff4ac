"""The page for people: files that ``make page`` built, sent as they were compressed then.

Without them the API is whole; whoever opens its address in a browser is told how to build the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from api.errors import Refused
from api.security.guard import Door, anybody
from api.settings import ApiSettings

BUILT = Path(__file__).resolve().parents[1] / "dashboard" / "dist"
ABSENT = (
    "The page for people was not built: install Node.js 20.19 or newer and run `make page`. "
    "The API answers under /v1; its description is at /v1/openapi.json."
)
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # the smaller one first
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER = "public, max-age=31536000, immutable"  # the name of an asset holds a hash of it
ASK_AGAIN = "no-cache"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

router = APIRouter(include_in_schema=False)


class PageSettings(NamedTuple):
    """What the page is told of this service before anybody signs in."""

    tile_url: str | None
    tile_attribution: str


def security_policy(settings: ApiSettings) -> str:
    """Content-Security-Policy of the page: its own files, its API, and an operator's tiles."""
    tiles = ""
    if settings.map_tile_url is not None:
        parts = urlsplit(settings.map_tile_url)
        tiles = f" {parts.scheme}://{parts.netloc}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            f"img-src 'self' data: blob:{tiles}",  # the map's engine makes pictures of its own
            f"connect-src 'self'{tiles}",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


@router.get("/", dependencies=[anybody()])
@router.get("/sign-in", dependencies=[anybody()])
@router.get("/password", dependencies=[anybody()])
@router.get("/farms", dependencies=[anybody()])
@router.get("/farms/{rest:path}", dependencies=[anybody()])
@router.get("/regions/{rest:path}", dependencies=[anybody()])
async def page(request: Request) -> Response:
    """The page; it reads from its address what to show."""
    headers = {
        "Cache-Control": ASK_AGAIN,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=()",
    }
    return _sent(request, "index.html", headers)


@router.get("/page.json", dependencies=[anybody()])
async def page_settings(request: Request) -> Response:
    """What the page must know of this service before anybody signs in."""
    settings = _settings(request)
    told = PageSettings(settings.map_tile_url, settings.map_tile_attribution)
    return JSONResponse(told._asdict(), headers={"Cache-Control": ASK_AGAIN})


@router.get("/assets/{name}", dependencies=[anybody()])
async def asset(request: Request, name: str) -> Response:
    """A script, style or picture."""
    return _sent(request, f"assets/{name}", {"Cache-Control": FOR_EVER})


@router.get("/icon.svg", dependencies=[anybody()])
@router.get("/icon-192.png", dependencies=[anybody()])
@router.get("/icon-512.png", dependencies=[anybody()])
@router.get("/icon-maskable-512.png", dependencies=[anybody()])
@router.get("/apple-touch-icon.png", dependencies=[anybody()])
@router.get("/manifest.webmanifest", dependencies=[anybody()])
@router.get("/worker.js", dependencies=[anybody()])
async def root_file(request: Request) -> Response:
    """A file whose name must stay."""
    return _sent(request, request.url.path.removeprefix("/"), {"Cache-Control": ASK_AGAIN})


def _settings(request: Request) -> ApiSettings:
    door: Door = request.app.state.door
    return door.settings


def _sent(request: Request, name: str, headers: dict[str, str]) -> Response:
    folder = _settings(request).page_folder or BUILT
    if not (folder / "index.html").is_file():
        raise Refused(404, ABSENT, kind="page-not-built")
    file = folder / name
    if not all(_NAME.fullmatch(part) for part in name.split("/")) or not file.is_file():
        raise Refused(404, f"There is no {name!r} in the page; it may have been renewed: reload.")
    media_type = MEDIA_TYPES.get(file.suffix, "application/octet-stream")
    headers["Vary"] = "Accept-Encoding"
    # Of scripts too: a worker is held to the policy of its own file.
    headers["Content-Security-Policy"] = security_policy(_settings(request))
    for encoding, suffix in ENCODINGS:
        packed = file.with_name(file.name + suffix)
        if accepts(request.headers.get("accept-encoding", ""), encoding) and packed.is_file():
            headers["Content-Encoding"] = encoding
            return FileResponse(packed, media_type=media_type, headers=headers)
    return FileResponse(file, media_type=media_type, headers=headers)


def accepts(header: str, encoding: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110) takes an encoding."""
    for part in header.lower().split(","):
        name, _, quality = part.strip().partition(";")
        if name.strip() in {encoding, "*"}:
            weight = quality.replace(" ", "").removeprefix("q=")
            return weight.strip("0.") != "" or weight == ""
    return False
