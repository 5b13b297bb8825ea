-- ops.places_refused_v1(needs): the scans of a batch for which a hard limit has no room.
--
-- needs: [{"i": order of arrival, "c": id of a scope or an area, "n": people,
--          "h": held places that are not for them}]
-- Places are given in order of arrival; a scan fits only if every limit on its way has
-- room. Called under the event's advisory lock, so what it reads stays true.
CREATE OR REPLACE FUNCTION ops.places_refused_v1(p_needs json)
RETURNS TABLE (i int, fits int) LANGUAGE plpgsql AS $$
DECLARE
  v_left jsonb;
  v_kept jsonb := '{}';
  v_needs jsonb;
  v_item record;
BEGIN
  SELECT jsonb_object_agg(c.id, c.room) INTO v_left FROM (
    SELECT s.id, s.capacity - s.inside AS room FROM ops.scopes s
    WHERE s.capacity IS NOT NULL AND s.id IN (SELECT (x ->> 'c')::uuid FROM json_array_elements(p_needs) x)
    UNION ALL
    SELECT a.id, a.capacity - a.inside - a.manual - a.disputed FROM ops.areas a
    WHERE a.capacity IS NOT NULL AND a.id IN (SELECT (x ->> 'c')::uuid FROM json_array_elements(p_needs) x)
  ) c;
  IF position('"h":[' IN p_needs::text) > 0 THEN
    SELECT coalesce(jsonb_object_agg(k.id, k.kept), '{}') INTO v_kept
    FROM ops.kept_v1(ARRAY(SELECT DISTINCT h::uuid FROM json_array_elements(p_needs) x,
      json_array_elements_text(coalesce(x -> 'h', '[]')) h)) k;
  END IF;
  SELECT jsonb_agg(jsonb_build_object('i', q.i, 'c', q.c, 'n', q.n, 'k', coalesce((
    SELECT sum((v_kept ->> one.id)::int) FROM jsonb_array_elements_text(q.h) AS one(id)), 0)))
  INTO v_needs FROM json_to_recordset(p_needs) AS q(i int, c text, n int, h jsonb);
  -- The common case: all of them fit.
  IF NOT EXISTS (
    SELECT 1 FROM jsonb_to_recordset(v_needs) AS q(c text, n int, k int)
    GROUP BY q.c HAVING sum(q.n) > (v_left ->> q.c)::int - max(q.k)
  ) THEN
    RETURN;
  END IF;
  FOR v_item IN
    SELECT q.i, array_agg(q.c) AS places, max(q.n) AS people,
      array_agg(q.n) AS needs, array_agg(q.k) AS kept
    FROM jsonb_to_recordset(v_needs) AS q(i int, c text, n int, k int)
    GROUP BY q.i ORDER BY q.i
  LOOP
    SELECT min((v_left ->> u.c)::int - u.k), v_item.i
    INTO fits, i FROM unnest(v_item.places, v_item.kept) AS u(c, k) WHERE v_left ? u.c;
    IF fits < v_item.people THEN
      fits := greatest(fits, 0);
      RETURN NEXT;
    ELSE
      SELECT v_left || jsonb_object_agg(u.c, (v_left ->> u.c)::int - u.n) INTO v_left
      FROM unnest(v_item.places, v_item.needs) AS u(c, n) WHERE v_left ? u.c;
    END IF;
  END LOOP;
END
$$;
