-- ops.count_people_v1: people counted without tickets, a batch, each tap once.
--
--   p_items [{"i", "id": made by the device, "g": gate or null, "ar": area or null, "n": delta,
--             "to": the counted number or null (a correction), "why", "d": device,
--             "op": operator, "at": when it was tapped, "un": id of the tap it takes back}]
-- Returns [{"i", "error" or: "area_id", "area", "delta", "scanned", "counted", "inside",
--           "capacity", "replayed"}]
--
-- `delta` is what was moved: nobody can leave a place where nobody is. Under the lock of
-- the event's commits, so that a limit holds for taps and scans together.
CREATE FUNCTION ops.count_people_v1(
    p_event uuid, p_event_no int, p_now timestamptz, p_items json
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_area ops.areas%ROWTYPE;
    v_old ops.counts%ROWTYPE;
    v_delta int;
    v_why text;
    v_results jsonb := '[]';
BEGIN
    PERFORM pg_advisory_xact_lock(7301, p_event_no);
    FOR v IN
        SELECT * FROM json_to_recordset(p_items) AS q(i int, id uuid, g uuid, ar uuid, n int,
            "to" int, why text, d uuid, op uuid, at timestamptz, un uuid)
        ORDER BY q.i
    LOOP
        SELECT * INTO v_old FROM ops.counts WHERE id = v.id;
        IF FOUND AND v_old.event_id <> p_event THEN
            v_results := v_results || jsonb_build_object('i', v.i, 'error', 'id_reused');
            CONTINUE;
        END IF;
        IF v_old.id IS NULL THEN
            IF v.un IS NOT NULL THEN
                SELECT area_id, gate_id, -delta INTO v.ar, v.g, v.n FROM ops.counts
                WHERE id = v.un AND event_id = p_event;
            END IF;
            SELECT a.* INTO v_area FROM ops.areas a WHERE a.event_id = p_event AND a.id =
                coalesce(v.ar, (SELECT g.area_id FROM ops.gates g
                                WHERE g.id = v.g AND g.event_id = p_event));
            IF v_area.id IS NULL THEN
                v_results := v_results || jsonb_build_object('i', v.i, 'error',
                    CASE WHEN v.un IS NULL THEN 'place_not_found' ELSE 'nothing_to_undo' END);
                CONTINUE;
            END IF;
            v_delta := CASE WHEN v."to" IS NULL
                THEN greatest(v.n, -greatest(0,
                    v_area.inside + v_area.manual + v_area.disputed))
                ELSE v."to" - v_area.inside - v_area.manual - v_area.disputed END;
            v_why := CASE WHEN v.un IS NOT NULL THEN 'undo ' || v.un ELSE v.why END;
            INSERT INTO ops.counts (id, event_id, area_id, gate_id, device_id, operator_id,
                                    delta, reason, at)
            VALUES (v.id, p_event, v_area.id, v.g, v.d, v.op, v_delta, v_why,
                    coalesce(v.at, p_now));
            UPDATE ops.areas SET manual = manual + v_delta WHERE id = v_area.id
                RETURNING * INTO v_area;
            PERFORM ops.tell_fact(p_event, 'counted', p_now, jsonb_build_object(
                'count_id', v.id, 'area_id', v_area.id, 'gate_id', v.g, 'delta', v_delta,
                'correction', v."to" IS NOT NULL));
        ELSE
            SELECT * INTO v_area FROM ops.areas WHERE id = v_old.area_id;
            v_delta := v_old.delta;
        END IF;
        v_results := v_results || jsonb_build_object('i', v.i, 'area_id', v_area.id,
            'area', v_area.name, 'delta', v_delta, 'scanned', v_area.inside,
            'counted', v_area.manual, 'disputed', v_area.disputed,
            'inside', v_area.inside + v_area.manual + v_area.disputed,
            'capacity', v_area.capacity, 'replayed', v_old.id IS NOT NULL);
    END LOOP;
    RETURN v_results;
END
$$;

-- ops.let_out_v1: end every presence of a ticket (an ejection), as one exit scan would.
-- The cache hears of it by the facts. Returns how many presences were ended.
CREATE FUNCTION ops.let_out_v1(
    p_event uuid, p_event_no int, p_ticket uuid, p_scan uuid, p_gate uuid, p_device uuid,
    p_operator uuid, p_now timestamptz
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_ended int;
BEGIN
    PERFORM pg_advisory_xact_lock(7301, p_event_no);
    WITH ended AS (
        UPDATE check_ins ci
        SET checked_out_at = p_now, exit_scan_id = p_scan, exit_gate_id = p_gate,
            is_present = false, duration_minutes =
                greatest(0, extract(epoch FROM p_now - ci.checked_in_at) / 60)::int
        WHERE ci.ticket_id = p_ticket AND ci.checked_out_at IS NULL
          AND ci.undone_at IS NULL AND ci.scope_id IS NOT NULL
        RETURNING ci.scope_id, ci.person_no, ci.pass_no
    ), told AS (
        SELECT ops.tell_fact(p_event, 'exited', p_now, jsonb_build_object(
            'ticket_id', p_ticket, 'scope_id', e.scope_id, 'person_no', e.person_no,
            'pass_no', e.pass_no, 'scan_id', p_scan, 'gate_id', p_gate,
            'device_id', p_device, 'operator_id', p_operator, 'assumed', false))
        FROM ended e
    ), by_scope AS (
        SELECT scope_id, count(*)::int AS n FROM ended GROUP BY scope_id
    ), scoped AS (
        UPDATE ops.scopes s SET inside = s.inside - b.n FROM by_scope b
        WHERE s.id = b.scope_id RETURNING 1
    ), placed AS (
        UPDATE ops.areas a SET inside = a.inside - b.n FROM (
            SELECT s.area_id, sum(x.n)::int AS n FROM by_scope x
            JOIN ops.scopes s ON s.id = x.scope_id GROUP BY s.area_id) b
        WHERE a.id = b.area_id RETURNING 1
    )
    SELECT count(*) INTO v_ended FROM told;
    IF v_ended > 0 THEN
        INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason,
            ticket_id, gate_id, device_id, operator_id, direction, method, people,
            decided_at, scanned_at, durable)
        VALUES (p_scan, p_event, '\x00', 'exited', 'ok', p_ticket, p_gate, p_device,
            p_operator, 'out', 'manual', v_ended, p_now, p_now, 'committed');
    END IF;
    RETURN v_ended;
END
$$;
