"""The SQL of the import. Rows go in as one JSON array a statement, written as text,
so that it does not matter how a connection treats jsonb.

Every statement is written so that running it again with the same rows changes nothing.
An empty cell never clears what is there: another export of the same seller may lack
the column.
"""

from __future__ import annotations

_KNOWN = """
SELECT t.id AS ticket_id, t.attendee_id, t.order_id, t.state, t.blocked_reason,
       coalesce(o.source, 'direct') AS seller,
       coalesce(o.order_number, '') AS order_number,
       o.external_ref AS order_ref, a.custom->>'import' AS content,
       coalesce(a.custom ? 'erased', false) AS erased,
       coalesce(b.email LIKE 'erased-%@erased.invalid', false) AS buyer_erased, {more}
FROM {source}
LEFT JOIN public.orders o ON o.id = t.order_id
LEFT JOIN public.contacts b ON b.id = o.contact_id
LEFT JOIN public.attendees a ON a.id = t.attendee_id
"""

# Joins with the list, not `= ANY`: compared with a thousand values row by row, each
# chunk of an import would take longer than the one before.

# Revoked codes as well: a code that was replaced here is not sold anew.
KNOWN_BY_CODE = _KNOWN.format(
    more="c.code_hash",
    source="""unnest($2::bytea[]) AS given (code_hash)
JOIN ops.ticket_codes c ON c.event_id = $1 AND c.code_hash = given.code_hash
JOIN public.tickets t ON t.id = c.ticket_id""",
)

KNOWN_BY_REF = _KNOWN.format(
    more="t.external_ref",
    source="""unnest($2::text[]) AS given (ref)
JOIN public.tickets t ON t.event_id = $1 AND t.external_ref = given.ref""",
)

INSERT_CONTACTS = """
INSERT INTO public.contacts (id, email, first_name, last_name, phone, lead_source)
SELECT id, email, first_name, last_name, phone, 'event'
FROM jsonb_to_recordset($1::text::jsonb) AS r
    (id uuid, email text, first_name text, last_name text, phone text)
ON CONFLICT (email) DO NOTHING
"""

# A contact that was merged is another name of the one that stayed.
CONTACTS = """
SELECT coalesce(merged_into_id, id) AS id, email FROM public.contacts
WHERE email = ANY($1::text[])
"""

# By the seller's number, and by the plain number, which another seller may have taken.
ORDERS = """
SELECT o.id, o.external_ref, o.order_number
FROM unnest($2::text[]) AS given (ref)
JOIN public.orders o ON o.event_id = $1 AND o.external_ref = given.ref
UNION
SELECT o.id, o.external_ref, o.order_number
FROM unnest($3::text[]) AS given (number)
JOIN public.orders o ON o.event_id = $1 AND o.order_number = given.number
"""

_ORDER = """
jsonb_to_recordset($1::text::jsonb) AS r
    (id uuid, event_id uuid, contact_id uuid, order_number text, currency text,
     total numeric, amount_paid numeric, status text, source text, external_ref text,
     language text, placed_at timestamptz)
"""

INSERT_ORDERS = f"""
INSERT INTO public.orders
    (id, event_id, contact_id, order_number, currency, subtotal, total, amount_paid,
     status, source, external_ref, language, placed_at)
SELECT id, event_id, contact_id, order_number, currency, total, total, amount_paid,
       status, source, external_ref, language, placed_at
FROM {_ORDER}
"""

UPDATE_ORDERS = f"""
UPDATE public.orders o
SET contact_id = coalesce(o.contact_id, r.contact_id), currency = r.currency,
    subtotal = r.total, total = r.total, amount_paid = r.amount_paid,
    status = r.status, language = coalesce(r.language, o.language),
    placed_at = coalesce(r.placed_at, o.placed_at)
FROM {_ORDER}
WHERE o.id = r.id
  AND (o.status, o.total, o.amount_paid, o.currency)
      IS DISTINCT FROM (r.status, r.total, r.amount_paid, r.currency)
"""

_ATTENDEE = """
jsonb_to_recordset($1::text::jsonb) AS r
    (id uuid, event_id uuid, contact_id uuid, order_id uuid, first_name text,
     last_name text, email text, email_as_given text, phone text, company text,
     job_title text, language text, notes text[], custom jsonb)
"""

INSERT_ATTENDEES = f"""
INSERT INTO public.attendees
    (id, event_id, contact_id, order_id, first_name, last_name, email, email_as_given,
     phone, company, job_title, language, notes, custom)
SELECT id, event_id, contact_id, order_id, first_name, last_name, email, email_as_given,
       phone, company, job_title, language, notes, custom
FROM {_ATTENDEE}
"""

