"""Raw tables: which columns each source delivers, what identifies a row, what may never be missing.

One `Layout` describes one entity from the wire to its raw table. It is read from the `_sources.yml`
of the dbt project, which alone says it: columns in order, `data_type` where one is no plain text,
and in `config.meta` what `META` lists. Names are the source's own (lower case, no accents, blanks
and dots to underscore); every value is text, because a type guessed at the door loses leading zeros
and the evidence of what was really received. The columns come from the reference pages of the
SISREG API (manual v2.1), of the SISREG exports, of CadSUS and of CNES.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa.sources import SOURCES

SYSTEM_COLUMNS = {
    "_carga_id": "VARCHAR",
    "_arquivo": "VARCHAR",
    "_linha": "BIGINT",
    "_carregado_em": "TIMESTAMP",
    "_carga_ordem": "BIGINT",
    "_hash": "UBIGINT",
    "_campos_extras": "VARCHAR",
}
"""Columns that every raw row carries besides those of the source.

`_carga_id`: load in `controle.cargas`; `_arquivo`: path inside the landing folder; `_linha`:
position of the record in what was received, from 1 (counted on through the pages of a load);
`_carregado_em`: UTC, by the loader's clock; `_carga_ordem`: number of the load, the greatest is the
newest whatever the clocks said; `_hash`: see `Layout.content_hash`, equal means identical;
`_campos_extras`: JSON of fields that the layout does not know, null when there is none. Layouts
with records also have `_chave`: see `Layout.key_text`.
"""

_BLANK = ("", "-", "---", "NULL", "NONE", "N/A", "NA", "NAN", "NAT")


def canonical(column: str) -> str:
    """Return SQL for a text value without what differs from one export to the next.

    Codes, quantities and CPFs lose leading zeros, clocks their seconds, dates are written as ISO,
    texts lose accents, case and double blanks; every spelling of nothing is null.
    """
    text = f'trim(cast("{column}" as varchar))'
    plain = f"upper(strip_accents(regexp_replace({text}, '\\s+', ' ', 'g')))"
    # `~` wants the whole text to match.
    return (
        f"case when {text} !~ '[0-9].*' "
        f"then case when not list_contains({list(_BLANK)}, {plain}) then {plain} end "
        f"when {text} ~ '[0-9]+([.]0+)?' "
        f"then regexp_extract({text}, '^0*([0-9]+?)([.]0+)?$', 1) "
        f"when {text} ~ '[0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.]0+)?)?' "
        f"then lpad(split_part({text}, ':', 1), 2, '0') || ':' || split_part({text}, ':', 2) "
        f"when {text} ~ '[0-9]{{1,2}}[/.][0-9]{{1,2}}[/.][0-9]{{4}}' "
        f"then concat_ws('-', {text}[-4:], "
        f"lpad(regexp_extract({text}, '[/.]([0-9]+)[/.]', 1), 2, '0'), "
        f"lpad(regexp_extract({text}, '^[0-9]+'), 2, '0')) "
        f"when {text} ~ '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]00:00(:00([.]0+)?)?Z?)?' "
        f"then {text}[:10] else {plain} end"
    )


@dataclass(frozen=True)
class Refusal:
    """Why a record is rejected besides what it lacks: the column named, the reason, and when.

    `condition` is SQL over the columns of the record; it may look into raw tables of the source.
    """

    column: str
    reason: str
    condition: str


@dataclass(frozen=True)
class Layout:
    """One entity of one source.

    Attributes:
        name: what `mapa load export --describe` and messages call it.
        table: raw table, schema included.
        columns: columns of the raw table without the system columns, in order.
        key: columns that tell one record from another; versions share the key.
        required: columns without which a record is rejected.
        nested: DuckDB types of the columns that are not plain text.
        volatile: columns that change without the record changing; outside `_hash`.
        optional: columns that a file may lack: they came into the layout later, or nothing that
            is made of it needs them.
        withheld: fields of the source that never enter raw (secrets and clinical free text).
        withheld_like: patterns of such names in files, like `*cpf*`: whatever is called so stays
            outside.
        refusals: what a record must not say; judged in this order.
        snapshot: whether a file is the complete picture, so that what it lacks has vanished.
        record: what is one record in a file: `row`, each row (a key may not come twice with other
            content), `rows`, all rows with the same key together. Both are compared on canonical
            values, so that another spelling is no change. Empty: rows as they come.
        closed: SQL condition under which a record no longer changes; empty when unknown.
        ours: whether the format is this project's own because none is published.
        arrival: how it comes: an `indice` of the API, an `arquivo`, the `relatorio` that a map
            explains, or a `consulta`, which is the loader's own record.

    """

    name: str
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    required: tuple[str, ...]
    nested: dict[str, str] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    withheld_like: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    snapshot: bool = False
    record: Literal["", "row", "rows"] = ""
    closed: str = ""
    ours: bool = False
    arrival: str = "arquivo"

    @property
    def schema(self) -> str:
        """Schema of the raw table."""
        return self.table.partition(".")[0]

    def withholds(self, column: str) -> bool:
        """Say whether a column of a file never enters raw."""
        return column in self.withheld or any(fnmatchcase(column, p) for p in self.withheld_like)

    def type_of(self, column: str) -> str:
        """Return the DuckDB type of a source column."""
        return self.nested.get(column, TEXT)

    def types(self) -> dict[str, str]:
        """Return the DuckDB type of each column of the raw table, in order."""
        key = {"_chave": "VARCHAR"} if self.record else {}
        return {c: self.type_of(c) for c in self.columns} | SYSTEM_COLUMNS | key

    def key_text(self) -> str:
        """Return SQL for the key of a record as one text: the key columns joined by `|`.

        It is canonical where the layout has records, and then also kept in `_chave` of raw.
        """
        parts = [canonical(c) if self.record else f'"{c}"' for c in self.key]
        if len(parts) == 1:
            return parts[0]
        return "concat_ws('|', " + ", ".join(f"coalesce({part}, '')" for part in parts) + ")"

    def content_hash(self) -> str:
        """Return SQL for the hash of a row's content: unknown fields too, volatile columns not.

        DuckDB's own hash costs a tenth of a cryptographic one; it may change with DuckDB, and then
        the warehouse brings what is stored up to date. It takes empty lists and nulls inside lists
        for null, which the length tells apart.
        """
        columns = (*(c for c in self.columns if c not in self.volatile), "_campos_extras")
        alike = {c: canonical(c) for c in self.columns} if self.record else {}
        parts = [alike.get(c, f'"{c}"') for c in columns]
        parts += [f'len("{c}")' for c in self.nested if c in columns]
        return f"hash({', '.join(parts)})"

    def ddl(self) -> str:
        """Return the statement that creates the raw table when it does not exist."""
        body = ",\n    ".join(f'"{name}" {kind}' for name, kind in self.types().items())
        return f"create table if not exists {self.table} (\n    {body}\n)"


META: dict[str, type] = {
    "formato": str,
    "chegada": str,
    "chave": list,
    "obrigatorias": list,
    "registro": str,
    "retrato": bool,
    "proprio": bool,
    "volateis": list,
    "podem_faltar": list,
    "nunca_carregadas": list,
    "encerrado": str,
    "nunca_como": list,
    "recusas": list,
}
"""What `config.meta` of a source table may say, see `Layout`: name (by default the table's),
arrival (by default `arquivo`), key, required, record, snapshot, ours, volatile, optional, withheld,
closed, withheld_like, refusals (each with `coluna`, `motivo` and `condicao`). `chave` and
`obrigatorias` must be there."""
TEXT = "VARCHAR"
RECORDS: dict[str, Literal["", "row", "rows"]] = {"": "", "linha": "row", "linhas": "rows"}
REFUSAL = {"coluna", "motivo", "condicao"}
ARRIVALS = ("indice", "arquivo", "relatorio", "consulta")
STAGING = Path("models", "staging")
# libyaml reads the files in a tenth of the time; PyYAML may have been built without it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def every() -> tuple[Layout, ...]:
    """Return all layouts of the project, once read: of indices, of files, then the others.

    Raises:
        ConfigError: there is no project, or it says something that no loader can follow.

    """
    staging = Settings.load().in_project(STAGING)
    if staging.is_dir():
        return read(staging.parents[1])
    raise ConfigError(
        f"There is no dbt project here, and its {STAGING} says what each source delivers.\n"
        "Run mapa in the project's folder, or set DBT_PROJECT_DIR."
    )


@cache
def named(name: str) -> Layout:
    """Return the layout of that name."""
    (found,) = (layout for layout in every() if layout.name == name)
    return found


def of_indices() -> tuple[Layout, ...]:
    """Return the layouts of the search API."""
    return tuple(layout for layout in every() if layout.arrival == "indice")


def of_files(schema: str = "") -> tuple[Layout, ...]:
    """Return the layouts of files that are recognised by their header, all or those of a schema."""
    found = (layout for layout in every() if layout.arrival == "arquivo")
    return tuple(layout for layout in found if schema in ("", layout.schema))


def read(project: Path) -> tuple[Layout, ...]:
    """Read the layouts of a dbt project.

    Raises:
        ConfigError: names file, table and what is wrong.

    """
    found = list[Layout]()
    for folder in dict.fromkeys(source.folder for source in SOURCES):
        path = project / STAGING / folder / "_sources.yml"
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - safe both
            for one in content["sources"]:
                found += [_layout(path, one["schema"], table) for table in one["tables"]]
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{path} cannot be read; expected are the source's tables.") from None
        except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            raise ConfigError(
                f"{path}{line}: it is no list of sources with `schema` and `tables`.\n"
                "Compare with another `_sources.yml`."
            ) from None
    for name, count in Counter(layout.name for layout in found).items():
        if count > 1:
            raise ConfigError(
                f"{project / STAGING}: {count} tables have the layout name `{name}`.\n"
                "Give one of them another `formato` in its config.meta."
            )
    return tuple(sorted(found, key=lambda layout: ARRIVALS.index(layout.arrival)))


def _layout(path: Path, schema: str, table: dict[str, Any]) -> Layout:
    """Return the layout of one source table.

    Raises:
        ConfigError: it cannot be followed.

    """

    def refuse(problem: str, expected: str) -> NoReturn:
        raise ConfigError(f"{path}, table `{table['name']}`: {problem}.\nExpected {expected}.")

    meta = (table.get("config") or {}).get("meta") or {}
    for key in ("chave", "obrigatorias"):
        if not meta.get(key):
            refuse(f"config.meta.{key} is missing", "is a list of columns, such as [id_pessoa]")
    for key, value in meta.items():
        if key not in META:
            refuse(f"config.meta has an unknown key `{key}`", f"is one of {', '.join(META)}")
        items = value if isinstance(value, list) else []
        wanted, many = (dict, "refusals") if key == "recusas" else (str, "names")
        if not isinstance(value, META[key]) or not all(isinstance(one, wanted) for one in items):
            kind = f"a list of {many}" if META[key] is list else META[key].__name__
            refuse(f"config.meta.{key} is of another kind", f"is {kind}")
    if meta.get("registro", "") not in RECORDS:
        refuse("config.meta.registro is unknown", "is linha or linhas")
    if meta.get("chegada", "arquivo") not in ARRIVALS:
        refuse("config.meta.chegada is unknown", f"is one of {', '.join(ARRIVALS)}")
    given = [column for column in table.get("columns") or [] if column["name"][0] != "_"]
    columns = tuple(str(column["name"]) for column in given)
    types = {column["name"]: column.get("data_type", TEXT) for column in given}
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        refuse(f"column `{twice[0]}` stands twice", "is each column once")
    for key in ("chave", "obrigatorias", "volateis", "podem_faltar"):
        if unknown := [name for name in meta.get(key, []) if name not in columns]:
            refuse(f"config.meta.{key} names `{unknown[0]}`", "are columns of the table")
    refusals = tuple(
        Refusal(str(one.get("coluna")), str(one.get("motivo")), str(one.get("condicao")).strip())
        for one in meta.get("recusas", ())
    )
    if any({*one} != REFUSAL or one["coluna"] not in columns for one in meta.get("recusas", ())):
        refuse("config.meta.recusas is wrong", "are a coluna of the table, motivo and condicao")
    if refusals and not meta.get("registro"):
        refuse("config.meta.recusas needs records", "is `registro: linha` or `linhas` beside it")
    return Layout(
        name=meta.get("formato", table["name"]),
        table=f"{schema}.{table['name']}",
        columns=columns,
        key=tuple(meta["chave"]),
        required=tuple(meta["obrigatorias"]),
        nested={name: kind for name, kind in types.items() if kind.upper() != TEXT},
        volatile=tuple(meta.get("volateis", ())),
        optional=tuple(meta.get("podem_faltar", ())),
        withheld=tuple(meta.get("nunca_carregadas", ())),
        withheld_like=tuple(meta.get("nunca_como", ())),
        refusals=refusals,
        snapshot=meta.get("retrato", False),
        record=RECORDS[meta.get("registro", "")],
        closed=meta.get("encerrado", ""),
        ours=meta.get("proprio", False),
        arrival=meta.get("chegada", "arquivo"),
    )
