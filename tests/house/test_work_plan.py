"""The work plan of the agreement in the city: what each action is known to be, and what is not."""

from __future__ import annotations

import csv
from datetime import date

from conftest import PROJECT, House
from mapa import warehouse

PLAN = {
    "E1-A1": ("2025-09-30", "documento", "sem_evidencia", None),
    "E1-A2": ("2025-09-30", "carga_cadsus", "sem_evidencia", 0),
    "E1-A3": ("2025-09-30", "documento", "sem_evidencia", None),
    "E2-A1": ("2025-12-31", "espelho_recebido", "sem_evidencia", None),
    "E2-A2": ("2025-12-31", "documento", "sem_evidencia", None),
    "E2-A3": ("2026-06-30", "carga_oferta_api", "no_prazo", 0),
    "E3-A1": ("2026-09-30", "variaveis", "cumprida", "all"),
    "E3-A2": ("2027-06-30", "dicionario", "cumprida", "all"),
    "E3-A3": ("2027-06-30", "camadas", "cumprida", "all"),
    "E3-A4": ("2027-06-30", "paineis", "no_prazo", "some"),
}
"""Term, kind of evidence and situation of each action of the agreement on 30 June 2026, in a city
that asked CadSUS only later, by our clock, and whose offer came in files."""


def test_the_city_shows_what_is_known_of_each_action(city_house: House) -> None:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        rows = con.execute(
            "select acao_codigo, cast(data_prazo as varchar), evidencia_tipo, prazo_situacao, "
            "qtd_encontradas, qtd_esperadas, data_evidencia, dias_atraso, data_referencia "
            "from acordo.acordo_acoes"
        ).fetchall()
    assert {code: (due, kind, situation) for code, due, kind, situation, *_ in rows} == {
        code: facts[:3] for code, facts in PLAN.items()
    }
    for code, _, _, situation, found, expected, shown, late, day in rows:
        told = PLAN[code][3]
        assert day == date(2026, 6, 30)
        assert shown == (day if told == "all" else None), code
        assert late == (None if situation == "sem_evidencia" else 0), code
        if told == "all":
            assert found == expected > 0, code
        else:
            assert (found, expected) == ((found or 0) if told == "some" else told, None), code
            assert told != "some" or found > 0, code


def test_nobody_told_yet_what_no_warehouse_can_show() -> None:
    with (PROJECT / "seeds" / "acordo_plano_trabalho.csv").open(encoding="utf-8") as lines:
        plan = list(csv.DictReader(lines))
    assert [row["acao_codigo"] for row in plan] == list(PLAN)
    assert {row["data_informada"] for row in plan} == {""}
