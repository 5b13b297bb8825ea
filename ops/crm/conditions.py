"""Conditions of a segment: a small typed tree, and the one SQL text it becomes.

Pure. Values never stand in the text: they are its parameters. Names of columns come
from `FIELDS`. Each part about behaviour is one set of contact ids, computed once, so
that a count over a million contacts is some joins of sets and no work a contact. Who
came is read from the status of attendees, which follows the visits within seconds
(`ops.people_follow_v1`): half a million visits need not be joined each time.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.decoding import refusal
from ops.errors import FieldProblem, Unprocessable

NODES_MAX: Final = 100
DEPTH_MAX: Final = 8
SETS_MAX: Final = 12
"""Behaviours of one tree that differ: each is a walk over half a million rows."""
CAME: Final = "a.status IN ('checked_in', 'left')"

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
FieldName = Literal[
    "city",
    "country",
    "state_province",
    "industry",
    "job_title",
    "lead_source",
    "status",
    "contact_type",
    "email",
    "company_name",
    "company_size",
    "company_industry",
    "account_type",
]
FLAGS: Final = {
    "marketing": "c.marketing_consent",
    "email": "c.email_consent",
    "sms": "c.sms_consent",
    "phone": "c.phone_consent",
}

Word = Annotated[str, Meta(max_length=200)]
Days = Annotated[int, Meta(ge=1, le=36_500)]


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that is true of a contact or not."""


class All(_Node, frozen=True, tag="all"):
    """All of these; nothing in it is true of everybody."""

    of: Annotated[tuple[Condition, ...], Meta(max_length=50)]


class AnyOf(_Node, frozen=True, tag="any"):
    """One of these at least."""

    of: Annotated[tuple[Condition, ...], Meta(min_length=1, max_length=50)]


class Not(_Node, frozen=True, tag="not"):
    """Not this."""

    that: Condition


class FieldIs(_Node, frozen=True, tag="field"):
    """A field of the contact or of its company; texts are compared without case."""

    field: FieldName
    op: Literal["is", "is_not", "in", "contains", "empty"] = "is"
    value: Word | Annotated[list[Word], Meta(max_length=200)] | None = None


class Score(_Node, frozen=True, tag="score"):
    """The lead score is at least this."""

    at_least: Annotated[int, Meta(ge=0, le=100)]


class Vip(_Node, frozen=True, tag="vip"):
    """A contact of the kind VIP, or with a ticket of the category VIP."""


class Tagged(_Node, frozen=True, tag="tag"):
    """Has a tag."""

    tag: Annotated[str, Meta(min_length=1, max_length=100)]


class Consented(_Node, frozen=True, tag="consent"):
    """Allows something now."""

    purpose: Literal["marketing", "email", "sms", "phone"]


class Attended(_Node, frozen=True, tag="attended"):
    """Was let in at so many events."""

    at_least: Annotated[int, Meta(ge=1, le=1_000)] = 1
    event_id: UUID | None = None
    within_days: Days | None = None


class Registered(_Node, frozen=True, tag="registered"):
    """Has a ticket of an event that was not cancelled."""

    event_id: UUID


class NoShow(_Node, frozen=True, tag="no_show_last_time"):
    """Had a ticket for the last event that is over, and did not come."""


class Spent(_Node, frozen=True, tag="spent"):
    """Paid more than this, in one currency."""

    more_than: Decimal
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CAD"
    within_days: Days | None = None


class Contacted(_Node, frozen=True, tag="not_contacted"):
    """Nobody spoke with them for so many days."""

    for_days: Days


Condition: TypeAlias = (
    All
    | AnyOf
    | Not
    | FieldIs
    | Score
    | Vip
    | Tagged
    | Consented
    | Attended
    | Registered
    | NoShow
    | Spent
    | Contacted
)


class Compiled(msgspec.Struct, frozen=True):
    """A condition over `contacts c LEFT JOIN companies k`, and its parameters.

    `sets` is empty, or the WITH clause of what `where` looks into.
    """

    sets: str
    where: str
    values: list[Any]
    needs_company: bool


def read(tree: Any) -> Condition:
    """The conditions that a client sent.

    Raises:
        MalformedBody, UnknownField: not a tree of conditions.
        Unprocessable: `too_many_conditions`, `too_deep`, `too_many_behaviours`.
    """
    if _depth(tree) > 3 * DEPTH_MAX:
        raise _too("too_deep", "The conditions are nested too deeply.")
    try:
        condition: Condition = msgspec.convert(tree, Condition, strict=False)
    except msgspec.ValidationError as error:
        raise refusal(error) from None
    if _count(condition) > NODES_MAX:
        raise _too("too_many_conditions", f"At most {NODES_MAX} conditions.")
    if len(_behaviours(condition)) > SETS_MAX:
        raise _too("too_many_behaviours", f"At most {SETS_MAX} kinds of behaviour.")
    return condition


def compile_sql(condition: Condition) -> Compiled:
    """The SQL of a condition; values are numbered from $1."""
    writer = _Writer()
    where = writer.write(condition)
    sets = ", ".join(
        f"{name} AS MATERIALIZED ({text})" for name, text in writer.sets.values()
    )
    return Compiled(
        f"WITH {sets} " if sets else "", where, writer.values, "k." in where
    )


class _Writer:
    """Writes one condition after the other and collects their values."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.sets: dict[Condition, tuple[str, str]] = {}
        """Behaviour -> its name and text; one that is asked twice is computed once."""

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
        if node not in self.sets:
            text = self._set(node)
            self.sets[node] = (f"s{len(self.sets) + 1}", text)
        return f"c.id IN (SELECT contact_id FROM {self.sets[node][0]})"

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
                    " GROUP BY contact_id HAVING sum(amount_paid) > "
                    f"{self.value(node.more_than, 'numeric')}"
                )
        return (
            "SELECT a.contact_id FROM attendees a JOIN events e ON e.id = a.event_id"
            " WHERE a.contact_id IS NOT NULL AND e.ends_at < now()"
            " AND a.status <> 'cancelled' GROUP BY a.contact_id"
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
        )
        # Two steps of hashing; count(DISTINCT ..) would sort.
        least = self.value(node.at_least, "int")
        return (
            f"SELECT contact_id FROM ({came}) e GROUP BY contact_id"
            f" HAVING count(*) >= {least}"
        )

    def _ago(self, days: int) -> str:
        return f"now() - make_interval(days => {self.value(days, 'int')})"


def _count(node: Condition) -> int:
    match node:
        case All(of=of) | AnyOf(of=of):
            return 1 + sum(map(_count, of))
        case Not(that=that):
            return 1 + _count(that)
    return 1


def _behaviours(node: Condition) -> set[Condition]:
    """The different sets that a tree looks into."""
    match node:
        case All(of=of) | AnyOf(of=of):
            return set().union(*map(_behaviours, of))
        case Not(that=that):
            return _behaviours(that)
        case Vip() | Attended() | Registered() | NoShow() | Spent():
            return {node}
    return set()


def _depth(tree: Any) -> int:
    deepest, level = 0, [tree]
    while level and deepest <= 3 * DEPTH_MAX:
        deepest += 1
        level = [
            inner
            for each in level
            for inner in (
                each.values()
                if isinstance(each, dict)
                else each
                if isinstance(each, list)
                else ()
            )
            if isinstance(inner, (dict, list))
        ]
    return deepest


def _too(code: str, detail: str) -> Unprocessable:
    return Unprocessable(
        detail, code=code, errors=[FieldProblem("conditions", code, detail)]
    )
