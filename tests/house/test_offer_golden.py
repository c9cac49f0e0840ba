"""Hand-worked situations of the offer: what goes in as export files must come out to the slot.

`tests/fixtures/oferta/casos.yml` states each situation, the arithmetic and the numbers. All of
them go through loaders and models in one house, which is built once.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from offer_house import (
    CENTRAL,
    SCHEDULE,
    SLOTS,
    Codes,
    Delivery,
    OfferHouse,
    Row,
    day_text,
    number_of_unit,
)

Case = dict[str, Any]
Numbers = dict[str, Any]

FILE = Path(__file__).parents[1] / "fixtures" / "oferta" / "casos.yml"
CASES: list[Case] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
NUMBERED = list(enumerate(CASES, start=1))
LOADS = (1, 2, 3, 4)
SEEN = (date(2026, 2, 10), date(2026, 2, 17), date(2026, 2, 24), date(2026, 4, 7))
"""The day on which each load is seen: all but the last before the month of most cases."""
CAUSES = ("feriado", "afastamento_unidade", "afastamento_profissional")
MEASURES = ("vagas_total", "vagas_bloqueadas", "vagas_ativas", "oferta_real")
MONTH: Numbers = (
    {"mes": "2026-03", "central": CENTRAL, "unidade": 1, "procedimento": 1, "bloqueadas": 0}
    | dict.fromkeys(CAUSES, 0)
    | {"ppi": None, "teto": None, "limite": "nao_informado", "perdidas_ppi": 0, "perdidas_teto": 0}
)
DAY: Numbers = (
    {"unidade": 1, "tipo": "primeira_vez"}
    | dict.fromkeys(CAUSES, 0)
    | {"causa": None, "local": False}
)


MOVEMENT: Numbers = {
    "carga": 2, "mes": "2026-03", "unidade": 1, "procedimento": 1, "tipo": "primeira_vez",
    "ganhas": 0, "perdidas": 0,
}  # fmt: skip
WITHDRAWN: Numbers = {"unidade": 1, "retiradas": 0, "pct_retiradas": 0.0} | dict.fromkeys(
    ("fim_da_escala", "mudanca_da_escala", *CAUSES), 0
)
COVERED = date(2026, 4, 1)
"""First month of which all days lie at least 30 days after the first load."""


def plain(text: str) -> str:
    """Return a text without accents, as the name of a test."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


each_case = pytest.mark.parametrize(
    ("number", "case"), NUMBERED, ids=[plain(case["nome"]) for case in CASES]
)


# --- from a case to the rows of the export files ---------------------------------------------


