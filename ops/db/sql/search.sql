-- Finding people by what they say of themselves (docs/subsystems/attendance.md).
--
-- Each attendee has one row of words. A word carries the number of its event in front
-- ("17:lukasz"), so that an index look-up never leaves the event, however many there
-- are. Beside words: "17:e=" the whole e-mail, "17:p=" the phone's digits backwards (its
-- end is what people know). Mistyped words are looked for among the words themselves
-- (ops.name_words: tens of thousands, not a million people).

-- ops.words(text): the words of a name, folded. O'Brien is obrien, o and brien.
CREATE FUNCTION ops.words(p text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT DISTINCT left(w, 100) FROM unnest(
        string_to_array(translate(f.t, c.apart || c.within,
                                  repeat(' ', length(c.apart) + length(c.within))), ' ')
        -- The second reading leaves apostrophes out (what `translate` has no place for).
        || CASE WHEN f.t ~ '[''’‘`´]' THEN
            string_to_array(translate(f.t, c.apart || c.within,
                                      repeat(' ', length(c.apart))), ' ') END) AS w
        WHERE w <> '')
    FROM (SELECT ops.fold(p) AS t) AS f,
         (SELECT E'.,;:@/\\()[]{}"_+&|<>!?*#=-\t\n\r\u00a0\u3000' AS apart,
                 E'\'’‘`´' AS within) AS c
$$;

