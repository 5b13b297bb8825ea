-- Seats of sessions: who has one, who waits, whose is given away.
--
-- sessions.current_registrations is kept by triggers from the rows themselves, whoever
-- writes them. The functions below lock the session first, then tickets: one order, so
-- that two of them never wait for each other in a circle. None of them deletes a row.

CREATE FUNCTION ops.registrations_counted(p_sessions uuid[], p_by int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.sessions s
    SET current_registrations = coalesce(s.current_registrations, 0) + locked.by
    FROM (
        SELECT x.id, d.by FROM public.sessions x
        JOIN (SELECT u.id, sum(u.by)::int AS by
              FROM unnest(p_sessions, p_by) AS u(id, by) GROUP BY u.id) d ON d.id = x.id
        WHERE d.by <> 0 ORDER BY x.id FOR NO KEY UPDATE OF x
    ) AS locked
    WHERE s.id = locked.id;
END
$$;

CREATE FUNCTION ops.registrations_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.registrations_counted(array_agg(session_id), array_agg(1))
    FROM new_rows WHERE status = 'registered' HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.registrations_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.registrations_counted(array_agg(session_id), array_agg(by)) FROM (
        SELECT session_id, 1 AS by FROM new_rows WHERE status = 'registered'
        UNION ALL SELECT session_id, -1 FROM old_rows WHERE status = 'registered') AS m
    HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.registrations_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.registrations_counted(array_agg(session_id), array_agg(-1))
    FROM old_rows WHERE status = 'registered' HAVING count(*) > 0;
    RETURN NULL;
END
$$;

-- Named so that they come before the note for the door: sessions first, then tickets.
CREATE TRIGGER count_insert AFTER INSERT ON ops.session_registrations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.registrations_inserted();
CREATE TRIGGER count_update AFTER UPDATE ON ops.session_registrations
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.registrations_updated();
CREATE TRIGGER count_delete AFTER DELETE ON ops.session_registrations
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.registrations_deleted();

-- ops.tell_fact(): one row of ops.facts with what every fact has.
CREATE FUNCTION ops.tell_fact(p_event uuid, p_kind text, p_now timestamptz, p_more jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO ops.facts (event_id, kind, v, payload, at)
    VALUES (p_event, p_kind, 1, jsonb_build_object(
        'kind', p_kind, 'v', 1, 'event_id', p_event, 'at', p_now) || p_more, p_now)
$$;

-- ops.promote_v1(session): give free seats to those who wait, at once. Once the session
-- has begun, who stands at the door comes before who waits elsewhere.
-- Returns the tickets that got a seat. The caller holds the session's row.
CREATE FUNCTION ops.promote_v1(p_session uuid, p_now timestamptz) RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
    v_tickets uuid[];
BEGIN
    WITH seats AS (
        SELECT s.id, s.event_id, s.start_time,
               s.max_attendees - coalesce(s.current_registrations, 0) AS free
        FROM sessions s
        WHERE s.id = p_session AND p_now < s.end_time
          AND s.status NOT IN ('cancelled', 'postponed', 'completed')
    ), next AS (
        SELECT r.id FROM ops.session_registrations r JOIN seats ON seats.id = r.session_id
        WHERE r.status = 'waitlist'
        ORDER BY r.standby_at IS NULL OR p_now < seats.start_time,
                 CASE WHEN p_now >= seats.start_time THEN r.standby_at END,
                 r.position, r.registered_at, r.id
        LIMIT (SELECT CASE WHEN free IS NULL THEN 1000000 ELSE greatest(0, free) END
               FROM seats)
    ), promoted AS (
        UPDATE ops.session_registrations r
        SET status = 'registered', promoted_at = p_now, position = NULL,
            released_at = NULL
        FROM next WHERE r.id = next.id
        RETURNING r.event_id, r.ticket_id
    ), told AS (
        SELECT p.ticket_id, ops.tell_fact(p.event_id, 'registration_promoted', p_now,
            jsonb_build_object('session_id', p_session, 'ticket_id', p.ticket_id))
        FROM promoted p
    )
    SELECT array_agg(ticket_id) INTO v_tickets FROM told;
    RETURN coalesce(v_tickets, '{}');
END
$$;

CREATE FUNCTION ops.registration_said(
    p_status text, p_reason text, p_position int, p_replayed boolean, p_session uuid
) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object('status', p_status, 'reason', p_reason,
        'position', p_position, 'replayed', p_replayed,
        'seats_left', greatest(0, s.max_attendees - coalesce(s.current_registrations, 0)))
    FROM (SELECT 1) AS one LEFT JOIN sessions s ON s.id = p_session
$$;

-- ops.register_v1: a seat for a ticket, or a place in the waitlist, or why not.
--
-- p_at_door: a steward registers a walk-up; the deadline does not count then.
-- p_standby: the person stands at the door and waits for a seat that becomes free.
-- Returns {"status": registered | waitlist | refused, "reason", "position",
--          "replayed", "seats_left"}
CREATE FUNCTION ops.register_v1(
    p_event uuid, p_session uuid, p_ticket uuid, p_now timestamptz,
    p_at_door boolean, p_standby boolean
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    v_s sessions%ROWTYPE;
    v_t record;
    v_r ops.session_registrations%ROWTYPE;
    v_why text;
    v_position int;
BEGIN
    SELECT * INTO v_s FROM sessions WHERE id = p_session AND event_id = p_event
        FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN ops.registration_said('refused', 'session_not_found', NULL, false, NULL);
    END IF;
    SELECT id, state, attendee_id, access_class INTO v_t FROM tickets
        WHERE id = p_ticket AND event_id = p_event FOR NO KEY UPDATE;
    SELECT * INTO v_r FROM ops.session_registrations
        WHERE session_id = p_session AND ticket_id = p_ticket;
    IF v_r.status = 'registered' OR (v_r.status = 'waitlist' AND NOT p_standby) THEN
        RETURN ops.registration_said(v_r.status, 'ok', v_r.position, true, p_session);
    END IF;
    v_why := CASE
        WHEN v_t.id IS NULL THEN 'ticket_not_found'
        WHEN v_t.state <> 'valid' THEN 'ticket_not_valid'
        WHEN v_t.access_class <> 'guest' THEN 'no_seat_needed'
        WHEN v_s.status IN ('cancelled', 'postponed', 'completed') THEN 'session_off'
        WHEN p_now >= v_s.end_time THEN 'session_over'
        WHEN p_at_door AND v_s.door_mode = 'registered' AND NOT p_standby
            AND v_s.seats_released_at IS NULL THEN 'registered_only'
        WHEN NOT p_at_door AND p_now >= coalesce(v_s.registration_deadline, v_s.start_time)
            THEN 'registration_closed'
    END;
    IF v_why IS NOT NULL THEN
        RETURN ops.registration_said('refused', v_why, NULL, false, p_session);
    END IF;
    IF v_s.max_attendees IS NULL
        OR coalesce(v_s.current_registrations, 0) < v_s.max_attendees THEN
        INSERT INTO ops.session_registrations AS r
            (id, session_id, event_id, attendee_id, ticket_id, status, registered_at)
        VALUES (gen_random_uuid(), p_session, p_event, v_t.attendee_id, p_ticket,
                'registered', p_now)
        ON CONFLICT (session_id, ticket_id) DO UPDATE
            SET status = 'registered', registered_at = p_now, position = NULL,
                attendee_id = v_t.attendee_id, cancelled_at = NULL, released_at = NULL;
        RETURN ops.registration_said('registered', 'ok', NULL, false, p_session);
    END IF;
    IF NOT p_standby AND NOT coalesce(v_s.waitlist_enabled, false) THEN
        RETURN ops.registration_said('refused', 'session_full', NULL, false, p_session);
    END IF;
    SELECT coalesce(max(position), 0) + 1 INTO v_position
        FROM ops.session_registrations
        WHERE session_id = p_session AND status = 'waitlist';
    INSERT INTO ops.session_registrations AS r
        (id, session_id, event_id, attendee_id, ticket_id, status, position,
         registered_at, standby_at)
    VALUES (gen_random_uuid(), p_session, p_event, v_t.attendee_id, p_ticket,
            'waitlist', v_position, p_now, CASE WHEN p_standby THEN p_now END)
    ON CONFLICT (session_id, ticket_id) DO UPDATE
        SET status = 'waitlist', position = coalesce(r.position, v_position),
            standby_at = coalesce(r.standby_at, excluded.standby_at),
            attendee_id = v_t.attendee_id, cancelled_at = NULL
    RETURNING position INTO v_position;
    RETURN ops.registration_said('waitlist', 'ok', v_position, v_r.status = 'waitlist',
                                 p_session);
END
$$;

-- ops.cancel_registration_v1: the seat goes to the first who waits, in the same
-- transaction. Returns {"status", "replayed", "promoted": [tickets]}; null: no such row.
CREATE FUNCTION ops.cancel_registration_v1(
    p_event uuid, p_session uuid, p_ticket uuid, p_now timestamptz
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    v_changed int;
    v_promoted uuid[] := '{}';
BEGIN
    PERFORM 1 FROM sessions WHERE id = p_session AND event_id = p_event FOR NO KEY UPDATE;
    UPDATE ops.session_registrations
    SET status = 'cancelled', cancelled_at = p_now, position = NULL, standby_at = NULL
    WHERE session_id = p_session AND event_id = p_event AND ticket_id = p_ticket
      AND status <> 'cancelled';
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    IF v_changed = 0 AND NOT EXISTS (
        SELECT FROM ops.session_registrations WHERE session_id = p_session
            AND event_id = p_event AND ticket_id = p_ticket) THEN
        RETURN NULL;
    END IF;
    v_promoted := ops.promote_v1(p_session, p_now);
    RETURN json_build_object('status', 'cancelled', 'replayed', v_changed = 0,
                             'promoted', to_json(v_promoted));
END
$$;

-- ops.seats_due_v1: what is due by the clock, for all sessions that are under way:
-- unclaimed seats `seat_release_minutes` after the start (less than 0: never), and seats
-- left by a real exit `seat_hold_minutes` ago. Somebody who got a seat meanwhile has the
-- holding time to come. Freed seats go to those who wait. Returns how many were freed.
CREATE FUNCTION ops.seats_due_v1(p_now timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_s record;
    v_freed int;
    v_all int := 0;
BEGIN
    FOR v_s IN
        SELECT s.id, s.event_id, s.seats_released_at, c.id AS scope_id, c.tracks_exits,
               s.start_time + make_interval(mins => s.seat_release_minutes) AS due,
               make_interval(mins => s.seat_hold_minutes) AS hold
        FROM sessions s LEFT JOIN ops.scopes c ON c.session_id = s.id
        WHERE s.door_mode IN ('registered', 'register') AND s.seat_release_minutes >= 0
          AND s.status NOT IN ('cancelled', 'postponed', 'completed')
          AND p_now >= s.start_time AND p_now < s.end_time
        ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    LOOP
        IF v_s.seats_released_at IS NULL AND p_now >= v_s.due THEN
            UPDATE sessions SET seats_released_at = p_now WHERE id = v_s.id;
        END IF;
        WITH visits AS (
            SELECT r.id, max(ci.checked_out_at) AS left_at,
                   bool_or(ci.checked_out_at IS NULL OR ci.exit_assumed) AS stays,
                   count(ci.id) AS times
            FROM ops.session_registrations r
            LEFT JOIN check_ins ci ON ci.ticket_id = r.ticket_id
                AND ci.scope_id = v_s.scope_id AND ci.undone_at IS NULL
            WHERE r.session_id = v_s.id AND r.status = 'registered'
            GROUP BY r.id
        )
        UPDATE ops.session_registrations r
        SET status = 'released', released_at = p_now
        FROM visits v
        WHERE r.id = v.id AND CASE
            WHEN v.times = 0 THEN p_now >= greatest(v_s.due,
                coalesce(r.promoted_at, '-infinity') + v_s.hold,
                CASE WHEN r.registered_at >= v_s.due - v_s.hold
                     THEN r.registered_at + v_s.hold ELSE '-infinity' END)
            ELSE v_s.tracks_exits AND NOT v.stays
                AND p_now >= greatest(v.left_at, coalesce(r.promoted_at, '-infinity'))
                             + v_s.hold
        END;
        GET DIAGNOSTICS v_freed = ROW_COUNT;
        IF v_freed > 0 THEN
            PERFORM ops.tell_fact(v_s.event_id, 'seats_released', p_now,
                jsonb_build_object('session_id', v_s.id, 'seats', v_freed));
        END IF;
        PERFORM ops.promote_v1(v_s.id, p_now)
            WHERE EXISTS (SELECT FROM ops.session_registrations
                          WHERE session_id = v_s.id AND status = 'waitlist');
        v_all := v_all + v_freed;
    END LOOP;
    RETURN v_all;
END
$$;

-- A smaller room takes nobody's seat: it tells by how many it is too small. A larger one
-- gives its seats to those who wait.
CREATE FUNCTION ops.session_resized() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.max_attendees < NEW.current_registrations THEN
        PERFORM ops.tell_fact(NEW.event_id, 'alert', now(), jsonb_build_object(
            'alert', 'too_many_registered', 'session_id', NEW.id,
            'registered', NEW.current_registrations, 'places', NEW.max_attendees,
            'too_many', NEW.current_registrations - NEW.max_attendees));
    ELSE
        PERFORM ops.promote_v1(NEW.id, now());
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER resized AFTER UPDATE OF max_attendees ON public.sessions
    FOR EACH ROW WHEN (OLD.max_attendees IS DISTINCT FROM NEW.max_attendees)
    EXECUTE FUNCTION ops.session_resized();

-- ops.media_due_v1: a band with several tickets opens the one that is valid now.
CREATE FUNCTION ops.media_due_v1(p_now timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_tickets uuid[];
BEGIN
    SELECT array_agg(b.code_id), array_agg(b.ticket_id) INTO v_ids, v_tickets FROM (
        SELECT DISTINCT ON (m.code_id) m.code_id, t.id AS ticket_id
        FROM ops.media_tickets m JOIN tickets t ON t.id = m.ticket_id
        WHERE t.state = 'valid' AND (t.valid_from IS NULL OR t.valid_from <= p_now)
          AND (t.valid_to IS NULL OR t.valid_to > p_now)
        ORDER BY m.code_id, t.valid_from DESC NULLS LAST, t.id) AS b
    JOIN ops.ticket_codes c ON c.id = b.code_id
        AND c.ticket_id <> b.ticket_id AND c.revoked_at IS NULL;
    IF v_ids IS NULL THEN
        RETURN 0;
    END IF;
    UPDATE ops.ticket_codes c SET ticket_id = u.ticket_id
    FROM unnest(v_ids, v_tickets) AS u(id, ticket_id) WHERE c.id = u.id;
    RETURN cardinality(v_ids);
END
$$;
