"""How far each machine has merged its journals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from ops.db.base import Base, default, reference


class Merge(Base):
    """A machine merged all lines of an event up to this epoch of its cache.

    The event returns to mode N when every machine that is not retired has.
    """

    __tablename__ = "merges"
    __table_args__ = ({"schema": "ops"},)

    machine_id: Mapped[UUID] = reference(
        "ops.machines.id", "CASCADE", index=False, primary_key=True
    )
    event_id: Mapped[UUID] = reference("events.id", "CASCADE", primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    merged_at: Mapped[datetime] = default("now()")
