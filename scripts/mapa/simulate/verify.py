"""Compare the marts of a warehouse with what really happened in the simulated city."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

TOLERANCE = 1e-9
# The truth knows units, not schedules, counts professionals without naming them, and knows which
# addresses tell their place, not how the project finds that out.
SUMMED = {"oferta_por_dia", "oferta_alertas", "oferta_horas_por_mes", "oferta_esperada_por_mes"}
SUMMED |= {"qualidade_territorio"}
# Where each mart of the truth stands, and how its rows come at the grain of the truth.
MARTS = {
    "oferta_por_dia": "oferta",
    "oferta_real_por_mes": "oferta",
    "oferta_reconciliacao": "oferta",
    "oferta_funil_por_mes": "oferta",
    "oferta_alertas": "oferta",
    "oferta_horas_por_mes": "oferta",
    "oferta_esperada_por_mes": "oferta",
    "oferta_por_territorio_por_mes": "oferta",
    "oferta_diario": "oferta",
    "oferta_retiradas_por_mes": "oferta",
    "fila_por_mes": "fila",
    "espera_por_mes": "espera",
    "absenteismo_por_mes": "absenteismo",
    "qualidade_territorio": "qualidade",
}


@dataclass(frozen=True)
class Comparison:
    """What the comparison of one mart found; cells are rows times columns outside the key."""

    mart: str
    rows: int
    cells: int
    missing: tuple[tuple[Any, ...], ...]
    unexpected: tuple[tuple[Any, ...], ...]
    different: tuple[tuple[tuple[Any, ...], str, Any, Any], ...]

    @property
    def equal(self) -> bool:
        """Whether every cell agrees."""
        return not (self.missing or self.unexpected or self.different)

    def __str__(self) -> str:
        """Say it in one line a person can act upon."""
        if self.equal:
            return f"{self.mart}: {self.cells} cells in {self.rows} rows equal the truth"
        first = (self.different or self.missing or self.unexpected)[0]
        return (
            f"{self.mart}: {len(self.missing)} rows missing, {len(self.unexpected)} unexpected, "
            f"{len(self.different)} cells different; first: {first}"
        )


def compare(con: duckdb.DuckDBPyConnection, truth: Mapping[str, Any]) -> list[Comparison]:
    """Compare each mart with the truth, cell by cell.

    Args:
        con: open warehouse after a build.
        truth: content of `truth.json`.

    """
    return [_compare_mart(con, mart, truth[mart]) for mart in MARTS]


def _compare_mart(
    con: duckdb.DuckDBPyConnection, mart: str, truth: Mapping[str, Any]
) -> Comparison:
    key, columns = truth["chave"], truth["colunas"]
    expected = {tuple(row[: len(key)]): row[len(key) :] for row in truth["linhas"]}
    keys = ", ".join(f"cast({name} as varchar)" for name in key)
    relation = f"{MARTS[mart]}.{mart}"
    if mart in SUMMED:
        measures = ("count(*)" if name == "qtd_linhas" else f"sum({name})" for name in columns)
        sums = ", ".join(measures)
        query = f"select {keys}, {sums} from {relation} group by {', '.join(key)}"
    else:
        query = f"select {keys}, {', '.join(columns)} from {relation}"
    found = {tuple(row[: len(key)]): row[len(key) :] for row in con.execute(query).fetchall()}
    different = tuple(
        (k, name, want, got)
        for k, values in expected.items()
        if k in found
        for name, want, got in zip(columns, values, found[k], strict=True)
        if not _same(want, got)
    )
    return Comparison(
        mart=mart,
        rows=len(expected),
        cells=len(expected) * len(columns),
        missing=tuple(expected.keys() - found.keys()),
        unexpected=tuple(found.keys() - expected.keys()),
        different=different,
    )


def _same(want: Any, got: Any) -> bool:
    """Tell whether two cells agree; floats to a relative 1e-9, everything else exactly."""
    if isinstance(want, float) or isinstance(got, float):
        return (
            want is not None
            and got is not None
            and math.isclose(float(want), float(got), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        )
    return bool(want == got)
