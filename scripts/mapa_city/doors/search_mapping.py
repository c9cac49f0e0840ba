"""Mapping of the three SISREG indices: which fields are keyword, text, date or number.

The families decide where a client must write `.keyword`, so the simulator honours them as the real
mirror does: dynamic templates by name in the ambulatory family, a static mapping with text almost
everywhere in the hospital one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

KEYWORD, TEXT, DATE, LONG, FLOAT, NESTED = "keyword", "text", "date", "long", "float", "nested"

_KEYWORD_NAMES = re.compile(
    r"codigo_|cpf_|uf_|st_|cep_|tipo_logradouro_|numero_|telefone$|sigla_situacao$"
)
_DATE_NAMES = re.compile(r"data_|dt_|timestamp$")
_LONG_NAMES = {"marcacao_executada", "carga_epoch"}
_NESTED_NAMES = {"laudo", "procedimentos"}
_HOSPITAL_LONGS = {
    "codigo_classificacao_risco",
    "codigo_natureza_lesao",
    "codigo_solicitacao",
    "numero_aih",
    "numero_digito_aih",
    "carga_epoch",
}


@dataclass(frozen=True)
class Index:
    """One index.

    Attributes:
        alias: what clients ask for, without the territorial suffix.
        physical: what `_index` of a hit shows.
        table: table of the document store.
        kinds: field to its Elasticsearch type.
        mixed: fields stored as JSON, because the source writes them now as number, now as text.

    """

    alias: str
    physical: str
    table: str
    kinds: dict[str, str]
    mixed: frozenset[str]

    def mapping(self) -> dict[str, Any]:
        """Return the answer of `GET /{index}/_mapping`."""
        properties = {name: _property(kind) for name, kind in sorted(self.kinds.items())}
        return {self.physical: {"mappings": {"properties": properties}}}


def ambulatory_kind(name: str, *, marcacao: bool) -> str:
    """Return the type that the dynamic templates of the ambulatory family give to a field."""
    if name in _NESTED_NAMES:
        return NESTED
    if name in _LONG_NAMES:
        return LONG
    if marcacao and name == "sigla_situacao":
        return TEXT
    if _KEYWORD_NAMES.match(name):
        return KEYWORD
    return DATE if _DATE_NAMES.match(name) else TEXT


def hospital_kind(name: str) -> str:
    """Return the type that the static mapping of the hospital family gives to a field."""
    if name in _HOSPITAL_LONGS:
        return LONG
    if name == "valor_proc_aih":
        return FLOAT
    return DATE if _DATE_NAMES.match(name) else TEXT


def _property(kind: str) -> dict[str, Any]:
    if kind == TEXT:
        keyword = {"type": KEYWORD, "ignore_above": 256}
        return {"type": TEXT, "fields": {"keyword": keyword}}
    return {"type": kind}
