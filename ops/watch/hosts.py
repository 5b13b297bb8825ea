"""Who came with whom: a mail to the host of a VIP, a party or a table.

The host is the one of the guest list, else who looks after the guest's account, else
who looks after the account that bought the table. A party is told of once an event: a
mail's reference is made of what it tells. The row is written in the look's transaction
and sent by the sync role, at most once (`ops/crm_sync/mailer.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from ops.ids import uuid7
from ops.texts import Texts
from ops.watch.evaluate import Observation

RULES: Final = frozenset({"vip_arrived", "party_arrived"})
CALL_TIMEOUT_S: Final = 5.0

# $1 event, $2 host, $3 list, $4 ticket, $5 gate
ABOUT: Final = """
SELECT u.email, u.first_name AS name, e.title AS event, e.timezone,
       coalesce(u.language, 'en') AS language,
       (SELECT l.name FROM ops.guest_lists l WHERE l.id = $3) AS list,
       (SELECT nullif(btrim(concat_ws(' ', a.first_name, a.last_name)), '')
          FROM tickets t JOIN attendees a ON a.id = t.attendee_id
         WHERE t.id = $4) AS holder,
       (SELECT g.name FROM ops.gates g WHERE g.id = $5) AS gate
  FROM users u CROSS JOIN events e
 WHERE u.id = $2 AND e.id = $1 AND u.status = 'active'
"""
MAIL: Final = """
INSERT INTO ops.mails (id, event_id, kind, reference_id, recipient_id, to_address,
                       subject, body, language, created_at)
SELECT $1, $2, 'host', $3, $4, $5, $6, $7, $8, $9
 WHERE NOT EXISTS (SELECT FROM ops.mails WHERE reference_id = $3 AND kind = 'host')
"""


async def tell(
    db: Any,
    texts: Texts,
    event_id: UUID,
    raised: Iterable[Observation],
    now: datetime,
) -> None:
    """Write the mails for what was raised; who has no host is nobody's guest."""
    for one in raised:
        host = one.args.get("host_id")
        if one.rule not in RULES or host is None:
            continue
        listed, place = one.args.get("list_id"), one.place
        about = await db.fetchrow(
            ABOUT,
            event_id,
            UUID(host),
            UUID(listed) if listed else None,
            place.ticket_id,
            place.gate_id,
            timeout=CALL_TIMEOUT_S,
        )
        if about is None:
            continue
        language = about["language"]
        said = {
            "name": about["name"] or "",
            "who": _who(texts, language, one, about),
            "people": round(one.value),
            "gate": about["gate"] or "–",
            "at": now.astimezone(ZoneInfo(about["timezone"])).strftime("%H:%M"),
            "event": about["event"],
        }
        await db.execute(
            MAIL,
            uuid7(),
            event_id,
            uuid5(event_id, f"{one.rule}:{one.subject}"),
            UUID(host),
            about["email"],
            texts.say(language, "mail.host.subject", said),
            texts.say(language, "mail.host.body", said),
            language,
            now,
            timeout=CALL_TIMEOUT_S,
        )


def _who(texts: Texts, language: str, one: Observation, about: Any) -> str:
    if "table" in one.args:
        section = one.args.get("section") or ""
        table = {"table": one.args["table"], "section": section}
        return texts.say(language, "mail.host.table", table).strip()
    return str(about["list"] or about["holder"] or "–")