class Translation:
    """The export rows of one case."""

    def __init__(self, number: int, case: Case) -> None:
        """Take the case and the codes that are its own."""
        self.case = case
        self.codes = Codes(number)
        self.records: dict[str, int] = {}

    def delivery(self, load: int) -> dict[str, list[Row]]:
        """Return what this case delivers in one load; schedules are the whole picture each time."""
        rows: dict[str, list[Row]] = {
            "escala": [
                row
                for row, loads in zip(self.schedules(), self.presence(), strict=True)
                if load in loads
            ]
        }
        for layout, key, translate in (
            ("afastamento_profissional", "afastamentos", self.leave),
            ("afastamento_unidade", "afastamentos_unidade", self.unit_leave),
            ("feriado", "feriados", self.holiday),
            ("ppi", "ppi", self.ppi),
            ("teto", "tetos", self.ceiling),
        ):
            items = [(item, translate(item)) for item in self.case.get(key, [])]
            rows[layout] = [row for item, row in items if item.get("carga", 1) == load]
        return rows

    def presence(self) -> list[list[int]]:
        """Return the loads in which each schedule stands; who is in the third stays to the last."""
        told = [item.get("cargas", [*LOADS]) for item in self.case["escalas"]]
        return [
            [*loads, *LOADS[3:]] if loads[-1] == LOADS[2] and not item.get("some") else loads
            for item, loads in zip(self.case["escalas"], told, strict=True)
        ]

    def schedules(self) -> list[Row]:
        """Return the rows of the schedules."""
        return [self.schedule(item) for item in self.case["escalas"]]

    def schedule(self, item: Numbers) -> Row:
        """Return the row of a schedule."""
        slots = item["vagas"] if isinstance(item["vagas"], list) else [item["vagas"], 0, 0]
        start, end = item.get("horario", "08:00-12:00").split("-")
        return SCHEDULE | {
            "cod_escala_ambulatorial": self.record(item),
            "cod_central_exec": str(item.get("central", CENTRAL)),
            "cpf_profissional_exec": self.professional(item),
            "cod_cnes_exec": self.unit(item, 1),
            "cod_procedimento_interno": self.procedure(item, 1),
            "sigla_dia_semana": item["dia"],
            **{
                column: "" if count is None else str(count)
                for column, count in zip(SLOTS.values(), slots, strict=True)
            },
            "agenda_local": "SIM" if item.get("local") else "NAO",
            "data_de_vigencia_inicial": day_text(item.get("de", date(2026, 3, 1))),
            "data_de_vigencia_final": day_text(item.get("ate", date(2026, 3, 31))),
            "hora_inicial": start,
            "hora_final": end,
            "data_ultima_alteracao": day_text(item.get("alterada", date(2026, 2, 1))),
            "status": item.get("situacao", "ATIVA"),
        }

    def leave(self, item: Numbers) -> Row:
        """Return the row of a professional's leave."""
        return self.unit_leave(item) | {
            "cpf_profissional_exec": self.professional(item),
            "cod_cnes_exec": self.unit(item, None),
            "cod_procedimento_interno": self.procedure(item, None),
        }

    def unit_leave(self, item: Numbers) -> Row:
        """Return the row of a unit's leave."""
        first, start = moment(item["de"])
        last, end = moment(item.get("ate", first))
        return {
            "cod_afastamento": self.record(item),
            "cod_cnes_exec": self.unit(item, 1),
            "data_inicio": day_text(first),
            "hora_inicio": start,
            "data_fim": day_text(last),
            "hora_fim": end,
        }

    def holiday(self, item: Numbers) -> Row:
        """Return the row of a holiday."""
        return {
            "data": day_text(item["data"]),
            "descricao": item.get("nome", "FERIADO FICTICIO"),
            "abrangencia": item["abrangencia"],
            "cod_cnes_exec": self.unit(item, None),
        }

    def ppi(self, item: Numbers) -> Row:
        """Return the row of a quantity agreed between centrals."""
        return self.limit(item) | {
            "cod_central_solicitante": str(item.get("solicitante", CENTRAL)),
            "cod_central_exec": str(item.get("executante", CENTRAL)),
            "qtd_ppi": str(item["qtd"]),
        }

    def ceiling(self, item: Numbers) -> Row:
        """Return the row of a ceiling."""
        return self.limit(item) | {
            "cod_cnes_exec": self.unit(item, 1),
            "qtd_teto": str(item["qtd"]),
        }

    def limit(self, item: Numbers) -> Row:
        """Return what the two limits have in common."""
        return {
            "competencia": item.get("mes", "2026-03").replace("-", ""),
            "cod_procedimento_interno": self.procedure(item, 1),
        }

    def record(self, item: Numbers) -> str:
        """Return the number of a schedule or leave; those that name a code share it."""
        name = item.get("codigo", f"item {id(item)}")
        return self.codes.record(self.records.setdefault(name, len(self.records)))

    def professional(self, item: Numbers) -> str:
        """Return the CPF of professional A, B, C; none is an empty cell."""
        name = item.get("profissional", "A")
        return self.codes.professional("ABC".index(name)) if name else ""

    def unit(self, item: Numbers, default: int | None) -> str:
        """Return the CNES of a unit."""
        return self.code(item, item.get("unidade", default), self.codes.unit)

    def procedure(self, item: Numbers, default: int | None) -> str:
        """Return the code of a procedure."""
        return self.code(item, item.get("procedimento", default), self.codes.procedure)

    @staticmethod
    def code(item: Numbers, value: int | str | None, of: Any) -> str:
        """Return a code; a text stands for itself, and leading zeros may have been lost."""
        code = of(value) if isinstance(value, int) else value or ""
        return str(code).lstrip("0") if item.get("sem_zeros") else str(code)


