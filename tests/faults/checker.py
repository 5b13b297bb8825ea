"""Holds what the doors wrote down against PostgreSQL and the journals.

Nothing that the server says about itself is read: histories of the doors (what was
asked, what was shown), rows of PostgreSQL, files of the journal folder. `Findings`
names each promise that was broken; `kept` is False if there was one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from ops.admission import journals
from ops.dev import tally
from ops.dev.crowd import folder
from ops.dev.handheld import Note, read

_ROWS = """
SELECT scan_id, exit_scan_id, ticket_id, undone_at, checked_in_at, checked_out_at
FROM check_ins WHERE event_id = $1
"""
_LOG = "SELECT scan_id, verdict, reason FROM ops.scan_log WHERE event_id = $1"
_CONFLICTS = """
SELECT loser_scan_id, winner_scan_id FROM ops.conflicts WHERE event_id = $1
"""
_COUNTED = """
SELECT coalesce(sum(abs(s.inside - (SELECT count(*) FROM check_ins c
    WHERE c.scope_id = s.id AND c.checked_out_at IS NULL AND c.undone_at IS NULL))), 0)
FROM ops.scopes s WHERE s.event_id = $1
"""
_FACTS = """
SELECT abs((SELECT count(*) FROM check_ins WHERE event_id = $1)
    - (SELECT count(*) FROM ops.facts WHERE event_id = $1 AND kind = 'admitted'))
 + abs((SELECT count(*) FROM check_ins WHERE event_id = $1
        AND checked_out_at IS NOT NULL)
    - (SELECT count(*) FROM ops.facts WHERE event_id = $1 AND kind = 'exited'))
