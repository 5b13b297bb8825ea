"""The SQL of the day report; $1 is the event."""

from __future__ import annotations

from typing import Final

# Passes as `ops.counters_v1` counts them: of a scan, and not undone.
_VISITS: Final = """
  FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
 WHERE ci.event_id = $1 AND ci.undone_at IS NULL AND ci.scan_id IS NOT NULL
"""
_PEOPLE: Final = f"""
SELECT ci.ticket_id, ci.person_no, min(ci.checked_in_at) AS first_at
{_VISITS} AND s.kind = 'venue' GROUP BY ci.ticket_id, ci.person_no
"""

CURVE: Final = f"""
SELECT date_trunc('minute', p.first_at) AS minute, count(*)::int AS people
  FROM ({_PEOPLE}) p GROUP BY 1 ORDER BY 1 LIMIT 20000
"""
DAYS: Final = f"""
SELECT ci.event_day AS day, count(DISTINCT (ci.ticket_id, ci.person_no))::int AS people
{_VISITS} AND s.kind = 'venue' AND ci.event_day IS NOT NULL
 GROUP BY 1 ORDER BY 1 LIMIT 400
"""
PEAK: Final = f"""
SELECT coalesce(max(inside), 0)::int AS people FROM (
  SELECT sum(by) OVER (ORDER BY at, by DESC ROWS UNBOUNDED PRECEDING) AS inside FROM (
    SELECT ci.checked_in_at AS at, 1 AS by {_VISITS} AND s.kind = 'venue'
    UNION ALL
    SELECT ci.checked_out_at, -1 {_VISITS} AND s.kind = 'venue'
       AND ci.checked_out_at IS NOT NULL) moves) sums
"""
GATES: Final = """
SELECT g.name, a.name AS area,
       (SELECT count(*) FROM check_ins ci WHERE ci.gate_id = g.id
         AND ci.area_id = g.area_id AND ci.undone_at IS NULL
         AND ci.scan_id IS NOT NULL)::int AS entered,
       (SELECT count(*) FROM check_ins ci WHERE ci.exit_gate_id = g.id
         AND ci.checked_out_at IS NOT NULL AND ci.undone_at IS NULL
         AND NOT ci.exit_assumed AND ci.scan_id IS NOT NULL)::int AS exited,
       (SELECT count(*) FROM ops.scan_log l WHERE l.event_id = $1 AND l.gate_id = g.id
         AND l.verdict = 'refused' AND NOT l.args ? 'just_now')::int AS refused,
       (SELECT coalesce(sum(c.delta), 0) FROM ops.counts c
         WHERE c.gate_id = g.id)::int AS counted,
       (SELECT min(l.decided_at) FROM ops.scan_log l
         WHERE l.event_id = $1 AND l.gate_id = g.id) AS first_at,
       (SELECT max(l.decided_at) FROM ops.scan_log l
         WHERE l.event_id = $1 AND l.gate_id = g.id) AS last_at
  FROM ops.gates g LEFT JOIN ops.areas a ON a.id = g.area_id
 WHERE g.event_id = $1 ORDER BY g.position, g.name, g.id LIMIT 500
"""
TYPES: Final = f"""
SELECT y.name, y.access_class,
       coalesce(sum(t.admits) FILTER (
         WHERE t.state IN ('valid', 'blocked', 'expired')), 0)::int AS sold,
       coalesce(sum(t.admits) FILTER (WHERE t.state = 'valid'), 0)::int AS valid,
       coalesce(sum(came.people), 0)::int AS entered
  FROM ticket_types y
  LEFT JOIN tickets t ON t.ticket_type_id = y.id
  LEFT JOIN (SELECT p.ticket_id, count(*) AS people FROM ({_PEOPLE}) p
              GROUP BY p.ticket_id) came ON came.ticket_id = t.id
 WHERE y.event_id = $1 GROUP BY y.id ORDER BY y.no LIMIT 500
"""
SESSIONS: Final = """
SELECT e.title, a.name AS room, e.start_time AS starts_at, e.end_time AS ends_at,
       e.max_attendees AS capacity,
       (SELECT count(*) FROM ops.session_registrations r WHERE r.session_id = e.id
         AND r.status IN ('registered', 'released'))::int AS registered,
       coalesce(v.people, 0)::int AS attended,
       (SELECT count(*) FROM ops.session_registrations r WHERE r.session_id = e.id
         AND r.status IN ('registered', 'released') AND NOT EXISTS (
           SELECT FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
            WHERE s.session_id = e.id AND ci.ticket_id = r.ticket_id
              AND ci.undone_at IS NULL))::int AS no_shows,
       round(v.minutes, 1)::float8 AS minutes
  FROM sessions e LEFT JOIN ops.areas a ON a.id = e.area_id
  LEFT JOIN LATERAL (
    SELECT count(DISTINCT (ci.ticket_id, ci.person_no)) AS people,
           avg(greatest(0, extract(epoch FROM
               coalesce(ci.exit_door_time, ci.checked_out_at)
               - coalesce(ci.door_time, ci.checked_in_at)) / 60)) FILTER (
             WHERE ci.checked_out_at IS NOT NULL AND NOT ci.exit_assumed) AS minutes
      FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
     WHERE s.session_id = e.id AND ci.undone_at IS NULL
       AND ci.scan_id IS NOT NULL) v ON true
 WHERE e.event_id = $1 ORDER BY e.start_time, e.id LIMIT 2000
"""
REFUSALS: Final = """
SELECT l.reason, count(*)::int AS attempts,
       count(DISTINCT coalesce(l.ticket_id::text, l.code_hash::text))::int AS people
  FROM ops.scan_log l
 WHERE l.event_id = $1 AND l.verdict = 'refused' AND NOT l.args ? 'just_now'
 GROUP BY l.reason ORDER BY attempts DESC, l.reason
"""
CONFLICTS: Final = """
SELECT c.kind, count(*)::int AS conflicts,
       count(*) FILTER (WHERE c.resolved_at IS NULL)::int AS open,
       coalesce(sum(c.people), 0)::int AS people
  FROM ops.conflicts c WHERE c.event_id = $1 GROUP BY c.kind ORDER BY c.kind
"""
CONFLICT_LIST: Final = """
SELECT c.created_at AS at, c.kind, c.people, c.resolution,
       coalesce(nullif(concat_ws(' ', nullif(a.first_name, ''),
                                 nullif(a.last_name, '')), ''), '') AS holder
  FROM ops.conflicts c
  LEFT JOIN tickets t ON t.id = c.ticket_id
  LEFT JOIN attendees a ON a.id = t.attendee_id
 WHERE c.event_id = $1 ORDER BY c.created_at, c.id LIMIT 500
"""
ANNOUNCEMENTS: Final = """
SELECT e.title, e.priority, e.sent_at, coalesce(e.audience_count, 0) AS counted,
       coalesce(e.delivery_count, 0) AS delivered, coalesce(e.open_count, 0) AS opened,
       coalesce(e.click_count, 0) AS clicked,
       coalesce(e.audience_count, 0) - coalesce(e.delivery_count, 0) AS missed
  FROM event_announcements e
 WHERE e.event_id = $1 AND e.status = 'sent' ORDER BY e.seq LIMIT 1000
"""
INCIDENTS: Final = """
SELECT i.kind, count(*)::int AS incidents,
       count(*) FILTER (WHERE i.state = 'open')::int AS open
  FROM ops.incidents i WHERE i.event_id = $1 GROUP BY i.kind ORDER BY i.kind
"""
