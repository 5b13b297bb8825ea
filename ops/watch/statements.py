"""What the watcher asks PostgreSQL: bounded look-ups, none on a scan's way.

$1 is the event, $2 the time. Rows of the log that a device brought later (`offline`)
say nothing about now and are left out where the pace counts.
"""

from __future__ import annotations

from typing import Final

EVENTS: Final = """
SELECT id FROM events
 WHERE status IN ('published', 'live') AND now() < ends_at + interval '6 hours'
   AND now() > coalesce(doors_open_at, starts_at) - interval '6 hours'
 ORDER BY starts_at LIMIT 200
"""
"""Those of about now: a festival of next month is not looked at every two seconds."""

OPEN_ROW: Final = """
INSERT INTO ops.watches (event_id) VALUES ($1) ON CONFLICT DO NOTHING
"""
CLAIM: Final = """
SELECT state, now() AS at,
       patterns_at IS NULL OR patterns_at <= now() - $3::interval AS patterns
  FROM ops.watches
 WHERE event_id = $1 AND (looked_at IS NULL OR looked_at <= now() - $2::interval)
   FOR UPDATE SKIP LOCKED
"""
KEEP: Final = """
UPDATE ops.watches SET state = $2, looked_at = $3,
       patterns_at = CASE WHEN $4 THEN $3 ELSE patterns_at END
 WHERE event_id = $1
"""
CHOSEN: Final = """
SELECT rule, enabled, threshold, clear_at, for_s, clear_s
  FROM ops.alert_rules WHERE event_id = $1
"""

RAISE: Final = """
INSERT INTO ops.alerts (id, event_id, rule, subject, value, args, gate_id, area_id,
                        device_id, operator_id, ticket_id, session_id, raised_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (event_id, rule, subject) WHERE cleared_at IS NULL DO NOTHING
"""
CHANGE: Final = """
UPDATE ops.alerts SET value = $4, args = $5
 WHERE event_id = $1 AND rule = $2 AND subject = $3 AND cleared_at IS NULL
"""
CLEAR: Final = """
UPDATE ops.alerts SET cleared_at = $4
 WHERE event_id = $1 AND rule = $2 AND subject = $3 AND cleared_at IS NULL
"""

EVENT: Final = """
SELECT e.doors_state, coalesce(e.doors_open_at, e.starts_at) AS doors_at, e.starts_at,
       e.ends_at, e.capacity,
       (SELECT extract(epoch FROM $2::timestamptz - min(o.created_at))
          FROM (SELECT created_at FROM ops.outbox WHERE event_id = $1
                 ORDER BY id LIMIT 1) o)::float8 AS waiting_s
  FROM events e WHERE e.id = $1
"""

JOURNALS: Final = """
SELECT c.name, extract(epoch FROM
         $2::timestamptz - coalesce(m.merged_at, c.first_seen_at))::float8 AS behind_s
  FROM ops.machines c
  LEFT JOIN ops.merges m ON m.machine_id = c.id AND m.event_id = $1
 WHERE c.retired_at IS NULL ORDER BY behind_s DESC, c.name LIMIT 1
"""
"""The machine whose journals were last all in the record longest ago."""

PLACES: Final = """
SELECT a.id, a.kind, a.capacity, a.inside + a.manual + a.disputed AS inside,
       NULL::uuid AS session_id
  FROM ops.areas a WHERE a.event_id = $1
UNION ALL
SELECT s.id, 'session', coalesce(s.capacity, p.max_attendees), s.inside, p.id
  FROM ops.scopes s JOIN sessions p ON p.id = s.session_id
 WHERE s.event_id = $1 AND $2 < p.end_time
   AND $2 > coalesce(p.check_in_opens, p.start_time - interval '1 hour')
"""

