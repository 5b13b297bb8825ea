-- What a foreign key or a grant cannot say.

-- ops.refuse_change(): the audit log is only ever added to, a fact is never altered.
CREATE FUNCTION ops.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'rows of this table are never altered';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
-- Old facts may be deleted when their time is over, never rewritten.
CREATE TRIGGER append_only BEFORE UPDATE ON ops.facts
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- vouchers.applicable_ticket_types: the elements refer to ticket_types, which an
-- array column cannot declare. KEY SHARE holds the types until this transaction ends.
CREATE FUNCTION ops.check_voucher_types() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing uuid;
BEGIN
    PERFORM 1 FROM public.ticket_types t
        WHERE t.id = ANY (NEW.applicable_ticket_types) ORDER BY t.id FOR KEY SHARE;
    SELECT wanted INTO missing FROM unnest(NEW.applicable_ticket_types) AS wanted
        WHERE NOT EXISTS (SELECT FROM public.ticket_types t WHERE t.id = wanted)
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'voucher % names a ticket type that does not exist: %',
            NEW.id, coalesce(missing::text, 'null')
            USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public',
                  TABLE = 'vouchers', COLUMN = 'applicable_ticket_types',
                  CONSTRAINT = 'fk_vouchers_applicable_ticket_types_ticket_types';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER check_types_insert AFTER INSERT ON public.vouchers
    FOR EACH ROW WHEN (NEW.applicable_ticket_types IS NOT NULL)
    EXECUTE FUNCTION ops.check_voucher_types();
CREATE TRIGGER check_types_update AFTER UPDATE OF applicable_ticket_types
    ON public.vouchers
    FOR EACH ROW WHEN (NEW.applicable_ticket_types IS NOT NULL)
    EXECUTE FUNCTION ops.check_voucher_types();

CREATE FUNCTION ops.keep_voucher_types() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.vouchers v
        WHERE v.applicable_ticket_types && ARRAY(
            SELECT id FROM old_rows EXCEPT SELECT id FROM public.ticket_types)
    ) THEN
        RAISE EXCEPTION 'a voucher still names this ticket type'
            USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public',
                  TABLE = 'vouchers', COLUMN = 'applicable_ticket_types',
                  CONSTRAINT = 'fk_vouchers_applicable_ticket_types_ticket_types';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER keep_voucher_types_delete AFTER DELETE ON public.ticket_types
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.keep_voucher_types();
