"""The data dictionary: made from dbt's own documentation, and checked.

What a person reads (the site's pages, a spreadsheet) and what a program reads (CSV) come from the
same descriptions that dbt persists as comments in the database.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from mapa import audit, warehouse
from mapa.dbt import run_dbt
from mapa.dictionary import catalog, checks, entries, files, impact
from mapa.settings import Settings


def make(settings: Settings, folder: Path, manifest: dict[str, Any] | None = None) -> list[Path]:
    """Write dicionario.xlsx and dicionario.csv into the folder.

    Both say so when what is loaded is simulated, in whole or in part.

    Args:
        settings: where the warehouse and dbt's records are.
        folder: where the files go.
        manifest: dbt's own, of the build that is described; None: dbt reads the project, in a
            target folder of its own, because it would wipe out the record of the build that a
            publication has to see.

    Raises:
        BuildError: dbt could not read the project.
    """
    target = settings.dbt_target_path / "docs"
    if manifest is None:
        own = settings.model_copy(update={"dbt_target_path": target})
        run_dbt(own, "compile", title="dbt compile")
        manifest = _read(target / "manifest.json")
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        synthetic = audit.is_synthetic(con)
        tables = catalog.of(con, manifest)
    # What `check` compares with.
    target.mkdir(parents=True, exist_ok=True)
    for name, record in (("manifest", manifest), ("catalog", tables)):
        (target / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / f"dicionario.{kind}" for kind in ("xlsx", "csv")]
    rows = list(entries.columns(manifest, tables, entries.DATA[synthetic]))
    files.write_xlsx(rows, entries.tables(manifest), made[0])
    files.write_csv(rows, made[1])
    return made


def impact_report(settings: Settings, folder: Path) -> Path:
    """Write the impact report on personal data beside the dictionary that `make` has made.

    It describes how persons are treated, so that it stays on the restricted side: no publication
    holds it.
    """
    manifest = _read(settings.dbt_target_path / "docs" / "manifest.json")
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        data = entries.DATA[audit.is_synthetic(con)]
    path = folder / impact.REPORT
    treatments = impact.read(settings.in_project(Path()))
    path.write_text(impact.report(manifest, treatments, data), encoding="utf-8")
    return path


def check(settings: Settings) -> list[checks.Finding]:
    """Return everything that the rules of the dictionary object to, by file.

    The project is parsed first, so that the answer is about the files as they are now. Columns
    are compared with the database as the last dictionary saw it, when there was one.

    Raises:
        BuildError: dbt cannot parse the project.
    """
    own = settings.model_copy(update={"dbt_target_path": settings.dbt_target_path / "check"})
    run_dbt(own, "parse", title="dbt parse")
    manifest = _read(own.dbt_target_path / "manifest.json")
    known = _catalog(settings.dbt_target_path / "docs", manifest)
    return checks.all_findings(settings.dbt_project_dir, manifest, known)


def digest(manifest: dict[str, Any]) -> str:
    """Return a hash of everything that the dictionary says."""
    said = [
        [node["unique_id"], node["description"], entries.state(node)]
        + [
            (
                name,
                c["description"],
                entries.lgpd(c),
                entries.state(c),
                c["config"].get("meta", {}).get("nao_lido"),
            )
            for name, c in node["columns"].items()
        ]
        for node in entries.documented(manifest)
    ]
    pages = sorted((doc["unique_id"], doc["block_contents"]) for doc in manifest["docs"].values())
    return hashlib.sha256(json.dumps([said, pages]).encode()).hexdigest()


def _catalog(documented: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the database, without the models that were changed since."""
    if not (documented / "catalog.json").exists():
        return {}
    known = _read(documented / "catalog.json")
    then, now = _read(documented / "manifest.json")["nodes"], manifest["nodes"]
    known["nodes"] = {
        name: table
        for name, table in known["nodes"].items()
        if name in now and name in then and now[name]["checksum"] == then[name]["checksum"]
    }
    return known


def _read(path: Path) -> dict[str, Any]:
    """Read one of dbt's artefacts."""
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content
