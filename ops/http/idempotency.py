"""`Idempotency-Key`: a POST that creates or sends is done once, however often it comes.

A route says `opt={"idempotent": True}`. The key (a UUID) is kept for 24 hours with the
answer, per subject and address: the same request again gets the same answer with
`Idempotency-Replayed: true`; another body under the same key is 409. While the first
is under way, and for a minute after a process died on it, a repeat is 409 as well,
with `Retry-After`: whether it was done is not known yet.

Answers of 5xx, 401, 403 and 429 are not kept: a repeat may do better. Kept answers are
sealed with the installation's key, because some show a code or a PIN once.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from litestar import Request, Response
from litestar.types import Message, Scope
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from ops import log
from ops.auth.subjects import DeviceIdentity, Staff
from ops.clock import Clock
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.errors import Conflict, FieldProblem, MalformedBody

HEADER: Final = "idempotency-key"
KEPT: Final = timedelta(hours=24)
UNDER_WAY: Final = timedelta(minutes=1)
"""A request takes 30 s at most; whoever holds a key longer is dead."""
PRUNED_MAX = 100
_SCOPE_KEY = "ops_idempotency"
_NOT_KEPT = frozenset({401, 403, 429})

CLAIM: Final = """
INSERT INTO ops.idempotency_keys AS k (subject, route, key, content_hash, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (subject, route, key) DO UPDATE
   SET content_hash = excluded.content_hash, created_at = excluded.created_at,
       status = NULL, body = NULL
 WHERE k.created_at < $6::timestamptz
    OR (k.status IS NULL AND k.created_at < $7::timestamptz
        AND k.content_hash = excluded.content_hash)
RETURNING true
"""
READ: Final = """
SELECT content_hash, status, body FROM ops.idempotency_keys
 WHERE subject = $1 AND route = $2 AND key = $3
"""
KEEP: Final = """
UPDATE ops.idempotency_keys SET status = $4, body = $5
 WHERE subject = $1 AND route = $2 AND key = $3
"""
RELEASE: Final = """
DELETE FROM ops.idempotency_keys
 WHERE subject = $1 AND route = $2 AND key = $3 AND status IS NULL
"""
PRUNE: Final = """
DELETE FROM ops.idempotency_keys WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM ops.idempotency_keys WHERE created_at < $1 LIMIT $2))
"""

_logger = log.get(__name__)


class _Claim(NamedTuple):
    subject: str
    route: str
    key: str


class _Pending:
    """The answer of a claimed request while it is being sent."""

    def __init__(self, claim: _Claim) -> None:
        self.claim = claim
        self.status = 500
        self.body = b""


class Idempotency:
    """Two hooks of the application: before a handler runs, and as its answer leaves."""

    def __init__(self, database: Database, clock: Clock, secret_key: str) -> None:
        self._database, self._clock = database, clock
        self._box = SecretBox(
            hashlib.sha256(b"idempotency\x00" + secret_key.encode()).digest()
        )

    async def before_request(
        self, request: Request[Any, Any, Any]
    ) -> Response[bytes] | None:
        """Claim the key, or answer from what was kept.

        Raises:
            MalformedBody: the key is not a UUID.
            Conflict: `idempotency_key_reused`, `idempotency_under_way`.
        """
        if not request.route_handler.opt.get("idempotent"):
            return None
        key = request.headers.get(HEADER)
        if key is None:
            return None
        claim = _Claim(
            _subject(request.scope["user"]),
            f"{request.method} {request.scope['path']}",
            _checked(key),
        )
        content = hashlib.sha256(await request.body()).digest()
        now = self._clock.now()
        pool = self._database.pool
        claimed = await pool.fetchval(
            CLAIM, *claim, content, now, now - KEPT, now - UNDER_WAY
        )
        if claimed:
            cast(dict[str, Any], request.scope)[_SCOPE_KEY] = _Pending(claim)
            return None
        row = await pool.fetchrow(READ, *claim)
        if row is not None and bytes(row["content_hash"]) != content:
            raise Conflict(
                "This Idempotency-Key came with another body before.",
                code="idempotency_key_reused",
            )
        if row is None or row["status"] is None:
            raise Conflict(
                "The first request with this Idempotency-Key is still under way.",
                code="idempotency_under_way",
                headers={"Retry-After": "2"},
            )
        try:
            body = self._box.decrypt(bytes(row["body"]))
        except CryptoError:
            # The installation's key was changed meanwhile: what was answered is lost.
            raise Conflict(
                "The answer to this Idempotency-Key can no longer be read.",
                code="idempotency_answer_lost",
            ) from None
        problem = row["status"] >= 400
        return Response(
            body,
            status_code=row["status"],
            media_type="application/problem+json" if problem else "application/json",
            headers={"Idempotency-Replayed": "true"},
        )

    async def before_send(self, message: Message, scope: Scope) -> None:
        """Keep the answer before its last byte leaves."""
        pending = cast(dict[str, Any], scope).get(_SCOPE_KEY)
        if pending is None:
            return
        if message["type"] == "http.response.start":
            pending.status = message["status"]
        elif message["type"] == "http.response.body":
            pending.body += message["body"]
            if not message.get("more_body", False):
                await self._keep(pending)

    async def _keep(self, pending: _Pending) -> None:
        status = pending.status
        try:
            if status >= 500 or status in _NOT_KEPT:
                await self._database.pool.execute(RELEASE, *pending.claim)
            else:
                await self._database.pool.execute(
                    KEEP, *pending.claim, status, bytes(self._box.encrypt(pending.body))
                )
                await self._database.pool.execute(
                    PRUNE, self._clock.now() - KEPT, PRUNED_MAX
                )
        except DATABASE_ERRORS as error:
            # What was done is done: the client shall have its answer. A repeat within
            # a minute is told to wait.
            _logger.warning("idempotency_not_kept", error=log.scrubbed(error))


def _subject(subject: object) -> str:
    match subject:
        case Staff():
            return f"staff:{subject.user_id}"
        case DeviceIdentity():
            return f"device:{subject.id}"
    return "public"


def _checked(key: str) -> str:
    try:
        return str(UUID(key))
    except ValueError:
        problem = FieldProblem("Idempotency-Key", "bad_value", "Send a UUID.")
        raise MalformedBody(
            "The Idempotency-Key is not a UUID.",
            code="bad_idempotency_key",
            errors=[problem],
        ) from None
