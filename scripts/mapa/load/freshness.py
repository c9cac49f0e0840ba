"""How fresh is it all? The verdict of `mapa status`: by source, the last build, the publication."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb

from mapa import identity, publish
from mapa.load import inbox, seen
from mapa.publish.gate import GREEN
from mapa.settings import Settings

FRESH, STALE, UNKNOWN = "fresh", "stale", "unknown"


def verdict(settings: Settings, con: duckdb.DuckDBPyConnection | None) -> dict[str, Any]:
    """Return what an operator must know, in a form for machines.

    `verdict` is `fresh`, `stale` or, without the warehouse, `unknown`; `problems` says why in
    sentences. An age is that of what a source described, in days, by our clock.

    Args:
        settings: where things are, and from which age on a source is stale.
        con: the warehouse; None when it cannot be read.

    """
    sources = _sources(con, settings) if con else []
    build = _last_build(settings)
    manifest = publish.read_manifest(settings.published) or {}
    pending = _pending(con, manifest.get("created_at"), build) if con else None
    aside, key = inbox.waiting(settings), settings.warehouse_key()
    problems = [
        f"{row['source']} {row['entity']} is {row['age_days']:g} days old; expected are at most "
        f"{row['limit_days']:g} (MAPA_STALE_DAYS)."
        for row in sources
        if row["state"] == STALE
    ]
    if con and not sources:
        problems.append("Nothing was ever loaded. Load something; see mapa load --help")
    if build and not build["green"]:
        problems.append("The last build is not green. Run dbt build and correct what it names.")
    if pending and pending["loads"]:
        problems.append(f"{pending['loads']} loads are {pending['state']}. {pending['advice']}")
    if not manifest:
        problems.append("Nothing is published. Run dbt build, then mapa publish")
    problems += [
        f"The published {subject['name']} is of before ({subject['data_referencia'] or 'never'}): "
        "its last build failed. Correct what dbt build names, then mapa publish"
        for subject in manifest.get("subjects", [])
        if subject["stale"]
    ]
    if aside:
        problems.append(
            f"{aside} files were refused and stand in {inbox.folder(settings) / inbox.REFUSED}."
        )
    stale = bool(problems)
    return {
        "verdict": UNKNOWN if con is None else STALE if stale else FRESH,
        "sources": sources,
        "last_build": build,
        "unpublished": pending,
        "published": manifest.get("version"),
        "scores": identity.last(con) if con else None,
        "refused_files": aside,
        "encryption": f"key of version {key.version}" if key else "not encrypted",
        "problems": problems,
    }


def _sources(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[dict[str, Any]]:
    """Return age and state of the newest complete load of each entity."""
    rows = con.execute(
        """
        select fonte, entidade, max(coalesce(janela_fim, iniciada_em - interval 3 hour))
        from controle.cargas where resultado = 'completa'
        group by fonte, entidade order by fonte, entidade
        """
    ).fetchall()
    now = seen.local_clock(datetime.now(UTC).replace(tzinfo=None))
    found = []
    for source, entity, newest in rows:
        age = round((now - newest).total_seconds() / 86400, 1)
        limit = settings.stale_days(source)
        found.append(
            {
                "source": source,
                "entity": entity,
                "as_of": newest,
                "age_days": age,
                "limit_days": limit,
                "state": STALE if age > limit else FRESH,
            }
        )
    return found


def _last_build(settings: Settings) -> dict[str, Any] | None:
    """Return when dbt last built and whether all was green; None when it never did."""
    try:
        results = json.loads((settings.dbt_target_path / "run_results.json").read_bytes())
        return {
            "command": results["args"].get("which"),
            "ended_at": datetime.fromisoformat(results["metadata"]["generated_at"]),
            "green": {row["status"] for row in results["results"]} <= GREEN,
            "nodes": len(results["results"]),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _pending(
    con: duckdb.DuckDBPyConnection, published_at: str | None, build: dict[str, Any] | None
) -> dict[str, Any]:
    """Return how many loads brought something since the current publication, and what to do."""
    since = datetime.fromisoformat(published_at).replace(tzinfo=None) if published_at else None
    row = con.execute(
        "select count(*), max(terminada_em) from controle.cargas where resultado = 'completa' "
        "and qtd_carregadas > 0 and ($1 is null or terminada_em > $1)",
        [since],
    ).fetchone()
    count, newest = row or (0, None)
    built = bool(count and build and newest and build["ended_at"].replace(tzinfo=None) > newest)
    if built:
        state, advice = "built and not published, or change nothing there", "Run mapa publish"
    else:
        state, advice = "loaded and not built", "Run dbt build, then mapa publish"
    return {"loads": count, "newest": newest, "state": state, "advice": advice}
