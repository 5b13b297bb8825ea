"""The audit log: who did what to what, from where, and what it was before and after.

    auditor = Auditor(settings.secret_key)
    await auditor.record(connection, Entry(actor, "contacts.update", "contacts", id,
                         before=row, after=changed, person=Person("contact", id)))

The entry is written in the caller's transaction: what was not committed was not done.
Rows are never altered (a trigger refuses it). What could tell who a person is (names,
addresses, free text: `entry.split`) is sealed under a key of that person, which lies
sealed in `ops.person_keys`: erasing the person is deleting the key, and the log keeps
its shape, its order and its seals. `sealing` chains hashes over runs of rows; it reads
below the oldest open transaction, so that no row can slip in behind a seal.

Concurrency: an `Auditor` holds a small cache of opened keys (for a minute); sealing a
row under a key that was deleted meanwhile loses that row's personal values, which is
what an erasure asks for. Opening always reads the key from the table.
"""
