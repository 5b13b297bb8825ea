"""A CRM of any size, written by SQL: people, exchanges, past events, who came, paid.

For each million contacts: 50,000 companies, 2,000,000 interactions, five events that
are over with 100,000 tickets each (six of seven came), 250,000 paid orders. Names
repeat as people's names do, and one is rare, so that a search meets both. One contact
has a thousand entries on the timeline.
"""

from __future__ import annotations

import asyncpg

from benchmarks.bulk import TIMEOUT_S, bare
from ops.auth.accounts import create_user

EMAIL, PASSWORD = "bench@example.org", "a password of the bench"
RARE = "Wolfeschlegelstein"
BUSY = "busy@example.org"
"""The contact of a thousand entries."""

_TABLES = (
    "public.companies",
    "public.contacts",
    "public.interactions",
    "public.attendees",
    "public.tickets",
    "public.orders",
    "public.check_ins",
)
_LATER = ("public.notes", "public.tasks", "ops.consents", "public.events")

_FILL = (
    """
    INSERT INTO companies (name, industry, city, company_size, created_at)
    SELECT 'Łódź & Fils ' || n, (ARRAY['events', 'food', 'media', 'it'])[1 + n % 4],
           'Montréal', (ARRAY['startup', 'small', 'medium', 'large'])[1 + n % 4],
           now() - n * interval '1 minute'
      FROM generate_series(1, greatest($1::int / 20, 1)) AS n
    """,
    """
    INSERT INTO contacts (first_name, last_name, email, phone, phone_normal,
                          lead_score, city, contact_type, status, company_id, tags,
                          marketing_consent, last_contacted_at, created_at)
    SELECT (ARRAY['Zoë', 'Émile', 'Sam', 'Priya', '李', 'Noor', 'Ana', 'Tom', 'Aoife',
                  'Jean-Baptiste'])[1 + n % 10],
           CASE WHEN n = $1::int / 2 THEN 'Wolfeschlegelstein'
                ELSE (ARRAY['O''Brien-Łukasz', 'Tremblay', 'Fischer', '小龙', 'Müller',
                            'Nguyễn', 'Smith'])[1 + n % 7] || '-' || (n % 9973) END,
           CASE WHEN n = 1 THEN 'busy' ELSE 'person' || n END || '@example.org',
           '+1416555' || lpad((n % 10000)::text, 4, '0'),
           '+1416555' || lpad((n % 10000)::text, 4, '0'),
           n % 101, (ARRAY['Toronto', 'Montréal', 'Québec', 'Halifax'])[1 + n % 4],
           CASE WHEN n % 50 = 0 THEN 'vip' ELSE 'individual' END,
           CASE WHEN n % 20 = 0 THEN 'inactive' ELSE 'active' END, c.id,
           CASE WHEN n % 9 = 0 THEN '{regular}' ELSE '{}' END::text[], n % 3 = 0,
           now() - (n % 400) * interval '1 day', now() - n * interval '3 seconds'
      FROM generate_series(1, $1::int) AS n
      LEFT JOIN (SELECT id, row_number() OVER () AS no FROM companies) c
        ON c.no = 1 + n % greatest($1::int / 20, 1)
    """,
    """
    INSERT INTO interactions (contact_id, interaction_type, subject, direction,
                              occurred_at, created_at)
    SELECT c.id, (ARRAY['email', 'phone', 'meeting', 'sms'])[1 + (c.no + k)::int % 4],
           'About tickets ' || c.no % 1000, 'outbound',
           now() - (c.no % 100000) * interval '1 minute',
           now() - (c.no % 100000) * interval '1 minute'
      FROM (SELECT id, row_number() OVER () AS no FROM contacts) c,
           generate_series(1, 2) AS k
    """,
    """
    INSERT INTO events (title, slug, status, starts_at, ends_at)
    SELECT 'Past evening ' || k, 'load-test-past-' || k, 'completed',
           now() - k * interval '60 days', now() - k * interval '60 days' + '6 hours'
      FROM generate_series(1, 5) AS k
    """,
    """
    INSERT INTO ticket_types (event_id, name, ticket_category, price)
    SELECT id, kind, kind, 50 FROM events, unnest('{general,vip}'::text[]) AS kind
     WHERE slug LIKE 'load-test-past-%'
    """,
    # A guest of one evening is often a guest of another: a third of all come at all.
    """
    CREATE TEMP TABLE guests AS
    SELECT gen_random_uuid() AS attendee, gen_random_uuid() AS ticket,
           gen_random_uuid() AS order_id, e.id AS event, e.starts_at, y.id AS kind,
           c.id AS contact, c.first_name, c.last_name, c.email, n
      FROM (SELECT id, starts_at, right(slug, 1)::int AS k FROM events
             WHERE slug LIKE 'load-test-past-%') e
     CROSS JOIN generate_series(1, $1::int / 10) AS n
     CROSS JOIN LATERAL (SELECT 1 + (n::bigint * (2 * e.k + 1) * 7919) %
                         greatest($1::int / 3, 1) AS no) AS p
      JOIN (SELECT *, row_number() OVER () AS no FROM contacts) c USING (no)
      JOIN ticket_types y ON y.event_id = e.id
       AND y.name = CASE WHEN n % 40 = 0 THEN 'vip' ELSE 'general' END
    """,
    """
    INSERT INTO orders (id, event_id, contact_id, order_number, total, amount_paid,
                        status, placed_at, created_at)
    SELECT order_id, event, contact, 'L-' || n, 50 + n % 400, 50 + n % 400, 'paid',
           starts_at - interval '20 days', starts_at - interval '20 days'
      FROM guests WHERE n % 2 = 0
    """,
    """
    INSERT INTO attendees (id, event_id, contact_id, order_id, first_name, last_name,
                           email, status, created_at)
    SELECT attendee, event, contact, CASE WHEN n % 2 = 0 THEN order_id END, first_name,
           last_name, email, CASE WHEN n % 7 = 0 THEN 'no_show' ELSE 'left' END,
           starts_at - interval '20 days'
      FROM guests
    """,
    """
    INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id, order_id, price,
                         created_at)
    SELECT ticket, event, attendee, kind, CASE WHEN n % 2 = 0 THEN order_id END, 50,
           starts_at - interval '20 days'
      FROM guests
    """,
    """
    INSERT INTO check_ins (event_id, attendee_id, ticket_id, checked_in_at,
                           checked_out_at, check_in_method, duration_minutes,
                           created_at)
    SELECT event, attendee, ticket, starts_at + (n % 3600) * interval '1 second',
           starts_at + interval '4 hours', 'qr_code', 180, starts_at
      FROM guests WHERE n % 7 <> 0
    """,
)
_THOUSAND = (
    """
    INSERT INTO interactions (contact_id, interaction_type, subject, direction,
                              occurred_at, created_at)
    SELECT c.id, 'phone', 'Call ' || n, 'inbound', now() - n * interval '7 hours', now()
      FROM contacts c, generate_series(1, 700) AS n WHERE c.email = $1
    """,
    """
    INSERT INTO notes (contact_id, content, created_at)
    SELECT c.id, 'Likes the balcony ' || n, now() - n * interval '9 hours'
      FROM contacts c, generate_series(1, 150) AS n WHERE c.email = $1
    """,
    """
    INSERT INTO tasks (contact_id, title, created_at)
    SELECT c.id, 'Send the plan ' || n, now() - n * interval '11 hours'
      FROM contacts c, generate_series(1, 100) AS n WHERE c.email = $1
    """,
    """
    INSERT INTO ops.consents (contact_id, purpose, state, source, given_at)
    SELECT c.id, 'photos', 'granted', 'form', now() - n * interval '13 hours'
      FROM contacts c, generate_series(1, 50) AS n WHERE c.email = $1
    """,
)


async def fill(db: asyncpg.Connection[asyncpg.Record], contacts: int) -> None:
    """Write so many contacts with all that hangs on them, and an owner; once."""
    if await db.fetchval("SELECT true FROM users WHERE email = $1", EMAIL):
        return
    async with bare(db, _TABLES):
        for statement in _FILL:
            arguments = (contacts,) if "$1" in statement else ()
            await db.execute(statement, *arguments, timeout=TIMEOUT_S)
        for statement in _THOUSAND:
            await db.execute(statement, BUSY)
    for table in _LATER:
        await db.execute(f"VACUUM ANALYZE {table}")
    await create_user(db, EMAIL, PASSWORD, "owner")
