"""Serves the pages: `web/` under `/`, `kiosk/` under `/scan/`, and `/config.json`;
`/t/CODE`, the address in a ticket's QR, is the page `ticket.html`.

Only files that stood in the folders at the start have a route, so a path that leads
elsewhere is not refused but unknown. Files are read on first use and kept in memory,
compressed once. Every answer may be kept by the browser but is asked about again each
time (`ETag`, 304): a page is never older than its server. The headers of security are
`ops.http.headers`'s.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from ops.auth.guards import public
from ops.errors import NotFound
from ops.pages_dir import PageFolders
from ops.settings import Settings

CONTENT_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
    ".toml": "text/plain",
}
COMPRESSED = frozenset({".html", ".css", ".js", ".mjs", ".json", ".svg", ".wasm"})
# Below this a compressed answer saves no packet.
COMPRESS_BYTES_MIN = 1_000
# The page that answers at its folder's address: `/`, `/docs/`, `/scan/`.
ENTRIES = frozenset({"index.html", "handheld.html"})
LANGUAGES = ("en", "fr")
TICKET_PAGE = "/ticket.html"
# The QR holds the address in upper case, where a module carries more.
TICKET_PATHS = ["/t/{code:str}", "/T/{code:str}"]
SCANNER_WORKER = "/scan/sw.js"
WORKERS = frozenset({SCANNER_WORKER, "/me-sw.js"})
WORKER_BUILD = b'const BUILD = "development";'
# What a Host header may be before an address is made from it.
HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


class Config(msgspec.Struct, frozen=True):
    """What a page must know before it can ask: the answer of `GET /config.json`."""

    live_url: str
    version: str
    languages: list[str]
    event: str | None = None


class PageFile:
    """One file: its bytes, compressed bytes and ETag, read when first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content_type = CONTENT_TYPES[path.suffix]
        self._stamp: tuple[int, int] | None = None
        self.body = self.gzipped = b""
        self.etag = ""

    def load(self) -> PageFile:
        """Read the file if it changed since the last time; returns itself."""
        stat = self.path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            self.set(self.path.read_bytes())
            self._stamp = stamp
        return self

    def set(self, body: bytes) -> None:
        """Hold these bytes and what follows from them."""
        self.body = body
        self.etag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
        worth = self.path.suffix in COMPRESSED and len(self.body) >= COMPRESS_BYTES_MIN
        self.gzipped = gzip.compress(self.body, 6, mtime=0) if worth else b""


class Pages:
    """All files of both folders by the address that they answer to."""

    def __init__(self, folders: PageFolders, settings: Settings, version: str) -> None:
        self._settings = settings
        self._version = version
        self.files: dict[str, PageFile] = {
            **_addresses(folders.web, ""),
            **_addresses(folders.kiosk, "/scan"),
        }

    @property
    def paths(self) -> list[str]:
        """Every address, sorted."""
        return sorted(self.files)

    def file(self, path: str) -> PageFile:
        """Return the file at an address.

        Raises:
            NotFound: no file had this address when the program started.
        """
        file = self.files.get(path) or self.files.get(path.rstrip("/") + "/")
        if file is None:
            raise NotFound
        file.load()
        if path in WORKERS and WORKER_BUILD in file.body:
            # The browser compares the worker's bytes to learn of a new version.
            build = f'const BUILD = "{self.build()}";'.encode()
            stamped = PageFile(file.path)
            stamped.set(file.body.replace(WORKER_BUILD, build))
            return stamped
        return file

    def build(self) -> str:
        """A word that changes when any file of the pages changes."""
        etags = "".join(self.files[path].load().etag for path in self.paths)
        return hashlib.sha256(etags.encode()).hexdigest()[:16]

    def config(self, host: str) -> Config:
        """The configuration for a page that was reached under this Host header."""
        return Config(self.live_url(host), self._version, list(LANGUAGES))

    def live_url(self, host: str) -> str:
        """The address of the live socket for a page reached under this Host header.

        Without a public address it lies on the page's own host, whatever name the
        page was opened by: a cookie belongs to a host, not to a port.
        """
        settings = self._settings
        name = urlsplit(f"//{host}").hostname if HOST.fullmatch(host) else None
        if settings.public_url or not name:
            return settings.live_url
        if ":" in name:
            name = f"[{name}]"
        scheme = "wss" if settings.tls_cert else "ws"
        return f"{scheme}://{name}:{settings.live_port}/live"


def page_routes(
    folders: PageFolders, settings: Settings, version: str
) -> list[HTTPRouteHandler]:
    """Make the handlers of all pages; they need no login and hold no data."""
    pages = Pages(folders, settings, version)

    @route(
        pages.paths,
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        include_in_schema=False,
        guards=[public],
        name="pages",
        sync_to_thread=False,
    )
    def page(request: Request[Any, Any, State]) -> Response[bytes]:
        path = str(request.scope["path"])
        # The router has taken the last slash away; the raw path still shows it.
        if request.scope["raw_path"].partition(b"?")[0] == b"/scan":
            # Without the slash the page would lie outside its service worker.
            query = request.scope["query_string"].decode("latin-1")
            location = f"/scan/?{query}" if query else "/scan/"
            return Response(b"", status_code=308, headers={"Location": location})
        return answer(pages, path, request.headers)

    @route(
        "/config.json",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        include_in_schema=False,
        guards=[public],
        name="config",
        sync_to_thread=False,
    )
    def config(request: Request[Any, Any, State]) -> Response[bytes]:
        body = msgspec.json.encode(pages.config(request.headers.get("host", "")))
        headers = {"Cache-Control": "no-store"}
        return Response(body, media_type="application/json", headers=headers)

    @route(
        TICKET_PATHS,
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        include_in_schema=False,
        guards=[public],
        name="ticket_page",
        sync_to_thread=False,
    )
    def ticket_page(request: Request[Any, Any, State]) -> Response[bytes]:
        # The same page for every code: whether it opens a ticket, the API says.
        return answer(pages, TICKET_PAGE, request.headers)

    return [page, config, ticket_page]


def answer(pages: Pages, path: str, asked: Mapping[str, str]) -> Response[bytes]:
    """Answer one request for a file from its headers: 200, 304, or NotFound."""
    file = pages.file(path)
    headers = {
        "ETag": file.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    if path == SCANNER_WORKER:
        headers["Service-Worker-Allowed"] = "/scan/"
    if _matches(asked.get("if-none-match", ""), file.etag):
        return Response(b"", status_code=304, headers=headers)
    body = file.body
    if file.gzipped and "gzip" in asked.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = file.gzipped
    return Response(body, media_type=file.content_type, headers=headers)


def _matches(if_none_match: str, etag: str) -> bool:
    """Whether the header names the tag; a proxy may have made it weak (W/)."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in (etag, "*") for tag in tags)


def _addresses(folder: Path, prefix: str) -> dict[str, PageFile]:
    return dict(_walk(folder, prefix))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, PageFile]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if hidden or path.suffix not in CONTENT_TYPES or not path.is_file():
            continue
        address = f"{prefix}/{inside.as_posix()}"
        if path.name in ENTRIES:
            address = address.removesuffix(path.name)
        yield address, PageFile(path)
