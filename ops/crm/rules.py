"""Rules that the organiser sets: few, saved whole, each change in the audit log."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.crm.pool import CrmPool
from ops.errors import NotFound

CALL_TIMEOUT_S: Final = 5.0
RULES_MAX: Final = 500
_MADE: Final = ("id", "created_at", "updated_at")

View = TypeVar("View", bound=msgspec.Struct)


class RuleTable(Generic[View]):
    """A table of such rules.

    Args:
        name: of the table, without its schema `ops`.
        view: a rule as it is answered; its fields are the columns.
        told: fields that the audit log names.
    """

    def __init__(self, name: str, view: type[View], told: tuple[str, ...]) -> None:
        self._name, self._view, self._told = name, view, told
        columns = [one for one in view.__struct_fields__ if one not in _MADE]
        self._columns = columns
        names = ", ".join(columns)
        marks = ", ".join(f"${at}" for at in range(2, len(columns) + 2))
        every = ", ".join(view.__struct_fields__)
        self._all = (
            f"SELECT {every} FROM ops.{name} ORDER BY created_at, id LIMIT {RULES_MAX}"
        )
        self._has = f"SELECT id FROM ops.{name} WHERE id = $1"
        self._forget = f"DELETE FROM ops.{name} WHERE id = $1 RETURNING id"
        self._save = (
            f"INSERT INTO ops.{name} (id, {names}) VALUES ($1, {marks})"
            f" ON CONFLICT (id) DO UPDATE SET ({names}, updated_at) = ({marks}, now())"
            f" RETURNING {every}"
        )

    async def all(self, crm_pool: CrmPool) -> list[View]:
        """The oldest first, at most `RULES_MAX`."""
        rows = await crm_pool.pool.fetch(self._all, timeout=CALL_TIMEOUT_S)
        return [self._view(**dict(row)) for row in rows]

    async def must_have(self, crm_pool: CrmPool, rule_id: UUID) -> None:
        """There is such a rule.

        Raises:
            NotFound: there is none.
        """
        if not await crm_pool.pool.fetchval(self._has, rule_id, timeout=CALL_TIMEOUT_S):
            raise NotFound("There is no such rule.")

    async def save(
        self,
        db: Any,
        auditor: Auditor,
        actor: Actor,
        rule_id: UUID,
        data: msgspec.Struct,
        verb: str,
    ) -> View:
        """Write a rule as a whole, in the caller's transaction.

        Args:
            data: has a field for each column that a person sets.
            verb: for the audit log.
        """
        wanted = msgspec.structs.asdict(data)
        values = [wanted[name] for name in self._columns]
        row = await db.fetchrow(self._save, rule_id, *values, timeout=CALL_TIMEOUT_S)
        after = {name: wanted[name] for name in self._told}
        await auditor.record(db, self._entry(actor, verb, rule_id, after))
        return self._view(**dict(row))

    async def forget(
        self, db: Any, auditor: Auditor, actor: Actor, rule_id: UUID
    ) -> None:
        """Take a rule away, in the caller's transaction.

        Raises:
            NotFound: there is no such rule.
        """
        if not await db.fetchval(self._forget, rule_id, timeout=CALL_TIMEOUT_S):
            raise NotFound("There is no such rule.")
        await auditor.record(db, self._entry(actor, "delete", rule_id, None))

    def _entry(
        self, actor: Actor, verb: str, rule_id: UUID, after: dict[str, Any] | None
    ) -> Entry:
        return Entry(actor, f"{self._name}.{verb}", self._name, rule_id, after=after)
