"""What the gate runs once more: every test that failed, whatever its name holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ByFile

ROOT = Path(__file__).parents[2]
REPORT = """<?xml version="1.0"?><testsuites><testsuite tests="4">
<testcase classname="tests.unit.test_ci" name="test_a[one api to Valkey is cut]">
  <failure message="m">x</failure></testcase>
<testcase classname="tests.unit.test_ci" name="test_good"/>
<testcase classname="tests.unit.test_ci.TestGroup" name="test_b">
  <error message="m">x</error></testcase>
</testsuite></testsuites>"""


def test_names_of_failed_tests_are_kept_whole(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    told = subprocess.run(
        [sys.executable, ".ci/failed", report],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert told.split("\0") == [
        "tests/unit/test_ci.py::test_a[one api to Valkey is cut]",
        "tests/unit/test_ci.py::TestGroup::test_b",
        "",
    ]


def test_whole_houses_are_never_played_beside_each_other() -> None:
    of = object.__new__(ByFile)._split_scope
    short, page = "tests/faults/test_short.py::a", "tests/e2e/test_kiosk.py::b"
    assert of(short) == of(page)
    assert of("tests/unit/test_ci.py::a[x/y]") == "tests/unit/test_ci.py"
    assert of("tests/unit/test_ci.py::a") != of("tests/unit/test_facts.py::a")