def moment(value: date | str) -> tuple[date, str]:
    """Split `2026-03-16 10:00` into day and hour; a day has no hour."""
    if isinstance(value, date):
        return value, ""
    day, hour = value.split()
    return date.fromisoformat(day), hour


def deliveries() -> list[Delivery]:
    """Return the loads of all cases together; all but the first bring the schedules first."""
    translations = [Translation(number, case) for number, case in NUMBERED]
    loads: list[Delivery] = []
    for load in LOADS:
        together: dict[str, list[Row]] = defaultdict(list)
        for translation in translations:
            for layout, rows in translation.delivery(load).items():
                together[layout] += rows
        layouts = list(together) if load > 1 else list(together)[::-1]
        loads.append({layout: together[layout] for layout in layouts})
    return loads


# --- from the marts back to the words of a case ----------------------------------------------


def monthly_rows(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the rows of the month of each case."""
    by_cause = ", ".join(f"sum(qtd_vagas_bloqueadas_{cause}) as {cause}" for cause in CAUSES)
    rows: dict[int, list[Numbers]] = defaultdict(list)
    for row in house.query(
        f"""
        with causas as (
            select competencia, central_executora_codigo, unidade_executante_cnes,
                procedimento_codigo, {by_cause}
            from oferta.oferta_por_dia group by all
        )
        select * from oferta.oferta_real_por_mes natural join causas
        """
    ):
        found = {
            "mes": f"{row['competencia']:%Y-%m}",
            "central": row["central_executora_codigo"],
            "unidade": int(row["unidade_executante_cnes"]) % 10,
            "procedimento": int(row["procedimento_codigo"][4:]),
            "total": row["qtd_vagas_total"],
            "bloqueadas": row["qtd_vagas_bloqueadas"],
            **{cause: row[cause] for cause in CAUSES},
            "ativas": row["qtd_vagas_ativas"],
            "ppi": row["qtd_ppi"],
            "teto": row["qtd_teto"],
            "real": row["qtd_oferta_real"],
            "limite": row["limite_vinculante"],
            "perdidas_ppi": row["qtd_vagas_perdidas_ppi"],
            "perdidas_teto": row["qtd_vagas_perdidas_teto"],
            "tipos": {
                kind: [row[f"qtd_{measure}_{kind}"] for measure in MEASURES] for kind in SLOTS
            },
        }
        rows[number_of_unit(row["unidade_executante_cnes"])].append(found)
    return rows


def daily_rows(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the rows of the day of each case."""
    rows: dict[int, list[Numbers]] = defaultdict(list)
    for row in house.query("select * from oferta.oferta_por_dia"):
        found = {
            "data": row["data"],
            "unidade": int(row["unidade_executante_cnes"]) % 10,
            "tipo": row["vaga_tipo"],
            "total": row["qtd_vagas_total"],
            **{cause: row[f"qtd_vagas_bloqueadas_{cause}"] for cause in CAUSES},
            "ativas": row["qtd_vagas_ativas"],
            "causa": row["causa_bloqueio"],
            "local": row["eh_agenda_local"],
        }
        rows[number_of_unit(row["unidade_executante_cnes"])].append(found)
    return rows


def diary_rows(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the rows of the diary of each case."""
    rows: dict[int, list[Numbers]] = defaultdict(list)
    for row in house.query("select * from oferta.oferta_diario"):
        found = {
            "carga": SEEN.index(row["visto_em"]) + 1,
            "mes": f"{row['competencia']:%Y-%m}",
            "unidade": int(row["unidade_executante_cnes"]) % 10,
            "procedimento": int(row["procedimento_codigo"][4:]),
            "tipo": row["vaga_tipo"],
            "causa": row["diario_causa"],
            "ganhas": row["qtd_vagas_ganhas"],
            "perdidas": row["qtd_vagas_perdidas"],
        }
        rows[number_of_unit(row["unidade_executante_cnes"])].append(found)
    return rows


def withdrawn_rows(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the withdrawals of each case; months that history does not cover have no number."""
    rows: dict[int, list[Numbers]] = defaultdict(list)
    for row in house.query("select * from oferta.oferta_retiradas_por_mes"):
        measures = {
            name.removeprefix("qtd_vagas_").removeprefix("retiradas_"): value
            for name, value in row.items()
            if name.startswith(("qtd_", "pct_"))
        }
        if any(value is not None for value in measures.values()):
            place = {
                "mes": f"{row['competencia']:%Y-%m}",
                "unidade": int(row["unidade_executante_cnes"]) % 10,
            }
            rows[number_of_unit(row["unidade_executante_cnes"])].append(place | measures)
        else:
            assert row["competencia"] < COVERED
    return rows


def fates(house: OfferHouse) -> dict[int, Counter[str]]:
    """Return the fates of the schedule rows of each case."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in house.query(
        "select * from intermediario.int_oferta__escalas where eh_ultimo_trecho"
    ):
        found[number_of_unit(row["unidade_executante_cnes"])][row["escala_destino"]] += 1
    return found


def expected_month(row: Numbers) -> Numbers:
    """Complete the expected row of a month with what a case need not say."""
    full = MONTH | row
    only_first = [full[measure] for measure in ("total", "bloqueadas", "ativas", "real")]
    kinds = full.get("tipos", {"primeira_vez": only_first})
    return full | {
        "central": str(full["central"]),
        "tipos": {kind: kinds.get(kind, [0, 0, 0, 0]) for kind in SLOTS},
    }


def in_order(rows: list[Numbers]) -> list[Numbers]:
    """Sort rows so that two lists can be compared."""
    keys = ("carga", "mes", "data", "unidade", "procedimento", "central", "tipo", "causa")
    return sorted(rows, key=lambda row: [str(row.get(key)) for key in keys])


# --- the house -------------------------------------------------------------------------------


def build_house(directory: Path) -> OfferHouse:
    """Build the house in which all cases live."""
    house = OfferHouse.at(directory)
    house.load(deliveries(), SEEN)
    house.build()
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house in which all cases live."""
    return build_house(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def months(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the months of each case, read before another test builds the house anew."""
    return monthly_rows(house)


@pytest.fixture(scope="module")
def days(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the days of each case."""
    return daily_rows(house)


@pytest.fixture(scope="module")
def diary(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the rows of the diary of each case."""
    return diary_rows(house)


@pytest.fixture(scope="module")
def withdrawn(house: OfferHouse) -> dict[int, list[Numbers]]:
    """Return the withdrawals of each case, in the months that history covers."""
    return withdrawn_rows(house)


@pytest.fixture(scope="module")
def destinies(house: OfferHouse) -> dict[int, Counter[str]]:
    """Return the fates of each case."""
    return fates(house)


# --- the tests -------------------------------------------------------------------------------


def test_there_are_at_least_forty_cases_each_with_its_own_name() -> None:
    names = [case["nome"] for case in CASES]
    assert len(names) == len(set(names)) >= 40


@each_case
def test_the_hand_worked_numbers_agree_among_themselves(number: int, case: Case) -> None:
    for row in map(expected_month, case["espera"]):
        if row["total"] is None:
            continue
        assert row["total"] == row["bloqueadas"] + row["ativas"]
        assert row["bloqueadas"] == sum(row[cause] for cause in CAUSES)
        assert row["ativas"] == row["real"] + row["perdidas_ppi"] + row["perdidas_teto"]
        for position, measure in enumerate(("total", "bloqueadas", "ativas", "real")):
            known = [kind[position] for kind in row["tipos"].values() if kind[position] is not None]
            assert row[measure] == sum(known), measure


def test_a_holiday_for_all_stands_in_a_month_of_its_own() -> None:
    months_of = [{expected_month(row)["mes"] for row in case["espera"]} for case in CASES]
    for number, case in enumerate(CASES):
        for holiday in case.get("feriados", []):
            if holiday["abrangencia"] != "nacional" and "unidade" in holiday:
                continue
            month = f"{holiday['data']:%Y-%m}"
            others = [other for other in range(len(CASES)) if other != number]
            assert not [CASES[o]["nome"] for o in others if month in months_of[o]]


@each_case
def test_offer_of_the_month(number: int, case: Case, months: dict[int, list[Numbers]]) -> None:
    expected = [expected_month(row) for row in case["espera"]]
    assert in_order(months[number]) == in_order(expected), case["conta"]


@pytest.mark.parametrize(
    ("number", "case"),
    [item for item in NUMBERED if {"dias", "datas"} & set(item[1])],
    ids=[plain(case["nome"]) for case in CASES if {"dias", "datas"} & set(case)],
)
def test_offer_of_the_day(number: int, case: Case, days: dict[int, list[Numbers]]) -> None:
    expected = [DAY | day for day in case.get("dias", [])]
    told = {day["data"] for day in expected}
    found = [day for day in days[number] if day["data"] in told]
    assert in_order(found) == in_order(expected), case["conta"]
    if "datas" in case:
        assert sorted({day["data"] for day in days[number]}) == case["datas"]


@pytest.mark.parametrize(
    ("number", "case"),
    [item for item in NUMBERED if "diario" in item[1]],
    ids=[plain(case["nome"]) for case in CASES if "diario" in case],
)
def test_what_the_diary_says(number: int, case: Case, diary: dict[int, list[Numbers]]) -> None:
    expected = [MOVEMENT | movement for movement in case["diario"]]
    assert in_order(diary[number]) == in_order(expected), case["conta"]


@pytest.mark.parametrize(
    ("number", "case"),
    [item for item in NUMBERED if "retiradas" in item[1]],
    ids=[plain(case["nome"]) for case in CASES if "retiradas" in case],
)
def test_what_was_taken_back_at_short_notice(
    number: int, case: Case, withdrawn: dict[int, list[Numbers]]
) -> None:
    expected = [WITHDRAWN | row for row in case["retiradas"]]
    assert in_order(withdrawn[number]) == in_order(expected), case["conta"]


@each_case
def test_fate_of_the_schedules(number: int, case: Case, destinies: dict[int, Counter[str]]) -> None:
    expected = case.get("destinos", {"expandida": len(case["escalas"])})
    assert dict(destinies[number]) == expected


def test_the_quality_mart_counts_each_row_received_once(
    house: OfferHouse, destinies: dict[int, Counter[str]]
) -> None:
    (raw,) = house.query("select count(*) as linhas from bruto_sisreg.escala_ambulatorial")
    counted = house.query(
        "select motivo, sum(qtd_linhas) as linhas from qualidade.qualidade_escalas group by motivo"
    )
    expected = sum(destinies.values(), Counter())
    assert {row["motivo"]: row["linhas"] for row in counted} == dict(expected)
    assert raw["linhas"] == expected.total()


def test_no_row_was_rejected(house: OfferHouse) -> None:
    assert house.query("select * from controle.rejeitos") == []


def test_inactive_schedules_count_until_their_last_change_when_asked(
    house: OfferHouse,
    months: dict[int, list[Numbers]],
    days: dict[int, list[Numbers]],
    destinies: dict[int, Counter[str]],
) -> None:
    # The models' own tests run here and not before, so that a case that fails shows its name.
    house.build(contar_inativas_ate_alteracao=True, tested=True)
    counted = monthly_rows(house)
    asked = {n: case for n, case in NUMBERED if "espera_contando_inativas" in case}
    for number, case in asked.items():
        expected = [expected_month(row) for row in case["espera_contando_inativas"]]
        assert in_order(counted[number]) == in_order(expected), case["conta"]
