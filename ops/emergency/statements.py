"""The SQL of emergencies. Arguments are named beside each statement."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = """
e.id, e.event_id, e.drill, e.reason, e.area_id, e.gate_id, e.two_people, e.started_at,
e.started_by, e.started_operator_id, e.staff_announcement_id, e.stop_id, e.stopped_at,
e.frozen_at, e.published_at, e.announcement_id, e.cleared_at, e.clear_announcement_id,
e.reopened_at, e.readmitted_at, e.closed_at, a.name AS area, g.name AS gate
"""
_FROM: Final = """
  FROM ops.emergencies e
  LEFT JOIN ops.areas a ON a.id = e.area_id
  LEFT JOIN ops.gates g ON g.id = e.gate_id
"""
# $1 event: the one that is open
OPEN: Final = f"SELECT {COLUMNS} {_FROM} WHERE e.event_id = $1 AND e.closed_at IS NULL"
ONE: Final = f"SELECT {COLUMNS} {_FROM} WHERE e.id = $2 AND e.event_id = $1"
# $1 event, $2 before, $3 its id, $4 how many
PAGE: Final = f"""
SELECT {COLUMNS} {_FROM}
 WHERE e.event_id = $1
   AND ($2::timestamptz IS NULL OR (e.started_at, e.id) < ($2, $3))
 ORDER BY e.started_at DESC, e.id DESC LIMIT $4
"""

# $1 id, $2 event, $3 drill, $4 reason, $5 area, $6 gate, $7 now, $8 user, $9 operator
START: Final = """
INSERT INTO ops.emergencies (id, event_id, drill, reason, area_id, gate_id, two_people,
                             started_at, started_by, started_operator_id)
SELECT $1, e.id, $3, $4, $5, $6,
       coalesce((SELECT s.two_people FROM ops.emergency_settings s
                  WHERE s.event_id = e.id), false), $7, $8, $9
  FROM events e
 WHERE e.id = $2
   AND ($5::uuid IS NULL OR EXISTS (
        SELECT FROM ops.areas a WHERE a.id = $5 AND a.event_id = $2))
   AND ($6::uuid IS NULL OR EXISTS (
        SELECT FROM ops.gates g WHERE g.id = $6 AND g.event_id = $2))
