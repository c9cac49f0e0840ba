"""`mapa destroy`: what was received is disposed of on request, and a certificate says so.

What is destroyed are loads: all of a source, all of a period, or all. Their rows, their files and
all that was made of them go: what dbt built, its records and logs, the releases since the first of
them. Loads of the same part that stay are rebuilt from landing, because a row that two of them
brought is stored with the first only. The warehouse is then written anew: DuckDB keeps deleted
bytes in its file. At last everything is searched for the numbers of persons that are in nothing
that stays. `controle.cargas` keeps that a load was there, and nothing of what it brought.

`destruicao.json` is written first and removed last: interrupted, the next call finishes, and
nothing is loaded or built before that. Numbers are kept meanwhile as keyed marks.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson

from mapa import __version__, clocks, landing, layouts, pseudonyms, rotation, search, warehouse
from mapa.errors import CheckError, ConfigError
from mapa.landing import JOURNAL, SEALED, disk
from mapa.load import inbox, replay, resume, seen
from mapa.load.replay import BELONGINGS
from mapa.publish import store
from mapa.settings import Settings
from mapa.sources import SOURCES
from mapa.sql import literal, quoted

DESTROYED = "destruida"
MARKS = "destruicao.marcas"
CERTIFICATES = "certificados"
TERM = 5
"""Working days within which the certificate is due, by the clause."""
CALENDAR = "dimensoes.dim_calendario"
AHEAD = timedelta(days=60)
"""How far the calendar is looked up: longer than five working days ever take."""
FORGOTTEN = (
    "origem", "janela_inicio", "janela_fim", "bytes_recebidos", "qtd_recebidas", "qtd_carregadas",
    "qtd_identicas", "qtd_rejeitadas", "qtd_novas_tentativas", "sha256", "mensagem", "escopo",
    "entrega",
)  # fmt: skip
Facts = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """Which loads: of these sources, begun on these days in Brasília; nothing given is no limit."""

    sources: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing limits it."""
        return not (self.sources or self.since or self.until)

    def has(self, source: str, begun: datetime) -> bool:
        """Say whether a load belongs to it; `begun` is naive UTC."""
        day = seen.local_clock(begun).date()
        return (
            (not self.sources or source in self.sources)
            and (self.since is None or day >= self.since)
            and (self.until is None or day <= self.until)
        )

    def note(self) -> Facts:
        """Return what the certificate says of it."""
        return {
            "tudo": self.is_everything, "fontes": [*self.sources], "desde": self.since,
            "ate": self.until,
        }  # fmt: skip


@dataclass(frozen=True)
class Request:
    """On whose request, and when it was received."""

    by: str
    received: date


def pending(settings: Settings) -> Facts | None:
    """Return what an interrupted destruction was about; None when there is none."""
    path = settings.mapa_dir / JOURNAL
    return orjson.loads(path.read_bytes()) if path.exists() else None


def plan(settings: Settings, selection: Selection, request: Request) -> Facts:
    """Return what would be destroyed; nothing is changed.

    Raises:
        ConfigError: no load is selected, or an interrupted destruction comes first.
        LockedError: another process holds the warehouse.

    """
    landing.refuse_unfinished(settings.mapa_dir)
    with warehouse.connect(settings.warehouse) as con:
        return _planned(con, settings, selection, request)


def destroy(settings: Settings, selection: Selection, request: Request) -> list[Path]:
    """Destroy, verify, and write the certificate; return its files.

    Raises:
        ConfigError: no load is selected, an interrupted destruction comes first, or a key is
            missing.
        LockedError: another process holds the warehouse or publishes.
        CheckError: something remains; the message says where. Called again, it is looked for again.

    """
    landing.refuse_unfinished(settings.mapa_dir)
    with warehouse.connect(settings.warehouse) as con:
        facts = _planned(con, settings, selection, request)
        marks = _numbers(con, settings, facts["cargas"])
    with disk(settings.mapa_dir):
        landing.write_whole(settings.mapa_dir / MARKS, b"".join(sorted(marks)))
        content = orjson.dumps(facts, option=orjson.OPT_INDENT_2)
        landing.write_whole(settings.mapa_dir / JOURNAL, content)
    return finish(settings)


