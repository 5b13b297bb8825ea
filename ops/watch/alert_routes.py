"""Routes for alerts: the list and history, acknowledging, rules and walks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.listing import Page, Turn, by_time
from ops.watch.alerts import Alerts
from ops.watch.evidence import Cases, Evidence
from ops.watch.rules import CASES, PERIOD_S_MAX, RULES, Setting, standard

TAGS = ["alerts"]
Note = Annotated[str, Meta(max_length=500)]
Seconds = Annotated[int, Meta(ge=0, le=PERIOD_S_MAX)]
RuleName = Annotated[str, Meta(max_length=40)]


class AlertView(msgspec.Struct):
    """An alert; names are those of now. `case`: it has a record of evidence."""

    id: UUID
    rule: str
    gravity: str
    case: bool
    subject: str
    value: float
    args: dict[str, Any]
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    gate_id: UUID | None
    area_id: UUID | None
    device_id: UUID | None
    operator_id: UUID | None
    ticket_id: UUID | None
    session_id: UUID | None
    gate: str | None
    first_gate: str | None
    area: str | None
    device: str | None
    operator: str | None
    session: str | None
    list: str | None
    holder: str | None
    host: str | None


class AcknowledgeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is being done about it, for those who read it later."""

    note: Note | None = None


class AcknowledgeAllBody(msgspec.Struct, forbid_unknown_fields=True):
    """All of a rule that stand; `until`: raised by then, so that one that came since
    is not taken for seen."""

    rule: RuleName
    until: Annotated[datetime, Meta(tz=True)]
    note: Note | None = None


class Acknowledged(msgspec.Struct):
    """How many somebody looks after now."""

    acknowledged: int


class RuleBody(msgspec.Struct, forbid_unknown_fields=True):
    """A rule's numbers: raised from `threshold` on after `for_s` seconds, ended beyond
    `clear_at` after `clear_s`."""

    enabled: bool
    threshold: Annotated[float, Meta(ge=0, le=1_000_000)]
    clear_at: Annotated[float, Meta(ge=0, le=1_000_000)]
    for_s: Seconds
    clear_s: Seconds


class RuleView(msgspec.Struct):
    """A rule as it holds at the event; `standard` is what holds if nobody sets it."""

    rule: str
    gravity: str
    unit: str
    below: bool
    low: float
    high: float
    chosen: bool
    setting: Setting
    standard: Setting


class RulesView(msgspec.Struct):
    """All rules, in the order of the catalogue."""

    rules: list[RuleView]


class WalkBody(msgspec.Struct, forbid_unknown_fields=True):
    """How long one walks between two gates, in seconds; either way."""

    gate_id: UUID
    other_gate_id: UUID
    walk_s: Annotated[int, Meta(ge=0, le=PERIOD_S_MAX)]


class WalkView(msgspec.Struct):
    """A walk that was set."""

    gate_id: UUID
    gate: str
    other_gate_id: UUID
    other_gate: str
    walk_s: int


class WalksView(msgspec.Struct):
    """All walks that were set."""

    walks: list[WalkView]


def view(row: Any) -> AlertView:
    """The view of a row."""
    rule = RULES.get(row["rule"])
    more = {
        "gravity": rule.gravity if rule else "info",
        "case": row["rule"] in CASES,
    }
    return msgspec.convert({**dict(row), **more}, AlertView)


@get(
    "/events/{event_id:uuid}/alerts",
    guards=[requires("incidents", "read")],
    summary="Alerts, newest first: open ones or the history",
    tags=TAGS,
)
async def list_alerts(
    event_id: FromPath[UUID],
    alerts: NamedDependency[Alerts],
    turn: NamedDependency[Turn],
    rule: FromQuery[RuleName | None] = None,
    open_only: FromQuery[bool] = False,
) -> Page[AlertView]:
    """All of the event, ended ones too; `open_only` those that stand now."""
    if rule is not None and rule not in RULES:
        return Page([], None)
    rows = await alerts.page(event_id, open_only, rule, turn.start, turn.limit)
    return turn.page(rows, view, by_time("raised_at"))


@post(
    "/events/{event_id:uuid}/alerts/{alert_id:uuid}/acknowledge",
    guards=[requires("incidents", "write")],
    status_code=200,
    summary="Say that somebody looks after an alert",
    tags=TAGS,
)
async def acknowledge_alert(
    event_id: FromPath[UUID],
    alert_id: FromPath[UUID],
    data: JSONBody[AcknowledgeBody],
    me: NamedDependency[Staff],
    alerts: NamedDependency[Alerts],
) -> AlertView:
    """May come twice: the first one counts, the last note stays."""
    return view(await alerts.acknowledge(event_id, alert_id, me.user_id, data.note))