"""
BLUR = timedelta(seconds=0.5)
"""How exactly a door's and a server's note of one moment agree on one machine."""
EXAMPLES_MAX = 3
_ALREADY = frozenset(
    {"already_inside", "re_entry_not_allowed", "passes_used", "already_used"}
)


class Findings(msgspec.Struct):
    """Figures of one scenario; those of `BROKEN` are zero if every promise was kept."""

    sent: int = 0
    acknowledged: int = 0
    """Greens and blues that the server gave, uploads among them."""
    journalled: int = 0
    """Of them with `durable: journal`."""
    amber: int = 0
    unknown: int = 0
    """Scans that the server did not answer in time: the device decided or asked on."""
    resolved: dict[str, int] = {}
    """What became of them: the verdict of the record, or `never` heard of."""
    lost: int = 0
    """Green or blue by the server, and no row."""
    astray: list[str] = []
    """The stories of the lost ones, and of who was wrongly turned away."""
    contradicted: int = 0
    """The record of a scan says another thing than the server had answered."""
    answered_twice: int = 0
    """One scan id, two different answers, one of them green or later than a blink."""
    blinked: int = 0
    """A refusal or hold that two processes decided at once, before its line was
    written (within 100 ms, core.md item 12): the answers may differ."""
    doubled: int = 0
    """Tickets that the server let in more often than they had left before."""
    crowded: int = 0
    """Tickets with more people inside than they admit."""
    phantoms: int = 0
    """Rows whose scan nobody sent."""
    wrong_red: int = 0
    """Told `already in` while the record had nobody of that ticket inside."""
    revoked_in: int = 0
    """Let in with a ticket that had been refunded before the code was read."""
    unlogged: int = 0
    """Greens and blues without a line in the log."""
    silent_doubles: int = 0
    """Let in by a device alone, not by the record, and no conflict reported."""
    counters_off: int = 0
    facts_off: int = 0
    unmerged: int = 0
    """Lines of journals that the record does not have."""
    undelivered: int = 0
    """Scans that a device still had when it should have been rid of them."""

    examples: list[str] = []
    """The first few scans behind the broken ones, with all that is known of each."""

    @property
    def broken(self) -> dict[str, int]:
        """The promises that were not kept."""
        return {name: n for name in BROKEN if (n := getattr(self, name))}

    @property
    def kept(self) -> bool:
        """Whether all were."""
        return not self.broken


BROKEN = (
    "lost",
    "contradicted",
    "answered_twice",
    "doubled",
    "crowded",
    "phantoms",
    "wrong_red",
    "revoked_in",
    "unlogged",
    "silent_doubles",
    "counters_off",
    "facts_off",
    "unmerged",
    "undelivered",
)


async def check(
    connection: asyncpg.Connection,
    data_dir: Path,
    event_id: UUID,
    *,
    clocks: bool = True,
) -> Findings:
    """Read everything and compare, after the last upload and merge.

    Args:
        clocks: whether the servers' clocks may be held against the doors'.
    """
    notes = [
        note
        for path in sorted(folder(data_dir, event_id).glob("*.jsonl"))
        for note in read(path)
    ]
    counted = await tally.count(connection, data_dir, event_id)
    rows = await connection.fetch(_ROWS, event_id)
    log = {
        row["scan_id"]: (row["verdict"], row["reason"])
        for row in await connection.fetch(_LOG, event_id)
    }
    reported = {
        scan
        for row in await connection.fetch(_CONFLICTS, event_id)
        for scan in (row["loser_scan_id"], row["winner_scan_id"])
    }
    found = Findings(
        sent=counted.sent,
        contradicted=counted.contradicted,
        crowded=counted.crowded,
        phantoms=counted.phantoms,
        counters_off=await connection.fetchval(_COUNTED, event_id),
        facts_off=await connection.fetchval(_FACTS, event_id),
    )
    _greens(found, notes, rows, log)
    _twice(found, notes)
    _reds(found, notes, rows, clocks)
    _devices(found, notes, log, reported)
    found.unmerged = _journals(data_dir / "journal", event_id, log)
    found.examples = _examples(found, notes, log, rows)
    return found


def _examples(found: Findings, notes: list[Note], log: dict, rows: list) -> list[str]:
    """Histories of scans with two answers or with another than the record, each with
    all that is known of its ticket."""
    if found.kept:
        return []
    invoked = {note.id: note for note in notes if note.op == "invoke"}
    by_scan: dict[UUID, list[Note]] = defaultdict(list)
    for note in notes:
        by_scan[note.id].append(note)
    lines = []
    for scan_id, story in by_scan.items():
        told = {(n.verdict, n.reason) for n in story if n.op in ("answer", "upload")}
        kept = log.get(scan_id)
        if len(told) > 1 or (told and kept is not None and kept not in told):
            words = [
                f"{n.op} {n.at:%S.%f} {n.verdict}/{n.reason} replayed={n.replayed}"
                for n in story
            ]
            head = f"{scan_id} {story[0].why}: {'; '.join(words)}; log {kept}"
            ticket = invoked[scan_id].ticket if scan_id in invoked else None
            lines.append("\n".join([head, *_of_ticket(ticket, invoked, notes, rows)]))
    return lines[:EXAMPLES_MAX]


def _greens(found: Findings, notes: list[Note], rows: list, log: dict) -> None:
    """What the server acknowledged stands in the record, and no ticket twice."""
    entered = {row["scan_id"] for row in rows if row["undone_at"] is None}
    left = {row["exit_scan_id"] for row in rows}
    invoked = {note.id: note for note in notes if note.op == "invoke"}
    spoken: dict[UUID, Note] = {}
    for note in notes:
        if note.op in ("answer", "upload"):
            spoken.setdefault(note.id, note)
    greens: dict[UUID | None, set[UUID]] = defaultdict(set)
    for scan_id, note in spoken.items():
        found.amber += note.reason == "unconfirmed"
        if note.verdict not in ("admitted", "exited"):
            continue
        found.acknowledged += 1
        found.journalled += note.durable == "journal"
        found.unlogged += scan_id not in log
        if note.reason != "ok":
            continue
        place = entered if note.verdict == "admitted" else left
        if scan_id not in place:
            found.lost += 1
            found.astray.append(
                f"{scan_id} {note.op} {note.verdict} {note.durable} {note.at:%S.%f}"
                f" ticket {invoked[scan_id].ticket} {invoked[scan_id].why}"
            )
        if note.verdict == "admitted":
            greens[invoked[scan_id].ticket].add(scan_id)
    outs = Counter(n.ticket for n in invoked.values() if n.direction == "out")
    found.doubled = sum(
        len(scans) > 1 + outs[ticket] for ticket, scans in greens.items()
    )


def _twice(found: Findings, notes: list[Note]) -> None:
    """One scan id has one answer."""
    told: dict[UUID, list[Note]] = defaultdict(list)
    for note in notes:
        if note.op in ("answer", "upload"):
            told[note.id].append(note)
    for answers in told.values():
        if len({(note.verdict, note.reason) for note in answers}) == 1:
            continue
        moved = any(note.verdict in ("admitted", "exited") for note in answers)
        times = [note.at for note in answers]
        if moved or max(times) - min(times) > BLUR:
            found.answered_twice += 1
        else:
            found.blinked += 1


def _reds(found: Findings, notes: list[Note], rows: list, clocks: bool) -> None:
    """`Already in` was only said while another scan's visit was open."""
    invoked = {note.id: note for note in notes if note.op == "invoke"}
    refunded = {note.ticket: note.at for note in notes if note.op == "refunded"}
    by_ticket: dict[UUID, list] = defaultdict(list)
    for row in rows:
        by_ticket[row["ticket_id"]].append(row)
    for note in notes:
        asked = invoked.get(note.id)
        if note.op != "answer" or asked is None or asked.ticket is None:
            continue
        if note.reason in _ALREADY:
            rightly = any(
                row["scan_id"] != note.id
                and (not clocks or _open(row, asked.at - BLUR, note.at + BLUR))
                for row in by_ticket[asked.ticket]
            )
            if not rightly:
                found.wrong_red += 1
                found.astray.append(_story(note, invoked, notes, rows))
        revoked_at = refunded.get(asked.ticket)
        if note.verdict == "admitted" and revoked_at and asked.at > revoked_at:
            found.revoked_in += 1


