"""The api role: one uvicorn process on a port that its brothers share.

Each process binds the port for itself with SO_REUSEPORT, so that a new one can listen
before an old one goes. `run` blocks until SIGTERM or SIGINT, finishes the requests
under way (5 s at most) and returns.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ops import log, ready
from ops.app import create_app
from ops.errors import SettingsError
from ops.settings import Settings

# A handheld scans every few seconds: its connection outlives the pauses, and a
# connection closed under a request is a repeated scan.
KEEP_ALIVE_S = 75
GRACE_S = 5
BACKLOG = 2048  # a gate rush reconnects all at once


class _Server(uvicorn.Server):
    """uvicorn that tells the supervisor and ends with 0 after a clean stop."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        ready.tell()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The original raises the signal again after the clean stop (exit -15).
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket bound to the address, sharing its port with others of this user.

    Raises:
        SettingsError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}") from (
            error
        )
    return bound


def config(settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the app."""
    return uvicorn.Config(
        create_app(settings),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
    )


def run(settings: Settings, index: int = 0) -> None:
    """Serve the API and the pages until SIGTERM or SIGINT.

    Raises:
        SettingsError: the address cannot be had.
    """
    log.configure(settings.log_level, settings.log_format, role="api", index=index)
    bound = listen(settings.host, settings.port)
    _Server(config(settings)).run(sockets=[bound])
