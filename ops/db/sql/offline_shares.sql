-- ops.offline_shares_v1(event, device): what this device may take while it is alone.
--
-- A place with a hard limit: what is free of it now, divided among the devices that stand
-- at a gate that lets into it or into a place within it (a gate of the device's own at this
-- event first); the first of them get what does not divide. Places held back for somebody
-- are not free. An item: what the item allows each device, at every device alike.
CREATE FUNCTION ops.offline_shares_v1(p_event uuid, p_device uuid)
RETURNS TABLE (of_id uuid, kind text, share int) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE leads AS (
        -- Each gate's area, and all that lies around it.
        SELECT g.id AS gate_id, g.area_id FROM ops.gates g
        WHERE g.event_id = p_event AND g.direction <> 'out' AND g.area_id IS NOT NULL
        UNION
        SELECT l.gate_id, a.parent_id FROM leads l JOIN ops.areas a ON a.id = l.area_id
        WHERE a.parent_id IS NOT NULL
    ), doors AS (
        SELECT l.area_id, d.id, count(*) OVER (PARTITION BY l.area_id) AS n,
            row_number() OVER (PARTITION BY l.area_id ORDER BY d.no) AS place
        FROM ops.device_events de
        JOIN ops.devices d ON d.id = de.device_id AND d.state = 'active'
            AND d.profile <> 'lead'
        JOIN leads l ON l.gate_id = coalesce(de.gate_id, d.gate_id)
        WHERE de.event_id = p_event
    ), places AS (
        SELECT a.id, 'area' AS kind, a.id AS area_id,
            a.capacity - a.inside - a.manual - a.disputed AS free
        FROM ops.areas a
        WHERE a.event_id = p_event AND a.capacity IS NOT NULL AND a.limit_kind = 'hard'
        UNION ALL
        SELECT s.id, 'scope', s.area_id, s.capacity - s.inside FROM ops.scopes s
        WHERE s.event_id = p_event AND s.capacity IS NOT NULL AND s.area_id IS NOT NULL
            AND coalesce(s.limit_kind, 'hard') = 'hard'
    ), held AS (
        SELECT coalesce(h.scope_id, h.area_id) AS id, sum(k.kept) AS kept
        FROM ops.held_places h
        JOIN ops.kept_v1(ARRAY(SELECT x.id FROM ops.held_places x WHERE x.event_id = p_event
            AND (x.until IS NULL OR x.until > now()))) k ON k.id = h.id
        GROUP BY 1
    ), free AS (
        SELECT p.id, p.kind, p.area_id, greatest(0, p.free - coalesce(h.kept, 0))::int AS free
        FROM places p LEFT JOIN held h ON h.id = p.id
    )
    SELECT f.id, f.kind,
        coalesce(f.free / me.n + (me.place <= f.free % me.n)::int, 0)::int
    FROM free f LEFT JOIN doors me ON me.area_id = f.area_id AND me.id = p_device
    UNION ALL
    SELECT i.id, 'item', i.offline_units FROM ops.items i
    WHERE i.event_id = p_event AND i.offline_units > 0
$$;

-- ops.give_offline_shares_v1(event, device): the same, noted as what the device has from now
-- on. Returns {id of a scope, an area or an item: share}.
CREATE FUNCTION ops.give_offline_shares_v1(p_event uuid, p_device uuid, p_now timestamptz)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    v_given json;
BEGIN
    WITH given AS (
        SELECT * FROM ops.offline_shares_v1(p_event, p_device)
    ), gone AS (
        DELETE FROM ops.offline_shares o
        WHERE o.device_id = p_device AND o.event_id = p_event
          AND NOT EXISTS (SELECT 1 FROM given g WHERE g.of_id = o.of_id)
    ), noted AS (
        INSERT INTO ops.offline_shares AS o
            (device_id, event_id, of_id, kind, share, given_at)
        SELECT p_device, p_event, g.of_id, g.kind, g.share, p_now FROM given g
        ORDER BY g.of_id
        ON CONFLICT (device_id, event_id, of_id) DO UPDATE
            SET share = excluded.share, given_at = excluded.given_at
            WHERE o.share <> excluded.share
    )
    SELECT coalesce(json_object_agg(g.of_id, g.share), '{}') INTO v_given FROM given g;
    RETURN v_given;
END
$$;

-- ops.offline_items_v1(event): what can be handed out without the network, and what tickets
-- are good for; a ticket's own entitlements up to 5,000 of them, the rest need the network.
CREATE FUNCTION ops.offline_items_v1(p_event uuid) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'items', coalesce((SELECT json_agg(json_build_object('id', i.id, 'name', i.name,
            'min_age', i.min_age) ORDER BY i.position, i.name, i.id)
          FROM ops.items i WHERE i.event_id = p_event AND i.offline_units > 0), '[]'),
        'entitlements', coalesce((SELECT json_agg(json_build_object('item_id', e.item_id,
            'type_no', k.no, 'ticket_id', e.ticket_id, 'quantity', e.quantity,
            'starts_at', e.starts_at, 'ends_at', e.ends_at, 'min_age', e.min_age))
          FROM (SELECT e.* FROM ops.entitlements e
            JOIN ops.items i ON i.id = e.item_id AND i.offline_units > 0
            WHERE e.event_id = p_event
            ORDER BY e.ticket_id IS NOT NULL, e.created_at, e.id LIMIT 5000) e
          LEFT JOIN ticket_types k ON k.id = e.ticket_type_id), '[]'))
$$;