def _story(red: Note, invoked: dict, notes: list[Note], rows: list) -> str:
    """All that is known of the ticket of a red: every scan, then its rows."""
    head = f"red {red.reason} {red.id} at {red.at:%S.%f}"
    return "\n".join([head, *_of_ticket(invoked[red.id].ticket, invoked, notes, rows)])


def _of_ticket(
    ticket: UUID | None, invoked: dict, notes: list[Note], rows: list
) -> list[str]:
    lines = [
        f"  {n.at:%S.%f} {n.id} {n.op} {n.why or ''} {n.direction or ''}"
        f" {n.verdict or ''} {n.reason or ''} {n.durable or ''}"
        f"{' replayed' if n.replayed else ''}"
        for n in sorted(notes, key=lambda one: one.at)
        if n.id in invoked and invoked[n.id].ticket == ticket
    ]
    lines += [
        f"  row {r['scan_id']} {r['checked_in_at']:%S.%f} to {r['checked_out_at']}"
        for r in rows
        if r["ticket_id"] == ticket
    ]
    return lines


def _open(row: asyncpg.Record, since: datetime, until: datetime) -> bool:
    """Whether a visit was open at some time between."""
    out = row["checked_out_at"]
    return row["checked_in_at"] <= until and (out is None or out >= since)


def _devices(found: Findings, notes: list[Note], log: dict, reported: set) -> None:
    """What devices decided alone came to the record, or is reported."""
    late = {note.id for note in notes if note.op in ("answer", "upload")}
    answered_first: dict[UUID, str] = {}
    for note in notes:
        if note.op in ("answer", "own"):
            answered_first.setdefault(note.id, note.op)
    sent = {note.id for note in notes if note.op == "invoke"}
    resolved: Counter[str] = Counter()
    for scan_id in sent:
        if answered_first.get(scan_id) == "answer":
            continue
        found.unknown += 1
        resolved[log[scan_id][0] if scan_id in log else "never"] += 1
        found.undelivered += scan_id not in late
    found.resolved = dict(sorted(resolved.items()))
    for note in notes:
        if note.op == "own" and note.verdict == "admitted":
            green = log.get(note.id, ("",))[0] == "admitted"
            found.silent_doubles += not green and note.id not in reported


def _journals(place: Path, event_id: UUID, log: dict) -> int:
    """Lines of this event that stand in no record, in every readable file."""
    unmerged = 0
    for path in place.glob("*.journal") if place.exists() else ():
        try:
            lines = journals.read(path)
        except Exception:  # rubbish that a scenario has put there
            continue
        unmerged += sum(
            line.event_id == event_id
            and line.state != "cancelled"
            and line.scan_id not in log
            for line in lines
        )
    return unmerged
