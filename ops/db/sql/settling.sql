-- Uploads that fall into place: what the settler reads, and what it writes.
-- The rule is ops/admission/settling.py; these functions hold none.

-- ops.upload_history_v1(ticket, scope): all that doors say of one ticket of one person, by
-- their own times (less each device's skew). Read by: ops/crm_sync/settler.py, and once more
-- under the event's lock, so that nothing is written on a history that has moved since.
--   {"rows": passes, "disputed": entries without a row (open conflicts), "exits": exits of
--    this scope and what else ended a pass of it, "inside": numbers of scopes with a presence}
CREATE FUNCTION ops.upload_history_v1(p_ticket uuid, p_scope uuid) RETURNS json
LANGUAGE sql STABLE AS $$
    WITH visits AS (
        SELECT ci.*, coalesce(l.offline, false) AS uploaded
        FROM check_ins ci LEFT JOIN ops.scan_log l ON l.scan_id = ci.scan_id
        WHERE ci.ticket_id = p_ticket AND ci.scope_id = p_scope AND ci.person_no = 1
    )
    SELECT json_build_object(
        'rows', (SELECT coalesce(json_agg(json_build_object('id', v.id, 'scan_id', v.scan_id,
            'pass_no', v.pass_no, 'at', coalesce(v.door_time, v.checked_in_at),
            'day', coalesce(v.event_day - DATE '1970-01-01', 0),
            'open', v.checked_out_at IS NULL AND v.undone_at IS NULL,
            'undone', v.undone_at IS NOT NULL, 'assumed', v.exit_assumed,
            'exit_id', v.exit_scan_id, 'live', NOT v.uploaded) ORDER BY v.pass_no), '[]')
          FROM visits v),
        'disputed', (SELECT coalesce(json_agg(json_build_object('conflict_id', c.id,
            'scan_id', e.scan_id,
            'at', e.scanned_at - make_interval(secs => coalesce(d.clock_skew_ms, 0) / 1000.0),
            'reason', e.reason) ORDER BY c.id), '[]')
          FROM ops.conflicts c
          JOIN ops.scan_log e ON e.scan_id = c.loser_scan_id AND e.offline
          LEFT JOIN ops.devices d ON d.id = e.device_id
          WHERE c.ticket_id = p_ticket AND c.scope_id = p_scope AND c.kind = 'double_entry'
            AND c.resolved_at IS NULL),
        'exits', (SELECT coalesce(json_agg(json_build_object('scan_id', r.scan_id, 'at',
            CASE WHEN r.offline
              THEN r.scanned_at - make_interval(secs => coalesce(d.clock_skew_ms, 0) / 1000.0)
              ELSE r.decided_at END,
            'live', NOT r.offline, 'assumed', r.scope_id IS DISTINCT FROM p_scope)
            ORDER BY r.scan_id), '[]')
          FROM ops.scan_log r LEFT JOIN ops.devices d ON d.id = r.device_id
          WHERE r.ticket_id = p_ticket AND r.verdict = 'exited' AND r.undone_at IS NULL
            AND (r.scope_id = p_scope
              OR r.scan_id IN (SELECT v.exit_scan_id FROM visits v))),
        'inside', (SELECT coalesce(json_agg(s.no ORDER BY s.no), '[]')
          FROM check_ins o JOIN ops.scopes s ON s.id = o.scope_id
          WHERE o.ticket_id = p_ticket AND o.person_no = 1
            AND o.checked_out_at IS NULL AND o.undone_at IS NULL))
$$;

-- ops.settle_visits_v1: entries of conflicts become passes.
--
--   p_seen    MD5 of the history that this was decided on
--   p_placed  [{"c": conflict, "s": its entry, "p": pass, "dt": when, "ed": event day,
--               "x": exit that ended it or null, "xt": when, "xa": assumed,
--               "by": exit that told the entries apart}]
--   p_moved   [{"id": row, "p": pass, "x": exit that ended it (null: as before), "xt", "xa"}]
-- Returns {"status": "moved" (look again) | "settled", "counters": {name: increment}}: what
-- no transition of a visit tells the cache: attempts that were no refusals, and exits that
-- belong to another pass.
-- Under the event's lock, as every commit of scans; rows, log, conflict, facts and counters
-- in one transaction. Two passes never share an exit, nor a number, at any moment of it.
CREATE FUNCTION ops.settle_visits_v1(
  p_event uuid, p_event_no int, p_ticket uuid, p_scope uuid, p_seen text,
  p_placed json, p_moved json, p_now timestamptz
) RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_counters json;
    v_inside int;
    one record;
BEGIN
    PERFORM pg_advisory_xact_lock(7301, p_event_no);
    IF md5(ops.upload_history_v1(p_ticket, p_scope)::text) <> p_seen THEN
        RETURN json_build_object('status', 'moved');
    END IF;

    SELECT coalesce(json_object_agg(n.name, n.by), '{}') INTO v_counters FROM (
        SELECT m.name, sum(m.by)::int AS by FROM (
            SELECT 'r:' || coalesce(g.no, 0) AS name, -1 AS by
            FROM json_to_recordset(p_placed) AS q(s uuid)
            JOIN ops.scan_log l ON l.scan_id = q.s AND l.verdict = 'refused'
              AND NOT l.args ? 'just_now'
            LEFT JOIN ops.gates g ON g.id = l.gate_id
            UNION ALL
            SELECT 'x:' || g.no, -1 FROM json_to_recordset(p_moved) AS q(id uuid, x uuid)
            JOIN check_ins ci ON ci.id = q.id AND NOT ci.exit_assumed
            JOIN ops.gates g ON g.id = ci.exit_gate_id
            WHERE q.x IS NOT NULL
            UNION ALL
            SELECT 'x:' || g.no, 1
            FROM json_to_recordset(p_moved) AS q(id uuid, x uuid, xa boolean)
            JOIN ops.scan_log l ON l.scan_id = q.x
            JOIN ops.gates g ON g.id = l.gate_id
            WHERE NOT q.xa) m
        GROUP BY m.name HAVING sum(m.by) <> 0) n;

    -- Numbers and exits are free before they are given anew.
    UPDATE check_ins ci SET exit_scan_id = NULL
    FROM json_to_recordset(p_moved) AS q(id uuid, x uuid)
    WHERE ci.id = q.id AND q.x IS NOT NULL;
    WITH moved AS (
        UPDATE check_ins ci
        SET pass_no = q.p, confirmed_at = coalesce(ci.confirmed_at, p_now)
        FROM json_to_recordset(p_moved) AS q(id uuid, p int)
        WHERE ci.id = q.id AND ci.pass_no <> q.p
        RETURNING ci.scan_id
    )
    -- Its line in a journal has the number of before: the merge knows it by this.
    UPDATE ops.scan_log l SET args = l.args || '{"settled": true}'
    FROM moved m WHERE l.scan_id = m.scan_id;

    INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, checked_in_at,
      check_in_method, check_in_location, device_id, scope_id, area_id, gate_id, operator_id,
      person_no, pass_no, scan_id, mode, door_time, event_day, confirmed_at, checked_out_at,
      exit_scan_id, exit_gate_id, exit_assumed, exit_door_time, is_present, duration_minutes)
    SELECT gen_random_uuid(), p_event, t.attendee_id, t.id, l.decided_at, l.method, g.name,
      l.device_id::text, s.id, s.area_id, g.id, o.id, 1, q.p, q.s, l.mode, q.dt, q.ed, p_now,
      CASE WHEN q.x IS NOT NULL THEN greatest(x.decided_at, l.decided_at) END, q.x,
      (SELECT id FROM ops.gates WHERE id = x.gate_id), coalesce(q.xa, false), q.xt,
      q.x IS NULL, ops.minutes_between(q.dt, q.xt)
    FROM json_to_recordset(p_placed) AS q(s uuid, p int, dt timestamptz, ed date, x uuid,
      xt timestamptz, xa boolean)
    JOIN ops.scan_log l ON l.scan_id = q.s
    JOIN tickets t ON t.id = p_ticket
    JOIN ops.scopes s ON s.id = p_scope
    LEFT JOIN ops.gates g ON g.id = l.gate_id
    LEFT JOIN ops.operators o ON o.id = l.operator_id
    LEFT JOIN ops.scan_log x ON x.scan_id = q.x;

    UPDATE check_ins ci
    SET exit_scan_id = q.x, exit_gate_id = (SELECT id FROM ops.gates WHERE id = x.gate_id),
        exit_assumed = q.xa, exit_door_time = q.xt,
        duration_minutes = ops.minutes_between(coalesce(ci.door_time, ci.checked_in_at), q.xt)
    FROM json_to_recordset(p_moved) AS q(id uuid, x uuid, xt timestamptz, xa boolean)
    JOIN ops.scan_log x ON x.scan_id = q.x
    WHERE ci.id = q.id;

    -- What is true now; the conflict keeps what the server said before.
    UPDATE ops.scan_log l SET verdict = 'admitted', reason = 'ok', people = 1, pass_no = q.p,
        durable = 'committed', superseded_by = NULL,
        args = jsonb_build_object('settled', true, 'name', e.name)
    FROM json_to_recordset(p_placed) AS q(s uuid, p int), ops.ticket_entries_v1 e
    WHERE l.scan_id = q.s AND e.id = p_ticket;
    FOR one IN SELECT q.c, q."by" FROM json_to_recordset(p_placed) AS q(c uuid, "by" uuid)
        ORDER BY q.c
    LOOP
        UPDATE ops.conflicts SET detail = detail || jsonb_build_object('exit', (
            SELECT jsonb_build_object('scan_id', l.scan_id, 'gate_id', l.gate_id,
              'device_id', l.device_id, 'at', coalesce(l.scanned_at, l.decided_at))
            FROM ops.scan_log l WHERE l.scan_id = one."by"))
            WHERE id = one.c;
        PERFORM ops.resolve_conflict_v1(p_event, one.c, 'placed', NULL, NULL, p_now);
    END LOOP;

    INSERT INTO ops.facts (event_id, kind, v, payload, at)
    SELECT p_event, f.kind, 1, f.payload, p_now FROM (
        SELECT 'admitted' AS kind, jsonb_build_object('kind', 'admitted', 'v', 1,
          'event_id', p_event, 'at', p_now, 'ticket_id', c.ticket_id, 'scope_id', c.scope_id,
          'person_no', 1, 'pass_no', c.pass_no, 'scan_id', c.scan_id, 'gate_id', c.gate_id,
          'device_id', c.device_id, 'operator_id', c.operator_id) AS payload
        FROM json_to_recordset(p_placed) AS q(s uuid)
        JOIN check_ins c ON c.scan_id = q.s AND c.scope_id = p_scope
        UNION ALL
        SELECT 'exited', jsonb_build_object('kind', 'exited', 'v', 1, 'event_id', p_event,
          'at', p_now, 'ticket_id', c.ticket_id, 'scope_id', c.scope_id, 'person_no', 1,
          'pass_no', c.pass_no, 'scan_id', c.exit_scan_id, 'gate_id', c.exit_gate_id,
          'assumed', c.exit_assumed)
        FROM json_to_recordset(p_placed) AS q(s uuid)
        JOIN check_ins c ON c.scan_id = q.s AND c.scope_id = p_scope
        WHERE c.checked_out_at IS NOT NULL) f;

    SELECT count(*) INTO v_inside FROM json_to_recordset(p_placed) AS q(x uuid)
    WHERE q.x IS NULL;
    UPDATE ops.scopes SET inside = inside + v_inside WHERE id = p_scope AND v_inside > 0;
    UPDATE ops.areas a SET inside = a.inside + v_inside
    FROM ops.scopes s WHERE s.id = p_scope AND a.id = s.area_id AND v_inside > 0;
    RETURN json_build_object('status', 'settled', 'counters', v_counters);
END
$$;
