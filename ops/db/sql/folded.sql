-- What searches compare, before the tables, because indexes hold it.
-- Both extensions come with PostgreSQL and are trusted.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

-- ops.fold(text): no accents, small letters. IMMUTABLE because the dictionary is named;
-- the collation is the best that this server has for letters beyond Latin.
DO $$
DECLARE
    best text;
BEGIN
    SELECT quote_ident(collname) INTO best FROM pg_collation
    WHERE collname IN ('pg_c_utf8', 'C.utf8', 'C.UTF-8', 'und-x-icu')
      AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
    ORDER BY array_position(ARRAY['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8'],
                            collname::text) LIMIT 1;
    EXECUTE format($f$
        CREATE FUNCTION ops.fold(p text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
            SELECT lower(public.unaccent('public.unaccent'::regdictionary, p) %s)
        $body$ $f$, CASE WHEN best IS NULL THEN '' ELSE 'COLLATE ' || best END);
END
$$;

-- ops.sought(text): folded, and without apostrophes, which people leave out or write in
-- five ways: O'Brien and O’Brien are obrien.
CREATE FUNCTION ops.sought(p text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(ops.fold(p), E'\'’‘`´', '')
$$;

-- ops.searched(..): the text that a list's search looks through; a space stands before
-- the first word too, so that "% li%" finds words that begin so. Nulls are left out.
CREATE FUNCTION ops.searched(VARIADIC text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ' ' || ops.sought(array_to_string($1, ' '))
$$;
