-- What a door hears of bans, exemptions and answers: the tickets they speak of.

-- Of a phone number the last nine digits are compared, so that it may be written with or
-- without country and zeros: the expression of the indexes on attendees and bans.

-- ops.bans_on(attendee, ..): the bans that name somebody, and how surely. Nothing is
-- compared that is empty; a number needs 7 digits. Read by: ops.ticket_entries_v1.
CREATE FUNCTION ops.bans_on(
    p_event uuid, p_contact uuid, p_email text, p_phone text, p_name text, p_born date
) RETURNS TABLE (kind text, until timestamptz) LANGUAGE sql STABLE AS $$
    SELECT b.kind, b.until FROM (
        SELECT 'banned' AS kind, n.event_id, n.until, n.lifted_at FROM ops.bans n
            WHERE n.contact_id = p_contact
        UNION ALL SELECT 'banned', n.event_id, n.until, n.lifted_at FROM ops.bans n
            WHERE n.email = p_email
        UNION ALL SELECT 'banned', n.event_id, n.until, n.lifted_at FROM ops.bans n
            WHERE right(regexp_replace(n.phone, '[^0-9]', '', 'g'), 9)
                = right(regexp_replace(p_phone, '[^0-9]', '', 'g'), 9)
              AND length(right(regexp_replace(p_phone, '[^0-9]', '', 'g'), 9)) >= 7
        UNION ALL SELECT 'perhaps', n.event_id, n.until, n.lifted_at FROM ops.bans n
            WHERE n.birth_date = p_born
              AND lower(concat_ws(' ', nullif(n.first_name, ''), nullif(n.last_name, ''))) = lower(p_name)
    ) b
    WHERE b.lifted_at IS NULL AND (b.event_id IS NULL OR b.event_id = p_event)
    -- The engine holds `until` against the time of the scan.
    ORDER BY b.until IS NULL OR b.until > now() DESC, b.kind, b.until DESC NULLS FIRST
    LIMIT 1
$$;

-- ops.special_v1: what a ticket has that few have, as ops.cache.entry.Special takes it.
-- Read by: ops.ticket_entries_v1, for tickets that have any.
CREATE FUNCTION ops.special_v1(
    p_ticket uuid, p_event uuid, p_due numeric, p_currency text, a public.attendees
) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_array(
        coalesce((SELECT json_agg(json_build_array(coalesce(s.no, 0), e.allowed,
            coalesce(floor(extract(epoch FROM e.opens_at) * 1000)::bigint, 0),
            coalesce(floor(extract(epoch FROM e.closes_at) * 1000)::bigint, 0),
            coalesce(e.passes_total, 0), coalesce(e.passes_per_day, 0),
            coalesce(e.re_entry, '')) ORDER BY e.created_at, e.id)
          FROM ops.exemptions e LEFT JOIN ops.scopes s ON s.id = e.scope_id
          WHERE e.ticket_id = p_ticket), '[]'),
        coalesce(b.kind, ''),
        coalesce(floor(extract(epoch FROM b.until) * 1000)::bigint, 0),
        coalesce(a.birth_date::text, ''),
        coalesce(w.years, 0),
        CASE WHEN p_due > 0 THEN p_due || ' ' || p_currency ELSE '' END,
        coalesce(w.questions, '[]'),
        coalesce((SELECT json_agg(json_build_array(s.no,
            coalesce(floor(extract(epoch FROM g.released_at) * 1000)::bigint, 0)) ORDER BY s.no)
          FROM ops.session_registrations g JOIN ops.scopes s ON s.session_id = g.session_id
          WHERE g.ticket_id = p_ticket AND g.status = 'released'), '[]'))
    FROM (
        SELECT max(n.years) AS years,
            json_agg(DISTINCT q.no) FILTER (WHERE q.no IS NOT NULL) AS questions
        FROM ops.answers n LEFT JOIN ops.questions q ON q.id = n.question_id
        WHERE n.ticket_id = p_ticket
    ) w
    LEFT JOIN LATERAL ops.bans_on(p_event, a.contact_id, a.email, a.phone,
        concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')), a.birth_date) b
      ON true
$$;

-- The tickets of everybody whom these bans may name.
CREATE FUNCTION ops.tickets_of_ban(b ops.bans) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT t.id FROM public.tickets t JOIN (
            SELECT a.id FROM public.attendees a WHERE a.contact_id = b.contact_id
            UNION SELECT a.id FROM public.attendees a
                WHERE b.email IS NOT NULL AND a.email = b.email
            UNION SELECT a.id FROM public.attendees a
                WHERE a.phone IS NOT NULL
                  AND right(regexp_replace(a.phone, '[^0-9]', '', 'g'), 9)
                    = right(regexp_replace(b.phone, '[^0-9]', '', 'g'), 9)
            UNION SELECT a.id FROM public.attendees a
                WHERE a.birth_date = b.birth_date
        ) AS named ON named.id = t.attendee_id
        WHERE b.event_id IS NULL OR t.event_id = b.event_id)
