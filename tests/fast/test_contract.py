"""The contract with readers: the standard knows it, and what breaks it is refused by name."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from mapa.errors import PublishError
from mapa.publish import contract, inspection, store
from mapa.publish.contents import Published
from mapa.publish.gate import Check, Column
from test_sheets import KEYS, PUBLISHED, TABLE

CODES = {("pub_exemplo", "nome"): [("a", "Letra A"), ("b", "Letra B")]}
CHECKS = (
    Check("pub_exemplo__grao", "grao_unico", "", ""),
    Check("pub_exemplo__qtd", "not_null", "Sempre se sabe quantos.", "qtd"),
    Check("pub_exemplo__igual", "pub_exemplo__igual", "Igual às fontes.", ""),
)
PROMISED = {"pub_exemplo"}


def published(
    columns: tuple[Column, ...] = TABLE.columns,
    types: tuple[str, ...] = PUBLISHED.types,
    grain: tuple[str, ...] = TABLE.grain,
) -> Published:
    columns = tuple(replace(c, required=c.name == "qtd") for c in columns)
    table = replace(TABLE, columns=columns, grain=grain, checks=CHECKS, references=KEYS.foreign)
    return replace(PUBLISHED, table=table, types=types)


def made(*tables: Published, codes: Any = CODES) -> contract.Contract:
    return contract.make("MPDFT", tables or (published(),), codes, 7)


def after(new: contract.Contract, *, accept: bool = False) -> contract.Contract:
    return contract.follow(made(), new, PROMISED, accept=accept)


def test_the_standard_knows_every_word(tmp_path: Path) -> None:
    path = tmp_path / store.CONTRACT
    contract.write(path, made())
    schema = json.loads(
        files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    )
    found = contract.newest([tmp_path])
    jsonschema.Draft201909Validator(schema).validate(found)
    read = OpenDataContractStandard.from_file(str(path))
    assert (read.version, read.kind, read.id) == ("1.0.0", "DataContract", contract.NAME)
    assert read.schema_ is not None
    (table,) = read.schema_
    columns = {column.name: column for column in table.properties or ()}
    assert [(c.name, c.primaryKeyPosition) for c in columns.values() if c.primaryKey] == [
        ("codigo", 1)
    ]
    assert [name for name, c in columns.items() if c.required] == ["codigo", "qtd"]
    assert [c.logicalType for c in columns.values()] == [
        "string", "string", "integer", "number", "number", "date", "timestamp", "boolean", "array"
    ]  # fmt: skip
    assert [(e.value, e.label) for e in columns["nome"].enum or ()] == CODES["pub_exemplo", "nome"]
    assert [r.to for r in columns["nome"].relationships or ()] == ["pub_nomes.nome"]
    assert [(q.metric, q.mustBe) for q in columns["qtd"].quality or ()] == [("nullValues", 0)]
    assert [q.implementation for q in table.quality or ()] == ["grao_unico", "pub_exemplo__igual"]
    assert {sla.property for sla in read.slaProperties or ()} == {"frequency", "latency"}
    assert "Letra A" in set(inspection.texts(path))


def test_a_slip_in_it_would_be_seen() -> None:
    schema = json.loads(
        files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    )
    wrong = deepcopy(made())
    wrong["schema"][0]["properties"][0]["obrigatoria"] = True
    assert not jsonschema.Draft201909Validator(schema).is_valid(wrong)


NAMES = tuple(column.name for column in TABLE.columns)


def without(name: str) -> Published:
    place = NAMES.index(name)
    columns = (*TABLE.columns[:place], *TABLE.columns[place + 1 :])
    return published(columns, (*PUBLISHED.types[:place], *PUBLISHED.types[place + 1 :]))


def nullable() -> Published:
    found = published()
    columns = tuple(replace(column, required=False) for column in found.table.columns)
    return replace(found, table=replace(found.table, columns=columns))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (without("pct"), "pub_exemplo.pct: the column is gone or has another name"),
        (
            published(types=("VARCHAR", "VARCHAR", "INTEGER", *PUBLISHED.types[3:])),
            "pub_exemplo.qtd: the type BIGINT is now INTEGER",
        ),
        (
            published(grain=("codigo", "nome")),
            "pub_exemplo: the key (codigo) is now (codigo, nome)",
        ),
        (nullable(), "pub_exemplo.qtd: it was never empty and may be now"),
    ],
)
def test_what_readers_lose_is_refused_until_somebody_accepts_it(new: Published, said: str) -> None:
    with pytest.raises(PublishError) as refusal:
        after(made(new))
    assert refusal.value.message.splitlines()[1:] == [
        f"  {said}",
        "Correct the models; or, when readers know, type: mapa publish --accept-breaking",
    ]
    assert after(made(new), accept=True)["version"] == "2.0.0"


def other() -> Published:
    found = published()
    return replace(found, table=replace(found.table, name="pub_outro"))


def test_a_table_that_the_project_no_longer_has_is_missed() -> None:
    with pytest.raises(PublishError, match="pub_exemplo: the table is gone"):
        contract.follow(made(), made(other()), {"pub_outro"}, accept=False)


def test_a_table_that_failed_stays_promised_and_comes_back_without_a_word() -> None:
    both = made(published(), other())
    promised = {"pub_exemplo", "pub_outro"}
    night = contract.follow(both, made(other()), promised, accept=False)
    assert [table["name"] for table in night["schema"]] == ["pub_exemplo", "pub_outro"]
    assert night["schema"][0]["customProperties"] == [{"property": "ausente", "value": True}]
    back = contract.follow(night, both, promised, accept=False)
    assert back["schema"] == both["schema"]
    with pytest.raises(PublishError, match=r"pub_exemplo\.pct"):
        contract.follow(night, made(without("pct"), other()), promised, accept=False)


@pytest.mark.parametrize(
    ("new", "version"),
    [
        (made(), "1.0.0"),
        (made(published(), other()), "1.1.0"),
        (made(codes={("pub_exemplo", "nome"): [*CODES["pub_exemplo", "nome"], ("c", "C")]}),
         "1.1.0"),
        (made(published(tuple(replace(c, description="Outra.") for c in TABLE.columns))), "1.0.1"),
        (made(codes={}), "1.0.1"),
    ],
)  # fmt: skip
def test_the_version_says_how_much_changed(new: contract.Contract, version: str) -> None:
    assert after(new)["version"] == version


def test_the_newest_contract_counts_whatever_lacks_one(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("c", "b", "a")]
    for folder in folders:
        folder.mkdir()
    assert contract.newest(folders) is None
    contract.write(folders[1] / store.CONTRACT, made() | {"version": "3.1.0"})
    contract.write(folders[2] / store.CONTRACT, made())
    found = contract.newest(folders)
    assert found is not None and found["version"] == "3.1.0"
