"""The published tables: copied out of the warehouse, checked, hashed, written as Parquet."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from mapa import warehouse
from mapa.errors import PublishError
from mapa.publish import gate, store
from mapa.publish.gate import Build, Table
from mapa.publish.identifiers import (
    FEWEST_DIGITS,
    NUMERALS,
    SMALLEST_SUSPECT,
    contact_in,
    identifier_in,
)
from mapa.publish.keys import Keys, order
from mapa.settings import Settings
from mapa.sql import literal, quoted

# The id of the build proves where a table comes from and says nothing about its content.
NOT_CONTENT = {"construcao_id"}
BEFORE = "anterior.main"
"""Where the tables of the version before stand while those of a failed subject are kept."""
NUMERIC = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\))$")


FIELDS = """
    select campo, arg_max(evento, ordem)
    from controle.campos
    inner join controle.cargas using (carga_id, fonte, entidade)
    where entidade = $1 and fonte <> 'oferta_api' and not recusada
    group by campo
"""
"""The last that was noted of each field of a layout; the offer API has names of its own."""


@dataclass(frozen=True)
class Published:
    """A table as it stands in the published file."""

    table: Table
    rows: int
    types: tuple[str, ...]
    sha256: str
    keys: Keys


@dataclass(frozen=True)
class AsOf:
    """What the tables of a subject describe: their day, whether they are of before, their build."""

    day: date
    stale: bool
    build: str


@dataclass(frozen=True)
class Copied:
    """What was copied.

    Attributes:
        build: what dbt made, and whose counts of people could not be hidden besides.
        rows: how many each table must have.
        certificate: what was hidden of counts of people and proved; None when none are there.

    """

    build: Build
    rows: dict[str, int]
    certificate: dict[str, Any] | None


def copy(
    settings: Settings, build: Build, target: Path, now: Path | None, versions: Sequence[Path]
) -> Copied:
    """Copy what is published into a fresh file, counts of people only as far as they may be seen.

    Subjects in which nothing failed come from the warehouse, which is open only inside this
    function, and read-only. The others keep their tables of the current version, and so does one
    whose counts nothing can hide. The file holds tables, never views, still without keys and
    comments.

    Args:
        settings: where the warehouse is.
        build: what dbt made.
        target: file to make.
        now: folder of the current version, if there is one.
        versions: folders of all versions, newest first; all of them have been seen.

    Raises:
        PublishError: the warehouse does not hold what the build made, nothing may be published, or
            a table of before has other columns than the dictionary.
    """
    # It brings a solver, which only a publication needs.
    from mapa.publish import disclosure  # noqa: PLC0415

    rows = {}
    frozen = standing(versions, build.tables)
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        gate.require_newest(con, build)
        for table in build.fresh:
            _require_columns(con, gate.SCHEMA, table)
        while True:
            try:
                places, certificate = disclosure.control(con, build.fresh, frozen)
                break
            except disclosure.UnhideableError as error:
                build = build.failing(error.subject, f"refused: {error.said}")
        con.execute(f"attach {literal(str(target))} as publico (read_write)")
        for table in build.fresh:
            place = places.get(table.name, f"{gate.SCHEMA}.{table.name}")
            rows[table.name] = _copy_table(con, place, table)
        con.execute("detach publico")
    before = now and now / store.DATABASE
    stale = [subject for subject in build.subjects if subject.problems]
    if stale:
        with duckdb.connect() as con:
            con.execute(f"attach {literal(str(target))} as publico (read_write)")
            if before:
                con.execute(f"attach {literal(str(before))} as anterior (read_only)")
                kept, build = _keep(con, build, stale)
                rows |= kept
            _mark_stale(con, build, [subject.name for subject in stale], before=before is not None)
    if not rows:
        raise PublishError(
            f"Nothing may be published, and nothing was before:\n{gate.listed(stale[0].problems)}\n"
            f"Correct it. {gate.ADVICE}"
        )
    # What is not proved anew stands as the version proved it from which it was taken.
    proved = [frozen[name] for name in places if name in frozen] or ([now] if now else [])
    if certificate is None and any(table.people and table.name in rows for table in build.tables):
        newest = sorted(proved, key=lambda folder: folder.name, reverse=True)
        certificate = next(filter(None, map(_certificate, newest)), None)
    return Copied(build, rows, certificate)


def standing(versions: Sequence[Path], tables: Sequence[Table]) -> dict[str, Path]:
    """Return the version that says what a month of each table said when it was first published.

    That is the one that tells the latest month, whatever was made current since: after a rollback
    newer versions may tell less, or nothing of people.

    Args:
        versions: folders, newest first.
        tables: what is published; those that count nobody do not matter.

    Returns:
        Folders by name of the table; what was never published is absent.
    """
    latest: dict[str, tuple[date, Path]] = {}
    for folder in versions:
        with duckdb.connect(str(folder / store.DATABASE), read_only=True) as con:
            for table in tables:
                last = _last(con, table.name) if table.people else None
                if last and (table.name not in latest or last > latest[table.name][0]):
                    latest[table.name] = last, folder
    return {name: folder for name, (_, folder) in latest.items()}


def _last(con: duckdb.DuckDBPyConnection, table: str) -> date | None:
    """Return the last month of a published table, None when it has none."""
    try:
        ((last,),) = con.execute(
            f"select max({quoted(gate.MONTH)}) from {quoted(table)}"
        ).fetchall()
    except duckdb.CatalogException:
        return None
    return last if isinstance(last, date) else None


def _certificate(version: Path) -> dict[str, Any] | None:
    """Return what a version says that it hides."""
    path = version / store.DISCLOSURE
    return json.loads(path.read_bytes()) if path.exists() else None


def _copy_table(con: duckdb.DuckDBPyConnection, source: str, table: Table) -> int:
    """Copy one table from where it stands and return its rows."""
    con.execute(f"create table publico.{table.name} as select * from {source}")
    return int(con.execute(f"select count(*) from {source}").fetchall()[0][0])


def _keep(
    con: duckdb.DuckDBPyConnection, build: Build, stale: list[gate.Subject]
) -> tuple[dict[str, int], Build]:
    """Take the tables of failed subjects from the version before, and what they refer to.

    Returns:
        How many rows each has, and the build; subjects say which table of theirs is left out,
        because nothing describes the columns that it had.
    """
    rows = {}
    held = {
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where database_name = 'anterior'"
        ).fetchall()
    }
    for table in build.shared:
        if table.name in held:
            _require_columns(con, BEFORE, table)
    own = []
    for table in (table for subject in stale for table in subject.tables if table.name in held):
        if _has_columns(con, BEFORE, table):
            own.append(table)
        else:
            left_out = f"left out: {table.name}, which had other columns in the version before"
            build = build.failing(table.subject, left_out)
    for table in [*own, *(() if build.fresh else build.shared)]:
        rows[table.name] = _copy_table(con, f"{BEFORE}.{table.name}", table)
    for table in build.shared if build.fresh else ():
        if table.name != gate.AS_OF_TABLE and table.name in held and table.grain:
            # A row that older facts refer to may be gone since; what is still there is the newer.
            key = ", ".join(map(quoted, table.grain))
            con.execute(
                f"insert into publico.{table.name} by name "
                f"select a.* from {BEFORE}.{table.name} as a "
                f"anti join publico.{table.name} as n using ({key})"
            )
            (rows[table.name],) = con.execute(
                f"select count(*) from publico.{table.name}"
            ).fetchall()[0]
    return rows, build


def _mark_stale(
    con: duckdb.DuckDBPyConnection, build: Build, names: list[str], *, before: bool
) -> None:
    """Let failed subjects have their as-of date of before and say that they are stale."""
    dates = f"publico.{gate.AS_OF_TABLE}"
    if build.fresh:
        con.execute(f"delete from {dates} where assunto in (select unnest($1))", [names])
        if before:
            con.execute(
                f"insert into {dates} by name select * from {BEFORE}.{gate.AS_OF_TABLE} "
                "where assunto in (select unnest($1))",
                [names],
            )
    if build.fresh or before:
        con.execute(
            f"update {dates} set eh_desatualizado = true where assunto in (select unnest($1))",
            [names],
        )


def verify(
    file: Path, build: Build, expected: dict[str, int], keys: dict[str, Keys]
) -> tuple[Published, ...]:
    """Check the fresh file as a reader will see it and return what it holds.

    Raises:
        PublishError: rows are missing, a column may not be published or is of a type that tools do
            not read, or a value holds a CPF/CNS.
    """
    with reading(file) as con:
        found = []
        for table in build.tables:
            if table.name not in expected:
                continue
            published = _describe(con, table, keys[table.name])
            if table.name != gate.AS_OF_TABLE and published.rows != expected[table.name]:
                raise PublishError(
                    f"{table.name}: {published.rows} rows were copied of {expected[table.name]}.\n"
                    "Nothing was published; run `mapa publish` again."
                )
            _require_public(table)
            _require_plain_sums(published)
            _require_no_identifier(con, published)
            found.append(published)
        dates = as_of(con)
        for subject in build.good:
            if subject.name not in dates:
                raise PublishError(
                    f"{gate.AS_OF_TABLE} has no row for {subject.name}.\n{gate.ADVICE}"
                )
    return tuple(found)


def as_of(con: duckdb.DuckDBPyConnection) -> dict[str, AsOf]:
    """Return what the published tables of each subject describe.

    Raises:
        PublishError: the file does not say.
    """
    rows = con.execute(
        "select assunto, data_referencia, eh_desatualizado, construcao_id "
        f"from {gate.AS_OF_TABLE} order by assunto"
    ).fetchall()
    if not rows or any(not isinstance(day, date) for _, day, *_ in rows):
        raise PublishError(
            f"{gate.AS_OF_TABLE} has {len(rows)} rows; one for each subject, with "
            f"data_referencia, was expected.\n{gate.ADVICE}"
        )
    return {name: AsOf(*facts) for name, *facts in rows}


def of_subject(dates: dict[str, AsOf], published: Published) -> AsOf:
    """Return what a table describes; one that all subjects share is of the newest of them."""
    newest = max(dates.values(), key=lambda date: date.day)
    return dates.get(published.table.subject, newest)


def origin(con: duckdb.DuckDBPyConnection) -> tuple[bool | None, str]:
    """Return whether the published tables are simulated (None: not known) and their source."""
    synthetic, source = con.execute(
        f"select eh_sintetico, fonte from {gate.AS_OF_TABLE} order by "
        "case when eh_sintetico then 1 when eh_sintetico is null then 2 else 3 end, assunto limit 1"
    ).fetchall()[0]
    return synthetic, source


def code_lists(
    con: duckdb.DuckDBPyConnection, file: Path, tables: tuple[Published, ...]
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return codes and labels of each column that a test holds to a list, by table and column.

    A list that lacks a code which a table of before still has is none, and so is one whose seed the
    last build did not make.

    Args:
        con: the warehouse.
        file: the published database.
        tables: what is in it.
    """
    lists = {
        (published.table.name, column.name): column.codes
        for published in tables
        for column in published.table.columns
        if column.codes
    }
    found = {}
    with reading(file) as published_con:
        for (table, column), codes in lists.items():
            name = quoted(column)
            used = published_con.execute(
                f"select distinct {name} from {table} where {name} is not null"
            ).fetchall()
            known = _rows_if_any(
                con,
                f"select codigo, rotulo from {codes.relation} where coluna = $1 order by codigo",
                codes.name,
            )
            if {code for (code,) in used} <= {code for code, _ in known}:
                found[table, column] = known
    return found