def finish(settings: Settings) -> list[Path]:
    """Do all that the journal asks for, again where it was done; raises what `destroy` does."""
    facts = pending(settings)
    if facts is None:
        raise ConfigError("There is no destruction to finish.\n  mapa destroy --help")
    with disk(settings.mapa_dir):
        _forget(settings, facts)
        _remove_files(settings, facts)
        for part in facts["refazer"]:
            replay.rebuild(settings, part)
        with warehouse.connect(settings.warehouse) as con:
            rotation.rewrite(con, settings.warehouse, settings.warehouse_key())
        _remove_releases(settings, facts)
        _remove_remnants(settings, facts)
    facts["verificacao"] = _verify(settings, facts)
    made = _certify(settings, facts)
    for name in (MARKS, JOURNAL):
        (settings.mapa_dir / name).unlink(missing_ok=True)
    landing.sync(settings.mapa_dir)
    return made


# --- what it is about -----------------------------------------------------------------------------


def _planned(
    con: duckdb.DuckDBPyConnection, settings: Settings, selection: Selection, request: Request
) -> Facts:
    rows = con.execute(
        "select carga_id, fonte, entidade, origem, iniciada_em from controle.cargas "
        "where resultado <> $1 order by ordem",
        [DESTROYED],
    ).fetchall()
    known = {row[0] for row in rows}
    # A load that was killed has a folder and no row.
    rows += [
        (folder.name, folder.parent.name, "", None, begun)
        for folder in sorted(settings.landing.glob("*/*/"))
        if folder.name not in known and (begun := _begun(folder.name))
    ]
    chosen = [row for row in rows if selection.has(row[1], row[4])]
    if not chosen:
        raise ConfigError(
            "No load is selected; nothing was changed.\nSources and days of the loads are shown by"
            "\n  mapa status --wide"
        )
    loads = [
        {
            "carga_id": name, "fonte": source, "entidade": entity, "iniciada_em": begun,
            "arquivos": _files(settings.landing / source / name),
        }
        for name, source, entity, _, begun in chosen
    ]  # fmt: skip
    ids = [load["carga_id"] for load in loads]
    kept = {row[1] for row in rows if row[0] not in set(ids)}
    touched = {source.part for source in SOURCES if source.name in {row[1] for row in chosen}}
    again = sorted({s.part for s in SOURCES if s.name in kept and s.part in touched})
    for part in again:
        replay.require_whole(con, settings, part)
    first = min(row[4] for row in chosen)
    return {
        "destruicao_id": f"{clocks.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        "pedido_por": request.by,
        "pedido_recebido_em": request.received,
        "selecao": selection.note(),
        "iniciada_em": clocks.now(),
        "cargas": loads,
        "origens": sorted({row[3] for row in chosen if row[3]}),
        "linhas": {table: n for table in _tables() if (n := _rows(con, table, ids))},
        "refazer": again,
        "versoes": [p.name for p in store.versions(settings.published) if _made(p) >= first],
        "calendario": _calendar(con),
    }


def _begun(folder: str) -> datetime | None:
    try:
        return datetime.strptime(folder.partition("-")[0], "%Y%m%dT%H%M%S")
    except ValueError:
        return None


def _files(folder: Path) -> list[Facts]:
    """Return name, size and checksum of what a load received, those taken out included."""
    note = resume.read_note(folder, SEALED) or {}
    listed = [{k: f[k] for k in ("nome", "bytes", "sha256")} for f in note.get("arquivos", [])]
    names = {file["nome"] for file in listed} | {SEALED}
    other = landing.Folder(folder.parent.parent, folder.parent.name, folder.name)
    for path in sorted(folder.glob("*")):
        if path.name not in names and path.is_file():
            landed = other.adopt(path)
            listed.append({"nome": path.name, "bytes": landed.size, "sha256": landed.sha256})
    return listed


def _tables() -> list[str]:
    """Return all tables whose rows belong to one load."""
    return [*(la.table for la in layouts.every()), *BELONGINGS, "controle.marcas",
            "controle.correcoes"]  # fmt: skip


def _load_column(table: str) -> str:
    return "carga_id" if table.startswith("controle.") else "_carga_id"


def _rows(con: duckdb.DuckDBPyConnection, table: str, ids: list[str]) -> int:
    query = f"select count(*) from {table} where list_contains($1, {_load_column(table)})"
    row = con.execute(query, [ids]).fetchone()
    return int(row[0]) if row else 0


