"""The statements of packages, modes and leases; each bounded or read by a cursor."""

from __future__ import annotations

from typing import Final

CURSOR: Final = """
SELECT (SELECT system_identifier FROM pg_control_system())::text AS system,
       (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
       pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,
       pg_snapshot_xmax(pg_current_snapshot())::text AS xmax
"""

PLAN: Final = "SELECT ops.read_plan_v1($1)::text"

TICKETS: Final = "SELECT * FROM ops.ticket_entries_v1 WHERE event_id = $1 ORDER BY id"
SOME_TICKETS: Final = """
SELECT e.* FROM unnest($2::uuid[]) AS k(id)
  JOIN ops.ticket_entries_v1 e ON e.id = k.id AND e.event_id = $1
 ORDER BY e.id
"""

_CODES = """
SELECT c.code_hash, c.ticket_id,
       CASE c.revoked_reason WHEN 'exchanged' THEN 2 WHEN 'lost' THEN 3
            ELSE CASE WHEN c.revoked_at IS NULL THEN 0 ELSE 1 END END AS state
  FROM ops.ticket_codes c
"""
CODES: Final = _CODES + " WHERE c.event_id = $1 ORDER BY c.code_hash"
SOME_CODES: Final = (
    _CODES
    + """ JOIN unnest($2::uuid[]) AS k(id) ON k.id = c.ticket_id
 WHERE c.event_id IS NOT DISTINCT FROM $1 ORDER BY c.code_hash"""
)

VISITS: Final = """
SELECT k, sc, n, p, ph, cf, un, in_ms, g, d, out_ms
  FROM ops.newest_visits_v1 WHERE event_id = $1 ORDER BY k
"""
SOME_VISITS: Final = """
SELECT k, sc, n, p, ph, cf, un, in_ms, g, d, out_ms
  FROM ops.read_visits_v1($1, $2) ORDER BY k
"""

SINCE: Final = """
SELECT s FROM ops.offline_since_v1($1, $2::text::xid8) AS s LIMIT $3
"""

DEVICE: Final = """
SELECT d.no, d.state, d.profile, d.name, d.gate_no, d.direction, d.session_id,
       d.operator_role
  FROM ops.device_entries_v1 d WHERE d.event_id = $1 AND d.id = $2
"""

# Only what was granted before the snapshot of the visits beside it: a later lease comes
# with the next delta, which has the visits of its own snapshot.
LEASES: Final = """
SELECT ticket_id FROM ops.leases
 WHERE device_id = $2 AND state = 'held' AND event_id = $1 AND xid < $3::text::xid8
"""
LEASES_SINCE: Final = """
SELECT ticket_id, state = 'held' AND device_id = $2 AS held
  FROM ops.leases WHERE event_id = $1 AND xid >= $3::text::xid8
"""

SETTINGS: Final = """
SELECT coalesce(s.mode, 'bounded') AS mode, coalesce(s.budget, 50) AS budget,
       coalesce(s.package_hours, 24) AS package_hours, s.changed_at
  FROM events e LEFT JOIN ops.offline_settings s ON s.event_id = e.id
 WHERE e.id = $1
"""
CHANGE_SETTINGS: Final = """
INSERT INTO ops.offline_settings AS s
       (event_id, mode, budget, package_hours, changed_at, changed_by)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (event_id) DO UPDATE
   SET mode = excluded.mode, budget = excluded.budget,
       package_hours = excluded.package_hours, changed_at = excluded.changed_at,
       changed_by = excluded.changed_by
"""

DOWNLOADED: Final = """
INSERT INTO ops.offline_devices AS o
       (event_id, device_id, granted, package, package_at, expires_at, mode)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (event_id, device_id) DO UPDATE
   SET mode = excluded.mode, granted = greatest(o.granted, o.spent + $3), package = excluded.package,
       package_at = excluded.package_at, expires_at = excluded.expires_at
RETURNING granted, spent
"""

FORGET_CHANGES: Final = """
DELETE FROM ops.offline_changes WHERE id IN (
    SELECT id FROM ops.offline_changes WHERE at < $1 ORDER BY at LIMIT 50000)
"""

KEY: Final = """
SELECT id, key_sealed, valid_until FROM ops.offline_keys
 WHERE event_id = $1 AND ended_at IS NULL AND valid_until > $2
 ORDER BY created_at DESC, id DESC LIMIT 1
"""
LOCK_KEYS: Final = "SELECT pg_advisory_xact_lock(7302, hashtext($1::text))"
INSERT_KEY: Final = """
INSERT INTO ops.offline_keys (id, event_id, key_sealed, created_at, valid_until)
VALUES ($1, $2, $3, $4, $5)
"""
END_KEYS: Final = """
UPDATE ops.offline_keys SET ended_at = $2 WHERE event_id = $1 AND ended_at IS NULL
"""

UNLEASED: Final = """
SELECT id FROM ops.unleased_v1($1, $2, $3) AS id LIMIT $4
"""
GRANT: Final = "SELECT ops.grant_leases_v1($1, $2, $3)"
