"""Finding a code by what was read: the SQL of `ops.checkin.codes.key`.

A read text is looked up by the hash of the exact text and, where it may be the UID of
an NFC tag, by the hash of that, which stands behind it; the exact one counts first.
"""

from __future__ import annotations


def known_by(column: str, key: str = "$2") -> str:
    """The condition that a column of 16 bytes is one of the hashes of a key."""
    return f"{column} IN (substr({key}::bytea, 1, 16), substr({key}::bytea, 17, 16))"


def exact_first(column: str, key: str = "$2") -> str:
    """The end of a statement that wants one row: the exact text's, if there is one."""
    return f"ORDER BY {column} <> substr({key}::bytea, 1, 16) LIMIT 1"