def _made(version: Path) -> datetime:
    return _begun(version.name.replace("Z-", "-")) or datetime.max


def _calendar(con: duckdb.DuckDBPyConnection) -> Facts:
    """Return the working days of the house from today on; empty when it has none."""
    today = seen.local_clock(clocks.now()).date()
    try:
        rows = con.execute(
            f"select data from {CALENDAR} where eh_dia_util and data > $1 and data <= $2",
            [today, today + AHEAD],
        ).fetchall()
        last = con.execute(f"select max(data) from {CALENDAR}").fetchone()
    except duckdb.CatalogException:
        return {"uteis": [], "ate": None}
    return {"uteis": sorted(day for (day,) in rows), "ate": last and last[0]}


def _numbers(
    con: duckdb.DuckDBPyConnection, settings: Settings, loads: list[Facts], *, others: bool = False
) -> set[bytes]:
    """Return the marks of all numbers of persons in the raw rows of loads, or of all others."""
    ids = [load["carga_id"] for load in loads]
    found, mark = set[bytes](), search.marker(settings.pseudonym_key())
    negation = "not " if others else ""
    for layout in layouts.every():
        columns = [name for name, kind in layout.types().items()
                   if kind.lower() == "varchar" and not name.startswith("_")]  # fmt: skip
        for column in columns:
            digits = f"regexp_replace({quoted(column)}, '[^0-9]', '', 'g')"
            rows = con.execute(
                f"select distinct {digits} from {layout.table} "
                f"where {negation}list_contains($1, _carga_id) "
                f"and regexp_full_match({quoted(column)}, {literal(search.WHOLE)})",
                [ids],
            )
            while batch := rows.fetchmany(10_000):
                found |= {mark(number.encode()) for (number,) in batch}
    return found


# --- the work -------------------------------------------------------------------------------------


def _forget(settings: Settings, facts: Facts) -> None:
    """Delete the rows of the loads and all that was built, as one transaction."""
    ids = [load["carga_id"] for load in facts["cargas"]]
    with warehouse.connect(settings.warehouse) as con:
        con.begin()
        for table in _tables():
            column = _load_column(table)
            con.execute(f"delete from {table} where list_contains($1, {column})", [ids])
        nothing = ", ".join(f"{name} = null" for name in FORGOTTEN)
        con.execute(
            f"update controle.cargas set resultado = $1, {nothing} "
            "where list_contains($2, carga_id)",
            [DESTROYED, ids],
        )
        pseudonyms.drop_built(con)
        con.commit()


def _remove_files(settings: Settings, facts: Facts) -> None:
    for load in facts["cargas"]:
        _remove(settings.landing / load["fonte"] / load["carga_id"])
    names = {str(origin).partition("/")[0] for origin in facts["origens"]}
    everything = facts["selecao"]["tudo"]
    for place in (inbox.LOADED, inbox.REFUSED):
        for path in sorted((inbox.folder(settings) / place).glob("*/*")):
            # A second file of one name was given a number.
            if everything or path.name in names or path.name.partition("_")[2] in names:
                _remove(path)
    if everything:
        for path in (settings.landing, inbox.folder(settings), settings.mapa_dir / "city"):
            _remove(path)


def _remove_releases(settings: Settings, facts: Facts) -> None:
    if not settings.published.exists():
        return
    with store.locked(settings.published):
        store.remove(settings.published, facts["versoes"])


def _remove_remnants(settings: Settings, facts: Facts) -> None:
    """Remove what quotes nothing and might: spill, remnants, and the records and logs of dbt."""
    house, project = settings.mapa_dir, settings.dbt_project_dir
    for path in [*house.glob("mapa.duckdb.*"), house / "tmp"]:
        _remove(path)
    for folder in (settings.dbt_target_path, settings.dbt_log_path):
        place = project / folder
        if place.is_dir() and not (place / "dbt_project.yml").exists():
            for path in place.iterdir():
                _remove(path)
    if facts["selecao"]["tudo"]:
        _remove(house / "dicionario")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- what remains ---------------------------------------------------------------------------------


