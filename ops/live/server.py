"""The live role: `run(settings)` serves until SIGTERM, then drains."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket as socket_module
import ssl
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from prometheus_client import generate_latest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from ops import log, metrics, priority, ready
from ops.announcements.receipts import WORDS, Receipts
from ops.auth.tokens import SESSION_COOKIE
from ops.cache.client import Cache
from ops.clock import Clock
from ops.errors import StoreUnavailable
from ops.live import alerts
from ops.live.accepting import Bucket
from ops.live.auth import Authenticator
from ops.live.boards import Boards, make_channel
from ops.live.codes import CloseCode
from ops.live.connection import RETRY_MS_MAX, Handler, Handshake, LiveConnection
from ops.live.devices import READ_EVERY_S, read_devices
from ops.live.doors import READ_EVERY_S as DOORS_EVERY_S
from ops.live.doors import read_doors
from ops.live.feed import INTERVAL_S, Feed, OwnPublishers
from ops.live.forecast import READ_EVERY_S as FORECAST_EVERY_S
from ops.live.forecast import read_forecast
from ops.live.frames import PING_FRAME, Error, frame
from ops.live.hub import QUEUE_BYTES_MAX, Hub, Socket
from ops.live.mode import AlertsWithMode, mode_in_cache
from ops.live.packing import PackedFactory
from ops.live.plan import Plans, ReadPlan, read_plan
from ops.live.polled import PolledTopics, Read
from ops.live.price import READ_EVERY_S as PRICE_EVERY_S
from ops.live.price import read_price
from ops.live.protocol import FRAME_BYTES_MAX, HELLO_WITHIN_S, PING_S
from ops.live.reach import READ_EVERY_S as REACH_EVERY_S
from ops.live.reach import read_reach
from ops.live.reader import Reader
from ops.live.recalls import RecallBell
from ops.live.sources import CacheSource, DatabaseSource
from ops.live.state import Plan
from ops.live.topics import Grants, Kind, Subject
from ops.patience import for_ever
from ops.settings import Settings

PATH = "/live"
SOCKETS_MAX = 20_000
MARK_AFTER_S = 8.0
"""A topic that said nothing for so long sends a mark: at least one each 10 s."""
SILENT_AFTER_S = 2.0 * PING_S + 5
REVOCATION_CHECK_S = 0.5
CLOSE_TIMEOUT_S = 2.0
READ_QUEUE_FRAMES = 4
CACHE_TIMEOUT_S = 0.5
LISTEN_BACKLOG = 4096
ACCEPTS_PER_S, ACCEPTS_BURST = 400.0, 400.0
"""Handshakes: 2,000 lost screens are let in over five seconds, at a fifth of a core."""
SEND_BUFFER_BYTES = 64 * 1024
DATABASE_CONNECTIONS_MAX = 3
MODE_TIMEOUT_S = 0.3
"""For the mode of an event beside its alerts."""
NICENESS = 5
"""Screens after scans: a quarter of a core at least, twice what 2,000 screens take."""

_EXPECTED = (StoreUnavailable,)
_log = log.get(__name__)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a live server is started with; times are for tests to shorten."""

    host: str = "127.0.0.1"
    port: int = 0
    redis_url: str
    allowed_origins: frozenset[str] = frozenset()
    tls_cert: str = ""
    tls_key: str = ""
    sockets_max: int = SOCKETS_MAX
    hello_within_s: float = HELLO_WITHIN_S
    interval_s: float = INTERVAL_S
    devices_every_s: float = READ_EVERY_S
    alerts_every_s: float = alerts.READ_EVERY_S
    mark_after_s: float = MARK_AFTER_S
    send_buffer_bytes: int = SEND_BUFFER_BYTES
    retry_ms_max: int = RETRY_MS_MAX
    accepts_per_s: float = ACCEPTS_PER_S
    accepts_burst: float = ACCEPTS_BURST


class Gatekeeper(Protocol):
    """Who may watch (`auth.Authenticator`)."""

    async def identify(self, token: str) -> Grants | None:
        """What the holder of a token may watch."""

    async def look_up(
        self, hashes: Collection[bytes], subjects: Collection[Subject] = ...
    ) -> dict[bytes, Grants]:
        """What these tokens open now, as tokens of these kinds."""


