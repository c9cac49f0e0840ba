"""A record is its number: every way to edit one in place, before, between and after the loads.

All situations go through loaders and models in one house. Each is a schedule of Mondays, seen on
two days; what counts on each date is stated by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mapa.audit import Summary
from mapa.errors import ConfigError, FormatError, LayoutError
from mapa.load import exports
from mapa.load.exports import Completeness
from mapa.settings import Settings
from mapa.warehouse import connect
from offer_house import SCHEDULE, Codes, Delivery, OfferHouse, Row, _write

FIRST, SECOND = date(2026, 3, 2), date(2026, 4, 15)
"""Days on which the loads are seen; the schedules run from 2 February to 29 May 2026."""
WHOLE = Completeness(confirmed=True, tables=True)
MONDAYS = {"fev": 4, "mar": 5, "abr": 4, "mai": 4}
CHECKED = ("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01")
HOURS = {"hora_inicial": "08:00", "hora_final": "12:00"}


def schedule(codes: Codes, **other: str) -> Row:
    """Return a row of a schedule of ten slots on Mondays."""
    return (
        SCHEDULE
        | HOURS
        | {
            "cod_escala_ambulatorial": codes.record(1),
            "cpf_profissional_exec": codes.professional(1),
            "cod_cnes_exec": codes.unit(1),
            "cod_procedimento_interno": codes.procedure(1),
            "sigla_dia_semana": "SEG",
            "qtd_vagas_prim_vez": "10",
            "qtd_vagas_retorno": "0",
            "qtd_vagas_reserva": "0",
            "data_de_vigencia_inicial": "02/02/2026",
            "data_de_vigencia_final": "29/05/2026",
            "data_da_insercao": "15/01/2026",
        }
        | other
    )


def leave(codes: Codes, **other: str) -> Row:
    """Return a leave of the professional on 9 March."""
    return {
        "cod_afastamento": codes.record(1),
        "cpf_profissional_exec": codes.professional(1),
        "data_inicio": "09/03/2026",
        "data_fim": "09/03/2026",
    } | other


class Situation:
    """Rows of two loads, and the slots of each month from February to May."""

    def __init__(self, first: Mapping[str, list[Row]], second: Mapping[str, list[Row]]) -> None:
        """Take the rows of each layout."""
        self.loads = (first, second)


def situations() -> dict[str, tuple[Situation, dict[str, int]]]:
    """Return each situation with the active slots by month and, apart, the rows loaded anew."""
    found: dict[str, tuple[Situation, dict[str, int]]] = {}

    def add(
        name: str, before: list[dict[str, str]], after: list[dict[str, str]], **more: Any
    ) -> None:
        codes = Codes(len(found) + 1)
        rows = [
            [schedule(codes, **spelled(row, codes)) for row in side] for side in (before, after)
        ]
        leaves = [[leave(codes, **row) for row in side] for side in more.pop("leaves", ([], []))]
        loads = [
            {"escala": side, "afastamento_profissional": away}
            for side, away in zip(rows, leaves, strict=True)
        ]
        found[name] = (Situation(*loads), more)

    # 15 April is a Wednesday: Mondays to 13 April count by the first version, from 20 April by the
    # second. February 4, March 5, April 2 + 2, May 4 Mondays.
    add("nada muda", [{}], [{}], fev=40, mar=50, abr=40, mai=40)
    add("hora final corrigida", [{}], [{"hora_final": "11:00"}], fev=40, mar=50, abr=40, mai=40)
    add("hora inicial corrigida", [{}], [{"hora_inicial": "07:30"}], fev=40, mar=50, abr=40, mai=40)
    # Fridays of April from the 17th: 17, 24; of May: 1 (a holiday of law), 8, 15, 22, 29.
    add("dia trocado", [{}], [{"sigla_dia_semana": "SEX"}], fev=40, mar=50, abr=40, mai=40)
    add("profissional trocado", [{}], [{"cpf": "2"}], fev=40, mar=50, abr=40, mai=40)
    add("unidade trocada", [{}], [{"cnes": "2"}], fev=40, mar=50, abr=40, mai=40)
    add("procedimento trocado", [{}], [{"proc": "2"}], fev=40, mar=50, abr=40, mai=40)
    add("quantidade mudada", [{}], [{"qtd_vagas_prim_vez": "6"}], fev=40, mar=50, abr=32, mai=24)
    add(
        "tudo de uma vez",
        [{}],
        [{"cpf": "2", "cnes": "2", "hora_final": "11:00", "qtd_vagas_prim_vez": "6"}],
        fev=40, mar=50, abr=32, mai=24,
    )  # fmt: skip
    add(
        "duas linhas, uma editada",
        [{}, {"sigla_dia_semana": "QUA"}],
        [{}, {"sigla_dia_semana": "QUA", "hora_inicial": "07:00", "qtd_vagas_prim_vez": "5"}],
        # Wednesdays: 4, 4, then 1 and 8 April by ten; 15, 22, 29 April by five, 4 of May by five
        fev=80, mar=90, abr=75, mai=60,
    )  # fmt: skip
    add(
        "linha acrescentada",
        [{}],
        [{}, {"sigla_dia_semana": "QUA"}],
        fev=40,
        mar=50,
        abr=70,
        mai=80,
    )
    add("linha retirada", [{}, {"sigla_dia_semana": "QUA"}], [{}], fev=80, mar=90, abr=60, mai=40)
    add(
        "duas linhas iguais nas cinco colunas",
        [{}, {"proc": "2", "qtd_vagas_prim_vez": "3"}],
        [{}, {"proc": "2", "qtd_vagas_prim_vez": "3", "hora_final": "11:30"}],
        fev=52, mar=65, abr=52, mai=52,
    )  # fmt: skip
    add("linha repetida no arquivo", [{}, {}], [{}, {}], fev=40, mar=50, abr=40, mai=40)
    add(
        "reescrita",
        [{"desc_procedimento_interno": "ORTOPEDIA  ", "data_ultima_alteracao": "01/02/2026"}],
        [
            {
                "desc_procedimento_interno": "Ortopedía",
                "hora_inicial": "08:00:00",
                "hora_final": "12:00:30",
                "sigla_dia_semana": "seg ",
                "qtd_vagas_prim_vez": "010",
                "qtd_vagas_retorno": "0.0",
                "unpadded": "yes",
                "data_ultima_alteracao": "2026-02-01",
            }
        ],
        fev=40, mar=50, abr=40, mai=40,
    )  # fmt: skip
    add(
        "dois afastamentos de um número",
        [{}],
        [{}],
        leaves=(
            [{}, {"data_inicio": "16/03/2026", "data_fim": "16/03/2026"}],
            [{}, {"data_inicio": "16/03/2026", "data_fim": "16/03/2026"}],
        ),
        fev=40, mar=30, abr=40, mai=40,
    )  # fmt: skip
    add(
        "afastamento reescrito não é outro",
        [{}],
        [{}],
        leaves=([{}], [{"data_inicio": "9/3/2026", "hora_inicio": "---", "hora_fim": " "}]),
        fev=40, mar=40, abr=40, mai=40,
    )  # fmt: skip
    return found


def spelled(row: dict[str, str], codes: Codes) -> dict[str, str]:
    """Spell the codes of a situation out."""
    told = dict(row)
    if index := told.pop("cpf", None):
        told["cpf_profissional_exec"] = codes.professional(int(index))
    if index := told.pop("cnes", None):
        told["cod_cnes_exec"] = codes.unit(int(index))
    if index := told.pop("proc", None):
        told["cod_procedimento_interno"] = codes.procedure(int(index))
    if told.pop("unpadded", None):
        told["cod_escala_ambulatorial"] = "00" + codes.record(1)
        told["cpf_profissional_exec"] = codes.professional(1).lstrip("0")
        told["cod_cnes_exec"] = codes.unit(1).lstrip("0")
        told["cod_procedimento_interno"] = codes.procedure(1).lstrip("0")
    return told


SITUATIONS = situations()
NAMES = list(SITUATIONS)


def build_house(directory: Path) -> OfferHouse:
    """Load all situations together on two days and build once."""
    house = OfferHouse.at(directory)
    together: list[dict[str, list[Row]]] = [{}, {}]
    for situation, _ in SITUATIONS.values():
        for all_rows, rows in zip(together, situation.loads, strict=True):
            for layout, some in rows.items():
                all_rows.setdefault(layout, []).extend(some)
    loads: list[Delivery] = list(together)
    house.load(loads, (FIRST, SECOND), WHOLE)
    house.build(models=("+oferta_por_dia",), tested=True, feriados_calculados_bloqueiam=False)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house with all situations."""
    return build_house(tmp_path_factory.mktemp("versions"))


