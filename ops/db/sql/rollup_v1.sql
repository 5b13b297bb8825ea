-- ops.rollup_event_v1(event): the figures of an event into event_analytics.
--
-- Computed from the visits each time, so a late upload or an undo is right at the next
-- turn. dimension_1 is what a figure is of (minute, gate, type), dimension_2 its name.
-- A figure that is no more (its last visit was undone) becomes 0.
CREATE OR REPLACE FUNCTION ops.rollup_event_v1(p_event uuid) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v_rows int;
BEGIN
  WITH visits AS (
    SELECT ci.*, s.kind, s.session_id AS of_session
    FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
    WHERE ci.event_id = p_event AND ci.undone_at IS NULL
  ), people AS (
    SELECT ticket_id, person_no, min(checked_in_at) AS first_at,
      (array_agg(gate_id ORDER BY checked_in_at))[1] AS gate_id,
      sum(greatest(0, extract(epoch FROM coalesce(exit_door_time, checked_out_at)
        - coalesce(door_time, checked_in_at)))) FILTER (
        WHERE NOT exit_assumed) / 60 AS minutes
    FROM visits WHERE kind = 'venue' GROUP BY ticket_id, person_no
  ), minutes AS (
    SELECT date_trunc('minute', first_at) AS minute, count(*) AS n FROM people GROUP BY 1
  ), moves AS (
    SELECT at, sum(by) OVER (ORDER BY at, by) AS inside FROM (
      SELECT checked_in_at AS at, 1 AS by FROM visits WHERE kind = 'venue'
      UNION ALL
      SELECT checked_out_at, -1 FROM visits
      WHERE kind = 'venue' AND checked_out_at IS NOT NULL) m
  ), expected AS (
    SELECT coalesce(sum(t.admits), 0) AS n FROM tickets t
    WHERE t.event_id = p_event AND t.state IN ('valid', 'blocked')
      AND t.access_class = 'guest'
  ), guests AS (
    SELECT count(*) AS n FROM people p JOIN tickets t ON t.id = p.ticket_id
    WHERE t.access_class = 'guest'
  ), figures AS (
    SELECT NULL::uuid AS session_id, 'arrivals_by_minute' AS name, n::numeric AS value,
      'people' AS unit, to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') AS d1,
      NULL::text AS d2 FROM minutes
    UNION ALL
    SELECT NULL, 'arrivals_by_gate', count(*), 'people', g.id::text, g.name
    FROM people p JOIN ops.gates g ON g.id = p.gate_id GROUP BY g.id
    UNION ALL
    SELECT NULL, 'arrivals_by_type', count(*), 'people', tt.id::text, tt.name
    FROM people p JOIN tickets t ON t.id = p.ticket_id
    JOIN ticket_types tt ON tt.id = t.ticket_type_id GROUP BY tt.id
    UNION ALL
    SELECT of_session, 'arrivals_by_session', count(DISTINCT (ticket_id, person_no)),
      'people', of_session::text, (SELECT title FROM sessions WHERE id = of_session)
    FROM visits WHERE of_session IS NOT NULL GROUP BY of_session
    UNION ALL
    SELECT of_session, 'dwell_by_session', round(avg(greatest(0, extract(epoch
      FROM coalesce(exit_door_time, checked_out_at) - coalesce(door_time, checked_in_at))
      / 60))::numeric, 2), 'minutes', of_session::text,
      (SELECT title FROM sessions WHERE id = of_session)
    FROM visits WHERE of_session IS NOT NULL AND checked_out_at IS NOT NULL
      AND NOT exit_assumed GROUP BY of_session
    UNION ALL
    SELECT NULL, 'entered', count(*), 'people', '', NULL FROM people
    UNION ALL
    SELECT NULL, 'peak_minute', coalesce(max(n), 0), 'people', '',
      (SELECT to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') FROM minutes
       ORDER BY n DESC, minute LIMIT 1) FROM minutes
    UNION ALL
    SELECT NULL, 'peak_inside', coalesce(max(inside), 0), 'people', '',
      (SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') FROM moves
       ORDER BY inside DESC, at LIMIT 1) FROM moves
    UNION ALL
    SELECT NULL, 'dwell', coalesce(round((percentile_cont(0.5) WITHIN GROUP (
      ORDER BY minutes))::numeric, 2), 0), 'minutes', '', 'median' FROM people
    WHERE minutes IS NOT NULL
    UNION ALL
    SELECT NULL, 'expected', n, 'people', '', NULL FROM expected
    UNION ALL
    SELECT NULL, 'no_show', CASE WHEN e.ends_at < now()
      THEN greatest(0, x.n - g.n) ELSE 0 END, 'people', '', NULL
    FROM events e, expected x, guests g WHERE e.id = p_event
  ), put AS (
    INSERT INTO event_analytics AS m (id, event_id, session_id, metric_name, metric_value,
      metric_unit, data_source, dimension_1, dimension_2, calculation_method)
    SELECT md5(concat_ws('|', p_event, session_id, name, d1))::uuid, p_event, session_id,
      name, value, unit, 'check_ins', d1, d2, 'rollup_v1' FROM figures
    ON CONFLICT (id) DO UPDATE SET metric_value = excluded.metric_value,
      dimension_2 = excluded.dimension_2, measurement_time = now()
    WHERE (m.metric_value, m.dimension_2)
      IS DISTINCT FROM (excluded.metric_value, excluded.dimension_2)
    RETURNING 1
  ), none AS (
    UPDATE event_analytics m SET metric_value = 0, measurement_time = now()
    WHERE m.event_id = p_event AND m.calculation_method = 'rollup_v1'
      AND m.metric_name NOT LIKE 'promoter%' AND m.metric_value <> 0
      AND NOT EXISTS (SELECT 1 FROM figures f
        WHERE md5(concat_ws('|', p_event, f.session_id, f.name, f.d1))::uuid = m.id)
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM put) + (SELECT count(*) FROM none) INTO v_rows;
  PERFORM ops.promoters_follow_v1(p_event, ARRAY(SELECT DISTINCT promoter_id FROM orders
    WHERE event_id = p_event AND promoter_id IS NOT NULL));
  RETURN v_rows;
END
$$;
