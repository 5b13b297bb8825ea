"""A scan that names an item: it is a redemption, answered in a scan's shape. Pure.

Green says that the units may be handed out; nobody enters, so there are no people and
no pass. `admit` is the number of units, `answers.age` that an ID was seen and
`answers.again` that the same code at the same point is meant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ops.admission.scan import ScanRequest
from ops.checkin.answers import Choice, ItemView, ScanAnswer

CLEARED_BY = {
    "again": "steward",
    "id_check": "steward",
    "blocked": "supervisor",
    "unpaid": "supervisor",
}
"""Who may settle a hold; nobody the rest."""


class Redeemed(Protocol):
    """What became of the redemption."""

    @property
    def verdict(self) -> str:
        """redeemed, hold or refused."""

    @property
    def reason(self) -> str:
        """A stable word."""

    @property
    def message(self) -> str:
        """For the steward."""

    @property
    def left(self) -> int:
        """Units of the item that the ticket has left."""

    @property
    def item_id(self) -> UUID | None:
        """The item."""

    @property
    def item(self) -> str | None:
        """Its name."""

    @property
    def replayed(self) -> bool:
        """Whether the id was answered before."""

    @property
    def undone(self) -> bool:
        """Whether it was taken back meanwhile."""

    @property
    def at(self) -> datetime:
        """When it was decided."""


Redeem = Callable[[UUID, UUID, ScanRequest], Awaitable[Redeemed]]
"""Event, device and a scan with `item_id` -> what became of it."""


def item_answer(scan: ScanRequest, said: Redeemed) -> ScanAnswer:
    """The redemption as the answer of the scan that asked for it."""
    verdict, reason = said.verdict, said.reason
    if verdict == "redeemed":
        verdict = "admitted"
    if said.undone:
        verdict, reason = "hold", "needs_supervisor"
    green = verdict == "admitted"
    choices: tuple[Choice, ...] = ()
    if reason in ("again", "id_check"):
        choices = (Choice(question="age" if reason == "id_check" else "again"),)
    return ScanAnswer(
        id=scan.id,
        verdict=verdict,
        reason=reason,
        message=said.message,
        guest_message=said.message if green else "",
        action="",
        sensitive=False,
        clear_by=CLEARED_BY.get(reason, "supervisor" if said.undone else "nobody"),
        durable="committed",
        replayed=said.replayed,
        just_now=False,
        direction="in",
        people=0,
        ticket=None,
        area=None,
        session=None,
        operator=None,
        pass_no=None,
        at=said.at,
        previous=None,
        choices=choices,
        item=ItemView(
            said.item_id or scan.item_id, said.item, said.left, scan.admit or 1
        ),
    )
