"""The statements of packages, modes and leases; each bounded or read by a cursor."""

from __future__ import annotations

from typing import Final

from ops.offline.package import PERSONAL, RULES

CURSOR: Final = """
SELECT (SELECT system_identifier FROM pg_control_system())::text AS system,
       (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
       pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,
       pg_snapshot_xmax(pg_current_snapshot())::text AS xmax
"""

PLAN: Final = "SELECT ops.read_plan_v1($1)::text"

# Texts that are put into the package as they are: PostgreSQL makes them, not the
# process that serves a door.
_TICKETS = f"""
SELECT e.id,
       (SELECT row_to_json(r)::text FROM (
         SELECT {", ".join(f"e.{name}" for name in RULES)}) r),
       json_build_array({", ".join(f"e.{name}" for name in PERSONAL)})::text
"""
TICKETS: Final = (
    _TICKETS + "FROM ops.ticket_entries_v1 e WHERE e.event_id = $1 ORDER BY e.id"
)
SOME_TICKETS: Final = (
    _TICKETS
    + """FROM unnest($2::uuid[]) AS k(id)
  JOIN ops.ticket_entries_v1 e ON e.id = k.id AND e.event_id IS NOT DISTINCT FROM $1
 ORDER BY e.id"""
)

_CODES = """
SELECT c.code_hash, c.ticket_id,
       CASE c.revoked_reason WHEN 'exchanged' THEN 2 WHEN 'lost' THEN 3
            ELSE CASE WHEN c.revoked_at IS NULL THEN 0 ELSE 1 END END
  FROM ops.ticket_codes c
"""
CODES: Final = _CODES + " WHERE c.event_id = $1 ORDER BY c.code_hash"
SOME_CODES: Final = (
    _CODES
    + """ JOIN unnest($2::uuid[]) AS k(id) ON k.id = c.ticket_id
 WHERE c.event_id IS NOT DISTINCT FROM $1 ORDER BY c.code_hash"""
)

# The newest pass of each person in each scope by one sort: as ops.newest_visits_v1,
# which looks up by keys and is made for a few tickets.
_VISITS = """
SELECT w.ticket_id, sc.no, w.person_no, w.pass_no,
       CASE WHEN w.undone_at IS NOT NULL THEN 2
            WHEN w.checked_out_at IS NOT NULL THEN 1 ELSE 0 END
         + 4 * (w.confirmed_at IS NOT NULL)::int + 8 * w.undone::int,
       floor(extract(epoch FROM w.checked_in_at))::bigint, coalesce(g.no, 0),
       coalesce(d.no, 0),
       coalesce(floor(extract(epoch FROM w.checked_out_at))::bigint, 0),
       coalesce(w.last_day - DATE '1970-01-01', 0), w.day_used
  FROM (SELECT DISTINCT ON (ci.ticket_id, ci.scope_id, ci.person_no) ci.ticket_id,
               ci.scope_id, ci.person_no, ci.pass_no, ci.checked_in_at,
               ci.checked_out_at, ci.undone_at, ci.confirmed_at, ci.gate_id,
               ci.device_id, ci.last_day,
               count(*) FILTER (WHERE ci.undone_at IS NOT NULL) OVER person AS undone,
               count(*) FILTER (WHERE ci.undone_at IS NULL
                 AND ci.event_day = ci.last_day) OVER person AS day_used
          FROM (SELECT ci.*, max(ci.event_day) FILTER (WHERE ci.undone_at IS NULL)
                  OVER (PARTITION BY ci.ticket_id, ci.scope_id, ci.person_no)
                  AS last_day
                  FROM check_ins ci WHERE {which} AND ci.scan_id IS NOT NULL) ci
        WINDOW person AS (PARTITION BY ci.ticket_id, ci.scope_id, ci.person_no)
         ORDER BY ci.ticket_id, ci.scope_id, ci.person_no, ci.pass_no DESC) w
  JOIN ops.scopes sc ON sc.id = w.scope_id
  LEFT JOIN ops.gates g ON g.id = w.gate_id
  LEFT JOIN ops.devices d ON d.id::text = w.device_id
 ORDER BY w.ticket_id
"""
VISITS: Final = _VISITS.format(which="ci.event_id = $1")
SOME_VISITS: Final = _VISITS.format(
    which="ci.ticket_id = ANY ($2::uuid[]) AND ci.event_id IS NOT DISTINCT FROM $1"
)

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
   SET mode = excluded.mode, granted = greatest(o.granted, o.spent + $3),
       package = excluded.package,
       package_at = excluded.package_at, expires_at = excluded.expires_at
