"""The SQL of the sync role, named and described."""

from __future__ import annotations

from ops.cache.entry import TicketEntry

LEAD = "SELECT pg_advisory_lock(7303, 0)"
"""Wait to become the leader; held as long as the connection lives."""

ACTIVE_EVENTS = """
SELECT id FROM events
WHERE status IN ('published', 'live') AND ends_at > now() - interval '1 day'
ORDER BY starts_at
"""
"""Events whose cache is kept warm."""

NEXT_EPOCH = """
INSERT INTO ops.cache_epochs AS e (event_id, epoch, feed_epoch)
VALUES ($1, 1000000, $2)
ON CONFLICT (event_id) DO UPDATE
SET epoch = (e.epoch / 1000000 + 1) * 1000000, feed_epoch = $2
RETURNING epoch
"""
"""A greater epoch than any before: it survives the loss of the cache. Each switch of
the mode adds 1 in the cache alone, hence the steps of a million."""

PLAN_VERSION = """
SELECT coalesce((SELECT version FROM ops.plan_versions WHERE event_id = $1), 0)
"""

SNAPSHOT_XMIN = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
"""Facts of this transaction or later may be missing in the snapshot."""

_TICKET = f"""
SELECT id, json_build_array({", ".join(TicketEntry.__struct_fields__)})::text AS entry
FROM ops.ticket_entries_v1
"""
TICKETS = f"{_TICKET} WHERE event_id = $1"
TICKETS_BY_ID = f"{_TICKET} WHERE event_id = $1 AND id = ANY ($2)"
"""One text a ticket: reading 14 columns in Python takes three times as long."""

_CODE = """
SELECT code_hash, ticket_id, CASE revoked_reason
    WHEN 'exchanged' THEN 2 WHEN 'lost' THEN 3
    ELSE CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END END AS state
FROM ops.ticket_codes
"""
CODES = f"{_CODE} WHERE event_id = $1"
CODES_BY_TICKET = f"{_CODE} WHERE event_id = $1 AND ticket_id = ANY ($2)"

DEVICES = "SELECT * FROM ops.device_entries_v1 WHERE event_id = $1"
DEVICES_BY_ID = (
    "SELECT * FROM ops.device_entries_v1 WHERE event_id = $1 AND id = ANY ($2)"
)

VISITS = "SELECT * FROM ops.newest_visits_v1 WHERE event_id = $1"
"""The newest pass of each person in each scope of an event."""
VISITS_BY_TICKET = "SELECT * FROM ops.read_visits_v1($1, $2)"
PASSES_BY_TICKET = "SELECT * FROM ops.read_passes_v1($1, $2)"
"""All passes of some tickets, in their order."""

COUNTERS = "SELECT name, value FROM ops.counters_v1($1)"
"""The counters of `finish.lua`, from the rows they count."""

MANUAL = (
    "SELECT 'c:' || no AS name, manual + disputed AS value FROM ops.areas"
    " WHERE event_id = $1 AND id = ANY ($2)"
)

OUTBOX = """
SELECT id, event_id, kind, key, created_at FROM ops.outbox
WHERE NOT event_id = ANY ($1) ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
"""The next changes. Never `id > last`: an id is taken before its row is committed."""
OUTBOX_DONE = "DELETE FROM ops.outbox WHERE id = ANY ($1)"
OUTBOX_WAITING = """
SELECT event_id, count(*) AS waiting,
  extract(epoch FROM clock_timestamp() - min(created_at)) AS oldest_s
FROM (SELECT event_id, created_at FROM ops.outbox ORDER BY id LIMIT 100000) AS w
GROUP BY event_id
"""

CURSOR = "SELECT xid::text AS xid, fact_id FROM ops.cursors WHERE name = 'drain'"
CURSOR_START = """
INSERT INTO ops.cursors (name, xid, fact_id)
VALUES ('drain', pg_snapshot_xmin(pg_current_snapshot()), 0)
ON CONFLICT (name) DO NOTHING
"""
"""A new installation starts where it is: warming copies all that was before."""
CURSOR_MOVE = """
UPDATE ops.cursors SET xid = ($1::text)::xid8, fact_id = $2, updated_at = now()
WHERE name = 'drain'
"""

FACTS = """
SELECT id, xid::text AS xid, event_id, at,
  (payload ->> 'ticket_id')::uuid AS ticket_id
FROM ops.facts
WHERE (xid, id) > (($1::text)::xid8, $2)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT $3
"""
"""Facts of transactions that have all ended: none can appear before them later."""

FACTS_TOLD = """
SELECT f.id, f.xid::text AS xid, f.event_id, f.kind, s.no AS scope_no,
  (f.payload ->> 'ticket_id')::uuid AS ticket_id,
  (f.payload ->> 'person_no')::int AS person_no,
  (f.payload ->> 'pass_no')::int AS pass_no,
  (f.payload ->> 'scan_id')::uuid AS scan_id
