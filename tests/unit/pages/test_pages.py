"""How pages are served: types, tags, compression, and nothing outside the folders."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from ops import pages_dir
from ops.http.pages import Pages, page_routes
from ops.pages_dir import PageFolders, PagesMissing
from ops.settings import Settings

FOLDERS = pages_dir.find()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Litestar]]:
    app = Litestar(
        page_routes(FOLDERS, Settings(live_port=8123), "1.2.3"), openapi_config=None
    )
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/control.html", "text/html; charset=utf-8"),
        ("/docs/", "text/html; charset=utf-8"),
        ("/scan/", "text/html; charset=utf-8"),
        ("/css/tokens.css", "text/css; charset=utf-8"),
        ("/js/control.js", "text/javascript; charset=utf-8"),
        ("/vendor/preact.mjs", "text/javascript; charset=utf-8"),
        ("/vendor/zxing_reader.wasm", "application/wasm"),
        ("/i18n/fr.json", "application/json"),
        ("/img/mark.svg", "image/svg+xml"),
        ("/scan/handheld.webmanifest", "application/manifest+json"),
    ],
)
def test_files_have_their_types(
    client: TestClient[Litestar], path: str, content_type: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == "no-cache"


def test_what_the_browser_holds_is_not_sent_again(client: TestClient[Litestar]) -> None:
    first = client.get("/css/base.css")
    tag = first.headers["etag"]
    for asked in (tag, f"W/{tag}", f'"x", {tag}'):
        again = client.get("/css/base.css", headers={"If-None-Match": asked})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    other = client.get("/css/base.css", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


def test_files_are_compressed_for_those_who_can_read_it(
    client: TestClient[Litestar],
) -> None:
    plain = client.get("/vendor/uplot.mjs", headers={"Accept-Encoding": "identity"})
    packed = client.get("/vendor/uplot.mjs", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.content == plain.content


def test_head_has_the_headers_and_no_body(client: TestClient[Litestar]) -> None:
    answer = client.head("/control.html")
    assert answer.status_code == 200
    assert answer.headers["etag"] == client.get("/control.html").headers["etag"]


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/pyproject.toml",
        "/vendor/..%2f..%2fpyproject.toml",
        "/vendor/%2e%2e/%2e%2e/ops/settings.py",
        "/scan/../../ops/settings.py",
        "//etc/passwd",
        "/js",
        "/vendor/",
        "/css/tokens.css/",
        "/nothing.html",
        "/vendor/preact.mjs%00.html",
    ],
)
def test_no_path_leads_out_of_the_folders(
    client: TestClient[Litestar], path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        # A slash too many may name the same file, never another.
        assert answer.content == client.get(path.rstrip("/")).content
        assert path.strip("/") in "css/tokens.css"


def test_the_scanner_lies_in_its_folder(client: TestClient[Litestar]) -> None:
    answer = client.get("/scan?pair=AB12", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == "/scan/?pair=AB12"


@pytest.mark.parametrize("path", ["/T/IABC", "/t/iabc", "/t/iabc/", "/T/%F0%9F%8E%AA"])
def test_the_address_in_a_qr_is_the_page_of_tickets(
    client: TestClient[Litestar], path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == client.get("/ticket.html").content
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/t", "/T/", "/t/a/b"])
def test_an_address_without_a_code_is_no_page(
    client: TestClient[Litestar], path: str
) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("host", "live_url"),
    [
        ("localhost:8000", "ws://localhost:8123/live"),
        ("127.0.0.1:8000", "ws://127.0.0.1:8123/live"),
        ("[::1]:8000", "ws://[::1]:8123/live"),
        ("door.example", "ws://door.example:8123/live"),
        ('x"; script-src *', "ws://localhost:8123/live"),
        ("a b", "ws://localhost:8123/live"),
        ("", "ws://localhost:8123/live"),
    ],
)
def test_the_live_address_follows_the_host_of_the_page(
    host: str, live_url: str
) -> None:
    pages = Pages(FOLDERS, Settings(live_port=8123), "1.2.3")
    assert pages.config(host).live_url == live_url


def test_a_public_address_wins_over_the_host() -> None:
    settings = Settings(public_url="https://doors.example")
    pages = Pages(FOLDERS, settings, "1.2.3")
    assert pages.config("other.example").live_url == "wss://doors.example/live"


def test_the_configuration_says_version_and_languages(
    client: TestClient[Litestar],
) -> None:
    answer = client.get("/config.json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["version"] == "1.2.3"
    assert answer.json()["languages"] == ["en", "fr"]
    assert answer.json()["event"] is None


def test_a_changed_file_is_a_new_worker(tmp_path: Path) -> None:
    web, kiosk = tmp_path / "web", tmp_path / "kiosk"
    web.mkdir()
    kiosk.mkdir()
    (web / "page.js").write_text("1")
    (kiosk / "sw.js").write_text('const BUILD = "development";\n')
    pages = Pages(PageFolders(web, kiosk), Settings(), "1")
    before = pages.file("/scan/sw.js")
    assert b"development" not in before.body
    assert pages.file("/scan/sw.js").etag == before.etag
    (web / "page.js").write_text("22")
    assert pages.file("/scan/sw.js").etag != before.etag


def test_the_worker_keeps_every_file_that_the_scanner_loads() -> None:
    worker = (FOLDERS.kiosk / "sw.js").read_text(encoding="utf-8")
    kept = set(re.findall(r'"(/[\w./-]*)"', worker.partition("];")[0]))
    pages = Pages(FOLDERS, Settings(), "1")
    assert kept <= set(pages.paths)
    for path in kept:
        body = pages.file(path).load().body
        if path.endswith((".js", ".mjs", ".css")) or path == "/scan/":
            found = re.findall(
                r"""(?:from |import |href=|src=|url\()["']?([./][\w./-]+)""",
                body.decode(),
            )
            for name in found:
                full = f"/vendor/{name[2:]}" if name.startswith("./") else name
                assert full in kept, f"{path} needs {full}"
    every = {path for path in pages.paths if path.startswith("/scan/js/")}
    assert every <= kept


def test_gzip_of_a_file_is_the_file() -> None:
    file = Pages(FOLDERS, Settings(), "1").file("/css/base.css")
    assert gzip.decompress(file.gzipped) == file.body


def test_folders_are_found_in_the_wheel_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_dir, "PACKAGE", tmp_path / "ops")
    with pytest.raises(PagesMissing):
        pages_dir.find()
    for name in ("web", "kiosk", "ops/_pages/web", "ops/_pages/kiosk"):
        (tmp_path / name).mkdir(parents=True)
    assert pages_dir.find().web == tmp_path / "ops/_pages/web"


def test_the_worker_of_the_attendees_page_keeps_every_file_that_it_loads() -> None:
    worker = (FOLDERS.web / "me-sw.js").read_text(encoding="utf-8")
    kept = set(re.findall(r'"(/[\w./-]*)"', worker.partition("];")[0]))
    pages = Pages(FOLDERS, Settings(), "1")
    assert kept - {"/config.json"} <= set(pages.paths)
    for path in kept - {"/config.json"}:
        if not path.endswith((".js", ".mjs", ".css", ".html")):
            continue
        body = pages.file(path).load().body.decode()
        for name in re.findall(
            r"""(?:from |import |href=|src=|url\()["']?([./][\w./-]+)""", body
        ):
            full = f"/vendor/{name[2:]}" if name.startswith("./") else name
            assert full in kept, f"{path} needs {full}"
    before = pages.file("/me-sw.js").body
    assert b'"development"' not in before  # a new build is a new worker
