"""Is the schema the present one: the quick answer that a start can afford.

The whole check (`ops.db.migrate.check`) imports the migrations' libraries, which takes
longer than starting a role; it is asked only when this says no.
"""

from __future__ import annotations

from pathlib import Path

import asyncpg

from ops.db import engine

_VERSIONS = Path(engine.__file__).parent / "migrations" / "versions"
_VERSION = "SELECT version_num FROM ops.schema_version"


async def is_current(url: str) -> bool:
    """Whether the database has exactly the newest schema of this program.

    False also when it could not be asked.
    """
    newest = max(path.stem for path in _VERSIONS.glob("[0-9]*.py"))
    try:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return bool(await connection.fetchval(_VERSION) == newest)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
