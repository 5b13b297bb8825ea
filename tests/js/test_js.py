"""Runs the pages' own unit tests with node's runner.

Users of the program need no node; who changes the pages does. In CI a missing node is
a failure and never a silent pass; elsewhere it is one as well, with a sentence that
says what to install.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_javascript(file: Path) -> None:
    node = shutil.which("node")
    assert node, "install node 20 or newer to test the pages' JavaScript"
    run = subprocess.run(
        [node, "--import", "./tests/js/register.mjs", "--test", str(file)],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# pass 0" not in run.stdout