# $2 now, $3 until when a shift has begun that is looked at
SHIFTS: Final = """
SELECT s.id AS shift_id, s.operator_id, o.name AS operator, s.gate_id, s.starts_at,
       s.ends_at
  FROM ops.shifts s JOIN ops.operators o ON o.id = s.operator_id
 WHERE s.event_id = $1 AND s.starts_at <= $3 AND s.ends_at > $2
 ORDER BY s.starts_at, s.id LIMIT 1000
"""
SIGNED_ON: Final = """
SELECT o.id AS operator_id, o.name AS operator, d.name AS device,
       CASE WHEN x.id IS NOT NULL THEN d.gate_id ELSE e.gate_id END AS gate_id
  FROM ops.device_events e
  JOIN ops.devices d ON d.id = e.device_id AND d.state = 'active'
  JOIN ops.operators o ON o.id = d.operator_id AND o.event_id = e.event_id
  LEFT JOIN ops.gates x ON x.id = d.gate_id AND x.event_id = e.event_id
 WHERE e.event_id = $1 AND d.locked_at IS NULL
 ORDER BY d.name, d.id LIMIT 1000
"""
GATES: Final = """
SELECT id, name FROM ops.gates WHERE event_id = $1 ORDER BY position, no LIMIT 500
"""

PACE: Final = """
SELECT g.id, g.state, g.area_id, x.minute, x.entered, x.refused, x.tried
  FROM ops.gates g
  LEFT JOIN (
    SELECT l.gate_id,
           floor(extract(epoch FROM $2::timestamptz - l.decided_at)
                 / 60)::int AS minute,
           count(*) FILTER (WHERE l.verdict = 'admitted')::int AS entered,
           count(*) FILTER (WHERE l.verdict = 'refused'
                              AND NOT l.args ? 'just_now')::int AS refused,
           count(*) FILTER (WHERE l.direction IS DISTINCT FROM 'out')::int AS tried
      FROM ops.scan_log l
     WHERE l.event_id = $1 AND l.decided_at > $2::timestamptz - interval '45 minutes'
       AND l.decided_at <= $2 AND NOT l.offline AND l.gate_id IS NOT NULL
     GROUP BY 1, 2) x ON x.gate_id = g.id
 WHERE g.event_id = $1
"""

DEVICES: Final = """
SELECT d.id, d.battery, d.pending, d.operator_id,
       coalesce(de.gate_id, d.gate_id) AS gate_id,
       extract(epoch FROM $2::timestamptz - d.last_seen_at)::float8 AS silent_s
  FROM ops.device_events de JOIN ops.devices d ON d.id = de.device_id
 WHERE de.event_id = $1 AND d.state = 'active' AND d.profile <> 'lead'
   AND d.last_seen_at > $2::timestamptz - interval '12 hours'
 ORDER BY d.id LIMIT 2000
"""

SPEAKERS: Final = """
SELECT p.id AS session_id, s.id AS speaker_id,
       extract(epoch FROM p.start_time - $2::timestamptz)::float8 / 60 AS minutes
  FROM sessions p JOIN speakers s ON s.id = p.speaker_id
 WHERE p.event_id = $1 AND p.status IN ('scheduled', 'live')
   AND s.status NOT IN ('cancelled', 'replaced') AND s.contact_id IS NOT NULL
   AND p.start_time > $2::timestamptz - interval '15 minutes'
   AND p.start_time < $2::timestamptz + interval '1 day'
   AND NOT EXISTS (
       SELECT FROM attendees a JOIN check_ins c ON c.attendee_id = a.id
        WHERE a.contact_id = s.contact_id AND a.event_id = $1 AND c.undone_at IS NULL)
 ORDER BY p.start_time LIMIT 200
"""

OVERBOOKED: Final = """
SELECT id AS session_id, current_registrations - max_attendees AS n
  FROM sessions
 WHERE event_id = $1 AND status IN ('scheduled', 'live')
   AND end_time > $2::timestamptz AND current_registrations > max_attendees
 ORDER BY start_time, id LIMIT 200
"""

