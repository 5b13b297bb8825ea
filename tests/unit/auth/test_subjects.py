"""Permissions: roles, memberships, times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ops.auth.permissions import BUILT_IN_ROLES, RESOURCES, Permissions, allows
from ops.auth.subjects import Membership, Staff
from ops.auth.tokens import (
    canonical_code,
    pairing_code,
    pairing_hash,
    pin_hash,
    token_hash,
)
from ops.errors import Forbidden

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
ROLES = {role.name: role.permissions for role in BUILT_IN_ROLES}


def _staff(permissions: Permissions, *memberships: Membership) -> Staff:
    return Staff(
        user_id=UUID(int=3),
        session_id=UUID(int=4),
        email="li@example.org",
        first_name="小龙",
        last_name="李",
        language="en",
        role="",
        permissions=permissions,
        memberships=memberships,
        expires_at=NOW,
        csrf_hash=b"",
    )


def test_a_membership_counts_for_its_event_alone() -> None:
    staff = _staff({}, Membership(HERE, None, "door_manager", ROLES["door_manager"]))
    assert staff.may("devices", "write", HERE)
    assert not staff.may("devices", "write", ELSEWHERE)
    assert not staff.may("devices", "write", None)
    assert staff.may_somewhere("devices", "write")
    assert staff.event_ids("devices", "write") == [HERE]
    assert staff.event_ids("users", "write") == []
    with pytest.raises(Forbidden):
        staff.demand("devices", "write", ELSEWHERE)


def test_an_owner_may_everything_a_viewer_reads() -> None:
    owner, viewer = _staff(ROLES["owner"]), _staff(ROLES["viewer"])
    for resource in RESOURCES:
        assert owner.may(resource, "delete", None)
        assert not viewer.may(resource, "write", None)
    assert owner.event_ids("events", "read") is None
    assert viewer.may("events", "read", HERE)
    assert not viewer.may("contacts", "read", None)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "holds"),
    [
        (None, None, True),
        (NOW, None, True),
        (NOW + timedelta(seconds=1), None, False),
        (None, NOW, False),
        (None, NOW + timedelta(seconds=1), True),
    ],
)
def test_a_membership_holds_from_until(
    valid_from: datetime | None, valid_to: datetime | None, holds: bool
) -> None:
    membership = Membership(HERE, None, "steward", {}, valid_from, valid_to)
    assert membership.holds(NOW) is holds


def test_odd_permissions_grant_nothing() -> None:
    odd: Permissions = {"events": {"read": "yes"}, "*": {}, "devices": 1}  # type: ignore[dict-item]
    for resource in ("events", "devices", "nothing"):
        assert not allows(odd, resource, "read")


def test_built_in_roles_name_resources_that_exist() -> None:
    for role in BUILT_IN_ROLES:
        assert set(role.permissions) <= {*RESOURCES, "*"}
        assert all(
            set(p) == {"read", "write", "delete"} for p in role.permissions.values()
        )


def test_codes_are_read_as_people_type_them() -> None:
    code = pairing_code()
    assert len(canonical_code(code)) == 12
    typed = f" {code.lower().replace('-', ' ')} "
    assert pairing_hash("key", typed) == pairing_hash("key", code)
    assert pairing_hash("key", code) != pairing_hash("other key", code)


def test_a_pin_of_one_event_says_nothing_of_another() -> None:
    assert pin_hash("key", HERE, "1234") != pin_hash("key", ELSEWHERE, "1234")


def test_a_token_of_odd_characters_is_just_unknown() -> None:
    assert len(token_hash("\ud800\x00ü")) == 32
