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