ARRIVED: Final = """
SELECT v.ticket_id, v.attendee_id, v.gate_id, v.people, t.admits,
       l.id AS list_id, l.host_user_id,
       coalesce(c.assigned_to, b.assigned_to) AS owner_id,
       coalesce('vip' = ANY (a.flags), false) OR y.ticket_category = 'vip'
         OR coalesce(c.contact_type = 'vip', false) AS vip,
       m.seat_map_id, m.row_number, m.section_name
  FROM (SELECT ci.ticket_id, ci.attendee_id, (array_agg(ci.gate_id))[1] AS gate_id,
               count(*)::int AS people
          FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id AND s.kind = 'venue'
         WHERE ci.event_id = $1
           AND ci.checked_in_at > $2::timestamptz - interval '20 minutes'
           AND ci.pass_no = 1 AND ci.undone_at IS NULL
         GROUP BY 1, 2) v
  JOIN tickets t ON t.id = v.ticket_id
  JOIN ticket_types y ON y.id = t.ticket_type_id
  LEFT JOIN attendees a ON a.id = v.attendee_id
  LEFT JOIN contacts c ON c.id = a.contact_id
  LEFT JOIN orders o ON o.id = t.order_id
  LEFT JOIN contacts b ON b.id = o.contact_id
  LEFT JOIN ops.guest_list_entries e
       ON e.ticket_id = v.ticket_id AND e.state = 'approved'
  LEFT JOIN ops.guest_lists l ON l.id = e.list_id
  LEFT JOIN seat_assignments m ON m.ticket_id = v.ticket_id
 WHERE l.id IS NOT NULL OR m.id IS NOT NULL OR 'vip' = ANY (a.flags)
    OR y.ticket_category = 'vip' OR c.contact_type = 'vip'
 LIMIT 1000
"""

EJECTED: Final = """
SELECT DISTINCT ON (i.ticket_id) i.ticket_id, i.gate_id, i.device_id, i.operator_id
  FROM ops.incidents i
 WHERE i.event_id = $1 AND i.kind = 'ejection' AND i.state = 'open'
   AND i.ticket_id IS NOT NULL
   AND i.started_at > $2::timestamptz - interval '20 minutes'
 ORDER BY i.ticket_id, i.started_at DESC LIMIT 200
"""

# Somebody was let in, and the same code is held up elsewhere sooner than he could be
# there. A person goes through several doors of nested places in seconds. Two gates
# into one place are another matter, and so are those whose walk somebody has set.
FAST: Final = """
WITH seen AS (
  SELECT coalesce(l.ticket_id::text, encode(l.code_hash, 'hex')) AS who, l.ticket_id,
         l.code_hash, l.scan_id, l.gate_id, g.area_id, l.verdict,
         CASE WHEN l.offline THEN l.scanned_at ELSE l.decided_at END AS at
    FROM ops.scan_log l JOIN ops.gates g ON g.id = l.gate_id
   WHERE l.event_id = $1 AND l.decided_at > $2::timestamptz - interval '30 minutes'
     AND l.direction IS DISTINCT FROM 'out' AND NOT l.args ? 'just_now'
     AND l.verdict IN ('admitted', 'refused', 'hold')
     AND coalesce(l.ticket_id::text, encode(l.code_hash, 'hex')) <> ''
), pairs AS (
  SELECT who, ticket_id, scan_id, gate_id, at,
         lag(scan_id) OVER w AS first_scan, lag(verdict) OVER w AS first_verdict,
         lag(gate_id) OVER w AS first_gate,
         area_id = lag(area_id) OVER w AS one_place,
         lag(code_hash) OVER w IS NOT DISTINCT FROM code_hash AS one_code,
         extract(epoch FROM at - lag(at) OVER w)::float8 AS apart_s
    FROM seen WINDOW w AS (PARTITION BY who ORDER BY at, scan_id)
)
SELECT p.who, p.ticket_id, p.scan_id, p.first_scan, p.gate_id, p.first_gate, p.apart_s,
       p.one_place, w.walk_s
  FROM pairs p
  LEFT JOIN ops.gate_walks w ON w.event_id = $1
       AND w.low_gate_id = least(p.gate_id, p.first_gate)
       AND w.high_gate_id = greatest(p.gate_id, p.first_gate)
 WHERE p.first_verdict = 'admitted' AND p.gate_id <> p.first_gate AND p.one_code
   AND p.apart_s < 3600
   AND (p.one_place OR w.walk_s IS NOT NULL)
 ORDER BY p.at DESC LIMIT 500
"""