FROM ops.facts f
LEFT JOIN ops.scopes s ON s.id = (f.payload ->> 'scope_id')::uuid
WHERE (f.xid, f.id) > (($1::text)::xid8, $2)
  AND f.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY f.xid, f.id LIMIT $3
"""
"""The same with what the cache should hold of them."""

FACTS_SINCE = """
SELECT DISTINCT (payload ->> 'ticket_id')::uuid AS ticket_id FROM ops.facts
WHERE event_id = $1 AND xid >= ($2::text)::xid8 AND payload ? 'ticket_id'
"""

SEATS_DUE = "SELECT ops.seats_due_v1($1)"
"""Give away unclaimed and left seats of sessions under way, and promote who waits."""
MEDIA_DUE = "SELECT ops.media_due_v1($1)"
"""Let each band with several tickets open the one that is valid now."""

LOGGED = "SELECT scan_id FROM ops.scan_log WHERE scan_id = ANY ($1)"

# Effects, schedule, alerts.

EFFECTS_CURSOR = (
    "SELECT xid::text AS xid, fact_id FROM ops.cursors WHERE name = 'effects'"
)
EFFECTS_START = """
INSERT INTO ops.cursors (name, xid, fact_id) VALUES ('effects', '0', 0)
ON CONFLICT (name) DO NOTHING
"""
"""All facts there are: what happened before this release is an effect as well."""
EFFECTS_MOVE = """
UPDATE ops.cursors SET xid = ($1::text)::xid8, fact_id = $2, updated_at = now()
WHERE name = 'effects'
"""
FACTS_AHEAD = """
SELECT id, event_id, at, (payload ->> 'ticket_id')::uuid AS ticket_id FROM ops.facts
WHERE (xid, id) > (($1::text)::xid8, $2)
  AND xid >= pg_snapshot_xmin(pg_current_snapshot()) AND NOT id = ANY ($3)
ORDER BY xid, id LIMIT $4
"""
"""What is committed beyond a transaction that is still open."""
APPLY_EFFECTS = "SELECT ops.apply_effects_v1($1, $2)::text"
PROMOTERS = "SELECT ops.promoters_follow_v1($1, $2)"
ATTENDED = """
SELECT array_agg(id) FROM (
  SELECT id FROM attendees WHERE event_id = $1 AND contact_id IS NOT NULL
    AND status IN ('checked_in', 'left', 'no_show') AND id > $2 ORDER BY id LIMIT $3) q
"""
RULES_FOLLOW = "SELECT ops.rules_follow_v1($1, $2)"
NO_SHOWS = "SELECT ops.no_shows_v1($1, $2)"
ROLLUP = "SELECT ops.rollup_event_v1($1)"

FACT_ALERT = "INSERT INTO ops.facts (event_id, kind, payload) VALUES ($1, 'alert', $2)"
RING_ALERTS = "SELECT pg_notify('ops_alerts', $1)"
"""Never on a scan's way: a NOTIFY serialises commits."""
SESSION_LIVE = """
UPDATE sessions SET status = 'live'
WHERE id = ($1::text)::uuid AND status = 'scheduled'
"""

PLAN_JOBS = "SELECT ops.plan_jobs_v1($1)"
JOB_NEXT = """
SELECT kind, key, event_id, due_at, args, every_seconds, until, attempts FROM ops.jobs
WHERE done_at IS NULL AND due_at <= $2 AND kind = ANY ($1) AND attempts < $3
ORDER BY due_at, kind, key LIMIT 1 FOR UPDATE SKIP LOCKED
"""
"""The claim is the row's lock: it ends with the work or with the process."""
JOB_DONE = """
UPDATE ops.jobs SET due_at = coalesce($3, due_at), attempts = 0, last_error = NULL,
  done_at = CASE WHEN $3::timestamptz IS NULL THEN $4::timestamptz END
WHERE kind = $1 AND key = $2
"""
JOB_FAILED = """
UPDATE ops.jobs SET due_at = $3, attempts = attempts + 1, last_error = $4
WHERE kind = $1 AND key = $2
"""

SETTLING_EVENTS = "SELECT DISTINCT event_id FROM ops.settling LIMIT 100"
SETTLING = f"""
SELECT s.*, h.history::text AS history, md5(h.history::text) AS seen,
  (SELECT entry FROM ({_TICKET} WHERE id = s.ticket_id) t) AS entry
FROM (SELECT * FROM ops.settling WHERE event_id = ANY ($1)
      ORDER BY asked_at LIMIT $2) s
CROSS JOIN LATERAL ops.upload_history_v1(s.ticket_id, s.scope_id) AS h(history)
ORDER BY s.asked_at
"""
"""Tickets whose uploads may explain a conflict, each with all that is known of it."""
SETTLE = (
    "SELECT ops.settle_visits_v1($1, $2, $3, $4, $5, ($6::text)::json,"
    " ($7::text)::json, $8)::text"
)
SETTLED = """
DELETE FROM ops.settling WHERE ticket_id = $1 AND scope_id = $2 AND asked_at = $3
"""
"""Not if it was noted again meanwhile."""