UPDATE_ATTENDEES = f"""
UPDATE public.attendees a
SET contact_id = coalesce(r.contact_id, a.contact_id), order_id = r.order_id,
    first_name = CASE WHEN r.first_name = '' THEN a.first_name ELSE r.first_name END,
    last_name = CASE WHEN r.first_name = '' THEN a.last_name ELSE r.last_name END,
    email = coalesce(r.email, a.email),
    email_as_given = coalesce(r.email_as_given, a.email_as_given),
    phone = coalesce(r.phone, a.phone), company = coalesce(r.company, a.company),
    job_title = coalesce(r.job_title, a.job_title),
    language = coalesce(r.language, a.language),
    notes = CASE WHEN r.notes = '{{}}' THEN a.notes ELSE r.notes END,
    custom = a.custom || r.custom
FROM {_ATTENDEE}
WHERE a.id = r.id
"""

_TICKET = """
jsonb_to_recordset($1::text::jsonb) AS r
    (id uuid, event_id uuid, order_id uuid, attendee_id uuid, ticket_type_id uuid,
     state text, blocked_reason text, admits int, price numeric, currency text,
     seat_label text, valid_from timestamptz, valid_to timestamptz,
     keeps_windows bool, external_ref text)
"""

INSERT_TICKETS = f"""
INSERT INTO public.tickets
    (id, event_id, order_id, attendee_id, ticket_type_id, state, blocked_reason,
     access_class, admits, price, currency, seat_label, valid_from, valid_to,
     external_ref)
SELECT r.id, r.event_id, r.order_id, r.attendee_id, r.ticket_type_id, r.state,
       r.blocked_reason, y.access_class, coalesce(r.admits, y.admits),
       coalesce(r.price, 0), r.currency, r.seat_label, r.valid_from, r.valid_to,
       r.external_ref
FROM {_TICKET} JOIN public.ticket_types y ON y.id = r.ticket_type_id
"""

UPDATE_TICKETS = f"""
UPDATE public.tickets t
SET order_id = r.order_id, attendee_id = r.attendee_id,
    ticket_type_id = r.ticket_type_id, state = r.state,
    blocked_reason = r.blocked_reason, admits = coalesce(r.admits, t.admits),
    price = coalesce(r.price, t.price), currency = r.currency,
    seat_label = coalesce(r.seat_label, t.seat_label),
    valid_from = CASE WHEN r.keeps_windows THEN t.valid_from ELSE r.valid_from END,
    valid_to = CASE WHEN r.keeps_windows THEN t.valid_to ELSE r.valid_to END,
    external_ref = coalesce(r.external_ref, t.external_ref)
FROM {_TICKET}
WHERE t.id = r.id
"""

INSERT_CODES = """
INSERT INTO ops.ticket_codes
    (id, event_id, code_hash, ticket_id, kind, hint, text_sealed, issued_at)
SELECT id, event_id, code_hash, ticket_id, kind, hint, text_sealed, issued_at
FROM jsonb_to_recordset($1::text::jsonb) AS r
    (id uuid, event_id uuid, code_hash bytea, ticket_id uuid, kind text, hint text,
     text_sealed bytea, issued_at timestamptz)
"""

REVOKE_CODES = """
UPDATE ops.ticket_codes c
SET revoked_at = $2, revoked_reason = 'reissued', replaced_by = r.code_id
FROM jsonb_to_recordset($1::text::jsonb) AS r (ticket_id uuid, code_id uuid)
WHERE c.ticket_id = r.ticket_id AND c.kind = 'imported' AND c.id <> r.code_id
  AND c.revoked_at IS NULL
"""

EVENT = """
SELECT id, no, title, currency, timezone FROM public.events
WHERE id::text = lower($1) OR slug = $1
"""

TYPES = """
SELECT id, name FROM public.ticket_types WHERE event_id = $1 ORDER BY created_at, id
"""

INSERT_TYPES = """
INSERT INTO public.ticket_types
    (id, event_id, name, description, ticket_category, price, currency)
SELECT id, event_id, name, description, ticket_category, price, currency
FROM jsonb_to_recordset($1::text::jsonb) AS r
    (id uuid, event_id uuid, name text, description text, ticket_category text,
     price numeric, currency text)
"""

# Tickets that the seller no longer lists: told to the organiser, never changed.
STANDING = """
SELECT t.id, o.order_number,
       trim(concat(a.first_name, ' ', a.last_name)) AS holder
FROM public.tickets t
JOIN public.orders o ON o.id = t.order_id
LEFT JOIN public.attendees a ON a.id = t.attendee_id
WHERE t.event_id = $1 AND o.source = $2
  AND t.state NOT IN ('cancelled', 'refunded', 'expired')
ORDER BY o.order_number, t.id
"""

# The second key is the event's number, so that events never wait for each other.
LOCK = "SELECT pg_try_advisory_lock(73129, $1)"
UNLOCK = "SELECT pg_advisory_unlock(73129, $1)"

START_RUN = """
INSERT INTO ops.import_runs
    (id, event_id, file_name, file_hash, mapping, state, created_by, created_at)
VALUES ($1, $2, $3, $4, $5::text::jsonb, 'running', $6, $7)
"""

FINISH_RUN = """
UPDATE ops.import_runs
SET state = $2, rows_total = $3, rows_ok = $4, rows_bad = $5,
    problems = $6::text::jsonb, finished_at = $7
WHERE id = $1
"""
