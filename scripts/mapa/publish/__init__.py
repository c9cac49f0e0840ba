"""Publication: what leaves the house, by subject, only what is green, verified, in one step.

A version holds `mapa_publico.duckdb`, `parquet/`, `csv/`, `xlsx/`, the site, the dictionary, and
what the version says of itself: `manifest.json`, `datapackage.json`, `dcat.jsonld`,
`contrato.odcs.yaml`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from mapa import __version__, dictionary, warehouse
from mapa.dictionary import entries
from mapa.errors import DiskError, PublishError
from mapa.publish import (
    changes,
    contents,
    contract,
    descriptors,
    gate,
    inspection,
    keys,
    names,
    sheets,
    store,
    transparency,
)
from mapa.publish.contents import Published
from mapa.publish.contract import LICENCE, LICENCE_URL
from mapa.settings import Settings
from mapa.site import mirror, sources
from mapa.site.dictionary import Dictionary

KEEP = 3
UNWRITABLE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EACCES,
    errno.EROFS,
    errno.EPERM,
}
NO_ROOM = re.compile("no space left|could not write|file too large|disk quota", re.IGNORECASE)


@dataclass(frozen=True)
class State:
    """What a version holds of a subject.

    Attributes:
        name: such as `oferta`.
        data_referencia: day that its tables describe; None when they were never published.
        problems: what failed in the last build, so that its tables are of before.

    """

    name: str
    data_referencia: date | None
    problems: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        if not self.problems:
            return f"{self.name}: as of {self.data_referencia}"
        held = f"STALE, as of {self.data_referencia}" if self.data_referencia else "NOT PUBLISHED"
        more = f" and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
        return f"{self.name}: {held}, because of {self.problems[0]}{more}"


@dataclass(frozen=True)
class Outcome:
    """What `publish` did."""

    version: str
    folder: Path
    data_referencia: date
    tables: int
    rows: int
    new: bool
    removed: tuple[str, ...] = ()
    subjects: tuple[State, ...] = ()
    broken_keys: tuple[str, ...] = ()
    same_data_as: str = ""

    def __str__(self) -> str:
        """Say it in one line, and one for each subject that is not of today and each lost key."""
        content = f"{self.tables} tables, {self.rows} rows, as of {self.data_referencia}"
        removed = f"; removed {', '.join(self.removed)}" if self.removed else ""
        renewed = f"; data as in {self.same_data_as}, the site anew" if self.same_data_as else ""
        said = (
            f"Published version {self.version}: {content}{renewed}{removed}."
            if self.new
            else f"Nothing has changed since version {self.version} ({content})."
        )
        broken = (f"Key not declared: {said}." for said in self.broken_keys)
        return "\n".join([said, *map(str, self.stale), *broken])

    @property
    def stale(self) -> tuple[State, ...]:
        """Return the subjects in which something failed."""
        return tuple(state for state in self.subjects if state.problems)

    def require_fresh(self) -> None:
        """Fail when a subject is not what the last build made.

        Raises:
            PublishError: names them; what may be published is.
        """
        if self.stale:
            names = ", ".join(state.name for state in self.stale)
            problems = [problem for state in self.stale for problem in state.problems]
            raise PublishError(
                f"The last build is not green, so that {names} stayed as it was:\n"
                f"{gate.listed(list(dict.fromkeys(problems)))}\nCorrect it. {gate.ADVICE}"
            )


def publish(settings: Settings, keep: int = KEEP, *, accept_breaking: bool = False) -> Outcome:
    """Publish what the last build made, unless the current version already holds it.

    A subject in which something failed keeps the tables of the current version and is marked stale.

    Args:
        settings: where everything is.
        keep: how many versions are kept, the new one included.
        accept_breaking: whether the contract with the readers may be broken.

    Raises:
        PublishError: dbt's last command was no build of everything that ran to its end, or a check
            refused.
        LockedError: another publication runs, or a writer has the warehouse open.
        DiskError: no room left. Whatever fails, the current version stays as it was.
    """
    build = gate.finished_build(settings)
    published = settings.published
    with _disk_errors(published), store.locked(published), store.preparing(published) as folder:
        database = folder / store.DATABASE
        now = store.current(published)
        copied = folder / ".copied.duckdb"
        versions = store.versions(published)
        made = contents.copy(settings, build, copied, now, versions)
        build = made.build
        held = [table for table in build.tables if table.name in made.rows]
        tables = contents.verify(database, build, made.rows, keys.declare(copied, database, held))
        copied.unlink()
        with warehouse.connect(settings.warehouse, read_only=True) as con:
            names.require_none(con, database, tables, build.manifest)
            codes = contents.code_lists(con, database, tables)
            place = contents.place(con, settings.municipality)
            drift = contents.drift(con, build.manifest)
            before = read_manifest(published) or {}
            arrived = changes.arrivals(con, build, before)
        promise = contract.follow(
            contract.newest(versions),
            contract.make(build.owner, tables, codes, settings.stale_days("")),
            {table.name for table in build.tables},
            accept=accept_breaking,
        )
        manifest = _manifest(
            build,
            database,
            tables,
            codes,
            {
                "source_drift": drift,
                "contract_version": promise["version"],
                "transparency": [asdict(profile) for profile in transparency.profiles()],
            },
        ) | {
            "publisher": build.owner,
            "spatial": place,
            "temporal": contents.period(database, tables),
            "newest_loads": arrived.orders,
        }
        described = _described(settings, build)
        manifest["site_sha256"] = (
            sources.digest(described, build.owner) if settings.mapa_site else None
        )
        problems = {subject.name: subject.problems for subject in build.subjects}
        same = before.get("content_sha256") == manifest["content_sha256"]
        if same and manifest["site_sha256"] in {None, before.get("site_sha256")}:
            store.link_stable_names(published)
            return _outcome(manifest | before, published, problems, new=False)
        _write_tables(folder, manifest, tables, codes)
        dictionary.make(settings, folder, build.manifest)
        catalog = json.loads((settings.dbt_target_path / "docs" / "catalog.json").read_bytes())
        described = replace(described, catalog=catalog)
        variables = mirror.layouts(described, manifest["source_drift"])
        mirror.write(variables, folder, store.MIRROR, entries.DATA[manifest["synthetic"]])
        contract.write(folder / store.CONTRACT, promise)
        changes.write(folder, manifest, now, arrived)
        if made.certificate:
            _write(folder / store.DISCLOSURE, made.certificate)
        manifest |= {"issued_at": _issued(published, manifest), "files": _files(folder)}
        _describe(folder, manifest, tables, codes)
        if settings.mapa_site:
            _write_site(described, folder, manifest, now)
        manifest["files"] = _files(folder)
        _write(folder / store.MANIFEST, manifest)
        inspection.require_clean(settings, folder)
        store.install(published, folder, manifest["version"])
        removed = store.prune(
            published, keep, contents.standing(store.versions(published), build.tables).values()
        )
    outcome = _outcome(manifest, published, problems, new=True, removed=tuple(removed))
    return replace(outcome, same_data_as=before["version"]) if same else outcome


def read_manifest(published: Path) -> dict[str, Any] | None:
    """Return the manifest of the current version, or None when nothing is published."""
    folder = store.current(published)
    if folder is None or not (folder / store.MANIFEST).exists():
        return None
    manifest: dict[str, Any] = json.loads((folder / store.MANIFEST).read_bytes())
    return manifest


def _write_tables(
    folder: Path, manifest: dict[str, Any], tables: tuple[Published, ...], codes: sheets.Codes
) -> None:
    """Write the tables of a version in each format beside its database."""
    database, synthetic = folder / store.DATABASE, manifest["synthetic"]
    contents.write_parquet(database, tables, folder / store.PARQUET, LICENCE)
    sheets.write_csv(database, tables, folder / store.CSV, synthetic=synthetic)
    sheets.write_xlsx(database, tables, folder / store.XLSX, manifest, codes)
    exports = folder / store.TRANSPARENCY
    transparency.write(database, tables, exports, synthetic=synthetic)


def _describe(
    folder: Path, manifest: dict[str, Any], tables: tuple[Published, ...], codes: sheets.Codes
) -> None:
    """Write what describes the files of a version to machines, and list it with them."""
    for name, content in (
        (store.DATAPACKAGE, descriptors.datapackage(manifest, tables, codes)),
        (store.DCAT, descriptors.dcat(manifest)),
    ):
        manifest["files"].append(_file(folder, _write(folder / name, content)))


def _issued(published: Path, manifest: dict[str, Any]) -> str:
    """Return when the first version was made, as far back as versions tell."""
    before = read_manifest(published) or manifest
    return str(before.get("issued_at", before["created_at"]))


def _write(path: Path, content: dict[str, Any]) -> Path:
    """Write one of the files that describe a version."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def _manifest(
    build: gate.Build,
    database: Path,
    tables: tuple[Published, ...],
    codes: sheets.Codes,
    said: dict[str, Any],
) -> dict[str, Any]:
    """Return the manifest of a version, but for its surroundings and the list of files.

    Args:
        build: what dbt made.
        database: the published file.
        tables: what is in it.
        codes: allowed values of columns.
        said: what else the version says, and is made of.
    """
    with contents.reading(database) as con:
        dates = contents.as_of(con)
        synthetic, source = contents.origin(con)
    described = [_table(published, contents.of_subject(dates, published)) for published in tables]
    digest = hashlib.sha256(
        json.dumps(
            [[t["name"], t["sha256"], t["primary_key"], t["foreign_keys"]] for t in described]
            # What a version is made of: a house of before gets what it has not yet.
            + [store.STABLE, sorted([*place, *listed] for place, listed in codes.items())]
            + [dictionary.digest(build.manifest), *said.values(), LICENCE, __version__]
        ).encode()
    ).hexdigest()
    now = datetime.now(UTC)
    return {
        "version": f"{now:%Y%m%dT%H%M%SZ}-{digest[:8]}",
        "created_at": now.isoformat(timespec="seconds"),
        # Nothing in the version is older.
        "data_referencia": str(min(date.day for date in dates.values())),
        "code_version": __version__,
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "source": source,
        "synthetic": synthetic,
        "content_sha256": digest,
        "subjects": [_subject(subject, dates.get(subject.name)) for subject in build.subjects],
        "tables": described,
        **said,
    }