def place(con: duckdb.DuckDBPyConnection, municipality: str | None) -> dict[str, str] | None:
    """Return code and name of a municipality as the seeds of the territory write it.

    Args:
        con: the warehouse.
        municipality: IBGE's code, six digits; None: not known.
    """
    rows = _rows_if_any(
        con,
        "select municipio_ibge7, municipio_nome || '/' || uf_sigla "
        "from referencia.territorio_municipios where municipio_ibge6 = $1",
        municipality or "",
    )
    return {"ibge": rows[0][0], "name": rows[0][1]} if rows else None


def drift(con: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the newest loads found of the sources that their layouts do not say, by table.

    Names of fields that a layout does not know are counted and stay inside: a source can call them
    anything.

    Args:
        con: the warehouse.
        manifest: dbt's own.

    Returns:
        Of each raw table that differs: `table`, how many fields are `unknown`, and the fields of
        the layout that are `missing` and `retyped`.
    """
    found = []
    for node in manifest["sources"].values():
        table, meta = f"{node['schema']}.{node['name']}", node["config"]["meta"]
        unknown = _rows_if_any(
            con,
            "select distinct campo, '' from controle.campos_desconhecidos where tabela = $1",
            table,
        )
        told = _rows_if_any(con, FIELDS, meta.get("formato", node["name"])) if meta else []
        known = {*node["columns"], *meta.get("nunca_carregadas", ())}
        events = {
            event: sorted(
                field
                for field, told_event in told
                if told_event == event and (field in known or field.partition(".")[0] in known)
            )
            for event in ("ausente", "tipo")
        }
        if unknown or any(events.values()):
            found.append(
                {
                    "table": table,
                    "unknown": len(unknown),
                    "missing": events["ausente"],
                    "retyped": events["tipo"],
                }
            )
    return sorted(found, key=lambda facts: facts["table"])


def period(file: Path, tables: tuple[Published, ...]) -> list[str] | None:
    """Return the first and the last day that any table but the shared ones has a row for."""
    dates = [
        f"select min({quoted(column.name)}), max({quoted(column.name)}) from {table.name}"
        for published in tables
        if (table := published.table).subject != gate.SHARED
        for column, kind in zip(table.columns, published.types, strict=True)
        if kind == "DATE" and column.name in table.grain
    ]
    if not dates:
        return None
    query = f"select min(a), max(b) from ({' union all '.join(dates)}) as t(a, b)"
    with reading(file) as con:
        first, last = con.execute(query).fetchall()[0]
    return [str(first), str(last)] if first else None


def _rows_if_any(con: duckdb.DuckDBPyConnection, query: str, value: str) -> list[tuple[str, str]]:
    """Return rows of a seed, none when the seed does not stand."""
    try:
        return con.execute(query, [value]).fetchall()
    except duckdb.CatalogException:
        return []


def write_parquet(file: Path, tables: tuple[Published, ...], folder: Path, licence: str) -> None:
    """Write one zstd Parquet file per table, with as-of date, source, licence and meaning inside.

    The description of the table stands under `descricao`, those of its columns as one JSON object
    under `colunas`.

    Raises:
        PublishError: a Parquet file does not hold all rows.
    """
    folder.mkdir()
    with reading(file) as con:
        dates, source = as_of(con), origin(con)[1]
        for published in tables:
            name = published.table.name
            date = of_subject(dates, published)
            facts = {
                "data_referencia": str(date.day),
                "construcao_id": date.build,
                "fonte": source,
                "licenca": licence,
                "descricao": published.table.description,
                "colunas": json.dumps(
                    {column.name: column.description for column in published.table.columns},
                    ensure_ascii=False,
                ),
            }
            mark = f"{{{', '.join(f'{key}: {literal(value)}' for key, value in facts.items())}}}"
            path = literal(str(folder / f"{name}.parquet"))
            con.execute(
                f"copy (select * from {name} {order(published.table)}) to {path} "
                f"(format parquet, compression zstd, kv_metadata {mark})"
            )
            rows = con.execute(f"select count(*) from read_parquet({path})").fetchall()[0][0]
            if rows != published.rows:
                raise PublishError(f"{name}.parquet holds {rows} rows of {published.rows}.")


@contextmanager
def reading(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file for a moment."""
    con = duckdb.connect(str(file), read_only=True)
    try:
        yield con
    finally:
        con.close()


def _describe(con: duckdb.DuckDBPyConnection, table: Table, keys: Keys) -> Published:
    """Return count, types and content hash of a table in the published file.

    The hash does not depend on the order of the rows nor on the version of DuckDB: the MD5 of
    each row as JSON, summed as two numbers, beside names and types of the columns.
    """
    types = tuple(
        str(row[1]) for row in con.execute(f"describe select * from {table.name}").fetchall()
    )
    names = [column.name for column in table.columns if column.name not in NOT_CONTENT]
    row = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in names)
    upper, lower, rows = con.execute(
        f"""
        with linhas as (
            select cast(to_json(struct_pack({row})) as varchar) as linha from {table.name}
        )
        select sum(md5_number_upper(linha)), sum(md5_number_lower(linha)), count(*) from linhas
        """
    ).fetchall()[0]
    content = f"{list(zip(names, types, strict=False))} {upper} {lower} {rows}"
    return Published(table, rows, types, hashlib.sha256(content.encode()).hexdigest(), keys)


