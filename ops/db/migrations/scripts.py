"""SQL files as parts of a migration."""

from __future__ import annotations

from pathlib import Path

from alembic import op

_DB = Path(__file__).resolve().parent.parent


def run_sql(*names: str) -> None:
    """Execute SQL files in the migration's transaction, in the order given.

    Args:
        names: paths below `ops/db`. A file may hold many statements, which the
            prepared statements of SQLAlchemy cannot: it goes to asyncpg as a whole.
    """
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    for name in names:
        script = (_DB / name).read_text(encoding="utf-8")
        connection.run_async(
            lambda asyncpg_connection, script=script: asyncpg_connection.execute(script)
        )
