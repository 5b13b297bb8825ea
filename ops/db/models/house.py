"""The house's own book-keeping: outbox, facts, cursors, versions, keys, imports."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import (
    Base,
    Xid8,
    default,
    primary_key,
    reference,
)


class OutboxRow(Base):
    """Something that the relay has to bring to the cache: a to-do list, not a log."""

    __tablename__ = "outbox"
    __table_args__ = ({"schema": "ops"},)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[UUID]
    kind: Mapped[str]
    key: Mapped[UUID]
    created_at: Mapped[datetime] = default("now()")


class Fact(Base):
    """What happened, written in its own transaction and never changed.

    Readers go by (xid, id) below pg_snapshot_xmin: an id is taken before its commit.
    """

    __tablename__ = "facts"
    __table_args__ = (
        Index(None, "xid", "id"),
        Index(None, "event_id", "id"),
        {"schema": "ops"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    event_id: Mapped[UUID]
    kind: Mapped[str]
    v: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime] = default("now()")


class Cursor(Base):
    """How far a reader of the facts has come."""

    __tablename__ = "cursors"
    __table_args__ = ({"schema": "ops"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8)
    fact_id: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = default("now()")


class PlanVersion(Base):
    """Goes up when the plan of an event changes: types, places, gates, rules."""

    __tablename__ = "plan_versions"
    __table_args__ = ({"schema": "ops"},)

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))


class CacheEpoch(Base):
    """Which life of the cache is the present one; survives the cache."""

    __tablename__ = "cache_epochs"
    __table_args__ = ({"schema": "ops"},)

    event_id: Mapped[UUID] = reference(
        "events.id", "CASCADE", index=False, primary_key=True
    )
    epoch: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    feed_epoch: Mapped[str]


class Machine(Base):
    """A machine that ever served; the mode waits for its journals."""

    __tablename__ = "machines"
    __table_args__ = ({"schema": "ops"},)

    id: Mapped[UUID] = primary_key()
    name: Mapped[str] = mapped_column(unique=True)
    first_seen_at: Mapped[datetime] = default("now()")
    last_seen_at: Mapped[datetime] = default("now()")
    retired_at: Mapped[datetime | None]


class SigningKey(Base):
    """A key that signs ticket codes; the private part is sealed."""

    __tablename__ = "signing_keys"
    __table_args__ = ({"schema": "ops"},)

    key_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False
    )
    public_key: Mapped[bytes]
    private_key_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = default("now()")
    retired_at: Mapped[datetime | None]


class ImportRun(Base):
    """One import of a file and what came of it."""

    __tablename__ = "import_runs"
    __table_args__ = (
        Index(None, "event_id", "created_at", "id"),
        {"schema": "ops"},
    )

    id: Mapped[UUID] = primary_key()
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", index=False)
    file_name: Mapped[str]
    file_hash: Mapped[bytes]
    mapping: Mapped[dict[str, Any]] = default("'{}'")
    state: Mapped[str] = default("'running'")
    rows_total: Mapped[int] = default("0")
    rows_ok: Mapped[int] = default("0")
    rows_bad: Mapped[int] = default("0")
    problems: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'")
    )
    created_by: Mapped[UUID | None] = reference("users.id", "SET NULL")
    created_at: Mapped[datetime] = default("now()")
    finished_at: Mapped[datetime | None]
