-- ops.redeemed_beyond_v1: it was handed out without the network, and beyond what the ticket is
-- good for; a person must look.
CREATE FUNCTION ops.redeemed_beyond_v1(p_event uuid, p_ticket uuid, p_redemption uuid,
    p_reason text, p_item uuid, p_point uuid, p_device uuid, p_quantity int)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO ops.conflicts (id, event_id, kind, ticket_id, loser_scan_id, detail)
    VALUES (gen_random_uuid(), p_event, 'redeemed_beyond', p_ticket, p_redemption,
        jsonb_build_object('reason', p_reason, 'item_id', p_item,
            'point_id', p_point, 'device_id', p_device, 'quantity', p_quantity));
$$;

-- ops.redeem_v1: decide and write one batch of redemptions, in one transaction.
--
--   p_items [{"i": order of arrival, "id": made by the client, "ch": content hash, "h": code
--             hash or null, "t": ticket or null, "hi": hint, "po": point, "it": item or null,
--             "n": quantity, "d": device, "us": user, "at": when it was
--             handed out (uploads), "off", "again": asked and confirmed, "seen": ID seen,
--             "ga": gate of a scan that names an item and no point, else null}]
-- Returns [{"i", "error" or: "verdict", "reason", "left", "replayed", "ticket_id", "item_id",
--           "item", "at", "undone", "min_age", "opens_at", "language"}]
--
-- A unit is a row of ops.redemption_units; its key (ticket, item, n) is what keeps it from
-- being taken twice. One batch of an event at a time (advisory lock), in order of arrival.
CREATE FUNCTION ops.redeem_v1(p_event uuid, p_event_no int, p_now timestamptz, p_items json)
RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v record;
    v_old ops.redemptions%ROWTYPE;
    v_t record;
    v_item ops.items%ROWTYPE;
    v_point ops.redemption_points%ROWTYPE;
    v_units bigint[];
    v_taken int;
    v_age int;
    v_opens timestamptz;
    v_closed boolean;
    v_verdict text;
    v_reason text;
    v_left int;
    v_op uuid;
    v_language text;
    v_locked boolean;
    v_results jsonb := '[]';
