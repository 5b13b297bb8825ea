"""The rules of docs/style.md that a machine can hold, on the whole tree."""

from __future__ import annotations

import pytest

from tests.architecture import rules
from tests.architecture.rules import sources, text_of

SCAN_PATH = [
    "ops/checkin/desk.py",
    "ops/auth/devices.py",
    "ops/checkin/event_desk.py",
    "ops/checkin/executor.py",
    "ops/checkin/recovery.py",
    "ops/crm_sync/merging.py",
    "ops/crm_sync/modes.py",
    "ops/crm_sync/plans.py",
    "ops/checkin/plans.py",
    "ops/checkin/stores.py",
    "ops/checkin/undo.py",
]
"""What a scan waits for, and what brings an event back from mode D."""


def broken(check, names: list[str]) -> dict[str, list[str]]:
    """What a rule finds, by file."""
    found = {name: check(text_of(name)) for name in names}
    return {name: wrong for name, wrong in found.items() if wrong}


def test_files_end() -> None:
    code = sources(".py", ".js", ".css", ".lua", ".sql", under="ops/")
    code += sources(".py", under="benchmarks/") + sources(".py", under="load_tests/")
    code += [name for name in sources(".js", under="web/") if "/vendor/" not in name]
    code += sources(".js", under="kiosk/")
    assert broken(rules.too_long, code) == {}
    assert (
        broken(
            lambda text: rules.too_long(text, rules.TEST_LINES_MAX),
            sources(".py", under="tests/"),
        )
        == {}
    )


def test_a_long_file_is_found() -> None:
    assert rules.too_long("\n" * 500) == []
    assert rules.too_long("\n" * 501) == ["501 lines"]


def test_functions_fit_on_a_page() -> None:
    assert broken(rules.long_functions, sources(".py", under="ops/")) == {}


def test_a_long_function_is_found() -> None:
    body = "    x = 1\n"
    assert rules.long_functions("def f():\n" + body * 69) == []
    assert rules.long_functions("def f():\n" + body * 70) == ["f: 71 lines"]


def test_imports_stand_on_top() -> None:
    """ops/cli.py loads what a command needs by name (importlib), and says so."""
    assert broken(rules.late_imports, sources(".py", under="ops/")) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os\n", []),
        ("def f():\n    import os\n", ["import in f"]),
        ("async def f():\n    from os import path\n", ["import in f"]),
        ("if TYPE_CHECKING:\n    import os\n", ["TYPE_CHECKING"]),
        ("if typing.TYPE_CHECKING:\n    import os\n", ["TYPE_CHECKING"]),
    ],
)
def test_a_late_import_is_found(text: str, found: list[str]) -> None:
    assert rules.late_imports(text) == found


def test_what_a_scan_waits_for_is_bounded() -> None:
    assert broken(rules.unbounded_calls, SCAN_PATH) == {}


def test_an_unbounded_call_is_found() -> None:
    assert rules.unbounded_calls("await pool.fetch(query, timeout=1)") == []
    assert rules.unbounded_calls("await pool.fetch(query)") == ["line 1: fetch"]


def test_what_lives_long_is_a_loop_of_patience() -> None:
    other = ("ops/dev/", "ops/patience.py")  # what is for a day's work; the loop itself
    house = [n for n in sources(".py", under="ops/") if not n.startswith(other)]
    assert broken(rules.own_loops, house) == {}


def test_a_loop_of_its_own_is_found() -> None:
    loop = "async def f():\n    while True:\n        await "
    assert rules.own_loops(loop + "asyncio.sleep(1)") == ["f: line 2"]
    assert rules.own_loops(loop + "queue.get()") == []


def test_nothing_points_to_this_machine_or_to_a_registry() -> None:
    kinds = (".py", ".md", ".toml", ".txt", ".yml", ".js", ".mjs", ".html", ".css")
    names = sources(*kinds, "Makefile", "scripts/setup", "scripts/pins", ".ci/run")
    assert broken(rules.places, names) == {}


def test_an_address_of_this_machine_is_found() -> None:
    assert rules.places("see docs/home/page.md and https://example.org/tmp/x") == []
    assert rules.places(f"open /{'tmp'}/x") == [f"/{'tmp'}/x"]
    assert rules.places(f"from https://{rules.HOSTS[0]}/simple") == [rules.HOSTS[0]]


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_requirements_are_pinned(name: str) -> None:
    assert rules.unpinned(text_of(f"requirements/{name}.txt")) == []


def test_a_loose_requirement_is_found() -> None:
    good = "one==1.0 \\\n    --hash=sha256:aa\n    # via two\n"
    assert rules.unpinned(good) == []
    assert rules.unpinned("one==1.0\n") == ["one==1.0"]
    assert rules.unpinned("one>=1 --hash=sha256:aa\n") == ["one>=1"]
    assert rules.unpinned("--index-url somewhere\n") == ["--index-url somewhere"]
