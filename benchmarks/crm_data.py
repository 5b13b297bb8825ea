"""A CRM of any size, written by SQL: contacts, companies, interactions.

Names repeat as people's names do, and one is rare, so that a search meets both.
"""

from __future__ import annotations

import asyncpg

from ops.auth.accounts import create_user

EMAIL, PASSWORD = "bench@example.org", "a password of the bench"
RARE = "Wolfeschlegelstein"

_FILL = (
    """
    INSERT INTO companies (name, industry, city, created_at)
    SELECT 'Łódź & Fils ' || n, (ARRAY['events', 'food', 'media', 'it'])[1 + n % 4],
           'Montréal', now() - n * interval '1 minute'
      FROM generate_series(1, greatest($1::int / 20, 1)) AS n
    """,
    """
    INSERT INTO contacts (first_name, last_name, email, phone, lead_score, city,
                          contact_type, status, company_id, created_at)
    SELECT (ARRAY['Zoë', 'Émile', 'Sam', 'Priya', '李', 'Noor', 'Ana', 'Tom', 'Aoife',
                  'Jean-Baptiste'])[1 + n % 10],
           CASE WHEN n = $1::int / 2 THEN 'Wolfeschlegelstein'
                ELSE (ARRAY['O''Brien-Łukasz', 'Tremblay', 'Fischer', '小龙', 'Müller',
                            'Nguyễn', 'Smith'])[1 + n % 7] || '-' || (n % 9973) END,
           'person' || n || '@example.org',
           '+1416555' || lpad((n % 10000)::text, 4, '0'),
           n % 101, (ARRAY['Toronto', 'Montréal', 'Québec', 'Halifax'])[1 + n % 4],
           CASE WHEN n % 50 = 0 THEN 'vip' ELSE 'individual' END,
           CASE WHEN n % 20 = 0 THEN 'inactive' ELSE 'active' END,
           c.id, now() - n * interval '3 seconds'
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
)


async def fill(db: asyncpg.Connection[asyncpg.Record], contacts: int) -> None:
    """Write so many contacts, twice as many interactions, and a user of sales."""
    # Without triggers: what they write down of two million exchanges takes an hour.
    await db.execute("SET session_replication_role = replica")
    for statement in _FILL:
        arguments = (contacts,) if "$1" in statement else ()
        await db.execute(statement, *arguments, timeout=3600)
    await db.execute("RESET session_replication_role")
    await db.execute("VACUUM ANALYZE companies", timeout=600)
    await db.execute("VACUUM ANALYZE contacts", timeout=600)
    await db.execute("VACUUM ANALYZE interactions", timeout=600)
    await create_user(db, EMAIL, PASSWORD, "owner")
