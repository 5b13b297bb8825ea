"""People at the door beside the scan: what a desk, a supervisor and a bar do.

Ticket life and media, seats of sessions, search and look-up, redemptions, counting
without tickets, ejections and bans, guest lists, bulk check-in, histories
(docs/subsystems/attendance.md).

PostgreSQL decides: each act is one transaction that locks what it changes, in one
order (sessions, tickets, codes), and writes its audit entry and its fact in the same
transaction. The door hears of it by the triggers and the relay, within a second;
nothing here writes the cache, and nothing here runs on the path of a scan.

Siblings are not imported: codes are read and made by a `Coder` that the runtime hands
in, scans are decided by its `Decide`.
"""
