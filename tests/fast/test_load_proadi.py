"""The register of PROADI-SUS at the door: what is taken, what is refused, what never enters."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import PROJECT
from mapa import landing
from mapa.errors import ConfigError, FormatError
from mapa.layouts import STAGING, read
from mapa.load import exports
from mapa.load.exports import Completeness
from mapa.load.replay import replay
from mapa.settings import Settings

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
FILES = sorted(FIXTURES.glob("proadi_*.csv"))
SECRET = "00000000191"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings that let half of a file be wrong."""
    return Settings(mapa_dir=tmp_path / "data", mapa_max_rejected_share=0.5)


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def with_row(folder: Path, name: str, **changes: str) -> Path:
    """Write the good file of a layout with another row: its first one, but for some cells."""
    header, first, *others = (FIXTURES / f"{name}.csv").read_text().splitlines()
    row = dict(zip(header.split(";"), first.split(";"), strict=True)) | changes
    path = folder / f"{name}.csv"
    path.write_text("\n".join([header, first, *others, ";".join(row.values()), ""]))
    return path


WRONG: Mapping[str, tuple[str, Mapping[str, str], str, str]] = {
    "entity unknown": ("proadi_termos", {"termo_numero": "002", "cnpj": "1"}, "cnpj",
                       "entidade desconhecida"),
    "term ends before": ("proadi_termos", {"versao": "1", "trienio_fim": "31/12/2020"},
                         "trienio_fim", "datas fora de ordem"),
    "published before signed": ("proadi_termos", {"versao": "1", "dou_extrato_em": "02/11/2020"},
                                "dou_extrato_em", "datas fora de ordem"),
    "exemption below zero": ("proadi_isencao", {"exercicio": "2022", "valor_usufruido": "-0,01"},
                             "valor_usufruido", "valor negativo"),
    "exemption of no term": ("proadi_isencao", {"termo_numero": "009/2020"}, "termo_numero",
                             "termo desconhecido"),
    "term unknown": ("proadi_projetos", {"nup": "9", "termo_numero": "009/2020"}, "termo_numero",
                     "termo desconhecido"),
    "before its term": ("proadi_projetos", {"nup": "9", "vigencia_inicio": "31/12/2020"},
                        "vigencia_inicio", "projeto antes do termo"),
    "project ends before": ("proadi_projetos", {"nup": "9", "vigencia_fim": "31/01/2021"},
                            "vigencia_fim", "datas fora de ordem"),
    "spent below zero": ("proadi_orcamento", {"conta": "2", "executado_aprovado": "-5"},
                         "executado_aprovado", "valor negativo"),
    "budget of no project": ("proadi_orcamento", {"nup": "9"}, "nup", "projeto desconhecido"),
    "goal of no project": ("proadi_metas", {"nup": "9"}, "nup", "projeto desconhecido"),
    "event of no project": ("proadi_eventos", {"objeto_numero": "9"}, "objeto_numero",
                            "projeto desconhecido"),
    "event of no term": ("proadi_eventos", {"objeto_tipo": "termo", "objeto_numero": "9"},
                         "objeto_numero", "termo desconhecido"),
    "asset below zero": ("proadi_bens", {"item": "2", "valor_total": "-1"}, "valor_total",
                         "valor negativo"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_row_is_rejected_with_its_reason(
    settings: Settings, tmp_path: Path, case: str
) -> None:
    name, changes, column, reason = WRONG[case]
    exports.load(settings, FILES)
    path = with_row(tmp_path, name, **changes)
    (summary,) = exports.load(settings, [path])
    rows = len(path.read_text().splitlines()) - 1
    assert (summary.tally.rejected, summary.tally.identical) == (1, rows - 1)
    told = query(settings, "select linha, coluna, motivo from controle.rejeitos")
    assert told == [(rows + 1, column, reason)]


def test_reductions_and_the_same_day_are_no_fault(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, FILES)
    for name, changes in {
        "proadi_termos": {"versao": "1", "assinado_em": "20/11/2020"},
        "proadi_projetos": {"versao": "1", "vigencia_inicio": "01/01/2021"},
        "proadi_orcamento": {"conta": "2", "aditado": "-5000"},
        "proadi_isencao": {"exercicio": "2022", "valor_usufruido": "0"},
    }.items():
        exports.load(settings, [with_row(tmp_path, name, **changes)])
    assert query(settings, "select * from controle.rejeitos") == []


def test_files_come_in_any_order_when_they_come_together(settings: Settings) -> None:
    done = exports.load(settings, FILES[::-1])
    assert [summary.tally.rejected for summary in done] == [0] * 8
    assert [s.entity for s in done[:2]] == ["proadi_entidades", "proadi_termos"]


def test_projects_before_their_terms_are_refused_and_say_why(settings: Settings) -> None:
    with pytest.raises(FormatError, match="termo desconhecido: 1, the first in line 2"):
        exports.load(settings, [FIXTURES / "proadi_projetos.csv"])


def test_names_and_numbers_of_those_who_sign_never_enter(settings: Settings) -> None:
    (summary,) = [s for s in exports.load(settings, FILES) if s.entity == "proadi_termos"]
    assert summary.notes == ()
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        cells = [con.execute(f"from {table}").fetchall() for (table,) in tables]
    assert SECRET in (FIXTURES / "proadi_termos.csv").read_text()
    assert SECRET not in repr(cells)
    assert query(settings, "select count(_campos_extras) from bruto_proadi.termo") == [(0,)]


def test_a_replay_rebuilds_the_register_and_its_rejects(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, FILES)
    exports.load(settings, [with_row(tmp_path, "proadi_projetos", termo_numero="9")])
    tables = ("bruto_proadi.projeto", "bruto_proadi.orcamento", "controle.rejeitos")
    before = [query(settings, f"from {table} order by all") for table in tables]
    replay(settings, "export")
    assert [query(settings, f"from {table} order by all") for table in tables] == before
    assert len(before[2]) == 1


def test_what_a_whole_table_lacks_has_vanished(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, FILES)
    path = tmp_path / "proadi_entidades.csv"
    lines = (FIXTURES / path.name).read_text().splitlines()
    path.write_text("\n".join(lines[:2]) + "\n")
    exports.load(settings, [path], Completeness(confirmed=True, tables=True))
    assert query(settings, "select tabela, evento from controle.ausencias") == [
        ("bruto_proadi.entidade", "ausente")
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- coluna: nup", "- coluna: nuup", "recusas is wrong"),
        ("motivo: valor negativo", "porque: valor negativo", "recusas is wrong"),
        ("registro: linha", "volateis: []", "recusas needs records"),
        ("recusas:\n", "recusas: [x]\n            encerrado:\n", "is of another kind"),
    ],
)
def test_refusals_that_cannot_be_followed_are_told(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    shutil.copytree(PROJECT / STAGING, tmp_path / STAGING)
    path = tmp_path / STAGING / "proadi" / "_sources.yml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=words):
        read(tmp_path)


def test_a_refusal_says_nothing_of_the_cells(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, FILES)
    exports.load(settings, [with_row(tmp_path, "proadi_projetos", termo_numero="CANARIO")])
    control = [query(settings, f"from controle.{t}") for t in ("rejeitos", "cargas")]
    notes = [landing.read(p).decode() for p in settings.landing.rglob("carga.json")]
    assert "CANARIO" not in repr(control) + json.dumps(notes)
