"""Roles as the socket sees them."""

from __future__ import annotations

from uuid import UUID

from ops.auth.permissions import BUILT_IN_ROLES, allows
from ops.live.auth import device_grants, flat, staff_grants
from ops.live.topics import STAFF_PERMISSION, Kind, Subject, Topic

EVENT = UUID("0193f2c4-0000-7000-8000-00000000abcd")
OTHER = UUID("0193f2c4-0000-7000-8000-00000000ffff")


def test_only_true_grants() -> None:
    permissions = {"events": {"read": True, "write": False}, "scans": {}}
    assert flat(permissions) == {"events.read"}


def test_an_odd_role_grants_nothing_and_breaks_nobody() -> None:
    for odd in (None, [], "all", {"events": "all"}, {"events": {"read": "yes"}}):
        assert flat(odd) == frozenset()
    assert staff_grants("[1]", "[]").permissions == {None: frozenset()}


def test_equal_roles_share_one_object() -> None:
    role = '{"events": {"read": true}}'
    assert staff_grants(role, "[]") is staff_grants(role, "[]")
    assert device_grants((EVENT,), EVENT) is device_grants((EVENT,), EVENT)


def test_memberships_of_an_event_add_up() -> None:
    memberships = (
        f'[["{EVENT}", {{"events": {{"read": true}}}}],'
        f' ["{EVENT}", {{"scans": {{"read": true}}}}]]'
    )
    grants = staff_grants("{}", memberships)
    assert grants.subject is Subject.STAFF
    assert grants.may_watch(Topic(EVENT, Kind.ATTENDANCE))
    assert grants.may_watch(Topic(EVENT, Kind.SCANS))
    assert not grants.may_watch(Topic(EVENT, Kind.SESSIONS))
    assert not grants.may_watch(Topic(OTHER, Kind.SCANS))


def test_the_socket_grants_what_the_house_grants() -> None:
    for role in BUILT_IN_ROLES:
        permissions = role.permissions
        granted = flat(permissions)
        for kind in Kind:
            resource = STAFF_PERMISSION[kind].partition(".")[0]
            here = bool({STAFF_PERMISSION[kind], "*.read"} & granted)
            assert here == allows(permissions, resource, "read"), (role.name, kind)
