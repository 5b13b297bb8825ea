-- What the devices' packages need to know: which tickets changed, who may admit which alone.

-- Every ticket that the cache is told of is a ticket that the deltas bring: rows of
-- ops.offline_changes are written by ops.tickets_changed (outbox.sql). The scan path writes
-- none: entries and exits are found in ops.facts.

-- ops.offline_since_v1(event, xid): tickets whose row, code or visits changed in a
-- transaction that was not over when a package of that xmin was read. Some of them are in
-- that package already; a device takes the current row of each, so twice is no harm.
CREATE FUNCTION ops.offline_since_v1(p_event uuid, p_xid xid8)
RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT ticket_id FROM ops.offline_changes WHERE event_id = p_event AND xid >= p_xid
    UNION
    SELECT (payload ->> 'ticket_id')::uuid FROM ops.facts
    WHERE xid >= p_xid AND event_id = p_event AND payload ->> 'ticket_id' IS NOT NULL
$$;

-- ops.unleased_v1(event, device, among): the tickets whose home is this device and that can
-- be leased to it. The tickets of an event are divided among the devices that stand at
-- entries of the venue now, by a hash of the ticket; `among` null: all of them.
CREATE FUNCTION ops.unleased_v1(p_event uuid, p_device uuid, p_among uuid[])
RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH doors AS (
        SELECT d.id, row_number() OVER (ORDER BY d.no) - 1 AS place, count(*) OVER () AS n
        FROM ops.device_events de
        JOIN ops.devices d ON d.id = de.device_id
        JOIN ops.gates g ON g.id = coalesce(d.gate_id, de.gate_id) AND g.event_id = p_event
        JOIN ops.areas a ON a.id = g.area_id AND a.kind = 'venue'
        WHERE de.event_id = p_event AND d.state = 'active' AND d.profile <> 'lead'
          AND g.direction <> 'out'
    )
    SELECT t.id FROM tickets t JOIN doors me ON me.id = p_device
    WHERE t.event_id = p_event AND t.state = 'valid'
      AND (p_among IS NULL OR t.id = ANY (p_among))
      AND (hashtext(t.id::text) & 2147483647) % me.n = me.place
      AND NOT EXISTS (SELECT 1 FROM ops.leases l
        WHERE l.ticket_id = t.id AND l.state <> 'released')
      AND NOT EXISTS (SELECT 1 FROM check_ins c WHERE c.ticket_id = t.id)
$$;

