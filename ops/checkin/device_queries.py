"""The statements of device management; every list is bounded."""

from __future__ import annotations

from typing import Final

_VIEW = """
SELECT d.id, d.no, d.name, d.profile, d.state, d.gate_id, g.name AS gate,
       d.direction, d.session_id, d.operator_id, o.name AS operator,
       d.battery, d.pending, d.software, d.hardware, d.last_seen_at, d.paired_at,
       d.revoked_at, d.pairing_expires_at, d.enrolment_id, d.created_at,
       d.locked_at, d.clock_skew_ms, d.sponsor_id
  FROM ops.devices d
  LEFT JOIN ops.gates g ON g.id = d.gate_id
  LEFT JOIN ops.operators o ON o.id = d.operator_id
"""

LIST: Final = (
    _VIEW
    + """
  JOIN ops.device_events e ON e.device_id = d.id AND e.event_id = $1
 WHERE ($2::uuid IS NULL OR d.id > $2)
 ORDER BY d.id
 LIMIT $3
"""
)

ONE: Final = _VIEW + " WHERE d.id = $1"

EVENTS_OF: Final = """
SELECT event_id FROM ops.device_events WHERE device_id = $1 LIMIT 1000
"""

GATE_OF_EVENT: Final = """
SELECT id, name, direction, session_id FROM ops.gates WHERE id = $1 AND event_id = $2
"""

SESSION_OF_EVENT: Final = """
SELECT EXISTS (SELECT FROM sessions WHERE id = $1 AND event_id = $2)
"""

INSERT: Final = """
INSERT INTO ops.devices
       (id, name, profile, state, gate_id, direction, session_id, hardware, software,
        pairing_code_hash, pairing_expires_at, enrolment_id, token_hash, paired_at,
        last_seen_at, sponsor_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)
RETURNING no
"""

LINK: Final = """
INSERT INTO ops.device_events (device_id, event_id, gate_id) VALUES ($1, $2, $3)
    ON CONFLICT (device_id, event_id) DO UPDATE SET gate_id = excluded.gate_id
"""

UNLINK: Final = """
DELETE FROM ops.device_events d WHERE d.device_id = $1 AND d.event_id = $2
   AND EXISTS (SELECT FROM ops.device_events o
                WHERE o.device_id = $1 AND o.event_id <> $2)
RETURNING d.event_id
"""
"""A device serves one event at least."""

LEAVE_GATE: Final = """
UPDATE ops.devices d SET gate_id = NULL, session_id = NULL
 WHERE d.id = $1 AND EXISTS (
       SELECT FROM ops.gates g WHERE g.id = d.gate_id AND g.event_id = $2)
"""

KEEP_GATE: Final = """
UPDATE ops.device_events e SET gate_id = g.id
  FROM ops.devices d JOIN ops.gates g ON g.id = d.gate_id
 WHERE d.id = $1 AND e.device_id = d.id AND e.event_id = g.event_id
   AND e.gate_id IS DISTINCT FROM g.id
"""
"""Where it stands stays its place at that event when it is moved at another one."""

EVENT_OF_GATE: Final = """
SELECT g.event_id FROM ops.gates g
  JOIN ops.device_events e ON e.event_id = g.event_id AND e.device_id = $2
 WHERE g.id = $1
"""

SPONSOR_OF_EVENT: Final = """
SELECT EXISTS (SELECT FROM sponsors WHERE id = $1 AND event_id = $2)
"""

LOCK: Final = """
UPDATE ops.devices SET locked_at = coalesce(locked_at, $2), operator_id = NULL
 WHERE id = $1 AND state = 'active'
"""

UNLOCK: Final = "UPDATE ops.devices SET locked_at = NULL WHERE id = $1"

SERVES: Final = """
SELECT e.id, e.title, e.starts_at, e.timezone, de.gate_id
  FROM ops.device_events de JOIN events e ON e.id = de.event_id
 WHERE de.device_id = $1 ORDER BY e.starts_at, e.id LIMIT 100
"""

BY_PAIRING_CODE: Final = """
SELECT id, state, hardware, pairing_expires_at
  FROM ops.devices WHERE pairing_code_hash = $1 FOR UPDATE
"""

BY_ENROLMENT: Final = """
SELECT id, event_id, gate_id, sponsor_id, profile, max_devices, used, valid_until,
       revoked_at
  FROM ops.enrolments WHERE code_hash = $1 FOR UPDATE
"""