@post(
    "/events/{event_id:uuid}/alerts/acknowledge",
    guards=[requires("incidents", "write")],
    status_code=200,
    summary="Say that somebody looks after all alerts of a rule",
    tags=TAGS,
)
async def acknowledge_alerts(
    event_id: FromPath[UUID],
    data: JSONBody[AcknowledgeAllBody],
    me: NamedDependency[Staff],
    alerts: NamedDependency[Alerts],
) -> Acknowledged:
    """May come twice: the second finds none left."""
    done = await alerts.acknowledge_all(
        event_id, data.rule, data.until, me.user_id, data.note
    )
    return Acknowledged(done)


@get(
    "/events/{event_id:uuid}/alert-rules",
    guards=[requires("incidents", "read")],
    summary="The rules of alerts and their numbers at this event",
    tags=TAGS,
)
async def list_alert_rules(
    event_id: FromPath[UUID], alerts: NamedDependency[Alerts]
) -> RulesView:
    """Every rule of the catalogue."""
    return await _rules(event_id, alerts)


async def _rules(event_id: UUID, alerts: Alerts) -> RulesView:
    settings, chosen = await alerts.settings(event_id)
    return RulesView(
        [
            RuleView(
                name,
                rule.gravity,
                rule.unit,
                rule.below,
                rule.low,
                rule.high,
                name in chosen,
                settings[name],
                standard(rule),
            )
            for name, rule in RULES.items()
        ]
    )


@put(
    "/events/{event_id:uuid}/alert-rules/{rule:str}",
    guards=[requires("events", "write")],
    summary="Set a rule's numbers for this event",
    tags=TAGS,
)
async def set_alert_rule(
    event_id: FromPath[UUID],
    rule: FromPath[str],
    data: JSONBody[RuleBody],
    me: NamedDependency[Staff],
    actor: NamedDependency[Actor],
    alerts: NamedDependency[Alerts],
) -> RulesView:
    """Holds at the watcher's next look."""
    setting = Setting(
        data.enabled, data.threshold, data.clear_at, data.for_s, data.clear_s
    )
    await alerts.choose(event_id, rule, setting, actor, me.user_id)
    return await _rules(event_id, alerts)


@delete(
    "/events/{event_id:uuid}/alert-rules/{rule:str}",
    guards=[requires("events", "write")],
    status_code=204,
    summary="Let the catalogue's numbers hold again",
    tags=TAGS,
)
async def forget_alert_rule(
    event_id: FromPath[UUID],
    rule: FromPath[str],
    actor: NamedDependency[Actor],
    alerts: NamedDependency[Alerts],
) -> None:
    """May come twice."""
    await alerts.forget(event_id, rule, actor)


@get(
    "/events/{event_id:uuid}/gate-walks",
    guards=[requires("places", "read")],
    summary="How long one walks between gates",
    tags=TAGS,
)
async def list_walks(
    event_id: FromPath[UUID], alerts: NamedDependency[Alerts]
) -> WalksView:
    """Those that were set; between others the rule's threshold holds."""
    rows = await alerts.walks(event_id)
    return WalksView([msgspec.convert(dict(row), WalkView) for row in rows])


@put(
    "/events/{event_id:uuid}/gate-walks",
    guards=[requires("events", "write")],
    summary="Set how long one walks between two gates",
    tags=TAGS,
)
async def set_walk(
    event_id: FromPath[UUID],
    data: JSONBody[WalkBody],
    alerts: NamedDependency[Alerts],
) -> WalksView:
    """Either way; a later one replaces it."""
    await alerts.set_walk(event_id, data.gate_id, data.other_gate_id, data.walk_s)
    rows = await alerts.walks(event_id)
    return WalksView([msgspec.convert(dict(row), WalkView) for row in rows])


@get(
    "/events/{event_id:uuid}/alerts/{alert_id:uuid}/evidence",
    guards=[requires("scans", "read")],
    summary="The record of a case: its scans with time, gate, device, operator, person",
    tags=TAGS,
)
async def alert_evidence(
    event_id: FromPath[UUID],
    alert_id: FromPath[UUID],
    cases: NamedDependency[Cases],
) -> Evidence:
    """For alerts that are cases; at most 60 scans, oldest first."""
    return await cases.of_alert(event_id, alert_id)


@get(
    "/events/{event_id:uuid}/conflicts/{conflict_id:uuid}/evidence",
    guards=[requires("scans", "read")],
    summary="The record of a conflict: both scans and all others of the ticket",
    tags=TAGS,
)
async def conflict_evidence(
    event_id: FromPath[UUID],
    conflict_id: FromPath[UUID],
    cases: NamedDependency[Cases],
) -> Evidence:
    """First is the entry that counts, second the one beyond it."""
    return await cases.of_conflict(event_id, conflict_id)


ROUTES = (
    alert_evidence,
    conflict_evidence,
    list_alerts,
    acknowledge_alert,
    acknowledge_alerts,
    list_alert_rules,
    set_alert_rule,
    forget_alert_rule,
    list_walks,
    set_walk,
)
