"""The gate: what dbt's own records must say before anything may leave the house.

`target/run_results.json` says what ran and how it ended, `target/manifest.json` says what should
have run. Only a complete `dbt build` without a failure opens the gate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from mapa.errors import PublishError
from mapa.settings import Settings

SCHEMA = "publicacao"
AS_OF_TABLE = "pub_atualizacao"
GREEN = {"success", "pass", "warn", "no-op"}
ADVICE = "Run `dbt build`, then `mapa publish` again."


@dataclass(frozen=True)
class Column:
    """A column as the dictionary knows it."""

    name: str
    description: str
    lgpd: str | None


@dataclass(frozen=True)
class Table:
    """A model of the schema `publicacao`."""

    name: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Build:
    """A green build: its identity, its end (UTC) and what it made for publication."""

    invocation_id: str
    ended_at: datetime
    tables: tuple[Table, ...]
    manifest: dict[str, Any]


def green_build(settings: Settings) -> Build:
    """Read dbt's records of the last command and let only a complete green build pass.

    Raises:
        PublishError: there was no build, it was partial, or something in it did not pass.
    """
    results = _read(settings.dbt_target_path / "run_results.json")
    manifest = _read(settings.dbt_target_path / "manifest.json")
    _require_a_full_build(results["args"])
    statuses = {row["unique_id"]: row["status"] for row in results["results"]}
    _require_green(statuses)
    models = _published_models(manifest)
    _require_complete(manifest, models, statuses)
    return Build(
        invocation_id=results["metadata"]["invocation_id"],
        ended_at=datetime.fromisoformat(results["metadata"]["generated_at"]),
        tables=tuple(_table(manifest["nodes"][model]) for model in models),
        manifest=manifest,
    )


def require_newest(con: duckdb.DuckDBPyConnection, build: Build) -> None:
    """Check that the tables are those of this build and that nothing was loaded after it.

    Raises:
        PublishError: the warehouse was loaded or built again since, or it is another warehouse.
    """
    tables = {
        row[0]
        for row in con.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [SCHEMA]
        ).fetchall()
    }
    missing = sorted({table.name for table in build.tables} - tables)
    if missing:
        raise PublishError(
            f"The warehouse does not hold {', '.join(missing)}; dbt's last build went elsewhere.\n"
            f"{ADVICE}"
        )
    made_by = con.execute(f"select construcao_id from {SCHEMA}.{AS_OF_TABLE}").fetchall()
    if made_by != [(build.invocation_id,)]:
        raise PublishError(
            "The tables in the warehouse are not those of dbt's last green build.\n" + ADVICE
        )
    newest = con.execute(
        """
        select max(coalesce(terminada_em, iniciada_em)) from controle.cargas
        where resultado = 'completa'
        """
    ).fetchall()[0][0]
    if newest and newest > build.ended_at.replace(tzinfo=None):
        raise PublishError(
            f"Something was loaded at {newest:%Y-%m-%d %H:%M:%S} UTC, after the last build.\n"
            f"{ADVICE}"
        )


def _read(path: Path) -> dict[str, Any]:
    """Read one of dbt's records."""
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise PublishError(
            f"{path} does not exist: nothing has been built yet.\n{ADVICE}"
        ) from None
    except ValueError:
        raise PublishError(f"{path} cannot be read: it is not whole.\n{ADVICE}") from None
    return record


def _require_a_full_build(arguments: dict[str, Any]) -> None:
    """Refuse another command than `build`, and a build on part of the rows or of what is known."""
    if arguments.get("which") != "build":
        raise PublishError(
            f"dbt's last command was `{arguments.get('which')}`; only a build proves the numbers.\n"
            f"{ADVICE}"
        )
    for flag in ("empty", "sample"):
        if arguments.get(flag):
            raise PublishError(
                f"dbt's last build ran with --{flag}, on part of the rows.\n{ADVICE}"
            )
    if (arguments.get("vars") or {}).get("conhecido_em"):
        raise PublishError(
            "dbt's last build shows what was known on a past day (conhecido_em), not what is "
            f"known.\n{ADVICE}"
        )


def _require_green(statuses: dict[str, str]) -> None:
    """Refuse a run in which anything failed or was skipped."""
    bad = sorted(
        f"  {status}: {_short(name)}" for name, status in statuses.items() if status not in GREEN
    )
    if bad:
        more = f"\n  and {len(bad) - 10} more" if len(bad) > 10 else ""
        listed = "\n".join(bad[:10])
        raise PublishError(f"The last build is not green:\n{listed}{more}\nCorrect it. {ADVICE}")


def _require_complete(
    manifest: dict[str, Any], models: list[str], statuses: dict[str, str]
) -> None:
    """Refuse a run that left out a published model, an ancestor of one, or a test of either."""
    family = _ancestors(manifest, models)
    tests = {
        name
        for name, node in {**manifest["nodes"], **manifest["unit_tests"]}.items()
        if name.startswith(("test.", "unit_test.")) and family & set(node["depends_on"]["nodes"])
    }
    built = {
        name
        for name in family
        if name in manifest["nodes"]
        and manifest["nodes"][name]["config"]["materialized"] != "ephemeral"
    }
    absent = sorted((built | tests) - set(statuses))
    if absent:
        raise PublishError(
            f"The last build was partial: {len(absent)} of the published tables' ancestors and "
            f"tests did not run, {_short(absent[0])} among them.\n{ADVICE}"
        )


def _published_models(manifest: dict[str, Any]) -> list[str]:
    """Return the ids of the models of the published schema, by name.

    Raises:
        PublishError: there are none, or the one with the as-of date is absent.
    """
    models = sorted(
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] == SCHEMA
    )
    if AS_OF_TABLE not in {_short(name) for name in models}:
        raise PublishError(f"The project has no model {AS_OF_TABLE}, which holds the as-of date.")
    return models


def _ancestors(manifest: dict[str, Any], models: list[str]) -> set[str]:
    """Return these models and everything they are made of, sources included."""
    found: set[str] = set()
    queue = list(models)
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue.extend(manifest["parent_map"].get(name, []))
    return found


def _table(node: dict[str, Any]) -> Table:
    """Describe one published table from its manifest node."""
    return Table(
        name=node["name"],
        description=node["description"].strip(),
        grain=tuple(node["config"]["meta"].get("grao", ())),
        columns=tuple(
            Column(
                name=column["name"],
                description=column["description"].strip(),
                lgpd=column["config"]["meta"].get("lgpd"),
            )
            for column in node["columns"].values()
        ),
    )


def _short(unique_id: str) -> str:
    """Return the name a person knows, without dbt's prefix and hash."""
    return unique_id.split(".")[2]
