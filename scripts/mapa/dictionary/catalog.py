"""What the database holds, in the form of dbt's `catalog.json`.

`dbt docs generate` would parse and compile the whole project again to say the same.
"""

from __future__ import annotations

from typing import Any

import duckdb

COLUMNS = """
with tables as (
    select database_name, schema_name, table_name, 'BASE TABLE' as kind, comment
    from duckdb_tables()
    union all
    select database_name, schema_name, view_name, 'VIEW', comment
    from duckdb_views()
)

select
    t.database_name, t.schema_name, t.table_name, t.kind, t.comment,
    c.column_name, c.column_index, c.data_type, c.comment
from tables as t
inner join duckdb_columns() as c using (database_name, schema_name, table_name)
where t.database_name = current_database()
order by t.schema_name, t.table_name, c.column_index
"""


def of(con: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in a warehouse of the sources, seeds and models of a manifest.

    Returns:
        `nodes` and `sources`: by unique id, the table's `metadata` and its `columns` with `type`
        and `index` (from 1).

    """
    tables = dict[tuple[str, str], dict[str, Any]]()
    for row in con.execute(COLUMNS).fetchall():
        about = dict(zip(("database", "schema", "name", "type", "comment"), row[:5], strict=True))
        column = dict(zip(("name", "index", "type", "comment"), row[5:], strict=True))
        table = tables.setdefault(
            (about["schema"], about["name"]),
            {"metadata": about | {"owner": None}, "columns": {}, "stats": {}},
        )
        table["columns"][column["name"]] = column
    catalog: dict[str, Any] = {"metadata": {}, "nodes": {}, "sources": {}}
    for part, name in (("nodes", "alias"), ("sources", "identifier")):
        for unique_id, node in manifest[part].items():
            if found := tables.get((node["schema"], node.get(name))):
                catalog[part][unique_id] = found | {"unique_id": unique_id}
    return catalog