def _has_columns(con: duckdb.DuckDBPyConnection, schema: str, table: Table) -> bool:
    """Say whether the columns of a table are those of the dictionary."""
    found = con.execute(f"describe select * from {schema}.{table.name}").fetchall()
    return [row[0] for row in found] == [column.name for column in table.columns]


def _require_columns(con: duckdb.DuckDBPyConnection, schema: str, table: Table) -> None:
    """Refuse a table whose columns are not those of the dictionary."""
    if not _has_columns(con, schema, table):
        where = "" if schema == gate.SCHEMA else " of the version that would have to be kept"
        raise PublishError(
            f"The columns of {table.name}{where} are not those of the dictionary.\n{gate.ADVICE}"
        )


def _require_public(table: Table) -> None:
    """Refuse a column that the dictionary does not class as public."""
    for column in table.columns:
        if column.lgpd != "publico":
            raise PublishError(
                f"{table.name}.{column.name}: its class in the dictionary is "
                f"`{column.lgpd or 'missing'}`; only `publico` may be published.\n"
                "Remove the column from the model or correct `config.meta.lgpd`."
            )


def _require_plain_sums(published: Published) -> None:
    """Refuse the 128-bit integers that DuckDB makes of sums: Parquet and BI tools have none."""
    for column, kind in zip(published.table.columns, published.types, strict=True):
        if "HUGEINT" in kind:
            raise PublishError(
                f"{published.table.name}.{column.name} is {kind}, which Parquet and BI tools do "
                "not know; nothing was published.\nCast it to bigint in the model and its contract."
            )


def _require_no_identifier(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    """Refuse a table in which a value of any column tells who somebody is or how to reach him."""
    for column, kind in zip(published.table.columns, published.types, strict=True):
        name = quoted(column.name)
        if NUMERIC.match(kind):
            suspect = f"abs({name}) >= {SMALLEST_SUSPECT}"
            value = name
        else:
            value = f"cast({name} as varchar)"
            digits = f"length(regexp_replace({value}, '[^{NUMERALS}]', '', 'g'))"
            suspect = f"({digits} >= {FEWEST_DIGITS} or regexp_matches({value}, '[@＠﹫]'))"
        cursor = con.execute(f"select distinct {value} from {published.table.name} where {suspect}")
        while batch := cursor.fetchmany(10_000):
            for (found,) in batch:
                identifier = identifier_in(found)
                contact = contact_in(found) if isinstance(found, str) else None
                said = f"valid {identifier}" if identifier else contact
                if said:
                    raise PublishError(
                        f"{published.table.name}.{column.name}: a value holds a {said}; nothing "
                        "was published.\n"
                        "Find out how what tells of a person came into this column; a published "
                        "table may hold none."
                    )