OF_ENROLMENT: Final = """
SELECT id, state FROM ops.devices WHERE enrolment_id = $1 AND hardware = $2
 ORDER BY id DESC LIMIT 1
"""

ACTIVATE: Final = """
UPDATE ops.devices
   SET state = 'active', token_hash = $2, hardware = coalesce($3, hardware),
       software = coalesce($4, software), paired_at = $5, last_seen_at = $5,
       name = coalesce($6, name), locked_at = NULL
 WHERE id = $1
"""

USE_ENROLMENT: Final = "UPDATE ops.enrolments SET used = used + 1 WHERE id = $1"

PAIRED: Final = """
SELECT d.id, d.name, d.profile, d.gate_id, d.direction, d.session_id,
       g.name AS gate_name, g.direction AS gate_direction, g.state AS gate_state,
       g.area_id AS gate_area_id,
       e.id AS event_id, e.title, e.timezone, e.languages, e.status, e.doors_state,
       e.starts_at, e.ends_at, e.doors_open_at
  FROM ops.devices d
  JOIN ops.device_events de ON de.device_id = d.id
  JOIN events e ON e.id = de.event_id
  LEFT JOIN ops.gates g ON g.id = d.gate_id
 WHERE d.id = $1
 ORDER BY e.starts_at, e.id
 LIMIT 1
"""

AREAS: Final = """
SELECT id, name, kind, parent_id, capacity, limit_kind
  FROM ops.areas WHERE event_id = $1 ORDER BY position, name, id LIMIT 500
"""

REVOKE: Final = """
UPDATE ops.devices
   SET state = 'revoked', revoked_at = $2, pairing_code_hash = NULL,
       operator_id = NULL
 WHERE id = $1 AND state <> 'revoked'
"""

CONFIGURE: Final = """
UPDATE ops.devices
   SET name = coalesce($2, name), gate_id = $3, direction = $4, session_id = $5
 WHERE id = $1 AND state <> 'revoked'
"""

HEARTBEAT: Final = """
UPDATE ops.devices
   SET battery = coalesce($2, battery), pending = coalesce($3, pending),
       software = coalesce($4, software), last_seen_at = $5,
       clock_skew_ms = coalesce($6, clock_skew_ms)
 WHERE id = $1 AND state = 'active'
"""

CONFIG: Final = """
SELECT d.state, d.locked_at, d.profile, d.name, d.direction, d.session_id, d.gate_id,
       g.name AS gate_name, g.direction AS gate_direction, g.state AS gate_state,
       g.use_instead_id, i.name AS use_instead,
       o.id AS operator_id, o.name AS operator_name, o.role AS operator_role,
       o.language AS operator_language,
       e.id AS event_id, e.title, e.status AS event_status, e.doors_state,
       e.languages, e.timezone
  FROM ops.devices d
  LEFT JOIN ops.gates g ON g.id = d.gate_id
  LEFT JOIN ops.gates i ON i.id = g.use_instead_id
  LEFT JOIN ops.operators o ON o.id = d.operator_id
  LEFT JOIN LATERAL (
       SELECT ev.* FROM ops.device_events de JOIN events ev ON ev.id = de.event_id
        WHERE de.device_id = d.id
        ORDER BY ev.id = g.event_id DESC NULLS LAST, ev.starts_at LIMIT 1) e ON true
 WHERE d.id = $1
"""

ENTRIES: Final = """
SELECT d.event_id, row_to_json(d)::text AS entry
  FROM ops.device_entries_v1 d WHERE d.id = $1 LIMIT 1000
"""

INSERT_ENROLMENT: Final = """
INSERT INTO ops.enrolments
       (id, event_id, gate_id, profile, code_hash, max_devices, used, valid_until,
        created_by, sponsor_id)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)
"""

LIST_ENROLMENTS: Final = """
SELECT n.id, n.gate_id, g.name AS gate, n.sponsor_id, n.profile, n.max_devices, n.used,
       n.valid_until, n.revoked_at, n.created_at
  FROM ops.enrolments n LEFT JOIN ops.gates g ON g.id = n.gate_id
 WHERE n.event_id = $1 AND ($2::uuid IS NULL OR n.id > $2)
 ORDER BY n.id LIMIT $3
"""

REVOKE_ENROLMENT: Final = """
UPDATE ops.enrolments SET revoked_at = coalesce(revoked_at, $3)
 WHERE id = $1 AND event_id = $2
RETURNING id
"""
