"""Models, migrations and the seed's schema say the same, column by column.

`schema_facts.json` was read once from a database made from the seed's own CREATE
TABLE statements; it is the project's copy of them. Three descriptions are compared
by PostgreSQL's catalog, so that each is in PostgreSQL's own words: the migrated
database, a database made from the models, and that file. The one reference that
PostgreSQL cannot hold, of the array vouchers.applicable_ticket_types, is a trigger
(tests/integration/test_guards.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.orm import configure_mappers

import ops.db.models  # noqa: F401 - fills the metadata
from ops.db.base import Base
from ops.db.engine import Database
from ops.db.session import Sessions, connect_once

FACTS = json.loads((Path(__file__).parent / "schema_facts.json").read_text())
FOLDED = Path(__file__).parents[2] / "ops" / "db" / "sql" / "folded.sql"
SEED_TABLES = sorted(FACTS["tables"])
DESIGNED_TABLES = ("profiles", "venues", "events", "orders", "attendees", "tickets")
IDENTIFIER_BYTES_MAX = 63

Catalog = dict[str, dict[str, Any]]

COLUMNS = """
SELECT n.nspname || '.' || c.relname AS tab, a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
       pg_get_expr(d.adbin, d.adrelid) AS expression,
       a.attgenerated <> '' AS generated, a.attidentity::text AS identity
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'schema_version'
ORDER BY 1, a.attnum
"""

CONSTRAINTS = """
SELECT n.nspname || '.' || c.relname AS tab, k.conname AS name,
       k.contype::text AS kind, pg_get_constraintdef(k.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(no, i)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.no
             ORDER BY u.i) AS columns
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
WHERE k.contype IN ('p', 'u', 'f', 'c') AND c.relname <> 'schema_version'
ORDER BY 1, 4
"""

INDEXES = """
SELECT n.nspname || '.' || c.relname AS tab, i.relname AS name,
       pg_get_indexdef(x.indexrelid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY u(no, i)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.no
             ORDER BY u.i) AS columns,
       pg_get_expr(x.indpred, x.indrelid) AS predicate
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
WHERE c.relname <> 'schema_version'
ORDER BY 1, 2
"""


async def read_catalog(url: str) -> Catalog:
    """Each table with its columns, constraints and indexes, as PostgreSQL says them."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "public"})
    try:
        columns = await connection.fetch(COLUMNS)
        constraints = await connection.fetch(CONSTRAINTS)
        indexes = await connection.fetch(INDEXES)
    finally:
        await connection.close()
    tables: Catalog = {}
    for row in columns:
        table = tables.setdefault(
            row["tab"], {"columns": {}, "constraints": [], "indexes": []}
        )
        table["columns"][row["name"]] = {
            key: row[key]
            for key in ("type", "nullable", "expression", "generated", "identity")
        }
    for row in constraints:
        tables[row["tab"]]["constraints"].append(dict(row))
    for row in indexes:
        tables[row["tab"]]["indexes"].append(dict(row))
    return tables


def seed_facts(catalog: Catalog, table: str) -> dict[str, Any]:
    """What the seed says of a table: columns, checks, uniques, references, by value."""
    found = catalog[f"public.{table}"]
    kinds: dict[str, list[str]] = {"p": [], "u": [], "c": [], "f": []}
    for constraint in found["constraints"]:
        kinds[constraint["kind"]].append(constraint["definition"])
    return {
        "columns": {
            name: {
                "type": column["type"],
                "nullable": column["nullable"],
                "generated" if column["generated"] else "default": column["expression"],
            }
            for name, column in found["columns"].items()
        },
        "primary_key": kinds["p"],
        "uniques": sorted(kinds["u"]),
        "checks": sorted(kinds["c"]),
        "references": sorted(kinds["f"]),
    }


@pytest.fixture(scope="module")
async def migrated(catalog_url: str) -> Catalog:
    return await read_catalog(catalog_url)


@pytest.fixture(scope="module")
async def from_models(make_database: Callable[[], Awaitable[str]]) -> Catalog:
    url = await make_database()
    engine = connect_once(url, "models")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA ops"))
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.execute(FOLDED.read_text(encoding="utf-8"))
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    return await read_catalog(url)


def test_the_facts_are_of_all_28_tables_of_the_seed() -> None:
    assert len(SEED_TABLES) == 28
    assert sum(len(table["columns"]) for table in FACTS["tables"].values()) == 511


@pytest.mark.parametrize("table", SEED_TABLES)
def test_a_table_has_all_that_the_seed_says(migrated: Catalog, table: str) -> None:
    wanted = FACTS["tables"][table]
    found = seed_facts(migrated, table)
    assert {name: found["columns"].get(name) for name in wanted["columns"]} == (
        wanted["columns"]
    )
    for kind in ("primary_key", "uniques", "checks", "references"):
        assert [each for each in wanted[kind] if each not in found[kind]] == []


def test_no_reference_of_the_seed_has_another_delete_rule(migrated: Catalog) -> None:
    # Two constraints on one column would let the wrong rule hide behind the right.
    for table in SEED_TABLES:
        references = [
            tuple(c["columns"])
            for c in migrated[f"public.{table}"]["constraints"]
            if c["kind"] == "f"
        ]
        assert len(references) == len(set(references)), table


def test_public_holds_the_34_tables_and_nothing_else(migrated: Catalog) -> None:
    public = {name.removeprefix("public.") for name in migrated if "public." in name}
    assert public == {*SEED_TABLES, *DESIGNED_TABLES}