RETURNING granted, spent
"""

SHARES: Final = "SELECT ops.give_offline_shares_v1($1, $2, $3)::text"
ITEMS: Final = "SELECT ops.offline_items_v1($1)::text"

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

LEASE_STATE: Final = """
SELECT state = 'held' AND device_id = $2 FROM ops.leases WHERE ticket_id = $1
"""
# What the holder itself gives back; a lease that a person ended meanwhile is settled by
# it. Its other word, `used`, ends nothing: the entry is still on the device, and until
# it is here another door would let the ticket in once more. The entry ends the lease.
RELEASE_LEASES: Final = """
WITH said AS (
    UPDATE ops.leases l SET state = 'released', ended_at = $3,
           xid = pg_current_xact_id()
     WHERE l.ticket_id = ANY ($4::uuid[]) AND l.device_id = $2 AND l.event_id = $1
       AND l.state IN ('held', 'ended')
    RETURNING l.ticket_id
), settled AS (
    UPDATE ops.lease_endings e SET settled_at = $3
      FROM said WHERE e.ticket_id = said.ticket_id AND e.device_id = $2
       AND e.settled_at IS NULL
)
SELECT count(*) FROM said
"""
END_LEASES: Final = """
WITH over AS (
    UPDATE ops.leases SET state = 'ended', ended_at = $4, xid = pg_current_xact_id()
     WHERE event_id = $1 AND device_id = $2 AND state = 'held'
    RETURNING ticket_id
), noted AS (
    INSERT INTO ops.lease_endings
           (event_id, ticket_id, device_id, reason, ended_at, ended_by)
    SELECT $1, ticket_id, $2, $3, $4, $5 FROM over
)
SELECT count(*) FROM over
"""

RISK: Final = """
SELECT * FROM ops.offline_devices_v1($1, $2) ORDER BY name, id LIMIT 1000
"""
# Beyond what a limit allows, or what a ticket is good for: the shares of devices away.
BEYOND: Final = """
SELECT s.kind, s.of_id AS id, coalesce(i.name, a.name, c.name) AS name,
       sum(s.share)::int AS at_most
  FROM ops.offline_shares s
  JOIN ops.offline_devices_v1($1, $2) d ON d.id = s.device_id
  LEFT JOIN ops.items i ON i.id = s.of_id
  LEFT JOIN ops.areas a ON a.id = s.of_id
  LEFT JOIN ops.scopes c ON c.id = s.of_id
 WHERE s.event_id = $1 AND s.share > 0 AND d.mode <> 'open'
   AND (d.away OR d.state = 'revoked')
 GROUP BY s.kind, s.of_id, coalesce(i.name, a.name, c.name)
 ORDER BY at_most DESC, name LIMIT 500
"""
PRICE: Final = """
SELECT possible, devices_away, ended FROM ops.offline_price_v1($1, $2)
"""

CONFLICTS: Final = """
SELECT c.id, c.kind, c.ticket_id, c.people, c.created_at, c.resolved_at, c.resolution,
       c.note, c.winner_scan_id, c.loser_scan_id, c.detail,
       nullif(trim(concat_ws(' ', a.first_name, a.last_name)), '') AS holder,
       s.name AS place, u.first_name AS resolved_by,
       eg.name AS entry_gate, ed.name AS entry_device, eo.name AS entry_operator,
       bg.name AS before_gate, bd.name AS before_device, bo.name AS before_operator
  FROM ops.conflicts c
  LEFT JOIN tickets t ON t.id = c.ticket_id
  LEFT JOIN attendees a ON a.id = t.attendee_id
  LEFT JOIN ops.scopes s ON s.id = c.scope_id
  LEFT JOIN users u ON u.id = c.resolved_by
  LEFT JOIN ops.gates eg ON eg.id::text = c.detail #>> '{entry,gate_id}'
  LEFT JOIN ops.devices ed ON ed.id::text = c.detail #>> '{entry,device_id}'
  LEFT JOIN ops.operators eo ON eo.id::text = c.detail #>> '{entry,operator_id}'
  LEFT JOIN ops.gates bg ON bg.id::text = c.detail #>> '{before,gate_id}'
  LEFT JOIN ops.devices bd ON bd.id::text = c.detail #>> '{before,device_id}'
  LEFT JOIN ops.operators bo ON bo.id::text = c.detail #>> '{before,operator_id}'
 WHERE c.event_id = $1
   AND ($2::timestamptz IS NULL OR (c.created_at, c.id) < ($2, $3::uuid))
   AND ($4::boolean IS NULL OR (c.resolved_at IS NULL) = $4)
 ORDER BY c.created_at DESC, c.id DESC LIMIT $5