class LiveServer:
    """A live process: listens, follows the feed, closes whom it must.

    `start` returns when it listens, `stop` when everybody has been told and closed.
    Both may be called once.

    Args:
        read_plan: reads an event's plan (`plan.read_plan` on a pool).
        read: reads the state of each polled topic (`polled`).
        database: counters without the cache; None where there is no PostgreSQL.
        pool: for announcements and what is said back; None where there are none.
        url: where to listen for announcements.
    """

    def __init__(
        self,
        options: Options,
        gatekeeper: Gatekeeper,
        read_plan: ReadPlan,
        read: Mapping[Kind, Read],
        database: DatabaseSource | None = None,
        clock: Clock | None = None,
        pool: asyncpg.Pool | None = None,
        url: str = "",
    ) -> None:
        self.options = options
        self.hub = Hub(make_channel)
        self._clock = clock or Clock()
        self._gatekeeper = gatekeeper
        self._cache = Cache(options.redis_url, CACHE_TIMEOUT_S)
        self._reader = Reader(
            options.redis_url,
            self._cache.redis,
            lambda event_id, entry: self.feed.deliver(event_id, entry),
        )
        self.feed = Feed(
            self.hub,
            Plans(read_plan, self._clock),
            CacheSource(self._cache.redis),
            database,
            self._reader,
            self._clock,
            self._own_publishers(read, pool, url),
            options.interval_s,
        )
        self._handler = Handler(
            self.hub,
            self.feed,
            gatekeeper.identify,
            self._clock,
            options.sockets_max,
            options.hello_within_s,
            self._acknowledge,
        )
        self._accepting = Bucket(options.accepts_per_s, options.accepts_burst)
        self._receipts = Receipts(pool, self._clock) if pool else None
        self._server: Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = 0

    def _own_publishers(
        self, read: Mapping[Kind, Read], pool: asyncpg.Pool | None, url: str
    ) -> dict[Kind, OwnPublishers]:
        options, pace_s = self.options, REACH_EVERY_S
        every_s = {
            Kind.DEVICES: options.devices_every_s,
            Kind.ALERTS: options.alerts_every_s,
            Kind.OFFLINE: PRICE_EVERY_S,
            Kind.FORECAST: FORECAST_EVERY_S,
            Kind.DOORS: DOORS_EVERY_S,
        }
        found: dict[Kind, OwnPublishers] = {
            kind: PolledTopics(
                kind, self.hub, of_event, self._clock, every_s.get(kind, pace_s)
            )
            for kind, of_event in read.items()
        }
        if pool is not None:
            found[Kind.ANNOUNCEMENTS] = Boards(
                self.hub, pool, url, self._clock.monotonic_s
            )
        return found

    def _acknowledge(self, announcement_id: UUID, reader_id: UUID, what: str) -> None:
        if self._receipts is not None:
            self._receipts.add(announcement_id, reader_id, WORDS[what])

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen, and begin to follow the feed."""
        self._server = await serve(
            self._handler.serve,
            sock=_listening_socket(self.options),
            ssl=_tls(self.options),
            compression=None,  # the library's own, a compressor for each socket
            extensions=[PackedFactory()],
            process_request=self._process_request,
            server_header=None,
            ping_interval=None,  # one sweep pings all sockets: no task for each
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=FRAME_BYTES_MAX,
            max_queue=READ_QUEUE_FRAMES,
            write_limit=QUEUE_BYTES_MAX,
            create_connection=LiveConnection,
        )
        self._tasks = [
            asyncio.create_task(work)
            for work in (
                self._reader.run(),
                for_ever(self._sweep, min(1.0, self.options.mark_after_s), "sweep"),
                for_ever(self._recheck, REVOCATION_CHECK_S, "recheck", _EXPECTED),
                RecallBell(self.options.redis_url, self.hub).run(),
                *((self._receipts.run(),) if self._receipts is not None else ()),
            )
        ]
        _log.info("live_listening", host=self.options.host, port=self.port)

    async def stop(self) -> None:
        """Stop listening, send everybody away with a time to come back, and end."""
        assert self._server is not None
        self._server.close(close_connections=False)
        await self._handler.drain(self.options.retry_ms_max)
        await self.feed.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._receipts is not None:
            await self._receipts.flush()
        await self._reader.stop()
        await self._cache.stop()
        # Who has not finished a handshake by now is not waited for.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._server.wait_closed()

    def _process_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Answer plain HTTP; look at Origin and cookie of a handshake."""
        path = request.path.partition("?")[0]
        if path == "/healthz":
            return connection.respond(HTTPStatus.OK, "ok\n")
        if path == "/metrics":
            return connection.respond(
                HTTPStatus.OK, generate_latest(metrics.REGISTRY).decode()
            )
        if path != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
        if not self._accepting.take(self._clock.monotonic_s()):
            metrics.socket_refusals_total.inc()
            return connection.respond(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many at once; come again.\n"
            )
        cookie = cookie_value(request.headers.get_all("Cookie"), SESSION_COOKIE)
        origins = request.headers.get_all("Origin")
        allowed = len(origins) == 1 and origins[0] in self.options.allowed_origins
        if cookie and origins and not allowed:
            return connection.respond(
                HTTPStatus.FORBIDDEN, "Pages of this origin may not connect.\n"
            )
        assert isinstance(connection, LiveConnection)
        # A program without an Origin sends its token, never a cookie.
        connection.handshake_facts = Handshake(cookie if allowed else None)
        return None

    async def _sweep(self) -> None:
        """Marks for quiet topics, pings, and an end for dead peers.

        Each socket is pinged every 25 s; every turn does a part of them.
        """
        now_s, loop_s = self._clock.monotonic_s(), asyncio.get_running_loop().time()
        for channel in list(self.hub.channels.values()):
            if now_s - channel.said_at_s >= self.options.mark_after_s:
                channel.mark(now_s)
        self._turn = (self._turn + 1) % PING_S
        for socket in list(self.hub.sockets):
            if hash(socket) // 64 % PING_S != self._turn:
                continue
            assert isinstance(socket.wire, LiveConnection)
            if loop_s - socket.wire.heard_at_s > SILENT_AFTER_S:
                self._handler.close(socket, CloseCode.SILENT)
            else:
                socket.send(PING_FRAME)

    async def _recheck(self) -> None:
        """Close or narrow sockets whose tokens or roles were taken away."""
        held: dict[Subject, dict[bytes, list[Socket]]] = {}
        for socket in self.hub.sockets:
            if socket.grants is not None:
                by_hash = held.setdefault(socket.grants.subject, {})
                by_hash.setdefault(socket.token_hash, []).append(socket)
        # Where nobody can tell nobody is closed: unknown is not revoked.
        for subject, by_hash in held.items():
            grants = await self._gatekeeper.look_up(by_hash, (subject,))
            for token_hash, sockets in by_hash.items():
                for socket in sockets:
                    self._apply(socket, grants.get(token_hash))

    def _apply(self, socket: Socket, grants: Grants | None) -> None:
        if grants is None:
            self._handler.close(socket, CloseCode.REVOKED)
        elif grants is not socket.grants and grants != socket.grants:
            socket.grants = grants
            for topic in [t for t in socket.topics if not grants.may_watch(t)]:
                self.hub.leave(socket, topic)
                socket.send(frame(Error("forbidden", topic.name)))


