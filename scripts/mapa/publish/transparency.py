"""Exports that rules of transparency ask for: one CSV for each profile of `transparency.yml`.

They are made of the published file alone, in which small counts, what would tell them, and times
of few cases are hidden already: nothing is counted anew here. What a rule asks and the published
months cannot give, the profile says plainly.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import yaml

from mapa.dictionary.entries import DATA
from mapa.errors import PublishError
from mapa.publish.contents import Published, reading
from mapa.publish.sheets import MARK
from mapa.spreadsheets import harmless
from mapa.sql import literal, quoted

PROFILES = "perfis.json"
SHOWN = "contagem"
"""Column that says whether the count of a row is shown: an empty cell would pass for unknown."""
FRACTION = re.compile(r"(-?\d+)\.(\d+)$")


@dataclass(frozen=True)
class Names:
    """Columns that another published table has for a code."""

    tabela: str
    chave: str
    colunas: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """What one rule asks and what is given.

    Attributes:
        perfil: name of the file.
        titulo: what it is.
        pedido: what the rule asks.
        periodicidade: how often there is something new.
        falta: what the rule asks and is not given, and why.
        tabela: published table that it is made of.
        contagem: column of it of which is said whether it is shown.
        colunas: of the table, in order.
        nomes: names of codes.

    """

    perfil: str
    titulo: str
    pedido: str
    periodicidade: str
    falta: str
    tabela: str
    contagem: str
    colunas: tuple[str, ...]
    nomes: tuple[Names, ...]


@cache
def profiles() -> tuple[Profile, ...]:
    """Read the profiles."""
    text = files("mapa.publish").joinpath("transparency.yml").read_text(encoding="utf-8")
    return tuple(_profile(said) for said in yaml.safe_load(text))


def _profile(said: dict[str, Any]) -> Profile:
    names = [Names(**(one | {"colunas": tuple(one["colunas"])})) for one in said["nomes"]]
    return Profile(**(said | {"colunas": tuple(said["colunas"]), "nomes": tuple(names)}))


def write(
    file: Path,
    tables: Sequence[Published],
    folder: Path,
    wanted: Sequence[Profile] | None = None,
    *,
    synthetic: bool | None,
) -> None:
    """Write a CSV for each profile whose table is there, and what the profiles say of themselves.

    Args:
        file: the published database.
        tables: what is in it.
        folder: where the files go; it is made.
        wanted: profiles; None: all.
        synthetic: whether the numbers are simulated; None: not known.

    Raises:
        PublishError: a profile asks for a table or column that is not published.
    """
    folder.mkdir()
    held = {published.table.name: published for published in tables}
    told = []
    with reading(file) as con:
        for profile in profiles() if wanted is None else wanted:
            if not {profile.tabela, *(names.tabela for names in profile.nomes)} <= held.keys():
                continue
            _require_published(profile, held)
            _write_one(con, profile, folder / f"{profile.perfil}.csv", DATA[synthetic])
            told.append(asdict(profile) | {"sentido": dict(_meanings(profile, held))})
    text = json.dumps({"perfis": told}, ensure_ascii=False, indent=2)
    (folder / PROFILES).write_text(text + "\n", encoding="utf-8")


def _require_published(profile: Profile, held: Mapping[str, Published]) -> None:
    """Refuse a profile that asks for a column which its tables do not publish."""
    asked = [(profile.tabela, name) for name in (*profile.colunas, profile.contagem)]
    for names in profile.nomes:
        asked += [(names.tabela, name) for name in (names.chave, *names.colunas)]
        asked.append((profile.tabela, names.chave))
    for table, column in asked:
        if column not in {each.name for each in held[table].table.columns}:
            raise PublishError(
                f"The transparency profile {profile.perfil} asks for {table}.{column}, which is "
                "not published; nothing was published.\nCorrect publish/transparency.yml."
            )


def _meanings(profile: Profile, held: Mapping[str, Published]) -> Iterable[tuple[str, str]]:
    """Yield what each column of a profile means, as the dictionary says it."""
    for table, columns in (
        (profile.tabela, profile.colunas),
        *((names.tabela, names.colunas) for names in profile.nomes),
    ):
        for column in held[table].table.columns:
            if column.name in columns:
                yield column.name, column.description
    yield SHOWN, f"`oculta` quando `{profile.contagem}` não é divulgada; vazia não é zero."


def _write_one(con: duckdb.DuckDBPyConnection, profile: Profile, path: Path, mark: str) -> None:
    """Write one CSV as the others are written: UTF-8 with a mark, `;`, decimal commas."""
    columns = [f"t.{quoted(name)}" for name in profile.colunas]
    joins = []
    for number, names in enumerate(profile.nomes):
        columns += [f"n{number}.{quoted(name)}" for name in names.colunas]
        joins.append(
            f"left join {quoted(names.tabela)} as n{number} "
            f"on t.{quoted(names.chave)} = n{number}.{quoted(names.chave)}"
        )
    shown = f"case when t.{quoted(profile.contagem)} is null then 'oculta' else 'divulgada' end"
    rows = con.execute(
        f"select {', '.join(columns)}, {shown} as {SHOWN}, {literal(mark)} as {MARK} "
        f"from {quoted(profile.tabela)} as t {' '.join(joins)} order by all"
    )
    with path.open("w", encoding="utf-8-sig", newline="") as lines:
        sheet = csv.writer(lines, delimiter=";", lineterminator="\n")
        sheet.writerow([name for name, *_ in rows.description or ()])
        while batch := rows.fetchmany(10_000):
            sheet.writerows([[_cell(value) for value in row] for row in batch])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str(harmless(value))
    return FRACTION.sub(r"\1,\2", str(value))
