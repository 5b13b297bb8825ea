"""The SQL of a segment's conditions.

Pure. Values never stand in the text: they are its parameters. Names of columns come
from `FIELDS`. Each part about behaviour is one set of contact ids, computed once, so
that a count over a million contacts is some joins of sets and no work a contact. Who
came is read from the status of attendees, which follows the visits within seconds
(`ops.people_follow_v1`): half a million visits need not be joined each time. Behaviours
that look at all attendees share one walk over them.

Where a part of the conditions that costs no walk leaves few contacts (consent, a tag, a
city), those come first and the walks look at them alone (`narrowed`); where it leaves
most of them, that would only be more work. PostgreSQL's own estimate tells
(`ops.crm.segments`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from ops.crm.conditions import (
    All,
    AnyOf,
    Attended,
    Condition,
    Consented,
    Contacted,
    FieldIs,
    NoShow,
    Not,
    Registered,
    Score,
    Spent,
    Tagged,
    Vip,
    behaviours,
)

NOT_DELETED: Final = "c.status IS DISTINCT FROM 'deleted'"
OF_FEW: Final = " AND {column} IN (SELECT id FROM few)"
FIELDS: Final = {
    "city": "c.city",
    "country": "c.country",
    "state_province": "c.state_province",
    "industry": "c.industry",
    "job_title": "c.job_title",
    "lead_source": "c.lead_source",
    "status": "c.status",
    "contact_type": "c.contact_type",
    "email": "c.email",
    "company_name": "k.name",
    "company_size": "k.company_size",
    "company_industry": "k.industry",
    "account_type": "k.account_type",
}
FLAGS: Final = {
    "marketing": "c.marketing_consent",
    "email": "c.email_consent",
    "sms": "c.sms_consent",
    "phone": "c.phone_consent",
}

CAME: Final = "a.status IN ('checked_in', 'left')"
EVENINGS: Final = f"""
SELECT a.contact_id, a.event_id, bool_or({CAME}) AS came FROM attendees a
 WHERE a.contact_id IS NOT NULL AND a.status <> 'cancelled'{{few}} GROUP BY 1, 2