# All codes that could not be read have one and the same hash: they are not one person.
AT_GATES: Final = """
SELECT coalesce(ticket_id::text, encode(code_hash, 'hex')) AS who,
       (array_agg(ticket_id))[1] AS ticket_id,
       array_agg(DISTINCT gate_id) AS gates, count(*)::int AS attempts,
       (array_agg(gate_id ORDER BY decided_at DESC))[1] AS gate_id
  FROM ops.scan_log
 WHERE event_id = $1 AND decided_at > $2::timestamptz - interval '30 minutes'
   AND verdict = 'refused' AND gate_id IS NOT NULL AND NOT args ? 'just_now'
   AND coalesce(ticket_id::text, encode(code_hash, 'hex')) <> ''
   AND reason <> 'malformed_code'
 GROUP BY 1 HAVING count(DISTINCT gate_id) >= 2
 ORDER BY count(DISTINCT gate_id) DESC LIMIT 300
"""

GUESSES: Final = """
SELECT device_id, (array_agg(gate_id ORDER BY decided_at DESC))[1] AS gate_id,
       count(DISTINCT coalesce(encode(code_hash, 'hex'), scan_id::text))::int AS codes
  FROM ops.scan_log
 WHERE event_id = $1 AND decided_at > $2::timestamptz - interval '5 minutes'
   AND verdict = 'refused'
   AND reason IN ('unknown_code', 'malformed_code', 'forged_code')
   AND device_id IS NOT NULL
 GROUP BY device_id ORDER BY codes DESC LIMIT 300
"""

DUPLICATES: Final = """
SELECT t.order_id, count(*)::int AS duplicates, count(DISTINCT t.id)::int AS tickets,
       (array_agg(t.id ORDER BY l.decided_at DESC))[1] AS ticket_id,
       (array_agg(l.gate_id ORDER BY l.decided_at DESC))[1] AS gate_id
  FROM ops.scan_log l JOIN tickets t ON t.id = l.ticket_id
 WHERE l.event_id = $1 AND l.decided_at > $2::timestamptz - interval '1 hour'
   AND l.verdict = 'refused' AND t.order_id IS NOT NULL AND NOT l.args ? 'just_now'
   AND l.reason IN ('already_inside', 'already_used', 'passes_used',
                    're_entry_not_allowed')
 GROUP BY t.order_id ORDER BY duplicates DESC LIMIT 300
"""

OVERRIDES: Final = """
SELECT operator_id, count(*)::int AS overrides,
       count(DISTINCT ticket_id)::int AS tickets,
       (array_agg(gate_id ORDER BY decided_at DESC))[1] AS gate_id
  FROM ops.scan_log
 WHERE event_id = $1 AND decided_at > $2::timestamptz - interval '30 minutes'
   AND operator_id IS NOT NULL AND args ? 'overridden'
 GROUP BY operator_id ORDER BY overrides DESC LIMIT 300
"""

VOIDED: Final = """
SELECT t.id AS ticket_id, t.state, c.inside, c.gate_id AS came_by, l.tried,
       l.gate_id AS tried_at
  FROM (SELECT id, state FROM tickets
         WHERE event_id = $1 AND state IN ('refunded', 'cancelled')
         ORDER BY updated_at DESC LIMIT 5000) t
 CROSS JOIN LATERAL (
       SELECT count(*)::int AS inside,
              (array_agg(v.gate_id ORDER BY v.checked_in_at DESC))[1] AS gate_id
         FROM check_ins v JOIN ops.scopes s ON s.id = v.scope_id
        WHERE v.ticket_id = t.id AND s.kind = 'venue' AND v.checked_out_at IS NULL
          AND v.undone_at IS NULL) c
 CROSS JOIN LATERAL (
       SELECT count(*)::int AS tried,
              (array_agg(g.gate_id ORDER BY g.decided_at DESC))[1] AS gate_id
         FROM ops.scan_log g
        WHERE g.ticket_id = t.id AND g.decided_at > $2::timestamptz - interval '1 hour'
          AND g.reason = 'refunded' AND g.verdict = 'refused'
          AND NOT g.args ? 'just_now') l
"""

