"""What a batch asks for, and what is answered. The shell executes commands."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.commit import CommitReply, CommitRequest
from ops.admission.from_cache import CacheRead
from ops.admission.from_database import DatabaseRead
from ops.admission.lines import Line, State
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.cache.entry import DeviceEntry


class Item(msgspec.Struct):
    """A scan on its way through a batch."""

    index: int
    ask: Ask
    code: bytes
    content_hash: bytes
    code_hint: str
    device: DeviceEntry
    facts: ScanFacts | None = None
    decision: Decision | None = None
    error: str = ""
    """conflict | device_revoked | unavailable | poisoned; then there is no answer."""
    stored: Stored | None = None
    lost: bool = False
    verified: bool = False
    """Its facts came from PostgreSQL."""
    set_aside: tuple[str, str] | None = None
    """What a supervisor's act set aside when it was first decided on the record: the
    reason and the scan in the way."""
    fits: int | None = None
    """PostgreSQL had no place for it: how many are left."""
    durable: str = "none"
    kept: bool = False
    """The answer stands without PostgreSQL: by the journal or a provisional mark."""
    leased_to: UUID | None = None
    """The device that alone may admit the ticket; the decision says so."""
    journaled: bool = False
    """Its row of the scan log comes with a merge."""
    left: State | None = None
    """Our journal may say `pending` of it: what becomes of that line if there is no
    answer."""

    @property
    def awaiting(self) -> bool:
        """Whether the device that holds the ticket's lease has still to be asked."""
        return self.leased_to is not None and not self.ask.recalled

    @property
    def done(self) -> bool:
        """Whether the answer stands: an error, a commit or the answer of before."""
        return (
            bool(self.error)
            or self.durable != "none"
            or self.stored is not None
            or self.kept
        )

    @property
    def green(self) -> bool:
        """Whether it is let through, by this batch or by an answer of before."""
        return not self.error and (self.durable != "none" or self.stored is not None)

    @property
    def unsure(self) -> bool:
        """Whether PostgreSQL must be read before this scan can be answered."""
        return not self.done and (self.decision is None or self.lost)

    @property
    def writing(self) -> bool:
        """Whether the decision still has to be committed."""
        return (
            not self.done
            and not self.lost
            and self.decision is not None
            and self.decision.writes
            and not self.ask.scan.dry_run
        )


class ReadCache(msgspec.Struct, frozen=True):
    """Ask the cache. Reply: CacheFacts, Cold or Down."""

    reads: list[CacheRead]


class ReadDatabase(msgspec.Struct, frozen=True):
    """Ask PostgreSQL. Reply: DatabaseFacts or Down."""

    reads: list[DatabaseRead]


class LoadPlan(msgspec.Struct, frozen=True):
    """The plan in hand is not this version. Reply: Plan or Down."""

    version: int


class Commit(msgspec.Struct, frozen=True):
    """Write in one transaction. Reply: CommitReply, Poisoned or Down."""

    request: CommitRequest


class TakeOver(msgspec.Struct, frozen=True):
    """Let these scans have the rows of unconfirmed ones. Reply: as of Commit."""

    request: CommitRequest


class Finish(msgspec.Struct, frozen=True):
    """Tell the cache and the screens. Reply: ok, moved, cold or down.

    For a batch without a green the reply means nothing.
    """

    items: list[Item]
    replies: list[CommitReply]
    epoch: int | None


class Journal(msgspec.Struct, frozen=True):
    """Write lines in one transaction; `synced` waits for the disk.

    `marks` are new states of lines of before, in the same transaction.
    Reply: None or Down (nothing was written).
    """

    lines: list[Line]
    synced: bool
    marks: list[tuple[UUID, State]] = []


class Recall(msgspec.Struct, frozen=True):
    """The journals' lines of these scans. Reply: list of Found, or Down."""

    scan_ids: list[UUID]


class Look(msgspec.Struct, frozen=True):
    """The journals' lines for these tickets. Reply: list of Found, or Down."""

    ticket_ids: list[UUID]


class Claim(msgspec.Struct, frozen=True):
    """Take the places in the cache (mode D).

    Reply: ClaimReply, "moved" (another mode or epoch), "cold" or Down.
    """

    plan: Plan
    items: list[Item]
    epoch: int
    now: datetime


class ClaimReply(msgspec.Struct, frozen=True):
    """What became of each item: None is taken, -1 lost, else places that are left."""

    taken: list[int | None]


class Switch(msgspec.Struct, frozen=True):
    """Put the event into another mode, if its epoch is still this one.

    Reply: ModeIs (what holds now, also when somebody else switched), Cold or Down.
    """

    epoch: int
    mode: str


class ModeIs(msgspec.Struct, frozen=True):
    """The mode and epoch of an event."""

    mode: str
    epoch: int


class Answer(msgspec.Struct, frozen=True):
    """The answers stand: hand them out. Reply: None."""

    items: list[Item]


class Down(msgspec.Struct, frozen=True):
    """No answer in time, or no connection: the outcome is unknown.

    `lasting`: the breaker is open, nobody expects the store to answer soon.
    """

    store: str = ""
    lasting: bool = False


class Poisoned(msgspec.Struct, frozen=True):
    """PostgreSQL refused a value of the batch: split it."""


Command = (
    ReadCache
    | ReadDatabase
    | LoadPlan
    | Commit
    | TakeOver
    | Finish
    | Journal
    | Recall
    | Look
    | Claim
    | Switch
    | Answer
)
Steps = Generator[list[Command], list[Any], Any]
AskAgain = Callable[[Plan, Item], Ask]