"""
"""Each contact and event once, and whether anybody of that name came."""


class Compiled(msgspec.Struct, frozen=True):
    """A statement over contacts `c`, but for what it selects, and its parameters.

    `sets` is empty, or the WITH clause of what `where` looks into; `source` stands
    after FROM.
    """

    sets: str
    source: str
    where: str
    values: list[Any]

    def select(self, what: str, more: str = "") -> str:
        """The statement; `more` stands at its end."""
        return f"{self.sets}SELECT {what} FROM {self.source} WHERE {self.where}{more}"


class Narrowed(NamedTuple):
    """The contacts that cheap conditions leave, and the segment that begins there."""

    few: Compiled
    segment: Compiled


def compile_sql(condition: Condition) -> Compiled:
    """The SQL of a condition; values are numbered from $1."""
    writer = _Writer(_shared(condition))
    where = f"{NOT_DELETED} AND {writer.write(condition)}"
    return Compiled(writer.with_sets(), _source(where), where, writer.values)


def narrowed(condition: Condition) -> Narrowed | None:
    """The same, beginning with the contacts that need no walk to be found.

    None where nothing would be won: no condition walks, or all do.
    """
    if not isinstance(condition, All):
        return None
    walking = [node for node in condition.of if any(map(_walks, behaviours(node)))]
    cheap = [node for node in condition.of if node not in walking]
    if not walking or not cheap:
        return None
    writer = _Writer(_shared(condition))
    where = f"{NOT_DELETED} AND {writer.write(All(of=tuple(cheap)))}"
    few = Compiled(writer.with_sets(), _source(where), where, list(writer.values))
    writer.named.append(("few", f"SELECT c.id FROM {few.source} WHERE {where}"))
    writer.few = True
    rest = writer.write(All(of=tuple(walking)))
    source = "few c"
    if "c." in rest.replace("c.id", ""):
        source = f"few JOIN {_source(rest, 'c.id = few.id')}"
    return Narrowed(few, Compiled(writer.with_sets(), source, rest, writer.values))


def _source(where: str, on: str = "") -> str:
    joined = " LEFT JOIN companies k ON k.id = c.company_id" if "k." in where else ""
    return f"contacts c{f' ON {on}' if on else ''}{joined}"


def _shared(condition: Condition) -> list[Condition]:
    """Several behaviours that look at all attendees do so in one walk."""
    found: list[Condition] = [
        node
        for node in sorted(behaviours(condition), key=repr)
        if _walks(node) and not isinstance(node, Spent)
    ]
    return found if len(found) > 1 else []


class _Writer:
    """Writes one condition after the other and collects their values."""

    def __init__(self, walks: Sequence[Condition]) -> None:
        self.values: list[Any] = []
        self.few = False
        """Whether behaviours look at the contacts of the set `few` alone."""
        self._walks = {node: f"w{at}" for at, node in enumerate(walks, 1)}
        """Behaviours that are columns of one walk over all attendees."""
        self._sets: dict[Condition, str] = {}
        """Behaviour -> its set's name; one that is asked twice is computed once."""
        self.named: list[tuple[str, str]] = []
        """Names and texts of all sets, each after those that it looks into."""

    def value(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    def write(self, node: Condition) -> str:
        match node:
            case All(of=of):
                return f"({' AND '.join(map(self.write, of)) or 'true'})"
            case AnyOf(of=of):
                return f"({' OR '.join(map(self.write, of))})"
            case Not(that=that):
                return f"({self.write(that)}) IS NOT TRUE"
            case FieldIs():
                return self._field(node)
            case Score(at_least=least):
                return f"c.lead_score >= {self.value(least, 'int')}"
            case Tagged(tag=tag):
                return f"c.tags @> ARRAY[{self.value(tag, 'text')}]"
            case Consented(purpose=purpose):
                return f"{FLAGS[purpose]} IS TRUE"
            case Contacted(for_days=days):
                ago = self._ago(days)
                return f"(c.last_contacted_at IS NULL OR c.last_contacted_at < {ago})"
        if node in self._walks:
            if "w" not in dict(self.named):
                self.named.append(("w", self._walk()))
            return f"c.id IN (SELECT contact_id FROM w WHERE {self._walks[node]})"
        if node not in self._sets:
            self._sets[node] = f"s{len(self._sets) + 1}"
            self.named.append((self._sets[node], self._set(node)))
        return f"c.id IN (SELECT contact_id FROM {self._sets[node]})"

    def with_sets(self) -> str:
        """The WITH clause of all that was written."""
        sets = ", ".join(
            f"{name} AS MATERIALIZED ({text})" for name, text in self.named
        )
        return f"WITH {sets} " if sets else ""

    def _walk(self) -> str:
        """The walk over all attendees that several behaviours share."""
        columns = ", ".join(
            f"{self._of_walk(node)} AS {name}" for node, name in self._walks.items()
        )
        evenings = EVENINGS.format(few=self._of_few("a.contact_id"))
        # Each event is there; LEFT keeps the estimate of rows, so that they are hashed.
        return (
            f"SELECT v.contact_id, {columns} FROM ({evenings}) v"
            " LEFT JOIN events e ON e.id = v.event_id GROUP BY v.contact_id"
        )

    def _of_few(self, column: str) -> str:
        return OF_FEW.format(column=column) if self.few else ""

    def _of_walk(self, node: Condition) -> str:
        """What a behaviour is of one contact's evenings."""
        if isinstance(node, Attended):
            least = self.value(node.at_least, "int")
            return f"count(*) FILTER (WHERE v.came) >= {least}"
        return (
            "max(e.ends_at) FILTER (WHERE v.came AND e.ends_at < now())"
            " IS DISTINCT FROM max(e.ends_at) FILTER (WHERE e.ends_at < now())"
        )

    def _field(self, node: FieldIs) -> str:
        column = FIELDS[node.field]
        if node.op == "empty":
            return f"coalesce({column}, '') = ''"
        if node.op == "in":
            words = node.value if isinstance(node.value, list) else [node.value or ""]
            lowered = [word.lower() for word in words]
            return f"lower({column}) = ANY({self.value(lowered, 'text[]')})"
        text = node.value if isinstance(node.value, str) else ""
        if node.op == "contains":
            escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            return f"{column} ILIKE {self.value(f'%{escaped}%', 'text')}"
        same = f"lower({column}) = {self.value(text.lower(), 'text')}"
        return same if node.op == "is" else f"({same}) IS NOT TRUE"

    def _set(self, node: Condition) -> str:
        """The contacts of a behaviour, as a subquery."""
        match node:
            case Vip():
                return (
                    "SELECT id AS contact_id FROM contacts WHERE contact_type = 'vip'"
                    " UNION SELECT a.contact_id FROM attendees a JOIN tickets t"
                    " ON t.attendee_id = a.id JOIN ticket_types y"
                    " ON y.id = t.ticket_type_id"
                    " WHERE y.ticket_category = 'vip' AND a.contact_id IS NOT NULL"
                )
            case Registered(event_id=event_id):
                return (
                    "SELECT contact_id FROM attendees WHERE contact_id IS NOT NULL"
                    f" AND event_id = {self.value(event_id, 'uuid')}"
                    " AND status <> 'cancelled'"
                )
            case Attended():
                return self._attended(node)
            case Spent():
                since = (
                    f" AND coalesce(placed_at, created_at) >= "
                    f"{self._ago(node.within_days)}"
                    if node.within_days
                    else ""
                )
                return (
                    "SELECT contact_id FROM orders WHERE contact_id IS NOT NULL"
                    f" AND currency = {self.value(node.currency, 'text')}{since}"
                    f"{self._of_few('contact_id')}"
                    " GROUP BY contact_id HAVING sum(amount_paid) > "
                    f"{self.value(node.more_than, 'numeric')}"
                )
        return (
            "SELECT a.contact_id FROM attendees a JOIN events e ON e.id = a.event_id"
            " WHERE a.contact_id IS NOT NULL AND e.ends_at < now()"
            f" AND a.status <> 'cancelled'{self._of_few('a.contact_id')}"
            " GROUP BY a.contact_id"
            f" HAVING max(e.ends_at) FILTER (WHERE {CAME})"
            " IS DISTINCT FROM max(e.ends_at)"
        )

    def _attended(self, node: Attended) -> str:
        more = ""
        if node.event_id is not None:
            more += f" AND a.event_id = {self.value(node.event_id, 'uuid')}"
        if node.within_days is not None:
            more += (
                " AND EXISTS (SELECT FROM check_ins v WHERE v.attendee_id = a.id"
                " AND v.undone_at IS NULL"
                f" AND v.checked_in_at >= {self._ago(node.within_days)})"
            )
        came = (
            "SELECT DISTINCT a.contact_id, a.event_id FROM attendees a"
            f" WHERE a.contact_id IS NOT NULL AND {CAME}{more}"
            f"{self._of_few('a.contact_id')}"
        )
        # Two steps of hashing; count(DISTINCT ..) would sort.
        least = self.value(node.at_least, "int")
        return (
            f"SELECT contact_id FROM ({came}) e GROUP BY contact_id"
            f" HAVING count(*) >= {least}"
        )

    def _ago(self, days: int) -> str:
        return f"now() - make_interval(days => {self.value(days, 'int')})"


def _walks(node: Condition) -> bool:
    """Whether a behaviour looks at all attendees, or all orders, there are."""
    if isinstance(node, Attended):
        return node.event_id is None and node.within_days is None
    return isinstance(node, (NoShow, Spent))