-- ops.grant_leases_v1(event, device, tickets): lease them, those that may still be leased.
-- Under the event's lock, as every commit of scans: what was admitted before is seen,
-- what comes later sees the lease.
CREATE FUNCTION ops.grant_leases_v1(p_event uuid, p_device uuid, p_tickets uuid[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    granted int;
BEGIN
    PERFORM pg_advisory_xact_lock(7301, (SELECT no FROM events WHERE id = p_event));
    INSERT INTO ops.leases AS l (ticket_id, event_id, device_id)
        SELECT t.id, p_event, p_device FROM tickets t
        JOIN unnest(p_tickets) AS k(id) ON k.id = t.id
        WHERE t.event_id = p_event AND t.state = 'valid'
          AND NOT EXISTS (SELECT 1 FROM check_ins c WHERE c.ticket_id = t.id)
        ORDER BY t.id
    ON CONFLICT (ticket_id) DO UPDATE
        SET device_id = excluded.device_id, state = 'held', granted_at = now(),
            ended_at = NULL, xid = pg_current_xact_id()
        WHERE l.state = 'released';
    GET DIAGNOSTICS granted = ROW_COUNT;
    RETURN granted;
END
$$;

-- ops.leases_met_v1: what the visits of a batch mean for the leases of their tickets. The
-- holder's own entry uses its lease up; a supervisor's act ends another device's lease, and
-- from then on that device may admit once more than it should: it counts in the number shown.
CREATE FUNCTION ops.leases_met_v1(p_event uuid, p_now timestamptz, p_items json, p_in json)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH met AS (
        SELECT DISTINCT q.k, q.d, coalesce(q.le, false) AS le
        FROM json_to_recordset(p_in) AS x(s uuid)
        JOIN json_to_recordset(p_items) AS q(s uuid, k uuid, d uuid, le boolean)
          ON q.s = x.s
    ), over AS (
        UPDATE ops.leases l
        SET state = CASE WHEN l.device_id = met.d THEN 'used' ELSE 'ended' END,
            ended_at = p_now, xid = pg_current_xact_id()
        FROM met
        WHERE l.ticket_id = met.k AND l.state = 'held' AND (l.device_id = met.d OR met.le)
        RETURNING l.ticket_id, l.device_id, l.state
    )
    INSERT INTO ops.lease_endings (event_id, ticket_id, device_id, reason, ended_at)
    SELECT p_event, ticket_id, device_id, 'override', p_now FROM over WHERE state = 'ended';
END
$$;

-- ops.exits_unmatched_v1(ticket, scope): exits that found nobody inside and have ended no
-- pass yet, by the time of their door.
CREATE FUNCTION ops.exits_unmatched_v1(p_ticket uuid, p_scope uuid)
RETURNS TABLE (scan_id uuid, gate_id uuid, offline boolean, people int, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT r.scan_id, r.gate_id, r.offline, coalesce((r.door ->> 'people')::int, 1),
        CASE WHEN r.offline
            THEN r.scanned_at - make_interval(secs => coalesce(d.clock_skew_ms, 0) / 1000.0)
            ELSE r.decided_at END
    FROM ops.scan_log r LEFT JOIN ops.devices d ON d.id = r.device_id
    WHERE r.ticket_id = p_ticket AND r.scope_id = p_scope AND r.verdict = 'exited'
      AND r.reason = 'not_inside'
      AND NOT EXISTS (SELECT 1 FROM check_ins o WHERE o.exit_scan_id = r.scan_id)
      AND NOT EXISTS (SELECT 1 FROM ops.conflicts o WHERE o.ticket_id = p_ticket
        AND o.detail -> 'exit' ->> 'scan_id' = r.scan_id::text)
$$;

-- ops.exits_found_v1(visits written): passes that were over when they were written. Where
-- the exit had come first, in another upload, it is the one that ended them. Returns how many
-- of these exits each gate has, by its number: no visit tells the cache of them.
CREATE FUNCTION ops.exits_found_v1(p_in json) RETURNS json LANGUAGE sql AS $$
    WITH ended AS (
    UPDATE check_ins ci
    SET exit_scan_id = found.scan_id, exit_gate_id = found.gate_id, exit_assumed = false,
        exit_door_time = found.at,
        duration_minutes = ops.minutes_between(coalesce(ci.door_time, ci.checked_in_at), found.at)
    FROM (
        -- The nearest exit after each entry; of two entries before it, the later one's.
        SELECT DISTINCT ON (n.scan_id) n.* FROM (
            SELECT DISTINCT ON (c.id) c.id, c.door_time, r.scan_id, r.gate_id, r.at
            FROM json_to_recordset(p_in) AS x(id uuid, k uuid, sc uuid, n int, x boolean)
            JOIN check_ins c ON c.id = x.id
            CROSS JOIN LATERAL ops.exits_unmatched_v1(x.k, x.sc) r
            WHERE x.x AND x.n = 1 AND r.offline
              AND r.at >= coalesce(c.door_time, c.checked_in_at)
            ORDER BY c.id, r.at, r.scan_id
        ) n
        ORDER BY n.scan_id, n.door_time DESC NULLS LAST, n.id
    ) found
    WHERE ci.id = found.id
    RETURNING ci.exit_gate_id)
    SELECT coalesce(json_object_agg(n.no, n.exits), '{}') FROM (
        SELECT g.no, count(*) AS exits FROM ended e JOIN ops.gates g ON g.id = e.exit_gate_id
        GROUP BY g.no) n
$$;

-- ops.doors_told_v1(event, now, scans): these rows of the log have got what a device showed
-- and did by itself. Every entry that it let in and that has no row here becomes a conflict:
-- its people are inside, so the area counts them (`disputed`) until somebody looks into it.
-- The holder's lease is used up; entries without a lease were paid from the device's budget.
-- Called once for each scan: the log keeps the first word of a door.
CREATE FUNCTION ops.doors_told_v1(p_event uuid, p_now timestamptz, p_scans uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH let_in AS (
        SELECT l.scan_id, l.ticket_id, l.device_id, l.door ->> 'lease' IS NOT NULL AS leased
        FROM ops.scan_log l
        WHERE l.scan_id = ANY (p_scans) AND l.direction IS DISTINCT FROM 'out'
          AND l.door ->> 'verdict' = 'admitted'
    ), used AS (
        UPDATE ops.leases l SET state = 'used', ended_at = p_now, xid = pg_current_xact_id()
        FROM let_in i
        WHERE l.ticket_id = i.ticket_id AND l.device_id = i.device_id
          AND l.state IN ('held', 'ended')
        RETURNING l.ticket_id
    ), settled AS (
        UPDATE ops.lease_endings e SET settled_at = p_now
        FROM let_in i
        WHERE e.ticket_id = i.ticket_id AND e.device_id = i.device_id
          AND e.settled_at IS NULL
        RETURNING e.id
    )
    UPDATE ops.offline_devices o SET spent = o.spent + n.spent
    FROM (SELECT device_id, count(*) AS spent FROM let_in WHERE NOT leased
          GROUP BY device_id) n
    WHERE o.event_id = p_event AND o.device_id = n.device_id;

    WITH differ AS (
        SELECT l.*, coalesce(l.scope_id, own.id) AS at_scope,
          coalesce(sc.area_id, g.area_id) AS area_id,
          l.door ->> 'verdict' = 'admitted' AS let_in,
          CASE WHEN l.door ->> 'verdict' = 'admitted'
               THEN coalesce((l.door ->> 'people')::int, 1) ELSE 0 END AS n
        FROM ops.scan_log l
        LEFT JOIN ops.gates g ON g.id = l.gate_id
        LEFT JOIN ops.scopes sc ON sc.id = l.scope_id
        LEFT JOIN ops.scopes own ON own.area_id = g.area_id AND own.session_id IS NULL
        WHERE l.scan_id = ANY (p_scans)
          AND (l.door ->> 'verdict' = 'admitted') <> (l.verdict = 'admitted')
          AND NOT EXISTS (SELECT 1 FROM ops.conflicts c WHERE c.loser_scan_id = l.scan_id)
    ), winner AS (
        -- The entry that stands: the open one, else the newest, of the same place.
        SELECT DISTINCT ON (d.scan_id) d.scan_id, c.scan_id AS won, c.gate_id, c.device_id,
          c.operator_id, c.checked_in_at, c.door_time
        FROM differ d JOIN check_ins c
          ON c.ticket_id = d.ticket_id AND c.scope_id = d.at_scope AND c.undone_at IS NULL
         AND c.scan_id <> d.scan_id
        ORDER BY d.scan_id, c.checked_out_at IS NULL DESC, c.pass_no DESC
    ), made AS (
        INSERT INTO ops.conflicts (event_id, kind, ticket_id, scope_id, winner_scan_id,
          loser_scan_id, area_id, people, created_at, detail)
        SELECT p_event,
          CASE WHEN d.let_in AND w.won IS NOT NULL THEN 'double_entry'
               WHEN d.let_in THEN 'door_disagrees' ELSE 'turned_away' END,
          d.ticket_id, d.at_scope, w.won, d.scan_id, d.area_id, d.n, p_now,
          jsonb_build_object(
            'door', d.door, 'verdict', d.verdict, 'reason', d.reason,
            'code_hint', d.code_hint,
            'entry', jsonb_build_object('scan_id', d.scan_id, 'gate_id', d.gate_id,
              'device_id', d.device_id, 'operator_id', d.operator_id,
              'at', coalesce(d.scanned_at, d.decided_at)),
            'before', CASE WHEN w.won IS NOT NULL THEN jsonb_build_object(
              'scan_id', w.won, 'gate_id', w.gate_id, 'device_id', w.device_id,
              'operator_id', w.operator_id,
              'at', coalesce(w.door_time, w.checked_in_at)) END,
            'minutes', CASE WHEN w.won IS NOT NULL THEN round(abs(extract(epoch FROM
              coalesce(d.scanned_at, d.decided_at)
              - coalesce(w.door_time, w.checked_in_at))) / 60) END)
        FROM differ d LEFT JOIN winner w ON w.scan_id = d.scan_id
        RETURNING id, kind, ticket_id, scope_id, area_id, people, winner_scan_id, loser_scan_id
    ), told AS (
        -- The alert: control room, webhooks and the CRM read facts.
        INSERT INTO ops.facts (event_id, kind, v, payload, at)
        SELECT p_event, 'conflict', 1, jsonb_build_object('kind', 'conflict', 'v', 1,
          'event_id', p_event, 'at', p_now, 'conflict_id', m.id, 'what', m.kind,
          'ticket_id', m.ticket_id, 'scope_id', m.scope_id, 'people', m.people,
          'winner_scan_id', m.winner_scan_id, 'loser_scan_id', m.loser_scan_id), p_now
        FROM made m
    )
    UPDATE ops.areas a SET disputed = a.disputed + x.n
    FROM (SELECT area_id, sum(people)::int AS n FROM made GROUP BY area_id) x
    WHERE a.id = x.area_id AND x.n > 0;
    PERFORM ops.passes_told_apart_v1(p_event, p_now, p_scans);
    -- Of one person the settler makes a pass of an entry that an exit explains.
    INSERT INTO ops.settling AS s (ticket_id, scope_id, event_id, asked_at)
        SELECT k.ticket_id, k.scope_id, p_event, clock_timestamp() FROM (
            SELECT DISTINCT c.ticket_id, c.scope_id
            FROM ops.scan_log l
            JOIN tickets t ON t.id = l.ticket_id AND t.admits = 1
            JOIN ops.conflicts c ON c.ticket_id = t.id AND c.kind = 'double_entry'
              AND c.resolved_at IS NULL AND c.scope_id IS NOT NULL
            WHERE l.scan_id = ANY (p_scans)) k
        ORDER BY k.ticket_id, k.scope_id
    ON CONFLICT (ticket_id, scope_id) DO UPDATE SET asked_at = excluded.asked_at;
    PERFORM ops.disputed_told(p_event, p_scans);
END
$$;

-- ops.passes_told_apart_v1(event, now, scans): in, out and in again at doors that were alone,
-- brought in any order, of tickets of several people (of one: ops.settle_visits_v1). Where the later entry came first it stands, and the earlier one has
-- no place left: a conflict, until the exit between them is here. By the doors' own times
-- (less each device's skew) that pass was over before the next began: nobody came in twice,
-- the people are out, and the conflict ends by itself as `over`, with the exit that told. An
-- exit ends one pass; it is asked for whether the entry or the exit is what came last.
CREATE FUNCTION ops.passes_told_apart_v1(p_event uuid, p_now timestamptz, p_scans uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    pair record;
BEGIN
    FOR pair IN
        WITH open AS (
            SELECT c.id, c.ticket_id, c.scope_id, c.people,
              e.scanned_at - make_interval(secs => coalesce(d.clock_skew_ms, 0) / 1000.0)
                AS entered,
              w.entered AS entered_again
            FROM ops.conflicts c
            JOIN tickets t ON t.id = c.ticket_id AND t.admits > 1
            JOIN ops.scan_log e ON e.scan_id = c.loser_scan_id AND e.offline
            LEFT JOIN ops.devices d ON d.id = e.device_id
            JOIN LATERAL (
                SELECT min(coalesce(v.door_time, v.checked_in_at)) AS entered
                FROM check_ins v WHERE v.scan_id = c.winner_scan_id AND v.scope_id = c.scope_id
            ) w ON w.entered IS NOT NULL
            WHERE c.event_id = p_event AND c.kind = 'double_entry' AND c.resolved_at IS NULL
              AND c.ticket_id IN (SELECT l.ticket_id FROM ops.scan_log l
                WHERE l.scan_id = ANY (p_scans))
        ), between_them AS (
            -- The nearest exit after each entry; of two entries before it, the later one's.
            SELECT DISTINCT ON (open.id) open.id, open.entered, r.scan_id, r.gate_id, r.at
            FROM open
            CROSS JOIN LATERAL ops.exits_unmatched_v1(open.ticket_id, open.scope_id) r
            WHERE r.at BETWEEN open.entered AND open.entered_again
              AND r.people >= open.people
            ORDER BY open.id, r.at, r.scan_id
        )
        SELECT DISTINCT ON (b.scan_id) b.* FROM between_them b
        ORDER BY b.scan_id, b.entered DESC, b.id
    LOOP
        UPDATE ops.conflicts SET detail = detail || jsonb_build_object('exit',
            jsonb_build_object('scan_id', pair.scan_id, 'gate_id', pair.gate_id, 'at', pair.at))
            WHERE id = pair.id;
        PERFORM ops.resolve_conflict_v1(p_event, pair.id, 'over', NULL, NULL, p_now);
    END LOOP;
END
$$;

-- The cache hears of people in conflicts as it hears of counted ones.
CREATE FUNCTION ops.disputed_told(p_event uuid, p_scans uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.outbox (event_id, kind, key)
        SELECT DISTINCT p_event, 'counts', c.area_id FROM ops.conflicts c
        WHERE c.loser_scan_id = ANY (p_scans) AND c.area_id IS NOT NULL AND c.people > 0;
    IF FOUND THEN
        PERFORM ops.tell(p_event);
    END IF;
END
$$;

-- ops.resolve_conflict_v1: a person has looked into it. `left`: whoever came in beside the
-- ticket is out again; `stays`: they are inside and stay counted as people without a
-- ticket; `wrong`: nobody came in, the device was mistaken. The people of the conflict are
-- inside as such until then. Returns unknown | resolved | replayed.
CREATE FUNCTION ops.resolve_conflict_v1(
  p_event uuid, p_id uuid, p_resolution text, p_note text, p_user uuid, p_now timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found ops.conflicts;
BEGIN
    SELECT * INTO found FROM ops.conflicts WHERE id = p_id AND event_id = p_event FOR UPDATE;
    IF found.id IS NULL THEN
        RETURN 'unknown';
    ELSIF found.resolved_at IS NOT NULL THEN
        RETURN 'replayed';
    END IF;
    UPDATE ops.conflicts SET resolved_at = p_now, resolved_by = p_user,
        resolution = p_resolution, note = p_note WHERE id = p_id;
    IF found.people > 0 AND found.area_id IS NOT NULL THEN
        UPDATE ops.areas SET disputed = disputed - found.people,
            manual = manual + CASE p_resolution WHEN 'stays' THEN found.people ELSE 0 END
            WHERE id = found.area_id;
        IF p_resolution = 'stays' THEN
            INSERT INTO ops.counts (id, event_id, area_id, delta, reason, at)
                VALUES (p_id, p_event, found.area_id, found.people, 'conflict', p_now);
        ELSE
            INSERT INTO ops.outbox (event_id, kind, key)
                VALUES (p_event, 'counts', found.area_id);
            PERFORM ops.tell(p_event);
        END IF;
    END IF;
    INSERT INTO ops.facts (event_id, kind, v, payload, at)
        VALUES (p_event, 'conflict_resolved', 1, jsonb_build_object(
            'kind', 'conflict_resolved', 'v', 1, 'event_id', p_event, 'at', p_now,
            'conflict_id', p_id, 'resolution', p_resolution, 'user_id', p_user), p_now);
    RETURN 'resolved';
END
$$;

-- ops.offline_devices_v1(event, now): what each device may do that nobody will have known of.
-- `away`: not heard of for 30 s (three heartbeats). `unspent`: admissions beyond leases that
-- it was granted and has not reported; null: mode open, which has no end.
CREATE FUNCTION ops.offline_devices_v1(p_event uuid, p_now timestamptz)
RETURNS TABLE (id uuid, name text, gate text, state text, away boolean,
               last_seen_at timestamptz, pending integer, mode text, leases bigint,
               unspent integer, package_at timestamptz, expires_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT d.id, d.name, g.name, d.state,
           d.last_seen_at IS NULL OR d.last_seen_at < p_now - interval '30 seconds',
           d.last_seen_at, d.pending, o.mode,
           (SELECT count(*) FROM ops.leases l WHERE l.device_id = d.id AND l.state = 'held'),
           CASE o.mode WHEN 'open' THEN NULL WHEN 'strict' THEN 0
                ELSE greatest(0, o.granted - o.spent) END,
           o.package_at, o.expires_at
    FROM ops.offline_devices o
    JOIN ops.devices d ON d.id = o.device_id
    LEFT JOIN ops.gates g ON g.id = d.gate_id
    WHERE o.event_id = p_event
$$;

-- ops.offline_price_v1(event, now): how many double entries are possible now (null: nothing
-- bounds them): what devices out of contact or revoked may still have done, and leases that
-- a person ended without their device.
CREATE FUNCTION ops.offline_price_v1(p_event uuid, p_now timestamptz)
RETURNS TABLE (possible integer, devices_away integer, ended integer)
LANGUAGE sql STABLE AS $$
    WITH ended AS (
        SELECT count(*)::integer AS n FROM ops.lease_endings e
        WHERE e.event_id = p_event AND e.settled_at IS NULL
    )
    SELECT CASE WHEN bool_or(x.unspent IS NULL) FILTER (WHERE x.away OR x.state = 'revoked')
                THEN NULL
                ELSE coalesce(sum(x.unspent)
                       FILTER (WHERE x.away OR x.state = 'revoked'), 0)::integer + ended.n
           END,
           (count(*) FILTER (WHERE x.away AND x.state <> 'revoked'))::integer, ended.n
    FROM ended LEFT JOIN ops.offline_devices_v1(p_event, p_now) x ON true
    GROUP BY ended.n
$$;