VIEW: Final = """
SELECT a.id, a.rule, a.subject, a.value, a.args, a.raised_at, a.cleared_at,
       a.acknowledged_at, u.first_name AS acknowledged_by, a.note,
       a.gate_id, a.area_id, a.device_id, a.operator_id, a.ticket_id, a.session_id,
       g.name AS gate, f.name AS first_gate, r.name AS area, d.name AS device,
       o.name AS operator, p.title AS session, l.name AS list,
       coalesce(nullif(btrim(t.first_name || ' ' || t.last_name), ''),
                nullif(btrim(c.first_name || ' ' || c.last_name), '')) AS holder,
       coalesce(h.first_name, l.host) AS host
  FROM ops.alerts a
  LEFT JOIN public.users u ON u.id = a.acknowledged_by
  LEFT JOIN ops.gates g ON g.id = a.gate_id
  LEFT JOIN ops.gates f ON f.id = (a.args ->> 'first_gate')::uuid
  LEFT JOIN ops.areas r ON r.id = a.area_id
  LEFT JOIN ops.devices d ON d.id = a.device_id
  LEFT JOIN ops.operators o ON o.id = a.operator_id
  LEFT JOIN public.sessions p ON p.id = a.session_id
  LEFT JOIN public.tickets k ON k.id = a.ticket_id
  LEFT JOIN public.attendees t ON t.id = k.attendee_id
  LEFT JOIN ops.guest_lists l ON l.id = (a.args ->> 'list_id')::uuid
  LEFT JOIN public.users h ON h.id = (a.args ->> 'host_id')::uuid
  LEFT JOIN public.speakers s ON s.id = (a.args ->> 'speaker_id')::uuid
  LEFT JOIN public.contacts c ON c.id = s.contact_id
"""
"""An alert with the names of what it is about, looked up when somebody reads it."""

FORECAST_ROW: Final = """
INSERT INTO ops.forecasts (event_id) VALUES ($1) ON CONFLICT DO NOTHING
"""
FORECAST_CLAIM: Final = """
SELECT now() AS at FROM ops.forecasts
 WHERE event_id = $1 AND (made_at IS NULL OR made_at <= now() - $2::interval)
   FOR UPDATE SKIP LOCKED
"""
FORECAST_KEEP: Final = """
UPDATE ops.forecasts SET made_at = $2, data = $3 WHERE event_id = $1
"""
FORECAST_NEWEST: Final = """
SELECT made_at, data FROM ops.forecasts
 WHERE event_id = $1 AND made_at > $2::timestamptz - interval '3 minutes'
"""

EVENING: Final = """
SELECT e.event_type, coalesce(e.doors_open_at, e.starts_at) AS doors_at, e.starts_at,
       e.ends_at, e.timezone, e.day_starts_at, e.show_rate::float8 AS show_rate,
       v.inside, coalesce(v.capacity, e.capacity) AS capacity,
       (SELECT count(*) FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
         WHERE c.event_id = $1 AND s.kind = 'venue' AND NOT c.exit_assumed
           AND c.checked_out_at > $2::timestamptz - interval '15 minutes')::float8 / 15
         AS leaving
  FROM events e
  LEFT JOIN LATERAL (
       SELECT a.inside + a.manual + a.disputed AS inside,
              coalesce(s.capacity, a.capacity) AS capacity
         FROM ops.scopes s JOIN ops.areas a ON a.id = s.area_id
        WHERE s.event_id = e.id AND s.kind = 'venue' LIMIT 1) v ON true
 WHERE e.id = $1
"""

OPENINGS: Final = """
SELECT start_time FROM sessions
 WHERE event_id = $1 AND status <> 'cancelled' ORDER BY start_time LIMIT 2000
"""

