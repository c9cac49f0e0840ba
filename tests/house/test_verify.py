"""The comparison with the truth: whatever differs is found, and nothing passes by being empty."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import SMALL, House
from mapa import warehouse
from mapa_city import city as simulated
from mapa_city import verify
from mapa_city.demo import DELIVERIES, READINGS
from mapa_city.truth import answers

SILENT = {
    "fila_por_mes.qtd_outras_saidas",
    "fila_hospitalar_por_mes.qtd_internacoes_implausiveis",
    *(
        f"pub_oferta_por_dia.qtd_vagas_{name}"
        for name in (
            "bloqueadas",
            "bloqueadas_afastamento_unidade",
            "bloqueadas_afastamento_profissional",
            "ativas",
        )
    ),
    "pub_oferta_real_por_mes.qtd_vagas_bloqueadas_afastamento_unidade",
    "pub_oferta_real_por_mes.qtd_vagas_bloqueadas_afastamento_profissional",
    *(
        f"qualidade_identidade.qtd_{name}"
        for name in (
            "por_cns_sem_cadastro",
            "por_cns_protegido",
            "por_escore",
            "abaixo_do_limiar",
            "pessoa_protegida",
        )
    ),
    "pub_atualizacao.eh_desatualizado",
    "proadi_oferta.eh_cnrac",
    *(
        f"{prefix}proadi_{name}"
        for prefix in ("", "pub_")
        for name in (
            "prazos_por_objeto.dias_suspensos",
            "prazos_por_objeto.foi_prorrogado",
            "prazos_por_responsavel.mediana_dias_atraso",
            "projetos_execucao.base_legal_em_vigor",
            "projetos_execucao.foi_excluido",
            "projetos_execucao.valor_distancia",
            "projetos_execucao.valor_limite",
            "projetos_execucao.valor_medido",
        )
    ),
    *(
        f"pub_oferta_horas_por_mes.{name}"
        for name in (
            "eh_divulgada",
            "qtd_profissionais_comparados",
            "horas_ofertadas",
            "horas_contratadas",
            "pct_horas_ofertadas",
        )
    ),
}
"""Columns in which no city has anything but zeros and nulls: nobody in it has that habit yet, and
in none five professionals serve one procedure of a unit on a day, or have schedules and known
contracts in a unit (the models' unit tests do). What of PROADI-SUS comes from revoked text is only
computed on request: test_proadi compares the city with its truth in that mode too."""

COLUMNS = {
    "competencia": "date",
    "unidade_executante_cnes": "varchar",
    "qtd_faltas": "integer",
    "pct_falta_minimo": "double",
    "eh_feriado": "boolean",
    "primeira_competencia": "date",
}
ROW = ("2026-05-01", "0000001", 3, 12.5, True, "2026-01-01")
OTHER = ("2026-06-01", "0000002", 0, 0.0, False, "2026-02-01")


def compared(
    mart_rows: list[tuple[Any, ...]], truth_rows: list[tuple[Any, ...]]
) -> verify.Comparison:
    """Compare rows of a mart with rows of its truth; the first two columns are the key."""
    names = list(COLUMNS)
    with duckdb.connect() as con:
        con.execute("create schema absenteismo")
        declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        con.execute(f"create table absenteismo.absenteismo_por_mes ({declared})")
        marks = ", ".join("?" for _ in names)
        for row in mart_rows:
            con.execute(f"insert into absenteismo.absenteismo_por_mes values ({marks})", row)
        truth = {"chave": names[:2], "colunas": names[2:], "linhas": truth_rows}
        return verify.compare_mart(con, "absenteismo_por_mes", truth)


def changed(column: str, value: Any) -> tuple[Any, ...]:
    """Return the row with another value in one column."""
    return tuple(value if name == column else cell for name, cell in zip(COLUMNS, ROW, strict=True))


def test_equal_rows_are_equal_in_any_order() -> None:
    result = compared([OTHER, ROW], [ROW, OTHER])
    assert result.equal
    assert (result.rows, result.cells) == (2, 8)


def test_a_missing_row_is_found() -> None:
    result = compared([ROW], [ROW, OTHER])
    assert not result.equal
    assert result.missing == (OTHER[:2],)
    assert "1 rows missing" in str(result)


def test_an_unexpected_row_is_found() -> None:
    result = compared([ROW, OTHER], [ROW])
    assert not result.equal
    assert result.unexpected == (OTHER[:2],)
    assert "1 unexpected" in str(result)


def test_a_row_under_an_unknown_key_is_both_missing_and_unexpected() -> None:
    result = compared([changed("unidade_executante_cnes", None), OTHER], [ROW, OTHER])
    assert (result.missing, result.unexpected) == ((ROW[:2],), (("2026-05-01", None),))


def test_an_unknown_key_equals_an_unknown_key() -> None:
    row = changed("unidade_executante_cnes", None)
    assert compared([row], [row]).equal


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("qtd_faltas", 4),
        ("qtd_faltas", 0),
        ("qtd_faltas", None),
        ("pct_falta_minimo", 12.500001),
        ("pct_falta_minimo", 0.0),
        ("pct_falta_minimo", None),
        ("pct_falta_minimo", float("nan")),
        ("pct_falta_minimo", float("inf")),
        ("eh_feriado", False),
        ("eh_feriado", None),
        ("primeira_competencia", "2026-01-02"),
        ("primeira_competencia", None),
    ],
)
def test_a_differing_cell_is_found(column: str, value: Any) -> None:
    for mart, truth in ((changed(column, value), ROW), (ROW, changed(column, value))):
        result = compared([mart, OTHER], [truth, OTHER])
        assert not result.equal
        assert [(cell[0], cell[1]) for cell in result.different] == [(ROW[:2], column)]
        assert "1 cells different" in str(result)


@pytest.mark.parametrize("column", list(COLUMNS)[2:])
def test_unknown_equals_unknown_and_is_not_zero(column: str) -> None:
    unknown = changed(column, None)
    zero = changed(column, {"primeira_competencia": "1970-01-01"}.get(column, 0))
    assert compared([unknown], [unknown]).equal
    assert not compared([zero], [unknown]).equal
    assert not compared([unknown], [zero]).equal


@pytest.mark.parametrize(
    ("mart", "truth", "equal"),
    [
        (1 / 3, 0.1 + 0.2 + 1 / 3 - 0.3, True),
        (1e6 * (1 + 0.9e-9), 1e6, True),
        (1e6 * (1 + 1.1e-9), 1e6, False),
        (0.9e-9, 0.0, True),
        (1.1e-9, 0.0, False),
        (3.0, 3, True),
    ],
)
def test_quotients_agree_to_nine_digits(mart: float, truth: float, equal: bool) -> None:
    rows = [changed("pct_falta_minimo", value) for value in (mart, truth)]
    assert compared(rows[:1], rows[1:]).equal is equal


@pytest.mark.parametrize("repeated", [ROW, changed("qtd_faltas", 4)])
def test_a_key_that_the_mart_has_twice_is_found(repeated: tuple[Any, ...]) -> None:
    result = compared([repeated, OTHER, ROW], [ROW, OTHER])
    assert not result.equal
    assert result.repeated == (ROW[:2],)
    assert "1 keys repeated" in str(result)


def test_a_truth_that_contradicts_itself_judges_nothing() -> None:
    with pytest.raises(ValueError, match="absenteismo_por_mes: the truth says something twice"):
        compared([ROW], [ROW, changed("qtd_faltas", 4)])


def test_nothing_compared_is_not_equal() -> None:
    result = compared([], [])
    assert not result.equal
    assert "nothing was compared" in str(result)
    assert compared([ROW], []).unexpected == (ROW[:2],)


def test_columns_without_a_single_value_are_named() -> None:
    quiet = (OTHER, (*changed("qtd_faltas", None)[:3], 0.0, None, "2026-01-01"))
    result = compared(list(quiet), list(quiet))
    assert result.equal
    assert result.silent == ("qtd_faltas", "pct_falta_minimo", "eh_feriado")
    assert "never other than zero: qtd_faltas, pct_falta_minimo, eh_feriado" in str(result)


def test_rows_that_the_truth_adds_up_are_added_up() -> None:
    columns = ["qtd_linhas", "qtd_vagas_total"]
    truth = {"chave": ["data"], "colunas": columns, "linhas": [("2026-05-01", 3, 5)]}
    with duckdb.connect() as con:
        con.execute("create schema oferta")
        con.execute(
            "create table oferta.oferta_por_dia as from (values (date '2026-05-01', 2), "
            "(date '2026-05-01', 3), (date '2026-05-01', null)) as t (data, qtd_vagas_total)"
        )
        assert verify.compare_mart(con, "oferta_por_dia", truth).equal
        con.execute("insert into oferta.oferta_por_dia values (date '2026-05-01', null)")
        result = verify.compare_mart(con, "oferta_por_dia", truth)
    assert [cell[1:] for cell in result.different] == [("qtd_linhas", 3, 4)]


# --- what is compared at all -----------------------------------------------------------------


def test_every_column_of_every_mart_is_compared_or_says_why_not(city_house: House) -> None:
    manifest = json.loads((Path(city_house.env["DBT_TARGET_PATH"]) / "manifest.json").read_bytes())
    marts = {
        node["name"]: node["schema"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["original_file_path"].startswith(("models/marts/", "models/publicacao/"))
    }
    left = {name.partition(".")[0] for name in verify.NOT_COMPARED if "." not in name}
    assert marts == verify.MARTS | {name: marts[name] for name in left}
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        there = {
            f"{mart}.{column}"
            for mart, schema in verify.MARTS.items()
            for column, *_ in con.execute(f"describe {schema}.{mart}").fetchall()
        }
    told: set[str] = set()
    for mart in verify.MARTS:
        answer = city_house.truth[verify.SAME_TRUTH.get(mart, mart)]
        told |= {f"{mart}.{name}" for name in answer["chave"] + answer["colunas"]}
    assert there - told == {name for name in verify.NOT_COMPARED if "." in name}
    assert all(len(reason) > 20 for reason in verify.NOT_COMPARED.values())


@pytest.mark.parametrize("mart", verify.MARTS)
def test_a_wrong_cell_and_a_row_too_many_or_too_few_are_found_in_each_mart(
    city_house: House, mart: str
) -> None:
    answer = city_house.truth[verify.SAME_TRUTH.get(mart, mart)]
    rows = answer["linhas"]
    key = len(answer["chave"])
    row = next(row for row in rows if row[-1] is not None)
    wrong = [[*line[:-1], _other(line[-1])] if line is row else line for line in rows]
    fewer = [line for line in rows if line is not row]
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        assert verify.compare_mart(con, mart, answer).equal
        differing = verify.compare_mart(con, mart, answer | {"linhas": wrong})
        lost = verify.compare_mart(con, mart, answer | {"linhas": fewer})
        more = verify.compare_mart(con, mart, answer | {"linhas": [*rows, _elsewhere(row, key)]})
    assert [cell[1] for cell in differing.different] == [answer["colunas"][-1]]
    assert lost.unexpected == (tuple(row[:key]),)
    assert more.missing == (tuple(_elsewhere(row, key)[:key]),)


def _other(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else "outra"


def _elsewhere(row: list[Any], key: int) -> list[Any]:
    """Return the row under a key that no city has."""
    return ["nenhures", *row[1:key], *row[key:]]


def test_the_truth_of_some_city_has_values_in_every_column() -> None:
    cities = [(SMALL.people, SMALL.days, SMALL.seed), (12_000, 200, 2), (20_000, 400, 1)]
    silent: list[set[str]] = []
    for people, days, seed in cities:
        city = simulated.build(people, days, seed, date(2026, 6, 30))
        delivered = [city.until - timedelta(days=back) for back in DELIVERIES]
        read = [city.until - timedelta(days=back) for back in READINGS]
        told = answers.compute(city, delivered, read)
        silent.append(
            {
                f"{mart}.{name}"
                for mart in verify.MARTS
                for answer in [told[verify.SAME_TRUTH.get(mart, mart)]]
                for at, name in enumerate(answer["colunas"], start=len(answer["chave"]))
                if not any(row[at] for row in answer["linhas"])
            }
        )
    assert set.intersection(*silent) == SILENT
