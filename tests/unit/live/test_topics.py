"""Names of topics, and who may watch which."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.live.topics import (
    KINDS_BY_SUBJECT,
    STAFF_PERMISSION,
    Grants,
    Kind,
    Subject,
    Topic,
    parse,
)

EVENT = UUID("0193f2c4-0000-7000-8000-00000000abcd")
OTHER = UUID("0193f2c4-0000-7000-8000-00000000ffff")


@given(st.uuids(), st.sampled_from(Kind))
def test_a_name_is_parsed_to_the_topic_that_made_it(event_id: UUID, kind: Kind) -> None:
    topic = Topic(event_id, kind)
    assert parse(topic.name) == topic


@given(st.text(max_size=120))
def test_any_text_is_a_topic_in_its_canonical_form_or_none(text: str) -> None:
    topic = parse(text)
    assert topic is None or topic.name == text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "event",
        f"event:{EVENT}",
        f"event:{EVENT}:",
        f"event:{EVENT}:nothing",
        f"event:{EVENT}:attendance:more",
        f"event:{str(EVENT).upper()}:attendance",
        f"event:{EVENT.hex}:attendance",
        f"event:{{{EVENT}}}:attendance",
        f"venue:{EVENT}:attendance",
        f"event:{EVENT}:attendance" + " " * 90,
    ],
)
def test_other_spellings_are_no_topics(name: str) -> None:
    assert parse(name) is None


def test_every_kind_has_a_permission() -> None:
    assert set(STAFF_PERMISSION) == set(Kind)


def test_staff_may_watch_what_their_role_reads() -> None:
    viewer = Grants(Subject.STAFF, {None: frozenset({"sessions.read", "scans.write"})})
    assert viewer.may_watch(Topic(EVENT, Kind.SESSIONS))
    assert not viewer.may_watch(Topic(EVENT, Kind.ATTENDANCE))
    assert not viewer.may_watch(Topic(EVENT, Kind.SCANS))


def test_devices_need_a_permission_of_their_own() -> None:
    topic = Topic(EVENT, Kind.DEVICES)
    assert topic.name == f"event:{EVENT}:devices"
    watcher = Grants(Subject.STAFF, {EVENT: frozenset({"devices.read"})})
    assert watcher.may_watch(topic)
    others = frozenset(STAFF_PERMISSION.values()) - {"devices.read"}
    assert not Grants(Subject.STAFF, {None: others}).may_watch(topic)


def test_a_membership_counts_in_its_event_alone() -> None:
    member = Grants(Subject.STAFF, {EVENT: frozenset({"*.read"})})
    assert all(member.may_watch(Topic(EVENT, kind)) for kind in Kind)
    assert not any(member.may_watch(Topic(OTHER, kind)) for kind in Kind)


def test_a_device_sees_counts_of_its_events_and_never_a_name() -> None:
    device = Grants(Subject.DEVICE, {}, frozenset({EVENT}))
    seen = {kind for kind in Kind if device.may_watch(Topic(EVENT, kind))}
    assert seen == KINDS_BY_SUBJECT[Subject.DEVICE]
    assert not {Kind.SCANS, Kind.DEVICES, Kind.ALERTS} & seen
    assert not any(device.may_watch(Topic(OTHER, kind)) for kind in Kind)