$$;

CREATE FUNCTION ops.ban_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM ops.bump_tickets(ops.tickets_of_ban(OLD));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM ops.bump_tickets(ops.tickets_of_ban(NEW));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_change AFTER INSERT OR UPDATE OR DELETE ON ops.bans
    FOR EACH ROW EXECUTE FUNCTION ops.ban_changed();

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.exemptions
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_inserted();
CREATE TRIGGER outbox_update AFTER UPDATE ON ops.exemptions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_updated();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.exemptions
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_deleted();

-- Answers come with scans: a note for the relay and no more. The ticket keeps its
-- version, because an answer changes nothing that an admission stands on, and no NOTIFY,
-- because a cache that has not heard of it asks PostgreSQL before it asks a person.
CREATE FUNCTION ops.answers_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.outbox (event_id, kind, key)
        SELECT DISTINCT event_id, 'ticket', ticket_id FROM new_rows;
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_insert AFTER INSERT ON ops.answers
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.answers_inserted();
CREATE TRIGGER outbox_update AFTER UPDATE ON ops.answers
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_updated();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.answers
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_deleted();

-- ops.passes_v1(ticket, scope, person): passes taken back, the latest event day with a
-- pass that counts (days since 1970), and how many passes it has.
CREATE FUNCTION ops.passes_v1(p_ticket uuid, p_scope uuid, p_person int)
RETURNS TABLE (un int, dy int, du int) LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(z.un), 0)::int,
        coalesce(max(z.dy) FILTER (WHERE z.n > 0), 0)::int,
        coalesce((array_agg(z.n ORDER BY z.dy DESC) FILTER (WHERE z.n > 0))[1], 0)::int
    FROM (
        SELECT coalesce(b.event_day - DATE '1970-01-01', 0) AS dy,
            count(*) FILTER (WHERE b.undone_at IS NULL) AS n,
            count(*) FILTER (WHERE b.undone_at IS NOT NULL) AS un
        FROM public.check_ins b
        WHERE b.ticket_id = p_ticket AND b.scope_id = p_scope AND b.person_no = p_person
        GROUP BY b.event_day
    ) z
$$;

-- ops.code_v1(event, hex): the code of a text as it was read: by the hash of the exact text,
-- else, where it may be a tag's UID, by the hash of that behind it (ops/checkin/codes.py).
CREATE FUNCTION ops.code_v1(p_event uuid, p_h text) RETURNS SETOF ops.ticket_codes
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT x.* FROM ops.ticket_codes x
    WHERE x.event_id = p_event AND x.code_hash = decode(left(p_h, 32), 'hex')
    UNION ALL
    SELECT x.* FROM ops.ticket_codes x
    WHERE length(p_h) = 64 AND x.event_id = p_event
      AND x.code_hash = decode(substr(p_h, 33), 'hex')
    LIMIT 1
$$;

-- ops.kept_v1(holds): of places that are held back, how many are still free
-- for those they are kept for; counted from these few tickets, not from all visits.
CREATE FUNCTION ops.kept_v1(p_holds uuid[]) RETURNS TABLE (id uuid, kept int)
LANGUAGE sql STABLE AS $$
    SELECT h.id, greatest(0, h.places - CASE
        WHEN h.access_class IS NOT NULL THEN (
            SELECT count(*) FROM public.tickets t
            JOIN public.check_ins ci ON ci.ticket_id = t.id
                AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
            JOIN ops.scopes s ON s.id = ci.scope_id
            WHERE t.event_id = h.event_id AND t.access_class = h.access_class
              AND t.access_class <> 'guest'
              AND (s.id = h.scope_id OR s.area_id = h.area_id))
        WHEN h.ticket_type_id IS NOT NULL THEN (
            SELECT count(*) FROM public.tickets t
            JOIN public.check_ins ci ON ci.ticket_id = t.id
                AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
            JOIN ops.scopes s ON s.id = ci.scope_id
            WHERE t.ticket_type_id = h.ticket_type_id
              AND (s.id = h.scope_id OR s.area_id = h.area_id))
        ELSE 0 END)::int
    FROM ops.held_places h WHERE h.id = ANY (p_holds)
$$;

-- ops.minutes_between: whole minutes of a visit; null if clocks disagree (core.md 29).
CREATE FUNCTION ops.minutes_between(p_from timestamptz, p_to timestamptz) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_to >= p_from THEN floor(extract(epoch FROM p_to - p_from) / 60)::int END
$$;
