-- ops.counters_v1(event): the counters of an event, from the rows that they count.
--
-- What finish.lua keeps in the cache (docs/subsystems/seams.md, key `:n`), one row a
-- field; a field whose value is 0 may be missing. The cache is warmed with it, and the
-- live role shows it while the cache cannot speak, so both count alike by construction.
-- Read by: ops.crm_sync.statements.COUNTERS, ops.live.sources.count.
--
-- Only passes of a scan count (an import's check-ins have none), and none that was undone.
CREATE OR REPLACE FUNCTION ops.counters_v1(p_event uuid)
RETURNS TABLE (name text, value bigint) LANGUAGE sql STABLE AS $$
WITH passes AS (
  SELECT ci.ticket_id, ci.person_no, sc.no AS scope_no, sc.kind, sc.area_id,
    ci.gate_id, ci.exit_gate_id, ci.exit_assumed, ci.checked_in_at, ci.checked_out_at,
    ci.event_day
  FROM check_ins ci
  JOIN ops.scopes sc ON sc.id = ci.scope_id
  WHERE ci.event_id = p_event AND ci.undone_at IS NULL AND ci.scan_id IS NOT NULL
), people AS (
  SELECT ticket_id, person_no, scope_no, kind, count(*) AS passes,
    count(*) FILTER (WHERE checked_out_at IS NULL) AS inside
  FROM passes GROUP BY ticket_id, person_no, scope_no, kind
)
SELECT 'i:' || p.scope_no, sum(p.inside)::bigint FROM people p GROUP BY p.scope_no
UNION ALL
SELECT 'e:' || p.scope_no, count(*) FROM people p GROUP BY p.scope_no
UNION ALL
SELECT 't:' || tt.no, count(*)
  FROM people p
  JOIN tickets t ON t.id = p.ticket_id
  JOIN ticket_types tt ON tt.id = t.ticket_type_id
  WHERE p.kind = 'venue' GROUP BY tt.no
UNION ALL
-- By the minute of the first entry on each event day: who comes again tomorrow, arrives.
SELECT 'm:' || floor(extract(epoch FROM d.first_at) / 60)::bigint, count(*) FROM (
    SELECT min(checked_in_at) AS first_at FROM passes WHERE kind = 'venue'
    GROUP BY ticket_id, person_no, event_day) d
  GROUP BY 1
UNION ALL
SELECT 'y:' || (d.event_day - DATE '1970-01-01'), count(*) FROM (
    SELECT DISTINCT ticket_id, person_no, event_day FROM passes
    WHERE kind = 'venue' AND event_day IS NOT NULL) d
  GROUP BY d.event_day
UNION ALL
SELECT 'w:', coalesce(sum(p.passes - 1), 0)::bigint FROM people p WHERE p.kind = 'venue'
UNION ALL
-- Entries of a gate are those into its own area, not into a room that lies behind it.
SELECT 'g:' || g.no, count(*)
  FROM passes p JOIN ops.gates g ON g.id = p.gate_id AND g.area_id = p.area_id
  GROUP BY g.no
UNION ALL
SELECT 'x:' || g.no, count(*)
  FROM passes p JOIN ops.gates g ON g.id = p.exit_gate_id
  WHERE p.checked_out_at IS NOT NULL AND NOT p.exit_assumed GROUP BY g.no
UNION ALL
-- Refused at a device without a gate: number 0.
SELECT 'r:' || coalesce(g.no, 0), count(*)
  FROM ops.scan_log l LEFT JOIN ops.gates g ON g.id = l.gate_id
  WHERE l.event_id = p_event AND l.verdict = 'refused' AND NOT l.args ? 'just_now'
  GROUP BY g.no
UNION ALL
SELECT 'c:' || a.no, a.manual + a.disputed FROM ops.areas a
  WHERE a.event_id = p_event AND a.manual + a.disputed <> 0
$$;