@pytest.mark.parametrize("name", NAMES)
def test_each_date_counts_by_one_version_of_its_number(house: OfferHouse, name: str) -> None:
    _, expected = SITUATIONS[name]
    number = NAMES.index(name) + 1
    rows = house.query(
        "select competencia, cast(sum(qtd_vagas_ativas) as integer) as vagas "
        "from oferta.oferta_por_dia "
        f"where cast(unidade_executante_cnes as integer) // 10 = {number} group by all order by all"
    )
    found = {str(row["competencia"]): row["vagas"] for row in rows}
    if name == "dia trocado":
        # Mondays 6 and 13 April, then Fridays 17 and 24; in May all five Fridays.
        expected = expected | {"mai": 50}
    assert found == dict(zip(CHECKED, expected.values(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_no_date_has_slots_of_two_versions(house: OfferHouse, name: str) -> None:
    number = NAMES.index(name) + 1
    rows = house.query(
        "select escala_codigo, data, hora_inicio, procedimento_codigo, count(*) as vezes "
        "from oferta.oferta_por_dia "
        f"where cast(unidade_executante_cnes as integer) // 10 = {number} group by all"
    )
    assert {row["vezes"] for row in rows} == {1}
    assert {row["escala_codigo"] for row in rows} == {str(number * 100 + 1)}


def test_old_hours_count_to_the_eve_and_new_ones_from_the_day_seen(house: OfferHouse) -> None:
    number = NAMES.index("hora final corrigida") + 1
    rows = house.query(
        "select hora_fim, min(data) as de, max(data) as ate from oferta.oferta_por_dia "
        f"where cast(unidade_executante_cnes as integer) // 10 = {number} group by 1 order by 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("12:00", date(2026, 2, 2), date(2026, 4, 13)),
        ("11:00", date(2026, 4, 20), date(2026, 5, 25)),
    ]


def test_another_spelling_is_no_version(house: OfferHouse) -> None:
    rows = house.query("select _chave from bruto_sisreg.escala_ambulatorial")
    versions = Counter(row["_chave"] for row in rows)
    for name in ("reescrita", "nada muda", "linha repetida no arquivo"):
        assert versions[str((NAMES.index(name) + 1) * 100 + 1)] == 1, name
    (leaves,) = house.query(
        "select count(*) as n from bruto_sisreg.afastamento_profissional "
        f"where _chave = '{NAMES.index('afastamento reescrito não é outro') * 100 + 101}'"
    )
    assert leaves["n"] == 1


# --- at the door -----------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(mapa_dir=tmp_path / "data")


def load_rows(
    settings: Settings, folder: Path, layout: str, rows: list[Row], **how: Any
) -> Summary:
    """Write rows as a file of a layout and load it."""
    folder.mkdir(parents=True, exist_ok=True)
    (summary,) = exports.load(settings, [_write(folder, layout, rows)], **how)
    return summary


LIMIT: Row = {"competencia": "202603", "cod_procedimento_interno": "0700001"}
CENTRALS: Row = {"cod_central_solicitante": "530010", "cod_central_exec": "530010"}
CONTRADICTIONS: dict[str, list[Row]] = {
    "teto": [
        LIMIT | {"cod_cnes_exec": cnes, "qtd_teto": n} for cnes, n in (("0000001", "5"), ("1", "6"))
    ],
    "ppi": [
        LIMIT | CENTRALS | {"cod_procedimento_interno": code, "qtd_ppi": n}
        for code, n in (("0700001", "5"), ("700001", "0"))
    ],
    "cota": [
        LIMIT | {"cod_cnes_solicitante": "0000001", "tipo_ppi": kind, "qtd_cota": n}
        for kind, n in (("LOCAL", "5"), ("local", "7"))
    ],
}


@pytest.mark.parametrize("layout", CONTRADICTIONS)
def test_two_lines_that_contradict_each_other_are_refused_by_name(
    settings: Settings, tmp_path: Path, layout: str
) -> None:
    with pytest.raises(FormatError, match="lines 2 and 3 have the same") as caught:
        load_rows(settings, tmp_path, layout, CONTRADICTIONS[layout])
    assert f"{layout}.csv" in str(caught.value)
    same = [CONTRADICTIONS[layout][0]] * 2
    summary = load_rows(settings, tmp_path / "same", layout, same)
    assert (summary.tally.loaded, summary.tally.identical) == (1, 1)


def test_the_share_that_may_vanish_is_that_of_what_was_known(
    settings: Settings, tmp_path: Path
) -> None:
    codes = Codes(1)
    known = [schedule(codes, cod_escala_ambulatorial=str(n)) for n in range(10)]
    new = [schedule(codes, cod_escala_ambulatorial=str(n)) for n in range(100, 200)]
    load_rows(settings, tmp_path / "a", "escala", known)
    with pytest.raises(LayoutError, match="4 of 10 known records"):
        load_rows(settings, tmp_path / "b", "escala", known[4:] + new)
    edited = [row | {"hora_final": "10:00"} for row in known[:4]] + known[4:]
    summary = load_rows(settings, tmp_path / "c", "escala", edited)
    assert (summary.tally.loaded, summary.tally.identical, summary.notes) == (4, 6, ())


def test_a_number_that_says_nothing_is_rejected(settings: Settings, tmp_path: Path) -> None:
    rows = [schedule(Codes(1), cod_escala_ambulatorial=text) for text in ("---", "1", "2")]
    summary = load_rows(
        settings.model_copy(update={"mapa_max_rejected_share": 0.5}), tmp_path, "escala", rows
    )
    assert (summary.tally.rejected, summary.tally.loaded) == (1, 2)


def test_rows_of_an_older_version_ask_for_a_replay(settings: Settings, tmp_path: Path) -> None:
    load_rows(settings, tmp_path, "escala", [schedule(Codes(1))])
    with connect(settings.warehouse) as con:
        con.execute("alter table bruto_sisreg.escala_ambulatorial drop column _chave")
    with pytest.raises(ConfigError, match="mapa load export --replay"):
        load_rows(settings, tmp_path / "b", "escala", [schedule(Codes(1), hora_final="11:00")])
