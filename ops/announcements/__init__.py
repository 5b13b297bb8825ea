"""Announcements: who is meant, what is sent, what came back.

Shared by the api (writing and counting), sync (sending what is due) and live
(delivering), so it lies below all three. Pure but for `sending` and `receipts`. A sent
announcement is never changed, its audience is fixed in `ops.announcement_receipts`, and
its place in the event's order (`seq`) is given in the send's own transaction.
"""