def _verify(settings: Settings, facts: Facts) -> Facts:
    """Look for everything that should be gone.

    Raises:
        CheckError: something is there.

    """
    ids = [load["carga_id"] for load in facts["cargas"]]
    remains = [
        str(path)
        for path in (
            *(settings.landing / load["fonte"] / load["carga_id"] for load in facts["cargas"]),
            *(settings.published / "versions" / name for name in facts["versoes"]),
        )
        if path.exists()
    ]
    marks = search.read_marks(settings.mapa_dir / MARKS)
    mark = search.marker(settings.pseudonym_key())
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        rows = {table: n for table in _tables() if (n := _rows(con, table, ids))}
        # What loads that stay brought, too, stays; also if they brought it once more only.
        marks -= _numbers(con, settings, facts["cargas"], others=True)
    remains += [f"{table} ({n} rows)" for table, n in rows.items()]
    files = 0
    for path in _each_file([settings.landing], set()):
        files += 1
        marks -= search.found(path, marks, mark)
    project, records = settings.dbt_project_dir, (settings.dbt_target_path, settings.dbt_log_path)
    aside = {settings.mapa_dir / name for name in (MARKS, JOURNAL, "landing", "city")}
    for path in _each_file([settings.mapa_dir, *(project / name for name in records)], aside):
        files += 1
        if count := len(search.found(path, marks, mark)):
            remains.append(f"{path} ({count} numbers of persons)")
    if remains:
        raise CheckError(
            "The destruction is not finished, no certificate was written. What should be gone is "
            "in:\n" + "\n".join(f"  {name}" for name in remains[:20]) + "\nRemove it, then\n"
            "  mapa destroy --yes"
        )
    return {
        "arquivos_varridos": files, "identificadores_procurados": len(marks),
        "identificadores_encontrados": 0, "linhas_encontradas": 0, "pastas_encontradas": 0,
    }  # fmt: skip


def _each_file(places: Iterable[Path], aside: set[Path]) -> Iterator[Path]:
    for place in dict.fromkeys(path.resolve() for path in places if path.exists()):
        skipped = {path.resolve() for path in aside}
        for path in sorted(place.rglob("*")):
            is_own = path.is_file() and not path.is_symlink()
            if is_own and not skipped & {path, *path.parents}:
                yield path


def due(done: date, calendar: Facts) -> tuple[date, bool]:
    """Return the day on which the certificate is due, and whether the house's calendar told it."""
    working = [date.fromisoformat(day) for day in calendar["uteis"]]
    working = [day for day in working if day > done]
    if len(working) >= TERM:
        return working[TERM - 1], True
    day, left = done, TERM
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day, False


def _certify(settings: Settings, facts: Facts) -> list[Path]:
    """Write the certificate as JSON and PDF; return both."""
    # Brings fonts, which nothing else needs.
    from mapa import certificate  # noqa: PLC0415

    now = clocks.now()
    day = seen.local_clock(now).date()
    until, known = due(day, facts["calendario"])
    key = settings.warehouse_key()
    by_source = {
        source: {
            "cargas": len(loads := [c for c in facts["cargas"] if c["fonte"] == source]),
            "arquivos": sum(len(load["arquivos"]) for load in loads),
            "bytes": sum(file["bytes"] for load in loads for file in load["arquivos"]),
        }
        for source in sorted({load["fonte"] for load in facts["cargas"]})
    }
    content = {name: facts[name] for name in (
        "destruicao_id", "pedido_por", "pedido_recebido_em", "selecao", "iniciada_em", "linhas",
        "verificacao")} | {
        "destruida_em": now,
        "fontes": by_source,
        "cargas": facts["cargas"],
        "versoes_publicadas_removidas": facts["versoes"],
        "partes_refeitas_de_landing": facts["refazer"],
        "chave_do_armazem": key.version if key else None,
        "chave_dos_pseudonimos": pseudonyms.version(settings.pseudonym_key()),
        "prazo": {
            "dias_uteis": TERM, "destruida_em": day, "entregar_ate": until,
            "calendario": "da casa" if known else "só fins de semana, sem feriados",
        },
        "versao_codigo": __version__,
    }  # fmt: skip
    folder = settings.mapa_dir / CERTIFICATES
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"destruicao-{facts['destruicao_id']}"
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    made = [folder / f"{name}.json", folder / f"{name}.pdf"]
    landing.write_whole(made[0], text)
    landing.write_whole(made[1], certificate.pdf(orjson.loads(text), text))
    return made