ON CONFLICT (event_id) WHERE closed_at IS NULL DO NOTHING
RETURNING id
"""
# $1 emergency, $2 now, $3 what, $4 detail, $5 user, $6 operator, $7 device
LOG: Final = """
INSERT INTO ops.emergency_log (emergency_id, at, what, detail, user_id, operator_id,
                               device_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# $1 emergency, $2 after which, $3 how many
LINES: Final = """
SELECT l.id, l.at, l.what, l.detail, coalesce(u.first_name, o.name) AS by,
       d.name AS device
  FROM ops.emergency_log l
  LEFT JOIN users u ON u.id = l.user_id
  LEFT JOIN ops.operators o ON o.id = l.operator_id
  LEFT JOIN ops.devices d ON d.id = l.device_id
 WHERE l.emergency_id = $1 AND l.id > $2 ORDER BY l.id LIMIT $3
"""

# Who is inside: each person once, in the innermost place, as the counters count them.
_INSIDE: Final = """
SELECT DISTINCT ON (ci.ticket_id, ci.person_no) ci.ticket_id, ci.person_no,
       t.attendee_id, coalesce(t.access_class, k.access_class) AS access_class,
       sc.area_id, min(ci.checked_in_at) OVER (PARTITION BY ci.ticket_id, ci.person_no)
         AS entered_at
  FROM check_ins ci
  JOIN ops.scopes sc ON sc.id = ci.scope_id
  JOIN tickets t ON t.id = ci.ticket_id
  JOIN ticket_types k ON k.id = t.ticket_type_id
 WHERE ci.event_id = $1 AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
   AND ci.scan_id IS NOT NULL
 ORDER BY ci.ticket_id, ci.person_no,
          CASE sc.kind WHEN 'session' THEN 0 WHEN 'zone' THEN 1 ELSE 2 END,
          ci.checked_in_at DESC
"""
_NAMED: Final = """
       coalesce(nullif(concat_ws(' ', nullif(a.first_name, ''),
                                 nullif(a.last_name, '')), ''), '') AS name,
       nullif(a.accessibility_needs, '') AS needs
"""
# $1 event, $2 how many
INSIDE_NOW: Final = f"""
SELECT i.ticket_id, i.person_no, i.access_class, i.area_id, i.entered_at,
       NULL::timestamptz AS safe_at, {_NAMED}
  FROM ({_INSIDE}) i LEFT JOIN attendees a ON a.id = i.attendee_id
 ORDER BY i.ticket_id, i.person_no LIMIT $2
"""
# $1 event, $2 emergency
FREEZE_PEOPLE: Final = f"""
INSERT INTO ops.emergency_people (emergency_id, ticket_id, person_no, attendee_id,
                                  access_class, area_id, entered_at)
SELECT $2, i.ticket_id, i.person_no, i.attendee_id, i.access_class, i.area_id,
       i.entered_at
  FROM ({_INSIDE}) i
ON CONFLICT DO NOTHING
"""
# $1 emergency, $2 how many
INSIDE_THEN: Final = f"""
SELECT p.ticket_id, p.person_no, p.access_class, p.area_id, p.entered_at, p.safe_at,
       {_NAMED}
  FROM ops.emergency_people p LEFT JOIN attendees a ON a.id = p.attendee_id
 WHERE p.emergency_id = $1 ORDER BY p.ticket_id, p.person_no LIMIT $2
"""
# $1 event, $2 emergency
FREEZE_AREAS: Final = """
INSERT INTO ops.emergency_areas (emergency_id, area_id, inside, counted, disputed)
SELECT $2, a.id, (SELECT count(*) FROM ops.emergency_people p
                   WHERE p.emergency_id = $2 AND p.area_id = a.id), a.manual, a.disputed
  FROM ops.areas a WHERE a.event_id = $1
ON CONFLICT DO NOTHING
"""
AREAS_NOW: Final = """
SELECT id AS area_id, name, manual AS counted, disputed, NULL::timestamptz AS clear_at
  FROM ops.areas WHERE event_id = $1 ORDER BY position, name, id LIMIT 500
"""
AREAS_THEN: Final = """
SELECT f.area_id, coalesce(a.name, '') AS name, f.counted, f.disputed, f.clear_at
  FROM ops.emergency_areas f LEFT JOIN ops.areas a ON a.id = f.area_id
 WHERE f.emergency_id = $1 ORDER BY a.position, a.name, f.area_id LIMIT 500
"""
_ON_SHIFT: Final = """
SELECT DISTINCT ON (o.id) o.id AS operator_id, d.id AS device_id,
       coalesce(x.gate_id, d.gate_id) AS gate_id
  FROM ops.devices d
  JOIN ops.device_events x ON x.device_id = d.id AND x.event_id = $1
  JOIN ops.operators o ON o.id = d.operator_id
 WHERE d.state = 'active' ORDER BY o.id, d.last_seen_at DESC NULLS LAST
"""
FREEZE_STAFF: Final = f"""
INSERT INTO ops.emergency_staff (emergency_id, operator_id, device_id, gate_id)
SELECT $2, s.operator_id, s.device_id, s.gate_id FROM ({_ON_SHIFT}) s
ON CONFLICT DO NOTHING
"""
_STAFF_NAMED: Final = """
SELECT s.operator_id, coalesce(o.name, '') AS name, coalesce(o.role, '') AS role,
       g.name AS gate, d.name AS device, {safe} AS safe_at
  FROM {source} s
  LEFT JOIN ops.operators o ON o.id = s.operator_id
  LEFT JOIN ops.gates g ON g.id = s.gate_id
  LEFT JOIN ops.devices d ON d.id = s.device_id
"""
STAFF_NOW: Final = (
    _STAFF_NAMED.format(source=f"({_ON_SHIFT})", safe="NULL::timestamptz")
    + " ORDER BY o.name, s.operator_id LIMIT 1000"
)
STAFF_THEN: Final = (
    _STAFF_NAMED.format(source="ops.emergency_staff", safe="s.safe_at")
    + " WHERE s.emergency_id = $1 ORDER BY o.name, s.operator_id LIMIT 1000"
)
COUNTS: Final = """
SELECT place, sum(delta)::int AS people, max(at) AS at FROM ops.emergency_counts
 WHERE emergency_id = $1 GROUP BY place ORDER BY place LIMIT 200
"""

# $1 emergency, $2 tickets, $3 persons, $4 safe or not, $5 now, $6 user, $7 operator
MARK_PEOPLE: Final = """
UPDATE ops.emergency_people p
   SET safe_at = CASE WHEN m.safe THEN coalesce(p.safe_at, $5) END,
       safe_by = CASE WHEN m.safe THEN $6::uuid END,
       safe_operator_id = CASE WHEN m.safe THEN $7::uuid END
  FROM unnest($2::uuid[], $3::int[], $4::bool[]) AS m(ticket_id, person_no, safe)
 WHERE p.emergency_id = $1 AND p.ticket_id = m.ticket_id AND p.person_no = m.person_no
   AND m.safe <> (p.safe_at IS NOT NULL)
RETURNING p.ticket_id
"""
# $1 emergency, $2 operators, $3 safe or not, $4 now, $5 user, $6 operator
MARK_STAFF: Final = """
UPDATE ops.emergency_staff s
   SET safe_at = CASE WHEN m.safe THEN coalesce(s.safe_at, $4) END,
       safe_by = CASE WHEN m.safe THEN $5::uuid END,
       safe_operator_id = CASE WHEN m.safe THEN $6::uuid END
  FROM unnest($2::uuid[], $3::bool[]) AS m(operator_id, safe)
 WHERE s.emergency_id = $1 AND s.operator_id = m.operator_id
   AND m.safe <> (s.safe_at IS NOT NULL)
RETURNING s.operator_id
"""
# $1 emergency, $2 area, $3 clear or not, $4 now, $5 user, $6 operator
MARK_AREA: Final = """
UPDATE ops.emergency_areas
   SET clear_at = CASE WHEN $3 THEN coalesce(clear_at, $4) END,
       clear_by = CASE WHEN $3 THEN $5::uuid END,
       clear_operator_id = CASE WHEN $3 THEN $6::uuid END
 WHERE emergency_id = $1 AND area_id = $2 RETURNING area_id
"""
# $1 id, $2 emergency, $3 place, $4 delta, $5 at, $6 device, $7 operator, $8 user
COUNT: Final = """
INSERT INTO ops.emergency_counts (id, emergency_id, place, delta, at, device_id,
                                  operator_id, user_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING id
"""

# $1 event, $2 the staff's announcement, $3 since when a device must have been heard
DEVICES: Final = """
SELECT d.id, d.name, d.profile, g.name AS gate, o.name AS operator, d.last_seen_at,
       coalesce(d.last_seen_at >= $3, false) AS heard, r.delivered_at AS told_at,
       r.opened_at AS understood_at
  FROM ops.devices d
  JOIN ops.device_events x ON x.device_id = d.id AND x.event_id = $1
  LEFT JOIN ops.gates g ON g.id = coalesce(x.gate_id, d.gate_id)
  LEFT JOIN ops.operators o ON o.id = d.operator_id
  LEFT JOIN ops.announcement_receipts r ON r.announcement_id = $2
       AND r.recipient_id = d.id AND r.channel = 'in_app'
 WHERE d.state = 'active' AND d.token_hash IS NOT NULL AND d.profile <> 'lead'
 ORDER BY heard, r.opened_at IS NOT NULL, d.name, d.id LIMIT 500
"""

# $1 event, $2 emergency: passes of those of the freeze and of who is inside now, in
# each scope where they are or were inside, with what they were given before.
USED: Final = """
SELECT ci.ticket_id, ci.scope_id,
       max((SELECT count(*) FROM check_ins n WHERE n.ticket_id = ci.ticket_id
             AND n.scope_id = ci.scope_id AND n.person_no = ci.person_no
             AND n.undone_at IS NULL)) AS used,
       t.ticket_type_id, coalesce(t.access_class, k.access_class) AS access_class,
       g.re_entry, g.passes_total, g.passes_per_day
  FROM check_ins ci
  JOIN tickets t ON t.id = ci.ticket_id
  JOIN ticket_types k ON k.id = t.ticket_type_id
  LEFT JOIN LATERAL (
    SELECT (array_agg(x.re_entry ORDER BY x.scope_id IS NULL, x.created_at DESC)
              FILTER (WHERE x.re_entry IS NOT NULL))[1] AS re_entry,
           (array_agg(x.passes_total ORDER BY x.scope_id IS NULL, x.created_at DESC)
              FILTER (WHERE x.passes_total IS NOT NULL))[1] AS passes_total,
           (array_agg(x.passes_per_day ORDER BY x.scope_id IS NULL, x.created_at DESC)
              FILTER (WHERE x.passes_per_day IS NOT NULL))[1] AS passes_per_day
      FROM ops.exemptions x WHERE x.ticket_id = ci.ticket_id
       AND (x.scope_id IS NULL OR x.scope_id = ci.scope_id)) g ON true
 WHERE ci.event_id = $1 AND ci.undone_at IS NULL
   AND (ci.checked_out_at IS NULL OR (
     ci.checked_out_at >= (SELECT e.frozen_at FROM ops.emergencies e WHERE e.id = $2)
     AND EXISTS (SELECT FROM ops.emergency_people p WHERE p.emergency_id = $2
                  AND p.ticket_id = ci.ticket_id AND p.person_no = ci.person_no)))
 GROUP BY ci.ticket_id, ci.scope_id, t.ticket_type_id, t.access_class, k.access_class,
          g.re_entry, g.passes_total, g.passes_per_day
"""
# $1 event, $2 tickets, $3 scopes, $4 re-entry, $5 total, $6 a day, $7 reason, $8 user
EXEMPT: Final = """
INSERT INTO ops.exemptions (event_id, ticket_id, scope_id, re_entry, passes_total,
                            passes_per_day, reason, created_by)
SELECT $1, x.ticket_id, x.scope_id, x.re_entry, x.total, x.daily, $7, $8
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::int[])
    AS x(ticket_id, scope_id, re_entry, total, daily)
"""
# As the closer does: $1 event, $2 its no, $3 scope, $4 inner, $5 at, $6 now, $7 people
END_PRESENCES: Final = "SELECT ops.assume_exits_v1($1, $2, $3, $4, $5, true, $6, $7)"

# $1 emergency: of the frozen list, who came back since it was reopened
RETURNED: Final = """
SELECT count(*) AS listed, count(*) FILTER (WHERE EXISTS (
         SELECT FROM check_ins ci WHERE ci.ticket_id = p.ticket_id
            AND ci.person_no = p.person_no AND ci.undone_at IS NULL
            AND ci.checked_in_at >= e.reopened_at)) AS returned
  FROM ops.emergency_people p JOIN ops.emergencies e ON e.id = p.emergency_id
 WHERE p.emergency_id = $1
"""

SETTINGS: Final = """
SELECT two_people, assembly_points FROM ops.emergency_settings WHERE event_id = $1
"""
SET: Final = """
INSERT INTO ops.emergency_settings (event_id, two_people, assembly_points, updated_at)
SELECT e.id, $2, $3, $4 FROM events e WHERE e.id = $1
ON CONFLICT (event_id) DO UPDATE SET two_people = excluded.two_people,
  assembly_points = excluded.assembly_points, updated_at = excluded.updated_at
RETURNING event_id
"""
