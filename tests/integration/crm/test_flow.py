"""The flow of the house, through the API alone: a company's contact becomes a lead, an
opportunity, an order and an attendee, is let in, shows up in the CRM, and is erased.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx

from ops.crm_sync.worker import Worker
from ops.db.engine import Database
from ops.runtime import Runtime
from tests.integration.crm.stores_kit import in_tables, until
from tests.integration.people.people_kit import Place, pair_device

FIRST, LAST, EMAIL = "Zoë-Anaïs", "Ngũgĩ-O'Brien", "zoe.ngugi@example.org"


class Client:
    """Calls the API as the owner and demands success."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._http, self._headers = http, headers

    async def post(self, path: str, **body: Any) -> Any:
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        answer = await self._http.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code < 300, f"{path}: {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        answer = await self._http.get(f"/api/v1{path}", headers=self._headers)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()


async def test_from_a_company_to_an_erased_guest(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    owner: UUID,
    sync: Worker,
    runtime: Runtime,
) -> None:
    api = Client(http, bearer)
    rule = {"name": "Came", "signal": "event_attended", "points": 40}
    await api.post("/score-rules", **rule)
    company = await api.post("/companies", name="Étoile Ngũgĩ", company_size="large")
    contact = await api.post(
        "/contacts",
        first_name=FIRST,
        last_name=LAST,
        email=EMAIL,
        phone="+14165550199",
        company_id=company["id"],
    )
    who = contact["id"]
    await api.post(
        f"/contacts/{who}/consents",
        purpose="email",
        state="granted",
        source="fair",
        regime="casl",
        basis="implied",
    )
    lead = await api.post(
        "/leads",
        contact_id=who,
        company_id=company["id"],
        event_id=str(place.event),
        lead_source="event",
        estimated_value="250.00",
        assigned_to=str(owner),
    )
    await api.post(
        "/interactions", contact_id=who, interaction_type="phone", subject="First call"
    )
    deal = await api.post(f"/leads/{lead['id']}/convert")
    await api.post(f"/opportunities/{deal['id']}/move", stage="negotiation")
    order = await api.post(f"/opportunities/{deal['id']}/order", paid=True)
    kind = await api.post(
        "/ticket_types", event_id=str(place.event), name="Day", price="250.00"
    )
    attendee = await api.post(
        "/attendees",
        event_id=str(place.event),
        contact_id=who,
        order_id=order["id"],
        first_name=FIRST,
        last_name=LAST,
        email=EMAIL,
    )
    ticket = await api.post(
        "/tickets",
        event_id=str(place.event),
        order_id=order["id"],
        attendee_id=attendee["id"],
        ticket_type_id=kind["id"],
    )
    code = (await runtime.printable.of(UUID(ticket["id"]))).text
    await api.post(
        "/tasks",
        title=f"Welcome {FIRST}",
        contact_id=who,
        assigned_to=str(owner),
        reminder_date="2026-01-01T00:00:00Z",
        due_date="2026-01-02T00:00:00Z",
    )

    _, device = await pair_device(http, bearer, place)

    async def admitted() -> bool:
        answer = await http.post(
            f"/api/v1/events/{place.event}/scans",
            json={"id": str(uuid4()), "code": code},
            headers=device,
        )
        return answer.status_code == 200 and answer.json()["verdict"] == "admitted"

    await until(admitted, "the guest is let in")

    async def scored() -> bool:
        await sync.keeper.turn()
        sync.keeper._scored_at = None
        return bool((await api.get(f"/contacts/{who}"))["lead_score"] == 40)

    await until(scored, "the score follows the visit")
    line = (await api.get(f"/contacts/{who}/timeline?limit=200"))["items"]
    kinds = {entry["kind"] for entry in line}
    wanted = {"consent", "lead", "interaction", "opportunity", "stage", "order", "task"}
    assert kinds >= {*wanted, "visit"}
    reminders = await api.get("/me/reminders")
    assert [r["title"] for r in reminders] == [f"Welcome {FIRST}"]
    assert (await api.get("/me/tasks"))[0]["overdue"] is True

    told = await api.get(f"/contacts/{who}/export")
    assert {"public.orders", "public.check_ins", "ops.consents"} <= set(told["tables"])
    before = await database.pool.fetchval("SELECT count(*) FROM check_ins")
    await api.post(f"/contacts/{who}/erase", reason="asked")
    assert await in_tables(database, [FIRST, LAST, EMAIL, "4165550199"]) == {}
    assert await database.pool.fetchval("SELECT count(*) FROM check_ins") == before
    assert (await api.get(f"/contacts/{who}"))["status"] == "deleted"
