"""The command `ops` as people call it: a process, its words and its exit status."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def ops(
    *words: str, folder: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPS_")}
    if folder:
        environ["OPS_DATA_DIR"] = str(folder)
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", *words],
        env={**clean, "COLUMNS": "120", **environ},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_help_and_version_say_what_it_is() -> None:
    helped = ops("--help")
    assert helped.returncode == 0
    for word in ("serve", "demo", "db", "import", "event", "doctor", "cert", "openapi"):
        assert word in helped.stdout
    assert ops("--version").stdout.startswith("ops, version ")


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        (("serve",), {"OPS_PROT": "1"}, "ops: unknown setting OPS_PROT"),
        (("doctor",), {"OPS_PORT": "high"}, "ops: bad value for OPS_PORT"),
        (
            ("demo",),
            {"OPS_DATABASE_URL": "postgresql:///real"},
            "ops: the demo brings its own stores",
        ),
        (
            ("serve",),
            {"OPS_ENV": "production"},
            "ops: OPS_SECRET_KEY must be set in production",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    words: tuple[str, ...], environ: dict[str, str], said: str
) -> None:
    done = ops(*words, **environ)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_a_database_without_the_schema_is_refused_until_it_is_migrated(
    tmp_path: Path,
) -> None:
    refused = ops("serve", folder=tmp_path)
    assert refused.returncode == 2
    assert "run `ops db upgrade`" in refused.stderr
    ill = ops("doctor", folder=tmp_path)
    assert ill.returncode == 2
    assert "bad" in next(line for line in ill.stdout.splitlines() if "schema" in line)

    assert ops("db", "upgrade", folder=tmp_path).returncode == 0
    assert ops("db", "check", folder=tmp_path).returncode == 0
    well = ops("doctor", folder=tmp_path)
    assert well.returncode == 0, well.stdout
    assert "bad" not in well.stdout

    file = tmp_path / "tickets.csv"
    file.write_text("code,name\nA-1,Ada\n")
    nowhere = ops("import", "no-such-event", str(file), folder=tmp_path)
    assert nowhere.returncode == 2
    assert nowhere.stderr == "ops: There is no event 'no-such-event'.\n"


def test_the_doctor_finds_a_store_that_is_not_there(tmp_path: Path) -> None:
    done = ops(
        "doctor",
        folder=tmp_path,
        OPS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/ops",
        OPS_REDIS_URL="redis://127.0.0.1:1",
    )
    assert done.returncode == 2
    for subject in ("postgresql", "redis"):
        line = next(line for line in done.stdout.splitlines() if subject in line)
        assert "bad" in line


def test_a_certificate_serves_the_names_it_was_made_for(tmp_path: Path) -> None:
    done = ops("cert", "--out", str(tmp_path), "door.example", "192.0.2.7")
    assert done.returncode == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    names = dict(trusting.get_ca_certs()[0])["subjectAltName"]
    assert set(names) == {("DNS", "door.example"), ("IP Address", "192.0.2.7")}

    again = ops("cert", "--out", str(tmp_path), "door.example")
    assert again.returncode == 2  # a key in use is never overwritten
    assert again.stderr.startswith("ops: cannot write")


def test_openapi_is_the_document_of_the_api() -> None:
    done = ops("openapi")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.")
    assert "/api/v1/devices/pair" in document["paths"]


@pytest.mark.parametrize("role", ["ops.live.server", "ops.crm_sync.worker"])
def test_live_and_sync_carry_no_web_framework(role: str) -> None:
    code = (
        f"import sys, ops.cli, {role}\n"
        "heavy = {'litestar', 'uvicorn', 'alembic', 'sqlalchemy'}\n"
        "print([name for name in sys.modules"
        " if name.split('.')[0] in heavy or name.startswith('ops.crm.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