def _subject(subject: gate.Subject, date: contents.AsOf | None) -> dict[str, Any]:
    """Describe one subject for the manifest; without a date it was never published."""
    return {
        "name": subject.name,
        "stale": bool(subject.problems),
        "data_referencia": str(date.day) if date else None,
        "construcao_id": date.build if date else None,
        "problems": list(subject.problems[: gate.MOST]),
    }


def _table(published: Published, described: contents.AsOf) -> dict[str, Any]:
    """Describe one table for the manifest."""
    return {
        "name": published.table.name,
        "subject": published.table.subject,
        "data_referencia": str(described.day),
        "stale": described.stale,
        "description": published.table.description.partition("\n")[0],
        "rows": published.rows,
        "sha256": published.sha256,
        "primary_key": list(published.keys.primary),
        "foreign_keys": [asdict(reference) for reference in published.keys.foreign],
        "files": sheets.files(published),
        "broken_keys": list(published.keys.broken),
        "columns": [
            {"name": column.name, "type": kind}
            for column, kind in zip(published.table.columns, published.types, strict=True)
        ],
    }


def _described(settings: Settings, build: gate.Build) -> Dictionary:
    """Return what dbt knows of a build, as far as its records tell without the database."""
    results = json.loads((settings.dbt_target_path / "run_results.json").read_bytes())
    return Dictionary(build.manifest, {}, settings.dbt_project_dir, results)


