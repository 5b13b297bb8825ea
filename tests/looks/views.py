"""The pages of the product: an address, who looks, what is pressed."""

from __future__ import annotations

from typing import NamedTuple


class View(NamedTuple):
    """One state of one page.

    `address` may hold {event}, {contact}, .. of what the house knows. `ready` is a
    selector that is there when the page has its content. `press` are selectors that are
    clicked one after the other before one looks.
    """

    name: str
    address: str
    who: str = "owner"  # owner, viewer, nobody, attendee, scanner, kiosk, lead
    ready: str = "h1"
    press: tuple[str, ...] = ()


DOORS = (*("states", "people", "bulk", "counts", "fleet", "calls", "offline"), "log")
_SHELL = {
    "doors": (*DOORS, "why"),
    "plan": ("rules", "places", "held", "exemptions", "questions"),
    "watch": ("history", "shifts", "rules", "walks"),
    "announcements": ("write", "sent", "templates"),
    "emergency": ("steps", "roll", "past", "settings"),
}
_CRM = (
    *("contacts", "companies", "pipeline/opportunities", "pipeline/leads"),
    *("pipeline/forecast", "pipeline/rules", "tasks", "segments", "team"),
    *("privacy/retention", "privacy/erasures", "privacy/texts", "privacy/audit"),
)
_ME = ("agenda", "news", "people")


def _staff(who: str) -> list[View]:
    mark = "" if who == "owner" else f"-{who}"
    views = [
        View(f"home{mark}", "/", who, ".events"),
        View(
            f"control{mark}",
            "/control.html?event={event}",
            who,
            ".room[data-state=fresh]",
        ),
    ]
    for page, tabs in _SHELL.items():
        views += [
            View(
                f"{page}-{tab}{mark}",
                f"/{page}.html?event={{event}}#{tab}",
                who,
                ".doors-main > :not(.empty)",
            )
            for tab in tabs
        ]
    views += [
        View(f"crm-{part.replace('/', '-')}{mark}", f"/crm.html#{part}", who)
        for part in _CRM
    ]
    return views


def staff() -> list[View]:
    """Pages of who is signed in, the owner's first."""
    return [
        *_staff("owner"),
        View(
            "tv",
            "/control.html?event={event}&tv",
            "owner",
            ".room.tv[data-state=fresh]",
        ),
        View("crm-contact", "/crm.html#contacts/{contact}", "owner"),
        View("crm-company", "/crm.html#companies/{company}", "owner"),
        View(
            "evidence",
            "/evidence.html?event={event}&alert={alert}",
            "owner",
            ".evidence-part",
        ),
        View("docs", "/docs/", "owner"),
        View("admin", "/admin/", "owner", "body"),
        *_staff("viewer"),
    ]


def guests() -> list[View]:
    """Pages of people without an account, and of devices."""
    return [
        View("login", "/", "nobody", ".sign-in"),
        View("ticket", "/t/{code}", "nobody", ".code img"),
        View("ticket-unknown", "/t/NO-SUCH-CODE", "nobody", "h1"),
        View("me-sign-in", "/me.html?event={event}", "nobody", "input"),
        View("me-ticket", "/me.html", "attendee", ".code img"),
        *(
            View(f"me-{name}", "/me.html", "attendee", ".tab", (f".tab >> nth={n}",))
            for n, name in enumerate(_ME, 1)
        ),
        View("invitation", "/crm.html#invitation=nothing", "nobody"),
        View("scan-pairing", "/scan/", "nobody", ".pairing"),
        View("scan", "/scan/", "scanner", ".scanner"),
        View("kiosk", "/scan/", "kiosk", ".kiosk"),
        View("lead", "/scan/", "lead", ".lead-page"),
    ]