RIVALS = "SELECT * FROM ops.merge_rivals_v1($1, ($2::text)::json)"
MERGE = (
    "SELECT ops.merge_lines_v1($1, $2, $3, ($4::text)::json, ($5::text)::json,"
    " ($6::text)::json, $7, $8, $9, $10, $11, $12)::text"
)
REJECTED = """
INSERT INTO ops.conflicts (id, event_id, kind, loser_scan_id, detail)
SELECT gen_random_uuid(), $1, 'merge_failed', $2, $3
WHERE NOT EXISTS (SELECT 1 FROM ops.conflicts
  WHERE loser_scan_id = $2 AND kind = 'merge_failed')
"""
"""A line that cannot be merged is for a person to look at."""

MACHINE = """
INSERT INTO ops.machines (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET last_seen_at = now() RETURNING id
"""
MERGED_UP_TO = """
INSERT INTO ops.merges AS m (machine_id, event_id, epoch) VALUES ($1, $2, $3)
ON CONFLICT (machine_id, event_id) DO UPDATE
SET epoch = greatest(m.epoch, excluded.epoch), merged_at = now()
"""
MACHINES_BEHIND = """
SELECT count(*) FROM ops.machines c
LEFT JOIN ops.merges m ON m.machine_id = c.id AND m.event_id = $1
WHERE c.retired_at IS NULL AND coalesce(m.epoch, 0) < $2
"""
MACHINES_NAMED = """
SELECT c.name, c.last_seen_at, coalesce(m.epoch, 0) AS epoch FROM ops.machines c
LEFT JOIN ops.merges m ON m.machine_id = c.id AND m.event_id = $1
WHERE c.retired_at IS NULL AND coalesce(m.epoch, 0) < $2 ORDER BY c.name
"""
WRITE_AND_EVENTS = """
WITH written AS (
  INSERT INTO ops.cursors (name, xid, fact_id)
  VALUES ('steady', pg_current_xact_id(), 0)
  ON CONFLICT (name) DO UPDATE SET xid = excluded.xid, updated_at = now() RETURNING 1)
SELECT id FROM events, written
WHERE status IN ('published', 'live') AND ends_at > now() - interval '1 day'
"""
"""The events whose cache is kept, by a statement that also writes."""
UNCONFIRMED = """
SELECT count(*) FROM check_ins c JOIN events e ON e.id = c.event_id
WHERE c.scan_id = ANY ($1) AND c.confirmed_at IS NULL AND c.undone_at IS NULL
  AND e.ends_at > now()
"""
"""Admissions that only their line protects from being taken over (rule R4)."""

# Reconcile.

RECORD_OFF = """
WITH open AS (
  SELECT ci.scope_id, count(*) AS n FROM check_ins ci
  WHERE ci.event_id = $1 AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
  GROUP BY ci.scope_id
), facts AS (
  SELECT (SELECT count(*) FROM ops.facts WHERE event_id = $1 AND kind = 'admitted')
      AS told,
    (SELECT count(*) FROM check_ins WHERE event_id = $1 AND scan_id IS NOT NULL)
      AS written
)
SELECT 'inside' AS kind, s.name, s.inside::bigint AS there, coalesce(o.n, 0) AS record
FROM ops.scopes s LEFT JOIN open o ON o.scope_id = s.id
WHERE s.event_id = $1 AND s.inside <> coalesce(o.n, 0)
UNION ALL
SELECT 'inside', a.name, a.inside, coalesce(sum(o.n), 0)::bigint
FROM ops.areas a LEFT JOIN ops.scopes s ON s.area_id = a.id
LEFT JOIN open o ON o.scope_id = s.id
WHERE a.event_id = $1 GROUP BY a.id HAVING a.inside <> coalesce(sum(o.n), 0)
UNION ALL
SELECT 'fact', 'admitted', told, written FROM facts WHERE told < written
"""
"""Counters of PostgreSQL that are not their rows; admissions without a fact."""
RECOUNT = "SELECT ops.recount_v1($1)"
TICKETS_BY_CHANCE = (
    "SELECT id FROM tickets WHERE event_id = $1 ORDER BY random() LIMIT $2"
)
OUTBOX_AGAIN = """
INSERT INTO ops.outbox (event_id, kind, key) SELECT $1, $2, unnest($3::uuid[])
"""
OUTBOX_CODES = """
INSERT INTO ops.outbox (event_id, kind, key)
SELECT DISTINCT event_id, 'ticket', ticket_id FROM ops.ticket_codes
WHERE event_id = $1 AND code_hash = ANY ($2)
"""
