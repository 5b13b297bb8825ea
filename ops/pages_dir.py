"""Where the pages lie: in the tree of the sources, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ops.errors import OpsError

PACKAGE = Path(__file__).resolve().parent


class PagesMissing(OpsError):
    """The folders `web` and `kiosk` are neither in the wheel nor beside the package."""


class PageFolders(NamedTuple):
    """The two families of pages."""

    web: Path
    kiosk: Path


def find() -> PageFolders:
    """Return the folders of the pages; the wheel's copy wins where both exist.

    Raises:
        PagesMissing: the installation is incomplete.
    """
    for root in (PACKAGE / "_pages", PACKAGE.parent):
        folders = PageFolders(root / "web", root / "kiosk")
        if folders.web.is_dir() and folders.kiosk.is_dir():
            return folders
    raise PagesMissing
