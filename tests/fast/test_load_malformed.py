"""Inputs gone wrong, each through the real loader: the fate that the manifest promises, no leak.

The manifest is `tests/fixtures/malformados/manifesto.yml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
import yaml
from pydantic import SecretStr

from conftest import PROJECT
from mapa import warehouse
from mapa.audit import Summary
from mapa.errors import MapaError, PartialError
from mapa.layouts import every, of_files
from mapa.load import cadsus, exports, sisreg
from mapa.settings import Settings
from mirror import PASSWORD, USER, Mirror, mirroring
from test_load_cadsus import KNOWN, serving_answers

CORPUS = PROJECT / "tests" / "fixtures" / "malformados"
CASES: list[dict[str, Any]] = yaml.safe_load((CORPUS / "manifesto.yml").read_text())
CANARY = re.compile("can.{0,2}rio", re.IGNORECASE)
INDEX = "solicitacao-ambulatorial"


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


def test_the_manifest_names_every_file_once() -> None:
    named = [case["arquivo"] for case in CASES]
    stand = {case["base"] for case in CASES if "base" in case}
    stand |= {case["arquivo"] for case in CASES if "base" not in case}
    there = {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*.*") if path.is_file()}
    assert stand == there - {"manifesto.yml"}
    assert len(set(named)) == len(named) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["arquivo"]))
def test_a_malformed_input_has_its_fate(case: dict[str, Any], tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data")
    path = _file(case, tmp_path)
    if refusal := case.get("recusa"):
        with pytest.raises(MapaError) as caught:
            _load(case, settings, path)
        assert caught.value.exit_code == refusal["codigo"], caught.value.message
        assert re.search(refusal["mensagem"], caught.value.message), caught.value.message
        said = [caught.value.message]
        if "carga" in case:
            assert isinstance(caught.value, PartialError)
            _assert_loaded(case, settings, list(caught.value.summaries))
        else:
            _assert_raw_is_empty(settings)
    else:
        summaries = _load(case, settings, path)
        _assert_loaded(case, settings, summaries)
        said = [str(summary) for summary in summaries]
    said += _control_texts(settings)
    assert not [text for text in said if CANARY.search(text)]


def _file(case: dict[str, Any], folder: Path) -> Path:
    """Return the file of a case: one of the corpus, or a good one with what the case changes."""
    if "base" not in case:
        return CORPUS / str(case["arquivo"])
    text = (CORPUS / case["base"]).read_text()
    for old, new, *times in case["trocas"]:
        assert old in text, f"{case['arquivo']}: there is no {old} to change"
        text = text.replace(old, new, *times)
    path = folder / Path(case["arquivo"]).name
    path.write_text(text)
    return path


def _load(case: dict[str, Any], settings: Settings, path: Path) -> list[Summary]:
    """Send a file through its door."""
    match case["porta"]:
        case "export":
            return exports.load(settings, [path])
        case "cnes":
            return exports.load(
                settings, [path], only=tuple(one.name for one in of_files("bruto_cnes"))
            )
        case "cadsus":
            return cadsus.load_file(settings, path)
        case "pdq":
            return _answered(settings, path, case.get("status", 200))
        case _:
            return _searched(settings, path, is_lasting="recusa" in case)


def _answered(settings: Settings, path: Path, status: int) -> list[Summary]:
    """Ask for one card and let the file be the answer."""
    with warehouse.connect(settings.warehouse) as con:
        con.execute(
            "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario) values (?)", [KNOWN]
        )
    with serving_answers() as service:
        service.answers[KNOWN] = (status, str(path))
        urls = {"cadsus_url": f"{service.url}/pdq", "cadsus_token_url": f"{service.url}/token"}
        return [cadsus.load(settings.model_copy(update=urls))]


def _searched(settings: Settings, path: Path, *, is_lasting: bool) -> list[Summary]:
    """Read an index whose pages are the file; of one that can be loaded, its documents."""
    sample = json.loads((PROJECT / "tests" / "fixtures" / "load" / f"{INDEX}.json").read_text())
    spoil = [lambda _: path.read_bytes()] * 100 if is_lasting else []
    hits = [] if is_lasting else json.loads(path.read_bytes())["hits"]["hits"]
    documents = [hit["_source"] for hit in hits] or [sample]
    with mirroring(Mirror({INDEX: documents}, spoil=[*spoil])) as mirror:
        access = {"sisreg_user": USER, "sisreg_password": SecretStr(PASSWORD)}
        pointed = settings.model_copy(update={"sisreg_url": mirror.url, **access})
        return sisreg.load(pointed, INDEX)


def _assert_loaded(case: dict[str, Any], settings: Settings, summaries: list[Summary]) -> None:
    expected = case["carga"]
    tally = sum((summary.tally for summary in summaries[1:]), summaries[0].tally)
    assert (tally.received, tally.loaded, tally.rejected) == (
        expected["recebidas"], expected["carregadas"], expected["rejeitadas"],
    )  # fmt: skip
    found = _query(settings, "select distinct motivo from controle.rejeitos order by motivo")
    assert [reason for (reason,) in found] == sorted(expected.get("motivos", []))
    if outcome := case.get("resultado"):
        assert _query(settings, "select resultado from bruto_cadsus.consulta") == [(outcome,)]


def _assert_raw_is_empty(settings: Settings) -> None:
    if settings.warehouse.exists():
        tables = (*(layout.table for layout in every()), "controle.rejeitos")
        counts = " union all ".join(f"select '{table}', count(*) from {table}" for table in tables)
        assert [table for table, rows in _query(settings, counts) if rows] == []


def _control_texts(settings: Settings) -> list[str]:
    """Return the rows of all control tables as text."""
    if not settings.warehouse.exists():
        return []
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        tables = con.execute(
            "select table_name from duckdb_tables() where schema_name = 'controle'"
        ).fetchall()
        assert tables
        return [
            str(row)
            for (table,) in tables
            for row in con.execute(f"select * from controle.{table}").fetchall()
        ]


def _query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()
