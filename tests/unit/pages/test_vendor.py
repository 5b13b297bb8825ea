"""The vendored files are the ones that were reviewed, and ask no other host."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

VENDOR = Path(__file__).parents[3] / "web" / "vendor"
PACKAGES = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))[
    "package"
]
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["']([^"']+)["']""")


def test_every_file_has_the_sha256_that_is_written_down() -> None:
    for package in PACKAGES:
        for file in package["file"]:
            found = hashlib.sha256((VENDOR / file["path"]).read_bytes()).hexdigest()
            assert found == file["sha256"], file["path"]


def test_nothing_else_lies_in_the_folder() -> None:
    listed = {file["path"] for package in PACKAGES for file in package["file"]}
    listed |= {package["licence_text"] for package in PACKAGES} | {"VENDOR.toml"}
    found = {
        path.relative_to(VENDOR).as_posix()
        for path in VENDOR.rglob("*")
        if path.is_file()
    }
    assert found == listed


def test_every_package_has_a_licence_text() -> None:
    for package in PACKAGES:
        assert package["version"]
        assert package["licence"] in {"MIT", "ISC", "Apache-2.0"}
        assert (VENDOR / package["licence_text"]).stat().st_size > 500


def test_imports_are_relative_and_lead_to_files() -> None:
    for path in VENDOR.glob("*.mjs"):
        for name in IMPORT.findall(path.read_text(encoding="utf-8")):
            if re.fullmatch(r"[@./\w-]+", name):
                assert name.startswith("./"), f"{path.name} imports {name}"
                assert (VENDOR / name).is_file(), f"{path.name} imports {name}"


def test_no_content_network_is_named() -> None:
    for path in VENDOR.glob("*.*js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"jsdelivr|unpkg|cdnjs|esm\.sh", text), path.name
