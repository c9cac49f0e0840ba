"""Whose documents a load reads: one or several regulating centrals, or all of a state.

What a scope has read says nothing about another one: each has its own watermark, and what is open
in our store is looked for only where its scope reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mapa.sql import literal

CENTRAL, STATE = "codigo_central_reguladora", "codigo_uf_regulador"


@dataclass(frozen=True)
class Scope:
    """A scope of the search API.

    Attributes:
        suffix: end of the names of the indices.
        centrals: codes of the regulating centrals, in order; none means all of the state.
        state: code of the state in the IBGE; only read when there is no central.

    """

    suffix: str
    centrals: tuple[str, ...]
    state: str

    @property
    def field(self) -> str:
        """Return the field of a document that says whether it belongs to the scope."""
        return CENTRAL if self.centrals else STATE

    @property
    def values(self) -> tuple[str, ...]:
        """Return the values of that field."""
        return self.centrals or (self.state,)

    @property
    def setting(self) -> str:
        """Return the name of the setting that says so."""
        return "SISREG_CENTRAL" if self.centrals else "SISREG_UF"

    def __str__(self) -> str:
        """Write the scope as `controle` keeps it, such as `df-brasilia: centrais 530010`."""
        kind = "centrais" if self.centrals else "UF"
        return f"{self.suffix}: {kind} {', '.join(self.values)}"

    def alias(self, index: str) -> str:
        """Return the name of an index at the source."""
        return f"{index}-{self.suffix}"

    def alone(self, value: str) -> Scope:
        """Return the scope of one of its centrals."""
        return Scope(self.suffix, (value,), "") if self.centrals else self

    def clause(self, name: str) -> dict[str, Any]:
        """Return the clause of a query; `name` is the field as the index compares it whole."""
        values = [*self.values]
        return {"terms": {name: values}} if len(values) > 1 else {"term": {name: values[0]}}

    def holds_row(self) -> str:
        """Return SQL that says whether a raw row of an index is of the scope.

        Loads of before scopes were kept count for any suffix.
        """
        values = ", ".join(map(literal, self.values))
        return (
            f"(coalesce({self.field} in ({values}), false) and _carga_id not in (select carga_id "
            f"from controle.cargas where split_part(escopo, ':', 1) <> {literal(self.suffix)}))"
        )


def noted(note: dict[str, Any]) -> str:
    """Return the scope of a load by its note in landing; older notes name the central alone."""
    if "escopo" in note:
        return str(note["escopo"])
    suffix = note["indice"].removeprefix(f"{note['entidade']}-")
    central = note["central"]
    # Codes of states have two digits, those of centrals six characters.
    is_state = len(central) == 2
    return str(Scope(suffix, () if is_state else (central,), central))
