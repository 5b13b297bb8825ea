-- ops.take_over_v1: an unconfirmed admission becomes that of another scan. Same rows, same
-- passes: nobody enters twice. The earlier scan goes to ops.conflicts and is not green again.
--
-- Arguments and reply as ops.commit_scans_v1; an item has "to": the scan that is taken over.
-- An item is lost if that scan has no open, unconfirmed row of its ticket any more.
CREATE OR REPLACE FUNCTION ops.take_over_v1(
  p_event uuid, p_event_no int, p_mode text, p_now timestamptz, p_items json, p_logs json
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_took json;
  v_lost int[];
BEGIN
  PERFORM pg_advisory_xact_lock(7301, p_event_no);
  WITH took AS (
    UPDATE check_ins ci
    SET scan_id = q.s, checked_in_at = p_now, gate_id = q.g, check_in_location = q.gn,
        device_id = q.d, operator_id = q.op, check_in_method = q.me, mode = p_mode
    FROM json_to_recordset(p_items) AS q(i int, s uuid, k uuid, v bigint, d text, g uuid,
      gn text, op uuid, me text, "to" uuid)
    WHERE ci.scan_id = q."to" AND ci.ticket_id = q.k AND ci.event_id = p_event
      AND ci.confirmed_at IS NULL AND ci.undone_at IS NULL AND ci.checked_out_at IS NULL
      AND EXISTS (SELECT 1 FROM tickets t WHERE t.id = q.k AND t.version = q.v)
      AND EXISTS (SELECT 1 FROM ops.devices d WHERE d.id::text = q.d AND d.state = 'active')
      AND NOT EXISTS (SELECT 1 FROM ops.scan_log l WHERE l.scan_id = q.s)
    RETURNING q.i, q.s, q."to" AS was, ci.ticket_id AS k, ci.scope_id AS sc, ci.area_id AS ar,
      ci.person_no AS n, ci.pass_no AS p
  ) SELECT coalesce(json_agg(took), '[]') INTO v_took FROM took;
  SELECT coalesce(array_agg(q.i), '{}') INTO v_lost
  FROM json_to_recordset(p_items) AS q(i int)
  WHERE NOT EXISTS (SELECT 1 FROM json_to_recordset(v_took) AS t(i int) WHERE t.i = q.i);

  UPDATE ops.scan_log l SET superseded_by = t.s
  FROM json_to_recordset(v_took) AS t(s uuid, was uuid) WHERE l.scan_id = t.was;
  INSERT INTO ops.conflicts (id, event_id, kind, ticket_id, scope_id, winner_scan_id,
    loser_scan_id, area_id, detail)
  SELECT gen_random_uuid(), p_event, 'superseded', t.k, t.sc, t.s, t.was, t.ar,
    jsonb_build_object('persons', json_agg(t.n), 'pass', min(t.p))
  FROM json_to_recordset(v_took) AS t(s uuid, was uuid, k uuid, sc uuid, ar uuid, n int, p int)
  GROUP BY t.k, t.sc, t.s, t.was, t.ar;
  INSERT INTO ops.facts (event_id, kind, v, payload, at)
  SELECT p_event, 'taken_over', 1, jsonb_build_object('kind', 'taken_over', 'v', 1,
    'event_id', p_event, 'at', p_now, 'ticket_id', t.k, 'scope_id', t.sc, 'person_no', t.n,
    'pass_no', t.p, 'scan_id', t.s, 'previous', t.was), p_now
  FROM json_to_recordset(v_took) AS t(s uuid, was uuid, k uuid, sc uuid, n int, p int);

  INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, args, ticket_id,
    scope_id, gate_id, device_id, operator_id, direction, method, pass_no, people, code_hash,
    code_hint, decided_at, scanned_at, offline, door, mode, durable)
  SELECT l.s, p_event, decode(l.ch, 'hex'), l.ve, l.re, l.ar, l.k, l.sc, l.g, l.d, l.op, l.di,
    l.me, l.p, l.pe, decode(l.h, 'hex'), l.hi, p_now, l.sa, l.off, l.door, p_mode, 'committed'
  FROM json_to_recordset(p_logs) AS l(i int, s uuid, ch text, ve text, re text, ar jsonb,
    k uuid, sc uuid, g uuid, d uuid, op uuid, di text, me text, p int, pe int, h text,
    hi text, sa timestamptz, off boolean, door jsonb)
  WHERE NOT l.i = ANY (v_lost)
  ON CONFLICT (scan_id) DO NOTHING;

  RETURN json_build_object('lost', to_json(v_lost), 'full', '[]'::json, 'closed', '[]'::json,
    'inside', '{}'::json);
END
$$;