CREATE FUNCTION ops.attendee_vector(
    p_no int, p_first text, p_last text, p_company text, p_email text, p_phone text
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(ARRAY(
        SELECT p_no || ':' || w FROM unnest(ops.words(concat_ws(' ', p_first, p_last,
            p_company, split_part(p_email, '@', 1)))) AS w
        UNION SELECT p_no || ':e=' || left(ops.fold(p_email), 300) WHERE p_email <> ''
        UNION SELECT p_no || ':p=' || reverse(right(regexp_replace(p_phone, '\D', '', 'g'), 20))
            WHERE p_phone ~ '\d.*\d.*\d'))
$$;

-- What may have been mistyped: words of letters, no numbers, no e-mails.
CREATE FUNCTION ops.speakable(p_first text, p_last text, p_company text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT w FROM unnest(ops.words(concat_ws(' ', p_first, p_last, p_company))) AS w
                 WHERE length(w) >= 3 AND w !~ '\d')
$$;

CREATE FUNCTION ops.attendees_worded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.attendee_words (attendee_id, event_id, words)
        SELECT n.id, n.event_id, ops.attendee_vector(e.no, n.first_name, n.last_name,
                                                     n.company, n.email, n.phone)
        FROM new_rows n JOIN public.events e ON e.id = n.event_id;
    -- In order, so that two imports never wait for each other in a circle.
    INSERT INTO ops.name_words (word)
        SELECT DISTINCT w FROM new_rows n,
            unnest(ops.speakable(n.first_name, n.last_name, n.company)) AS w
        WHERE NOT EXISTS (SELECT FROM ops.name_words k WHERE k.word = w)
        ORDER BY w ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- Words that nobody has any more are forgotten: an erased name is found nowhere.
CREATE FUNCTION ops.forget_words(p_words text[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM ops.name_words k WHERE k.word = ANY (p_words) AND NOT EXISTS (
        SELECT FROM public.events e JOIN ops.attendee_words a
            ON a.words @@ to_tsquery('simple', quote_literal(e.no || ':' || k.word)))
$$;

CREATE FUNCTION ops.attendees_reworded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_old text[];
BEGIN
    SELECT array_agg(n.id), array_agg(concat_ws(' ', o.first_name, o.last_name, o.company))
    INTO v_ids, v_old FROM new_rows n JOIN old_rows o USING (id)
    WHERE (n.first_name, n.last_name, n.company, n.email, n.phone, n.event_id)
        IS DISTINCT FROM
          (o.first_name, o.last_name, o.company, o.email, o.phone, o.event_id);
    IF v_ids IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE ops.attendee_words a SET event_id = n.event_id,
        words = ops.attendee_vector(e.no, n.first_name, n.last_name, n.company, n.email,
                                    n.phone)
    FROM new_rows n JOIN public.events e ON e.id = n.event_id
    WHERE a.attendee_id = n.id AND n.id = ANY (v_ids);
    INSERT INTO ops.name_words (word)
        SELECT DISTINCT w FROM new_rows n,
            unnest(ops.speakable(n.first_name, n.last_name, n.company)) AS w
        WHERE n.id = ANY (v_ids) ORDER BY w ON CONFLICT DO NOTHING;
    PERFORM ops.forget_words(ARRAY(SELECT DISTINCT w FROM unnest(v_old) AS t,
                                   unnest(ops.words(t)) AS w));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.attendees_unworded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.forget_words(ARRAY(SELECT DISTINCT w FROM old_rows o,
        unnest(ops.speakable(o.first_name, o.last_name, o.company)) AS w LIMIT 10000));
    RETURN NULL;
END
$$;

CREATE TRIGGER words_insert AFTER INSERT ON public.attendees
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.attendees_worded();
CREATE TRIGGER words_update AFTER UPDATE ON public.attendees
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.attendees_reworded();
-- After the cascade that takes the rows of words (triggers run by name).
CREATE TRIGGER words_delete AFTER DELETE ON public.attendees
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.attendees_unworded();

-- ops.search_attendees_v1(event, what was typed): the best first, at most `p_limit`;
-- `found` is how many there are (500 means: or more). Rounds, each only if the one
-- before found too few: the words as they are; their beginnings; words like them.
CREATE FUNCTION ops.search_attendees_v1(p_event uuid, p_q text, p_limit int)
RETURNS TABLE (attendee_id uuid, found int) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET pg_trgm.similarity_threshold = 0.35
AS $$
DECLARE
    v_no int := (SELECT e.no FROM events e WHERE e.id = p_event);
    v_fold text := ops.fold(p_q);
    v_words text[] := ops.words(p_q);
    v_digits text := regexp_replace(p_q, '\D', '', 'g');
    v_ids uuid[] := '{}';
    v_exact tsquery;
    v_start tsquery;
    v_like tsquery;
    v_word text;
    v_near text[];
BEGIN
    IF position('@' IN p_q) > 0 THEN
        v_ids := ARRAY(SELECT w.attendee_id FROM ops.attendee_words w WHERE w.words @@
            (quote_literal(v_no || ':e=' || v_fold) || ':*')::tsquery LIMIT 500);
    ELSE
        IF length(v_digits) >= 3 AND p_q ~ '^[\d\s+()./-]+$' THEN
            v_ids := ARRAY(SELECT w.attendee_id FROM ops.attendee_words w WHERE w.words @@
                (quote_literal(v_no || ':p=' || reverse(v_digits)) || ':*')::tsquery LIMIT 500);
        END IF;
        IF p_q !~ '\s' AND length(p_q) >= 4 THEN
            v_ids := v_ids || ARRAY(
                SELECT t.attendee_id FROM ops.ticket_codes c JOIN tickets t ON t.id = c.ticket_id
                WHERE c.event_id = p_event AND t.attendee_id IS NOT NULL
                  AND c.hint IN ('…' || right(p_q, 4), '…' || right(upper(p_q), 4)) LIMIT 500);
            v_ids := v_ids || ARRAY(
                SELECT a.id FROM orders o JOIN attendees a ON a.order_id = o.id
                WHERE o.event_id = p_event AND o.order_number IN
                    (p_q, upper(p_q), ltrim(p_q, '#')) LIMIT 500);
            v_ids := v_ids || ARRAY(
                SELECT t.attendee_id FROM orders o JOIN tickets t ON t.order_id = o.id
                WHERE o.event_id = p_event AND t.attendee_id IS NOT NULL
                  AND o.order_number IN (p_q, upper(p_q), ltrim(p_q, '#')) LIMIT 500);
        END IF;
        FOREACH v_word IN ARRAY v_words LOOP
            v_exact := coalesce(v_exact && quote_literal(v_no || ':' || v_word)::tsquery,
                                quote_literal(v_no || ':' || v_word)::tsquery);
            -- A family name of one sign begins the full name where nobody writes spaces.
            v_start := coalesce(v_start && (quote_literal(v_no || ':' || v_word) || CASE
                    WHEN length(v_word) >= 3 OR v_word ~ '[^\x01-\x7f]' THEN ':*' ELSE '' END)::tsquery,
                (quote_literal(v_no || ':' || v_word) || CASE
                    WHEN length(v_word) >= 3 OR v_word ~ '[^\x01-\x7f]' THEN ':*' ELSE '' END)::tsquery);
        END LOOP;
        v_ids := v_ids || ARRAY(SELECT w.attendee_id FROM ops.attendee_words w
                                WHERE w.words @@ v_exact LIMIT 500);
        IF cardinality(v_ids) < p_limit THEN
            v_ids := v_ids || ARRAY(SELECT w.attendee_id FROM ops.attendee_words w
                                    WHERE w.words @@ v_start LIMIT 500);
        END IF;
        IF cardinality(v_ids) < p_limit AND v_fold ~ '[[:alpha:]]' THEN
            FOREACH v_word IN ARRAY v_words LOOP
                v_near := ARRAY(SELECT k.word FROM ops.name_words k
                    WHERE k.word % v_word AND length(v_word) >= 3
                    ORDER BY similarity(k.word, v_word) DESC, k.word LIMIT 8)
                    -- Two letters in the wrong order share too few trigrams.
                    || ARRAY(SELECT overlay(v_word PLACING reverse(substr(v_word, g, 2))
                                            FROM g FOR 2)
                             FROM generate_series(1, least(length(v_word), 40) - 1) AS g)
                    || v_word;
                v_like := coalesce(v_like && (SELECT string_agg(quote_literal(v_no || ':' || n), ' | ')
                        FROM unnest(v_near) AS n)::tsquery,
                    (SELECT string_agg(quote_literal(v_no || ':' || n), ' | ')
                        FROM unnest(v_near) AS n)::tsquery);
            END LOOP;
            v_ids := v_ids || ARRAY(SELECT w.attendee_id FROM ops.attendee_words w
                                    WHERE w.words @@ v_like LIMIT 500);
        END IF;
    END IF;
    RETURN QUERY
        WITH ranked AS (
            SELECT u.id, min(u.at) AS at FROM unnest(v_ids) WITH ORDINALITY AS u(id, at) GROUP BY u.id
        )
        SELECT r.id, least(500, count(*) OVER ())::int FROM ranked r JOIN attendees a ON a.id = r.id
        ORDER BY similarity(ops.fold(concat_ws(' ', a.first_name, a.last_name)), v_fold) DESC,
                 r.at, a.last_name, a.first_name, a.id
        LIMIT p_limit;
END
$$;
