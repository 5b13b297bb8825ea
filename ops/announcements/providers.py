"""Sending by text message and push: one interface, whoever carries the messages.

An adapter of a carrier is a `Provider`, registered in `PROVIDERS` under its channel
before the roles start. Where none is, a send says so on each receipt at once
(`not_configured`), the preview counts nobody for the channel, and the page shows it as
not set up: nothing waits for what will never come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

import msgspec

NOT_CONFIGURED: Final = "not_configured"
"""`failure` of a receipt whose channel has no provider here."""

CARRIED: Final = ("push", "sms")
"""Channels that need a provider; e-mail has a server, in_app and website the hub."""


class Outgoing(msgspec.Struct, frozen=True):
    """A message for one person, in the person's language.

    Attributes:
        to: a phone number as E.164 (sms); the attendee's id (push).
    """

    announcement_id: UUID
    recipient_id: UUID
    to: str
    title: str
    content: str


class Provider(Protocol):
    """Carries messages of one channel."""

    async def deliver(self, messages: Sequence[Outgoing]) -> list[str | None]:
        """Hand messages over; for each what went wrong, None where it was taken.

        A message is handed over once: raising means that nobody knows, and nothing is
        sent again (`unknown`).
        """


PROVIDERS: Final[dict[str, Provider]] = {}
"""Channel -> who carries it in this installation."""


class ChannelState(msgspec.Struct, frozen=True):
    """Whether a way of sending can be used here."""

    channel: str
    configured: bool
    why: str | None = None


def states(*, mail: bool) -> list[ChannelState]:
    """Every way of sending, in the order of a chain."""
    found = [ChannelState("in_app", True), ChannelState("website", True)]
    found.append(
        ChannelState("email", mail, None if mail else "OPS_SMTP_URL is not set")
    )
    found += [
        ChannelState(
            name,
            name in PROVIDERS,
            None if name in PROVIDERS else "no provider is set up",
        )
        for name in CARRIED
    ]
    return found


def missing(methods: Sequence[str]) -> list[str]:
    """The channels among these that nobody carries here."""
    return [name for name in CARRIED if name in methods and name not in PROVIDERS]
