"""A mail server on a free port of the loopback, for tests: takes, refuses, hangs up."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import cast


class MailServer:
    """Speaks enough SMTP for one client at a time; keeps what it took.

    An address that contains `nobody` is refused with 550; one with `hangup` ends the
    connection after the mail was read and before it is confirmed. `not_now` names
    addresses that are refused with 451 so many times more; `closing` with 421, after
    which the server hangs up.
    """

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.not_now: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.port = 0

    def _answer(self, address: str) -> str:
        for word, left in (("451", self.not_now), ("421", self.closing)):
            for name in left:
                if name in address and left[name] > 0:
                    left[name] -= 1
                    return f"{word} not now"
        return "550 nobody here" if "nobody" in address else "250 ok"

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One conversation."""
        address = ""

        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        await say("220 tests")
        while line := await reader.readline():
            word = line[:4].upper()
            if word in (b"EHLO", b"HELO"):
                await say("250 tests")
            elif word == b"RCPT":
                address = line.decode()
                answer = self._answer(address)
                await say(answer)
                if answer.startswith("421"):
                    break
            elif word == b"DATA":
                await say("354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                if "hangup" in address:
                    break
                self.taken.append(
                    cast(
                        EmailMessage,
                        email.message_from_bytes(body, policy=email.policy.default),
                    )
                )
                await say("250 taken")
            elif word == b"QUIT":
                await say("221 bye")
                break
            else:
                await say("250 ok")
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A running server."""
    mails = MailServer()
    server = await asyncio.start_server(mails.serve, "127.0.0.1", 0)
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        server.close()
