-- ops.undo_scan_v1: take back the admission of one scan; the row stays and keeps its pass.
--
-- Returns {"status": "undone" | "replayed" | "exited" | "unknown", "visits": [as in
-- commit_scans_v1 "closed", "tt": type no], "people": counted without a ticket}. "exited": a later exit hangs on it, nothing was changed.
-- Idempotent: the second call answers "replayed" with the same visits.
CREATE OR REPLACE FUNCTION ops.undo_scan_v1(
  p_event uuid, p_event_no int, p_scan uuid, p_undo uuid, p_reason text,
  p_operator uuid, p_now timestamptz
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_ids uuid[];
  v_status text := 'undone';
  v_area uuid;
  v_people int;
  v_again boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(7301, p_event_no);
  SELECT array_agg(id ORDER BY id) INTO v_ids
  FROM check_ins WHERE scan_id = p_scan AND event_id = p_event;
  IF v_ids IS NULL THEN
    -- Somebody without a ticket was counted by it: the count is taken back.
    SELECT c.area_id, c.delta, l.undone_at IS NOT NULL INTO v_area, v_people, v_again
    FROM ops.counts c JOIN ops.scan_log l ON l.scan_id = c.id
    WHERE c.id = p_scan AND c.event_id = p_event;
    IF NOT FOUND THEN
      RETURN json_build_object('status', 'unknown', 'visits', '[]'::json);
    END IF;
    IF NOT v_again THEN
      INSERT INTO ops.counts (id, event_id, area_id, gate_id, device_id, operator_id, delta,
        reason, at)
      SELECT p_undo, p_event, v_area, c.gate_id, c.device_id, p_operator, -v_people,
        p_reason, p_now
      FROM ops.counts c WHERE c.id = p_scan;
      UPDATE ops.areas SET manual = manual - v_people WHERE id = v_area;
      UPDATE ops.scan_log SET undone_at = p_now WHERE scan_id = p_scan;
    END IF;
    RETURN json_build_object('status', CASE WHEN v_again THEN 'replayed' ELSE 'undone' END,
      'visits', '[]'::json, 'people', v_people);
  END IF;
  IF EXISTS (SELECT 1 FROM check_ins WHERE id = ANY (v_ids) AND undone_at IS NOT NULL) THEN
    v_status := 'replayed';
  ELSIF EXISTS (SELECT 1 FROM check_ins WHERE id = ANY (v_ids) AND checked_out_at IS NOT NULL) THEN
    RETURN json_build_object('status', 'exited', 'visits', '[]'::json);
  ELSE
    UPDATE check_ins SET undone_at = p_now, undo_scan_id = p_undo, undo_reason = p_reason,
      is_present = false WHERE id = ANY (v_ids);
    UPDATE ops.scan_log SET undone_at = p_now WHERE scan_id = p_scan;
    INSERT INTO ops.facts (event_id, kind, v, payload, at)
    SELECT p_event, 'undone', 1, jsonb_build_object('kind', 'undone', 'v', 1,
      'event_id', p_event, 'ticket_id', ticket_id, 'scope_id', scope_id,
      'person_no', person_no, 'pass_no', pass_no, 'scan_id', p_undo,
      'undone_scan_id', scan_id, 'operator_id', p_operator, 'reason', p_reason,
      'at', p_now), p_now
    FROM check_ins WHERE id = ANY (v_ids);
    UPDATE ops.scopes s SET inside = s.inside - d.n FROM (
      SELECT scope_id, count(*) AS n FROM check_ins WHERE id = ANY (v_ids) GROUP BY scope_id) d
    WHERE s.id = d.scope_id;
    UPDATE ops.areas a SET inside = a.inside - d.n FROM (
      SELECT s.area_id, count(*) AS n FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
      WHERE ci.id = ANY (v_ids) GROUP BY s.area_id) d
    WHERE a.id = d.area_id;
  END IF;
  RETURN json_build_object('status', v_status, 'visits', (
    SELECT json_agg(json_build_object('k', ci.ticket_id, 'sc', s.no, 'n', ci.person_no,
      'p', ci.pass_no, 'ph', 2, 'cf', ci.confirmed_at IS NOT NULL,
      'un', z.un, 'dy', z.dy, 'du', z.du,
      'xa', false, 'in_ms', floor(extract(epoch FROM ci.checked_in_at) * 1000)::bigint, 'out_ms', 0,
      'g', coalesce(g.no, 0), 'd', coalesce(d.no, 0), 'xg', 0, 's', ci.scan_id,
      'tt', tt.no))
    FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
    CROSS JOIN LATERAL ops.passes_v1(ci.ticket_id, ci.scope_id, ci.person_no) z
    JOIN tickets t ON t.id = ci.ticket_id JOIN ticket_types tt ON tt.id = t.ticket_type_id
    LEFT JOIN ops.gates g ON g.id = ci.gate_id
    LEFT JOIN ops.devices d
      ON d.id = CASE WHEN ci.device_id ~ '^[0-9a-f-]{36}$' THEN ci.device_id::uuid END
    WHERE ci.id = ANY (v_ids)));
END
$$;