def cookie_value(headers: Iterable[str], name: str) -> str | None:
    """The value of one cookie; quotes are not part of our values."""
    for part in ";".join(headers).split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def _listening_socket(options: Options) -> socket_module.socket:
    """A socket that several live processes may share (SO_REUSEPORT).

    Its send buffer is what the kernel keeps for each client that does not read.
    """
    family = socket_module.AF_INET6 if ":" in options.host else socket_module.AF_INET
    listening = socket_module.socket(family, socket_module.SOCK_STREAM)
    try:
        listening.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_REUSEADDR, 1)
        listening.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_REUSEPORT, 1)
        listening.setsockopt(
            socket_module.SOL_SOCKET,
            socket_module.SO_SNDBUF,
            options.send_buffer_bytes,
        )
        listening.bind((options.host, options.port))
        listening.listen(LISTEN_BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _tls(options: Options) -> ssl.SSLContext | None:
    if not options.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    return context


def raise_file_limit() -> int:
    """Let this process hold as many sockets as the system allows; the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


async def _serve(settings: Settings) -> None:
    pool = await asyncpg.create_pool(
        settings.database_url,
        min_size=0,
        max_size=DATABASE_CONNECTIONS_MAX,
        server_settings={"application_name": "ops-live"},
    )

    modes = Cache(settings.redis_url, timeout_s=MODE_TIMEOUT_S)

    async def plan(event_id: UUID) -> Plan | None:
        return await read_plan(pool, event_id)

    read: dict[Kind, Read] = {
        Kind.DEVICES: partial(read_devices, pool),
        Kind.ALERTS: AlertsWithMode(
            partial(alerts.read_alerts, pool), mode_in_cache(modes.redis)
        ),
        Kind.REACH: partial(read_reach, pool),
        Kind.OFFLINE: partial(read_price, pool),
        Kind.FORECAST: partial(read_forecast, pool),
        Kind.DOORS: partial(read_doors, pool),
    }
    server = LiveServer(
        Options(
            host=settings.host,
            port=settings.live_port,
            redis_url=settings.redis_url,
            allowed_origins=settings.allowed_origins,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
        ),
        Authenticator(pool),
        plan,
        read,
        DatabaseSource(pool),
        pool=pool,
        url=settings.database_url,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await server.start()
    ready.tell()
    await stopping.wait()
    await server.stop()
    await modes.stop()
    pool.terminate()
    _log.info("live_stopped")


def run(settings: Settings) -> None:
    """Serve sockets until SIGTERM or SIGINT. The addresses of both stores are set."""
    log.configure(settings.log_level, settings.log_format, role="live")
    raise_file_limit()
    priority.step_back(NICENESS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))