def test_the_models_make_the_same_database_as_the_migrations(
    migrated: Catalog, from_models: Catalog
) -> None:
    assert sorted(migrated) == sorted(from_models)
    for table, found in migrated.items():
        assert found == from_models[table], table


async def test_alembic_finds_nothing_to_migrate(catalog_url: str) -> None:
    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "compare_type": True,
                "compare_server_default": True,
                "version_table": "schema_version",
                "version_table_schema": "ops",
            },
        )
        return list(compare_metadata(context, Base.metadata))

    engine = connect_once(catalog_url, "compare")
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


def test_every_constraint_is_named_by_the_convention(migrated: Catalog) -> None:
    prefixes = {"p": "pk", "u": "uq", "c": "ck", "f": "fk"}
    for table, found in migrated.items():
        bare = table.partition(".")[2]
        for constraint in found["constraints"]:
            pattern = rf"{prefixes[constraint['kind']]}_{bare}(_|$)"
            assert re.match(pattern, constraint["name"]), constraint
        for index in found["indexes"]:
            assert re.match(rf"(pk|uq|ix)_{bare}(_|$)", index["name"]), index


def test_no_name_was_cut_short(migrated: Catalog) -> None:
    # PostgreSQL cuts at 63 bytes; SQLAlchemy puts a hash there before. Neither reads
    # well, and a migration that drops by name would miss.
    for found in migrated.values():
        for named in (*found["constraints"], *found["indexes"]):
            assert len(named["name"].encode()) < IDENTIFIER_BYTES_MAX
            assert not re.search(r"_[0-9a-f]{4}$", named["name"]), named["name"]


def references_without_index(catalog: Catalog) -> list[str]:
    """Foreign keys whose columns no index begins with: a delete would scan a table."""
    return [
        f"{table}({', '.join(constraint['columns'])})"
        for table, found in catalog.items()
        for constraint in found["constraints"]
        if constraint["kind"] == "f"
        and not any(serves(index, constraint["columns"]) for index in found["indexes"])
    ]


def serves(index: dict[str, Any], columns: list[str]) -> bool:
    """Whether a look-up by these columns, none of them null, can use the index."""
    nulls_only = {None, *(f"({column} IS NOT NULL)" for column in columns)}
    return index["columns"][: len(columns)] == columns and (
        index["predicate"] in nulls_only
    )


def test_every_foreign_key_has_an_index(migrated: Catalog) -> None:
    assert references_without_index(migrated) == []


def test_a_foreign_key_without_index_is_found(migrated: Catalog) -> None:
    # The negative control: the same catalog without one index.
    leads = migrated["public.leads"]
    kept = [i for i in leads["indexes"] if i["columns"] != ["contact_id"]]
    without = {**migrated, "public.leads": {**leads, "indexes": kept}}
    assert references_without_index(without) == ["public.leads(contact_id)"]


def test_every_list_has_an_index_in_its_order(migrated: Catalog) -> None:
    # A page goes on after (created_at, id), within an event where there is one.
    for table in (*SEED_TABLES, *DESIGNED_TABLES):
        if table == "check_ins":  # its lists go by the time of entry
            order = ["event_id", "checked_in_at", "id"]
        else:
            order = ["created_at", "id"]
        found = migrated[f"public.{table}"]
        orders = [order]
        if "event_id" in found["columns"] and table != "check_ins":
            orders.append(["event_id", *order])
        indexed = [index["columns"] for index in found["indexes"]]
        assert all(wanted in indexed for wanted in orders), table


def test_ids_are_version_7_in_python_and_random_in_sql() -> None:
    configure_mappers()
    for table in Base.metadata.tables.values():
        if "id" in table.columns and table.schema is None:
            column = table.columns["id"]
            assert column.default is not None
            assert str(column.server_default.arg) == "gen_random_uuid()"


def test_relationships_never_load_by_themselves() -> None:
    for mapper in Base.registry.mappers:
        for relation in mapper.relationships:
            assert relation.lazy == "raise", relation


async def test_the_search_path_does_not_hide_the_tables(
    database: Database, sessions: Sessions
) -> None:
    # The embedded server's user is called like the schema `ops`.
    for pool in (database.pool, database.door):
        assert await pool.fetchval("SELECT current_schema()") == "public"
    async with sessions.begin() as session:
        assert await session.scalar(text("SELECT current_schema()")) == "public"


def documented_columns() -> dict[str, set[str]]:
    """The columns that door-tables.md lists for each table of the schema `ops`."""
    page = Path(__file__).parents[2] / "docs" / "subsystems" / "door-tables.md"
    section = page.read_text(encoding="utf-8").split("\n## ops\n")[1].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|", 1)]
        if len(cells) < 2 or cells[0] in ("table", "---"):
            continue
        # Behind a colon or semicolon stands a remark, in brackets a list of values.
        text_ = re.sub(r"^\(([\w, ]+)\) pk", r"\1", cells[1])
        text_ = re.split(r"[:;]", re.sub(r"\([^()]*\)", "", text_))[0]
        found[f"ops.{cells[0]}"] = {part.split()[0] for part in text_.split(",")}
    return found


def test_the_page_about_the_door_lists_its_tables_and_columns(
    migrated: Catalog,
) -> None:
    documented = documented_columns()
    real = {name: found for name, found in migrated.items() if name.startswith("ops.")}
    assert sorted(documented) == sorted(real)
    for table, found in real.items():
        # `created_at` is described for all tables at once.
        assert documented[table] | {"created_at"} == (
            set(found["columns"]) | {"created_at"}
        ), table
