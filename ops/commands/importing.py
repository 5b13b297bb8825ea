"""`ops import`: a seller's export becomes tickets, with a progress bar."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from ops.checkin.coder import TicketCoder
from ops.checkin.keys import Seal, SigningKeys
from ops.errors import SettingsError
from ops.imports.result import Mapping, Result
from ops.imports.runs import import_file
from ops.settings import Settings

PROBLEMS_SHOWN_MAX = 50


async def run(
    settings: Settings,
    event: str,
    path: Path,
    mapping_path: Path | None,
    dry_run: bool,
    console: Console,
) -> Result:
    """Import the file and say what came of it.

    Args:
        event: id or slug.
        mapping_path: JSON: {"columns": {field: header}, "seller": name}.

    Raises:
        SettingsError: the mapping cannot be read.
        OpsError: as `ops.imports.runs.run_import`.
    """
    mapping = _mapping(mapping_path)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task(path.name, total=None)
        async with asyncpg.create_pool(
            settings.database_url, min_size=1, max_size=2
        ) as pool:
            keys = SigningKeys(pool, settings.secret_key)
            _, signer = await keys.ensure(datetime.now(UTC))
            result = await import_file(
                pool,
                TicketCoder(signer, Seal(settings.secret_key)),
                event,
                path,
                mapping,
                dry_run,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
    _say(console, result)
    return result


def _mapping(path: Path | None) -> Mapping | None:
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mapping)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"mapping {path}: {error}") from None


def _say(console: Console, result: Result) -> None:
    verb = "would be " if result.dry_run else ""
    console.print(
        f"{result.dialect} ({result.kind}, {result.encoding}): "
        f"{result.rows_total} rows; "
        f"{result.created} {verb}created, {result.changed} {verb}changed, "
        f"{result.unchanged} unchanged, {result.bad} bad"
    )
    for name in result.types_created:
        console.print(f"  new ticket type: {name}", markup=False)
    for problem in result.problems[:PROBLEMS_SHOWN_MAX]:
        where = f" {problem.field}" if problem.field else ""
        line = f"  line {problem.line}{where}: {problem.cause} ({problem.kind})"
        console.print(line, markup=False, soft_wrap=True)
    more = result.bad + result.notes - PROBLEMS_SHOWN_MAX
    if more > 0:
        console.print(f"  and {more} more")
    if result.missing_total:
        console.print(
            f"{result.missing_total} valid tickets of this seller are not in the file; "
            "they stay valid"
        )