# $2 the days, or null: whichever. A rule of the type goes before one of the class, one
# of the day before one of all days; who is in no rule of a ruled scope stays out.
VALID: Final = """
WITH kinds AS (
  SELECT ticket_type_id, sum(admits)::int AS people FROM tickets
   WHERE event_id = $1 AND state = 'valid' AND access_class = 'guest' GROUP BY 1
), rules AS (
  SELECT r.ticket_type_id, r.day, r.allowed FROM ops.access_rules r
    JOIN ops.scopes s ON s.id = r.scope_id AND s.kind = 'venue'
   WHERE r.event_id = $1 AND (r.ticket_type_id IS NOT NULL OR r.access_class = 'guest')
), ruled AS (
  SELECT EXISTS (SELECT FROM ops.access_rules r
    JOIN ops.scopes s ON s.id = r.scope_id AND s.kind = 'venue'
   WHERE r.event_id = $1) AS is
)
SELECT d.day, coalesce(sum(k.people) FILTER (WHERE d.day IS NULL OR coalesce(
         (SELECT r.allowed FROM rules r
           WHERE (r.ticket_type_id = k.ticket_type_id OR r.ticket_type_id IS NULL)
             AND (r.day = d.day OR r.day IS NULL)
           ORDER BY r.ticket_type_id IS NULL, r.day IS NULL LIMIT 1),
         NOT ruled.is)), 0)::int AS people
  FROM unnest(coalesce($2::date[], ARRAY[NULL::date])) AS d(day)
 CROSS JOIN ruled LEFT JOIN kinds k ON true
 GROUP BY d.day ORDER BY d.day
"""
"""People on guests' valid tickets who may come on each of these days."""

CAME: Final = """
SELECT floor(extract(epoch FROM f.at - $2::timestamptz) / 60)::int AS minute,
       count(*)::int AS people
  FROM (SELECT min(c.checked_in_at) AS at
          FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id AND s.kind = 'venue'
          JOIN tickets t ON t.id = c.ticket_id AND t.access_class = 'guest'
         WHERE c.event_id = $1 AND c.undone_at IS NULL
           AND c.checked_in_at >= $3 AND c.checked_in_at < $4
         GROUP BY c.ticket_id, c.person_no) f
 GROUP BY 1 ORDER BY 1 LIMIT 5000
"""
"""Guests of a day ($3 to $4) by the minute after its doors ($2) in which each came."""

PAST: Final = """
SELECT e.id, coalesce(e.doors_open_at, e.starts_at) AS doors_at, e.starts_at,
       e.ends_at, e.timezone, e.day_starts_at
  FROM events e
 WHERE e.id <> $1 AND e.ends_at < $2 AND e.status IN ('completed', 'live', 'published')
   AND (SELECT count(*) FROM (SELECT 1 FROM check_ins c
                               WHERE c.event_id = e.id LIMIT 50) x) = 50
 ORDER BY (e.event_type = (SELECT event_type FROM events WHERE id = $1)) DESC,
          e.starts_at DESC LIMIT 5
"""
"""The newest past evenings at which at least 50 came, those of the same type first."""

LOADS: Final = """
SELECT g.id, g.name, g.state, x.lanes, x.entered, x.service_s, x.gaps, q.queue, x.tries
  FROM ops.gates g
  LEFT JOIN (
    SELECT gate_id,
           count(DISTINCT device_id) FILTER (WHERE minute < 5)::int AS lanes,
           count(*) FILTER (WHERE verdict = 'admitted')::int AS entered,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY gap_s)
             FILTER (WHERE gap_s BETWEEN 0.5 AND 20) AS service_s,
           count(*) FILTER (WHERE gap_s BETWEEN 0.5 AND 20)::int AS gaps,
           array_agg(minute) AS tries
      FROM (SELECT l.gate_id, l.device_id, l.verdict,
                   floor(extract(epoch FROM $2::timestamptz - l.decided_at)
                         / 60)::int AS minute,
                   extract(epoch FROM l.decided_at - lag(l.decided_at)
                     OVER (PARTITION BY l.device_id ORDER BY l.decided_at)) AS gap_s
              FROM ops.scan_log l
             WHERE l.event_id = $1 AND l.gate_id IS NOT NULL AND NOT l.offline
               AND l.direction IS DISTINCT FROM 'out' AND NOT l.args ? 'just_now'
               AND l.decided_at BETWEEN $2::timestamptz - interval '10 minutes' AND $2
            ) seen
     GROUP BY gate_id) x ON x.gate_id = g.id
  LEFT JOIN LATERAL (
    SELECT h.queue FROM ops.help_calls h
     WHERE h.event_id = $1 AND h.gate_id = g.id AND h.kind = 'queue'
       AND h.queue IS NOT NULL AND h.called_at > $2::timestamptz - interval '10 minutes'
     ORDER BY h.called_at DESC LIMIT 1) q ON true
 WHERE g.event_id = $1 ORDER BY g.position, g.no
"""
