"""Limits on what a process may write."""

from __future__ import annotations

import subprocess

UNLIMITED = "unlimited"


def limit(pid: int, size: str) -> None:
    """How long a file of a process may become, in bytes or `unlimited`."""
    subprocess.run(
        ["prlimit", "--pid", str(pid), f"--fsize={size}:{UNLIMITED}"],
        check=False,
        capture_output=True,
    )
