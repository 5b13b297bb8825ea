"""Who may give whom what: nobody grants above himself. Hooks of the generic API.

The hierarchy is `roles.level`. A person acts on people and roles up to the own height;
a role's permissions can only be given by somebody who has them. In an event the height
is that of the highest role held there.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from ops.auth.permissions import RESOURCES, allows, allows_own
from ops.auth.subjects import Staff
from ops.crm.changes import Change, Hooks
from ops.errors import Conflict, FieldProblem, Forbidden, Unprocessable

OWNER_LEVEL: Final = 100
LEVELS: Final = "SELECT id, coalesce(level, 0) AS level FROM roles WHERE id = ANY($1)"
OTHER_OWNERS: Final = """
SELECT EXISTS (SELECT FROM users u JOIN roles r ON r.id = u.role_id
                WHERE u.status = 'active' AND r.level >= $2 AND u.id <> $1)
"""
ACTIONS: Final = ("read", "write", "delete")


def register(hooks: Hooks) -> None:
    """Give the hierarchy its say in changes of users, roles and members."""
    for name, hook in (
        ("users", users),
        ("roles", roles),
        ("members", members),
    ):
        hooks.before.setdefault(name, []).append(hook)


async def users(db: Any, change: Change) -> None:
    """A user of a role above one's own is not touched; nobody changes the own role."""
    before, values = change.before or {}, change.values
    staff = change.actor.staff
    await _within(db, staff, staff.level, before.get("role_id"), values.get("role_id"))
    if change.verb == "create":
        return
    touched = {name for name in ("role_id", "status") if _differs(change, name)}
    if change.id == staff.user_id and touched:
        raise Forbidden(
            "Somebody else changes your role and status.", code="own_account"
        )
    if touched and not await db.fetchval(OTHER_OWNERS, change.id, OWNER_LEVEL):
        raise Conflict("Somebody must remain who may do everything.", code="last_owner")


async def members(db: Any, change: Change) -> None:
    """A role in an event is given by somebody at least as high there."""
    before, values = change.before or {}, change.values
    staff = change.actor.staff
    level = staff.level_in(change.event_id)
    await _within(db, staff, level, before.get("role_id"), values.get("role_id"))


async def roles(db: Any, change: Change) -> None:
    """A role up to one's own height, with permissions that one has."""
    before, values = change.before or {}, change.values
    staff = change.actor.staff
    for row in (before, values):
        if (row.get("level") or 0) > staff.level:
            raise _above()
    if change.verb != "create" and before.get("name") == "owner":
        raise Conflict("The owner's role stays as it is.", code="built_in")
    if "permissions" in values:
        _well_formed(values["permissions"])
        _given(staff, values["permissions"])


def _differs(change: Change, name: str) -> bool:
    before = change.before or {}
    return name in change.values and change.values[name] != before.get(name)


async def _within(db: Any, staff: Staff, level: int, *role_ids: UUID | None) -> None:
    wanted = [role_id for role_id in role_ids if role_id is not None]
    if not wanted:
        return
    for row in await db.fetch(LEVELS, wanted):
        if row["level"] > level:
            raise _above()


def _above() -> Forbidden:
    return Forbidden("This role is above your own.", code="above_yourself")


def _well_formed(permissions: Any) -> None:
    """Refuse permissions that nothing would ever ask for: a slip of the pen."""
    words = [word for word in permissions if word != "*" and word not in RESOURCES]
    if words:
        said = f"No such word: {', '.join(words)[:200]}."
        problem = FieldProblem("permissions", "not_allowed", said, [*RESOURCES, "*"])
        raise Unprocessable(said, errors=[problem])
    for word, granted in permissions.items():
        if not isinstance(granted, dict) or any(
            action not in ACTIONS
            or not (isinstance(value, bool) or (value == "own" and action != "delete"))
            for action, value in granted.items()
        ):
            said = f'{word}: read, write and delete, each true or false, or "own".'
            problem = FieldProblem("permissions", "not_allowed", said, [*ACTIONS])
            raise Unprocessable(said, errors=[problem])


def _given(staff: Staff, permissions: Any) -> None:
    for word, granted in permissions.items():
        for action in ACTIONS:
            has = allows_own if granted.get(action) == "own" else allows
            if granted.get(action) and not has(staff.permissions, word, action):
                raise Forbidden(
                    f"You do not have {word}.{action} yourself.",
                    code="above_yourself",
                )