BEGIN
    PERFORM pg_advisory_xact_lock(7304, p_event_no);
    FOR v IN
        SELECT * FROM json_to_recordset(p_items) AS q(i int, id uuid, ch text, h text, t uuid,
            hi text, po uuid, it uuid, n int, d uuid, us uuid, at timestamptz,
            off boolean, again boolean, seen boolean, ga uuid)
        ORDER BY q.i
    LOOP
        SELECT * INTO v_old FROM ops.redemptions WHERE id = v.id;
        IF FOUND THEN
            IF v_old.event_id <> p_event OR v_old.content_hash <> decode(v.ch, 'hex') THEN
                v_results := v_results || jsonb_build_object('i', v.i, 'error', 'conflict');
            ELSE
                IF v.off AND NOT v_old.offline THEN
                    -- Its answer was lost, and the device went by its share.
                    UPDATE ops.redemptions SET offline = true, redeemed_at = v.at WHERE id = v.id;
                    IF v_old.verdict <> 'redeemed' THEN
                        PERFORM ops.redeemed_beyond_v1(p_event, v_old.ticket_id, v.id, v_old.reason,
                            v_old.item_id, v_old.point_id, v.d, v.n);
                    END IF;
                END IF;
                v_results := v_results || jsonb_build_object('i', v.i,
                    'verdict', v_old.verdict, 'reason', v_old.reason, 'left', v_old.units_left,
                    'replayed', true, 'ticket_id', v_old.ticket_id, 'item_id', v_old.item_id,
                    'item', (SELECT name FROM ops.items WHERE id = v_old.item_id),
                    'at', v_old.decided_at, 'undone', v_old.undone_at IS NOT NULL);
            END IF;
            CONTINUE;
        END IF;
        SELECT d.operator_id, o.language, d.locked_at IS NOT NULL
        INTO v_op, v_language, v_locked
        FROM ops.devices d LEFT JOIN ops.operators o ON o.id = d.operator_id
        WHERE d.id = v.d AND d.state = 'active';
        IF v.d IS NOT NULL AND NOT FOUND THEN
            v_results := v_results || jsonb_build_object('i', v.i, 'error', 'device_revoked');
            CONTINUE;
        END IF;
        IF v_locked THEN
            v_results := v_results || jsonb_build_object('i', v.i, 'error', 'device_locked');
            CONTINUE;
        END IF;
        IF EXISTS (SELECT FROM ops.scan_log l WHERE l.scan_id = v.id) THEN
            v_results := v_results || jsonb_build_object('i', v.i, 'error', 'conflict');
            CONTINUE;
        END IF;
        IF v.po IS NULL THEN
            -- A scan at a door that names an item: the point of the gate's place, else one
            -- that has this item, else any.
            SELECT p.id INTO v.po FROM ops.redemption_points p
            WHERE p.event_id = p_event AND (p.item_id = v.it OR p.item_id IS NULL)
            ORDER BY p.area_id IS NOT DISTINCT FROM (SELECT g.area_id FROM ops.gates g
                WHERE g.id = coalesce(v.ga, (SELECT d.gate_id FROM ops.devices d WHERE d.id = v.d))) DESC, p.item_id IS NULL, p.created_at, p.id LIMIT 1;
        END IF;
        SELECT * INTO v_point FROM ops.redemption_points WHERE id = v.po AND event_id = p_event;
        SELECT * INTO v_item FROM ops.items
            WHERE id = coalesce(v.it, v_point.item_id) AND event_id = p_event;
        IF v_point.id IS NULL OR v_item.id IS NULL THEN
            v_results := v_results || jsonb_build_object('i', v.i, 'error',
                CASE WHEN v_point.id IS NULL THEN 'point_not_found'
                     WHEN v.it IS NULL THEN 'item_missing' ELSE 'item_not_found' END);
            CONTINUE;
        END IF;
        v_units := NULL; v_age := NULL; v_opens := NULL; v_left := 0;
        SELECT t.id, t.state, t.ticket_type_id, t.admits, c.revoked_at, c.revoked_reason
        INTO v_t
        FROM (SELECT 1) AS one
        LEFT JOIN LATERAL ops.code_v1(p_event, v.h) c ON true
        LEFT JOIN tickets t ON t.id = coalesce(v.t, c.ticket_id) AND t.event_id = p_event;
        IF v_t.id IS NOT NULL THEN
            -- Those that end first go first. A group's places each have their own.
            SELECT array_agg(u.n ORDER BY u.ends_at NULLS LAST, u.n), max(u.min_age)
            INTO v_units, v_age FROM (
                SELECT e.no * 100000::bigint + g AS n, e.ends_at, e.min_age
                FROM ops.entitlements e, generate_series(1, e.quantity
                    * CASE WHEN e.ticket_id IS NULL THEN least(v_t.admits, 100) ELSE 1 END) AS g
                WHERE e.item_id = v_item.id
                  AND (e.ticket_id = v_t.id OR e.ticket_type_id = v_t.ticket_type_id)
                  AND (e.starts_at IS NULL OR e.starts_at <= coalesce(v.at, p_now))
                  AND (e.ends_at IS NULL OR e.ends_at > coalesce(v.at, p_now))) AS u
            WHERE NOT EXISTS (SELECT FROM ops.redemption_units x
                WHERE x.ticket_id = v_t.id AND x.item_id = v_item.id AND x.n = u.n);
            v_left := coalesce(cardinality(v_units), 0);
            v_age := greatest(v_age, v_item.min_age);
            IF v_left = 0 THEN
                SELECT min(e.starts_at) FILTER (WHERE e.starts_at > p_now),
                       bool_and(e.ends_at <= p_now)
                INTO v_opens, v_closed FROM ops.entitlements e
                WHERE e.item_id = v_item.id
                  AND (e.ticket_id = v_t.id OR e.ticket_type_id = v_t.ticket_type_id);
            END IF;
        END IF;
        v_reason := CASE
            WHEN v_t.id IS NULL THEN 'unknown_code'
            WHEN v_t.revoked_at IS NOT NULL AND v_t.revoked_reason = 'exchanged'
                THEN 'exchanged'
            WHEN v_t.revoked_at IS NOT NULL THEN 'reissued'
            WHEN v_t.state IN ('cancelled', 'refunded') THEN v_t.state
            WHEN v_t.state = 'blocked' THEN 'blocked'
            WHEN v_t.state <> 'valid' THEN 'unpaid'
            WHEN v_left = 0 AND v_opens IS NOT NULL THEN 'too_early'
            WHEN v_left = 0 AND v_closed THEN 'too_late'
            WHEN v_left < v.n THEN 'nothing_left'
            WHEN v_age IS NOT NULL AND NOT coalesce(v.seen, false) THEN 'id_check'
            WHEN NOT coalesce(v.again, false) AND NOT coalesce(v.off, false) AND EXISTS (
                SELECT FROM ops.redemptions r WHERE r.ticket_id = v_t.id
                  AND r.decided_at > p_now - interval '10 seconds' AND r.point_id = v_point.id
                  AND r.item_id = v_item.id AND r.verdict = 'redeemed'
                  AND r.undone_at IS NULL) THEN 'again'
            ELSE 'ok' END;
        v_verdict := CASE WHEN v_reason = 'ok' THEN 'redeemed'
            WHEN v_reason IN ('blocked', 'unpaid', 'id_check', 'again') THEN 'hold'
            ELSE 'refused' END;
        INSERT INTO ops.redemptions (id, event_id, content_hash, verdict, reason, quantity,
            units_left, ticket_id, item_id, point_id, device_id, operator_id, user_id,
            code_hint, offline, redeemed_at, decided_at)
        VALUES (v.id, p_event, decode(v.ch, 'hex'), v_verdict, v_reason, v.n,
            v_left - CASE WHEN v_reason = 'ok' THEN v.n ELSE 0 END, v_t.id, v_item.id,
            v_point.id, v.d, v_op, v.us, v.hi, coalesce(v.off, false), v.at, p_now)
        ON CONFLICT (id) DO NOTHING;
        IF v_verdict = 'redeemed' THEN
            INSERT INTO ops.redemption_units (ticket_id, item_id, n, redemption_id)
            SELECT v_t.id, v_item.id, u, v.id FROM unnest(v_units[1:v.n]) AS u
            ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS v_taken = ROW_COUNT;
            IF v_taken < v.n THEN
                -- Somebody writes beside the lock: the key decides, nothing is half done.
                DELETE FROM ops.redemption_units WHERE redemption_id = v.id;
                v_verdict := 'refused'; v_reason := 'nothing_left'; v_left := 0;
                UPDATE ops.redemptions SET verdict = v_verdict, reason = v_reason,
                    units_left = 0 WHERE id = v.id;
            ELSE
                v_left := v_left - v.n;
                PERFORM ops.tell_fact(p_event, 'redeemed', p_now, jsonb_build_object(
                    'redemption_id', v.id, 'ticket_id', v_t.id, 'item_id', v_item.id,
                    'point_id', v_point.id, 'quantity', v.n, 'device_id', v.d,
                    'operator_id', v_op));
            END IF;
        ELSIF coalesce(v.off, false) AND v_reason NOT IN ('id_check', 'again') THEN
            PERFORM ops.redeemed_beyond_v1(p_event, v_t.id, v.id, v_reason, v_item.id,
                v_point.id, v.d, v.n);
        END IF;
        v_results := v_results || jsonb_build_object('i', v.i, 'verdict', v_verdict,
            'reason', v_reason, 'left', v_left, 'replayed', false, 'ticket_id', v_t.id,
            'item_id', v_item.id, 'item', v_item.name, 'at', p_now, 'undone', false,
            'min_age', CASE WHEN v_reason = 'id_check' THEN v_age END, 'opens_at', v_opens,
            'language', v_language);
    END LOOP;
    RETURN v_results;
END
$$;

-- ops.undo_redemption_v1: give the units back, within two minutes; the row stays.
-- Returns unknown | nothing | late | again | undone.
CREATE FUNCTION ops.undo_redemption_v1(
    p_event uuid, p_event_no int, p_id uuid, p_now timestamptz, p_reason text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v ops.redemptions%ROWTYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(7304, p_event_no);
    SELECT * INTO v FROM ops.redemptions WHERE id = p_id AND event_id = p_event;
    IF NOT FOUND THEN RETURN 'unknown'; END IF;
    IF v.verdict <> 'redeemed' THEN RETURN 'nothing'; END IF;
    IF v.undone_at IS NOT NULL THEN RETURN 'again'; END IF;
    IF p_now > v.decided_at + interval '2 minutes' THEN RETURN 'late'; END IF;
    DELETE FROM ops.redemption_units WHERE redemption_id = p_id;
    UPDATE ops.redemptions SET undone_at = p_now, undo_reason = p_reason WHERE id = p_id;
    PERFORM ops.tell_fact(p_event, 'redemption_undone', p_now, jsonb_build_object(
        'redemption_id', p_id, 'ticket_id', v.ticket_id, 'item_id', v.item_id));
    RETURN 'undone';
END
$$;