def _write_site(
    described: Dictionary, folder: Path, manifest: dict[str, Any], before: Path | None
) -> None:
    """Write the site of a version whose other files stand in its folder."""
    # Heavy, and only wanted for a new version.
    from mapa.site import writer  # noqa: PLC0415

    writer.write(
        folder / store.DATABASE,
        folder / store.SITE,
        manifest,
        described,
        before and before / store.SITE,
    )


def _files(folder: Path) -> list[dict[str, Any]]:
    """List every file of a version with size and checksum."""
    return [_file(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()]


def _file(folder: Path, path: Path) -> dict[str, Any]:
    """Describe one file of a version."""
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "path": path.relative_to(folder).as_posix(),
        "bytes": path.stat().st_size,
        "sha256": checksum,
    }


def _outcome(
    manifest: dict[str, Any],
    published: Path,
    problems: Mapping[str, tuple[str, ...]],
    *,
    new: bool,
    removed: tuple[str, ...] = (),
) -> Outcome:
    """Sum a manifest up."""
    days = {subject["name"]: subject["data_referencia"] for subject in manifest["subjects"]}
    return Outcome(
        version=manifest["version"],
        folder=published / "versions" / manifest["version"],
        data_referencia=date.fromisoformat(manifest["data_referencia"]),
        tables=len(manifest["tables"]),
        rows=sum(table["rows"] for table in manifest["tables"]),
        new=new,
        removed=removed,
        subjects=tuple(
            State(name, date.fromisoformat(day) if (day := days.get(name)) else None, failed)
            for name, failed in problems.items()
        ),
        broken_keys=tuple(
            broken for table in manifest["tables"] for broken in table["broken_keys"]
        ),
    )


@contextmanager
def _disk_errors(published: Path) -> Iterator[None]:
    """Turn a full or unwritable disk into one clear line."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        if isinstance(error, duckdb.Error):
            full = NO_ROOM.search(str(error)) is not None
        else:
            full = error.errno in UNWRITABLE
        if not full:
            raise
        raise DiskError(
            f"{published} cannot be written; the current version stays as it was.\n"
            "Free some space or correct the permissions, then run `mapa publish` again."
        ) from None


__all__ = ["KEEP", "Outcome", "PublishError", "publish", "read_manifest"]
