"""Each module has a test that knows it, and two roles stay lean."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import PurePath

import pytest

from tests.architecture.rules import ROOT, sources, text_of

ELSEWHERE = {
    "ops.admission.finish": "tests/integration/test_facts_agree.py",
    "ops.announcements.template_routes": "tests/integration/people/test_templates.py",
    "ops.api_server": "tests/integration/test_scan_http.py",
    "ops.attendance": "tests/integration/attendance/test_ticket_life.py",
    "ops.auth.queries": "tests/integration/people/test_signing_in.py",
    "ops.auth.routes": "tests/integration/people/test_signing_in.py",
    "ops.auth.sessions": "tests/integration/people/test_signing_in.py",
    "ops.checkin": "tests/integration/test_scan_http.py",
    "ops.commands": "tests/integration/test_cli.py",
    "ops.crm": "tests/integration/crm/test_consents.py",
    "ops.crm_sync": "tests/integration/test_sync.py",
    "ops.db.migrations": "tests/integration/test_migrate.py",
    "ops.db.models": "tests/contract/test_schema.py",
    "ops.dev": "tests/integration/test_demo.py",
    "ops.emergency": "tests/integration/emergency/test_emergency.py",
    "ops.fleet": "tests/integration/fleet/test_help_and_incidents.py",
    "ops.http": "tests/integration/test_scan_http.py",
    "ops.imports": "tests/integration/imports/test_runs.py",
    "ops.live": "tests/integration/test_live_socket.py",
    "ops.log": "tests/integration/test_supervisor.py",
    "ops.metrics": "tests/architecture/test_documents.py",
    "ops.offline": "tests/integration/offline/test_returns.py",
    "ops.parent": "tests/integration/test_supervisor.py",
    "ops.privacy": "tests/integration/crm/test_erasure.py",
    "ops.ready": "tests/integration/test_supervisor.py",
    "ops.presets": "tests/integration/presets/test_new_events.py",
    "ops.reports": "tests/integration/reports/test_day_report.py",
    "ops.sheets": "tests/integration/crm/test_importing.py",
    "ops.texts": "tests/unit/pages/test_catalogue.py",
    "ops.watch": "tests/integration/watch/test_watcher.py",
}
"""Modules (or packages) that no test imports, and the test that drives them: shells
over stores, sockets and processes are driven from outside, through their door."""


def imported() -> set[str]:
    """The modules of ops that some test imports."""
    names: set[str] = set()
    for name in sources(".py", under="tests/"):
        for node in ast.walk(ast.parse(text_of(name))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def dotted(name: str) -> str:
    return ".".join(PurePath(name).with_suffix("").parts)


def untested(modules: list[str], known: set[str]) -> list[str]:
    """Modules that no test imports and the list does not name."""
    return [
        module
        for module in modules
        if module not in known
        and not any(
            module == entry or module.startswith(f"{entry}.") for entry in ELSEWHERE
        )
    ]


def modules() -> list[str]:
    return [
        dotted(name)
        for name in sources(".py", under="ops/")
        if not name.endswith("__init__.py")
    ]


def test_every_module_has_a_test() -> None:
    assert untested(modules(), imported()) == []


def test_a_module_without_a_test_is_found() -> None:
    assert untested(["ops.forgotten"], imported()) == ["ops.forgotten"]


def test_the_list_is_true() -> None:
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []


def test_unit_tests_stand_where_their_module_stands() -> None:
    """tests/unit/<package>/test_<module>.py belongs to ops/<package>/<module>.py."""
    packages = {name.split("/")[1] for name in sources(".py", under="ops/")}
    lost = []
    for name in sources(".py", under="tests/unit/"):
        parts = PurePath(name).parts[2:]
        if len(parts) == 2 and parts[0] in packages and parts[1].startswith("test_"):
            module = ROOT / "ops" / parts[0] / parts[1].removeprefix("test_")
            if not module.is_file():
                lost.append(name)
    assert lost == []


HEAVY = ("litestar", "sqlalchemy", "alembic", "stripe", "ops.crm.", "ops.checkin")


@pytest.mark.parametrize("module", ["ops.live.server", "ops.crm_sync.worker"])
def test_a_lean_role_loads_nothing_heavy(module: str) -> None:
    """In a process of its own: what is loaded, not only what is written."""
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    loaded = run.stdout.split()
    assert module in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_a_heavy_role_is_seen() -> None:
    code = "import sys, ops.app; print('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert any(name.startswith(HEAVY) for name in run.stdout.split())
