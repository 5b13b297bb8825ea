"""What a user installs: the wheel holds pages, scripts, SQL and migrations, and runs.

It is built from this tree and put into an environment of its own, which borrows the
dependencies of the present one but not the program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", out, ROOT],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel, far from this tree."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home, with_pip=False)
    site = next(home.glob("lib/python3*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A .pth adds the folder without reading the .pth files in it, and so without the
    # editable program of the present environment.
    (site / "borrowed.pth").write_text(sysconfig.get_path("platlib") + "\n")
    return home / "bin"


def run(installed: Path, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith("OPS_") and k != "PYTHONPATH"
    }
    return subprocess.run(
        [installed / "python", "-m", "ops.cli", *words],
        env={**clean, "OPS_DATA_DIR": str(folder / "data"), "COLUMNS": "120"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def shipped(folder: str, *kinds: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.suffix in kinds and "__pycache__" not in path.parts
    }


def test_everything_that_is_not_python_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    program = shipped("ops", ".sql", ".lua", ".mako")
    assert {name.rpartition(".")[2] for name in program} >= {"sql", "lua"}
    assert program <= inside
    for pages in ("web", "kiosk"):
        files = {
            f"ops/_pages/{path.relative_to(ROOT)}"
            for path in (ROOT / pages).rglob("*")
            if path.is_file()
        }
        assert files
        assert files <= inside
    assert "ops/_pages/web/i18n/en.json" in inside
    assert "ops/_pages/web/i18n/fr.json" in inside


def test_it_runs_from_the_wheel_and_not_from_the_tree(
    installed: Path, tmp_path: Path
) -> None:
    where = subprocess.run(
        [installed / "python", "-c", "import ops; print(ops.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert run(installed, "--help", folder=tmp_path).returncode == 0


@pytest.mark.timeout(240)
def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "db", "upgrade", folder=tmp_path).returncode == 0
    shown = run(installed, "demo", "--for", "10", "--speed", "4", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "Control room" in shown.stdout
    counted = run(installed, "demo", "--count", folder=tmp_path)
    assert counted.returncode == 0, counted.stdout
    numbers = dict(
        line.split() for line in counted.stdout.splitlines() if len(line.split()) == 2
    )
    assert int(numbers["admitted"]) > 0