"""
RESOLVE: Final = "SELECT ops.resolve_conflict_v1($1, $2, $3, $4, $5, $6)"

QUARANTINE: Final = """
INSERT INTO ops.quarantine (id, event_id, device_id, scan_id, record, received_at)
SELECT gen_random_uuid(), $1, $2, r.scan_id, r.record::jsonb, $5
  FROM unnest($3::uuid[], $4::text[]) AS r(scan_id, record)
ON CONFLICT (device_id, scan_id) DO NOTHING
"""
QUARANTINED: Final = """
SELECT q.id, q.scan_id, q.device_id, d.name AS device, q.record, q.state,
       q.received_at, q.decided_at, u.first_name AS decided_by, q.note, q.result
  FROM ops.quarantine q
  LEFT JOIN ops.devices d ON d.id = q.device_id
  LEFT JOIN users u ON u.id = q.decided_by
 WHERE q.event_id = $1
   AND ($2::timestamptz IS NULL OR (q.received_at, q.id) > ($2, $3::uuid))
   AND ($4::boolean IS NULL OR (q.state = 'waiting') = $4)
 ORDER BY q.received_at, q.id LIMIT $5
"""
QUARANTINE_ONE: Final = """
SELECT id, device_id, record, state, result FROM ops.quarantine
 WHERE event_id = $1 AND id = $2
"""
DECIDE_QUARANTINE: Final = """
UPDATE ops.quarantine
   SET state = $3, decided_at = $4, decided_by = $5, note = $6, result = $7::jsonb
 WHERE event_id = $1 AND id = $2 AND state = 'waiting'
"""

REPORT_COUNTS: Final = """
INSERT INTO ops.offline_devices AS o (event_id, device_id, counts, counted_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (event_id, device_id) DO UPDATE
   SET counts = excluded.counts, counted_at = excluded.counted_at
"""
# What each device says that it did, beside what the server has of its lonely hours:
# rows of the log that carry its word. One statement, however many devices.
COUNTED: Final = """
SELECT d.id, d.name, d.revoked_at, o.counts, o.counted_at, p.*
  FROM ops.offline_devices o JOIN ops.devices d ON d.id = o.device_id
 CROSS JOIN LATERAL (
SELECT count(*) FILTER (WHERE l.door ->> 'verdict' = 'admitted') AS admitted,
       count(*) FILTER (WHERE l.door ->> 'verdict' = 'exited') AS exited,
       count(*) FILTER (WHERE l.door ->> 'verdict' IN ('refused', 'hold'))
         AS turned_away,
       count(*) FILTER (WHERE l.door ->> 'verdict' = 'admitted'
         AND l.verdict = 'admitted') AS entries,
       (SELECT count(*) FROM ops.conflicts c JOIN ops.scan_log s
           ON s.scan_id = c.loser_scan_id
         WHERE c.event_id = $1 AND s.device_id = d.id
           AND c.kind IN ('double_entry', 'door_disagrees')
           AND c.resolution IS DISTINCT FROM 'placed') AS conflicts,
       (SELECT count(*) FROM ops.quarantine q
         WHERE q.event_id = $1 AND q.device_id = d.id AND q.state = 'waiting'
           AND q.record #>> '{door,verdict}' = 'admitted') AS waiting,
       (SELECT count(*) FROM ops.quarantine q
         WHERE q.event_id = $1 AND q.device_id = d.id AND q.state = 'rejected'
           AND q.record #>> '{door,verdict}' = 'admitted') AS rejected
  FROM ops.scan_log l
 WHERE l.event_id = $1 AND l.device_id = d.id AND l.door IS NOT NULL
  ) p
 WHERE o.event_id = $1 AND ($2::uuid IS NULL OR d.id = $2)
 ORDER BY d.name, d.id LIMIT 500
"""

UNLEASED: Final = """
SELECT id FROM ops.unleased_v1($1, $2, $3) AS id LIMIT $4
"""
GRANT: Final = "SELECT ops.grant_leases_v1($1, $2, $3)"
