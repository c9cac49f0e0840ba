"""What leaves the house tells no absence, no one's number, and nothing of where it was made."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook, load_workbook

from conftest import PROJECT, House, environment
from mapa import warehouse
from mapa.dbt import run_dbt
from mapa.dictionary import entries, files
from mapa.errors import PublishError
from mapa.publish import inspection, store
from mapa.publish.identifiers import identifier_in
from mapa.settings import Settings
from mapa.spreadsheets import harmless

CPF = "00000000191"
MAPA = Path(sys.executable).with_name("mapa")
KINDS = ("primeira_vez", "retorno", "reserva")
Cell = tuple[str, str, str]
"""Month, unit and procedure."""
Slots = tuple[int, ...]

# --- the attack ------------------------------------------------------------------------------
# An outsider has the published tables, CNES's lists of staff, which say who alone serves a unit and
# procedure, and, at worst, the closures of every unit. Days found are days of that one's leave.

BY_DAY = """
    select strftime(date_trunc('month', data), '%Y-%m'), unidade_executante_cnes,
        procedimento_codigo, strftime(data, '%Y-%m-%d'), vaga_tipo,
        sum(qtd_vagas_total) total, sum(qtd_vagas_bloqueadas_feriado) feriado,
        sum(qtd_vagas_bloqueadas_afastamento_unidade) unidade,
        sum(qtd_vagas_bloqueadas_afastamento_profissional) profissional,
        sum(qtd_vagas_bloqueadas) bloqueadas, sum(qtd_vagas_ativas) ativas
    from {table} group by all
"""
BY_MONTH = """
    select strftime(competencia, '%Y-%m'), unidade_executante_cnes, procedimento_codigo,
        qtd_vagas_total_primeira_vez - qtd_vagas_ativas_primeira_vez,
        qtd_vagas_total_retorno - qtd_vagas_ativas_retorno,
        qtd_vagas_total_reserva - qtd_vagas_ativas_reserva
    from {table}
    qualify count(*) over (partition by competencia, unidade_executante_cnes, procedimento_codigo)
        = 1
"""


# The long table tells the same in other words: of a kind, what is neither real nor lost to a limit.
BY_CAUSE = """
    with cells as (
        select strftime(competencia, '%Y-%m') as month, central_executora_codigo,
            unidade_executante_cnes, procedimento_codigo, vaga_tipo,
            sum(qtd_vagas) filter (vaga_destino in ('feriado', 'afastamento')) as lost,
            count(*) filter (vaga_destino = 'nao_divulgada') as kept
        from pub_oferta_causas_por_mes group by all
    )
    select month, unidade_executante_cnes, procedimento_codigo,
        coalesce(sum(lost) filter (vaga_tipo = 'primeira_vez'), 0),
        coalesce(sum(lost) filter (vaga_tipo = 'retorno'), 0),
        coalesce(sum(lost) filter (vaga_tipo = 'reserva'), 0)
    from cells group by all
    having sum(kept) = 0 and count(distinct central_executora_codigo) = 1
"""
# A diary tells a leave when it names one, and when an agenda ends or moves and the slots that it
# says to be gained and lost are not those of the agenda: the rest was blocked.
DIARY = """
    select cast(visto_em as varchar), strftime(competencia, '%Y-%m'), unidade_executante_cnes,
        procedimento_codigo, sum({measure}_ganhas - {measure}_perdidas),
        count(*) filter (diario_causa like 'afastamento%' or vaga_tipo = 'todos')
    from {table} group by all
"""
AGENDA = """
    select cast(visto_em as varchar), strftime(data, '%Y-%m'), unidade_executante_cnes,
        procedimento_codigo,
        coalesce(sum(qtd_programadas) filter (passo = 2), 0)
        - coalesce(sum(qtd_programadas) filter (passo = 0), 0)
    from intermediario.int_oferta__vagas_por_passo group by all
"""


def found_in_diary(rows: list[Any], agenda: list[Any], staff: set[Cell]) -> set[Any]:
    """Find the days seen and cells whose diary is not what the agenda alone gained and lost."""
    known = {tuple(place): int(net) for *place, net in agenda}
    return {
        place
        for *where, net, named in rows
        for place in [tuple(where)]
        if place[1:] in staff and (named or int(net) != known.get(place, 0))
    }


def alone(con: duckdb.DuckDBPyConnection) -> set[Cell]:
    """Return the months, units and procedures that one professional serves."""
    return set(
        con.execute(
            """
            select strftime(competencia, '%Y-%m'), unidade_executante_cnes, procedimento_codigo
            from oferta.oferta_por_dia group by all having count(distinct profissional_id) = 1
            """
        ).fetchall()
    )


def closures(con: duckdb.DuckDBPyConnection) -> dict[tuple[Cell, str], Slots]:
    """Return the slots per kind that each day loses to holidays and closures of the unit."""
    found: dict[tuple[Cell, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for *cell, day, kind, _, holiday, unit, _, _, _ in con.execute(
        BY_DAY.format(table="oferta.oferta_por_dia")
    ).fetchall():
        found[(cell[0], cell[1], cell[2]), day][KINDS.index(kind)] = int(holiday or 0) + int(
            unit or 0
        )
    return {place: tuple(slots) for place, slots in found.items()}


def found_by_day(rows: list[Any], staff: set[Cell]) -> set[tuple[Cell, str]]:
    """Read the column, subtract for it, and take a day without slots for what it is."""
    found = set()
    for month, unit, procedure, day, _, total, holiday, closed, leave, blocked, active in rows:
        other = (holiday or 0) + (closed or 0)
        told = (
            leave is not None and leave > 0,
            blocked is not None and blocked > other,
            active is not None and active < (total or 0) - other,
            active == 0 and (total or 0) > other,
        )
        if any(told) and (month, unit, procedure) in staff:
            found.add(((month, unit, procedure), day))
    return found


def found_by_month(
    rows: list[Any], days: list[Any], staff: set[Cell], closed: dict[tuple[Cell, str], Slots]
) -> set[tuple[Cell, str]]:
    """Find the days without which the leaves of a month cannot come to their sums."""
    free: dict[Cell, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for month, unit, procedure, day, kind, total, *_ in days:
        cell = (month, unit, procedure)
        at = KINDS.index(kind)
        free[cell][day][at] = int(total or 0) - closed[cell, day][at]
    found = set()
    for month, unit, procedure, *lost in rows:
        cell = (month, unit, procedure)
        if cell not in staff or None in lost:
            continue
        open_days = {day: tuple(slots) for day, slots in free[cell].items() if any(slots)}
        taken = tuple(
            int(slots) - sum(closed[cell, day][kind] for day in free[cell])
            for kind, slots in enumerate(lost)
        )
        if not any(taken):
            continue
        whole = taken in sums(list(open_days.values()))
        for day in open_days:
            others = [slots for other, slots in open_days.items() if other != day]
            room = all(
                part <= sum(slots[kind] for slots in others) for kind, part in enumerate(taken)
            )
            if not room or (whole and taken not in sums(others)):
                found.add((cell, day))
    return found


def sums(days: list[Slots]) -> set[Slots]:
    """Return what leaves of whole days can add up to."""
    reached: set[Slots] = {(0, 0, 0)}
    for slots in days:
        reached |= {tuple(a + b for a, b in zip(sum_, slots, strict=True)) for sum_ in reached}
    return reached


@pytest.fixture(scope="module")
def inner(city_house: House) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def outer(city_house: House) -> Iterator[duckdb.DuckDBPyConnection]:
    database = (city_house.settings.published / store.DATABASE).resolve()
    with duckdb.connect(str(database), read_only=True) as con:
        yield con


def test_the_published_tables_joined_with_lists_of_staff_tell_no_day_of_leave(
    inner: duckdb.DuckDBPyConnection, outer: duckdb.DuckDBPyConnection
) -> None:
    staff, closed = alone(inner), closures(inner)
    days = outer.execute(BY_DAY.format(table="pub_oferta_por_dia")).fetchall()
    months = outer.execute(BY_MONTH.format(table="pub_oferta_real_por_mes")).fetchall()
    assert len(staff) > 200
    assert found_by_day(days, staff) == set()
    assert found_by_month(months, days, staff, closed) == set()
    # And something of the leaves is told all the same.
    assert sum(None not in row and any(row[3:]) for row in months) > 20


def test_the_same_attack_on_the_restricted_marts_finds_leaves_by_each_of_its_ways(
    inner: duckdb.DuckDBPyConnection,
) -> None:
    staff, closed = alone(inner), closures(inner)
    days = inner.execute(BY_DAY.format(table="oferta.oferta_por_dia")).fetchall()
    months = inner.execute(BY_MONTH.format(table="oferta.oferta_real_por_mes")).fetchall()
    assert len(found_by_day(days, staff)) > 50
    assert len(found_by_month(months, days, staff, closed)) > 10
    blank = [None] * 6
    for told in range(3, 6):
        # one column alone is enough
        only = [
            (*row[:5], *(v if at < 3 or at == told else None for at, v in enumerate(row[5:])))
            for row in days
        ]
        assert len(found_by_day(only, staff)) > 50, told
    assert found_by_day([(*row[:5], *blank) for row in days], staff) == set()


def test_the_long_table_and_the_diary_tell_no_more_than_the_month_does(
    inner: duckdb.DuckDBPyConnection, outer: duckdb.DuckDBPyConnection
) -> None:
    staff, closed, agenda = alone(inner), closures(inner), inner.execute(AGENDA).fetchall()
    days = outer.execute(BY_DAY.format(table="pub_oferta_por_dia")).fetchall()
    causes = outer.execute(BY_CAUSE).fetchall()
    assert sum(any(row[3:]) for row in causes) > 20
    assert found_by_month(causes, days, staff, closed) == set()
    told = DIARY.format(measure="qtd_programadas", table="pub_oferta_diario")
    assert found_in_diary(outer.execute(told).fetchall(), agenda, staff) == set()
    told = DIARY.format(measure="qtd_vagas", table="oferta.oferta_diario")
    assert len(found_in_diary(inner.execute(told).fetchall(), agenda, staff)) > 5
    without = "(from oferta.oferta_diario where diario_causa not like 'afastamento%')"
    without = without.replace("where", "where vaga_tipo <> 'todos' and")
    told = DIARY.format(measure="qtd_vagas", table=without)
    # Leaving out the causes that name leaves is not enough.
    assert found_in_diary(inner.execute(told).fetchall(), agenda, staff)


# --- a house in which nobody was ever away ----------------------------------------------------

TOLD_BY_MONTH = {
    "pub_oferta_por_dia": """
        select * exclude (divulgacao, qtd_vagas_bloqueadas, qtd_vagas_ativas,
            qtd_vagas_bloqueadas_afastamento_unidade,
            qtd_vagas_bloqueadas_afastamento_profissional)
        from publicacao.pub_oferta_por_dia
    """,
    "pub_oferta_real_por_mes": """
        select competencia, central_executora_codigo, unidade_executante_cnes,
            procedimento_codigo, competencia_situacao, qtd_ppi, qtd_teto,
            qtd_vagas_bloqueadas_feriado, columns('qtd_vagas_total.*')
        from publicacao.pub_oferta_real_por_mes
    """,
    "pub_oferta_causas_por_mes": """
        select competencia, central_executora_codigo, unidade_executante_cnes,
            procedimento_codigo, vaga_tipo, sum(qtd_vagas),
            sum(qtd_vagas) filter (vaga_destino = 'feriado')
        from publicacao.pub_oferta_causas_por_mes group by all
    """,
    "pub_oferta_reconciliacao_por_mes": """
        select competencia, sum(qtd_celulas) > 0 from publicacao.pub_oferta_reconciliacao_por_mes
        group by all
    """,
}
"""What leaves do not touch in the tables that tell something of them: by month, or of the whole
network. They touch nothing in any other."""


@pytest.fixture(scope="module")
def at_work(
    city_house: House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a copy of the house, built anew as if nobody had ever been away."""
    folder = tmp_path_factory.mktemp("at_work")
    database = folder / "mapa.duckdb"
    shutil.copyfile(city_house.settings.warehouse, database)
    with duckdb.connect(str(database)) as con:
        for table in ("afastamento_profissional", "afastamento_unidade"):
            con.execute(f"delete from bruto_sisreg.{table}")
    changed = {"MAPA_DIR": folder, "DBT_TARGET_PATH": folder / "target"}
    env = city_house.env | {name: str(path) for name, path in changed.items()}
    with environment(env | {"DBT_LOG_PATH": str(folder / "logs")}):
        leaves = ("stg_sisreg__afastamentos_profissionais+", "stg_sisreg__afastamentos_unidades+")
        published = [f"{name},+path:models/publicacao" for name in leaves]
        run_dbt(Settings.load(), "run", "--select", *published, title="dbt run")
    with duckdb.connect(str(database), read_only=True) as con:
        yield con


def test_leaves_touch_no_published_number_but_those_of_the_month(
    inner: duckdb.DuckDBPyConnection, at_work: duckdb.DuckDBPyConnection
) -> None:
    tables = [
        name
        for (name,) in inner.execute(
            "select table_name from duckdb_tables() where schema_name = 'publicacao'"
        ).fetchall()
    ]
    assert TOLD_BY_MONTH.keys() < set(tables)
    assert "pub_oferta_diario" in tables
    for table in tables:
        query = TOLD_BY_MONTH.get(table, f"select * from publicacao.{table}")
        rows, others = (Counter(con.execute(query).fetchall()) for con in (inner, at_work))
        assert rows, table
        assert rows == others, table
    # The leaves are there, and gone.
    blocked = "select sum(qtd_vagas_bloqueadas - qtd_vagas_bloqueadas_feriado) from {}"
    for table, some in (
        ("oferta.oferta_por_dia", 100),
        ("publicacao.pub_oferta_real_por_mes", 50),
    ):
        for con, least in ((inner, some), (at_work, 0)):
            (found,) = con.execute(blocked.format(table)).fetchall()[0]
            assert (found > least) if least else (found == 0), table


# --- few professionals ------------------------------------------------------------------------


def test_hours_are_told_only_where_five_of_those_compared_have_schedules(
    inner: duckdb.DuckDBPyConnection, outer: duckdb.DuckDBPyConnection
) -> None:
    few = {
        (month, unit)
        for month, unit, number in inner.execute(
            """
            select competencia, unidade_executante_cnes,
                count(*) filter (horas_ofertadas is not null and horas_contratadas is not null
                    and minutos_programados > 0 and profissional_id <> 'nao_informado')
            from oferta.oferta_horas_por_mes group by all
            """
        ).fetchall()
        if number < 5
    }
    rows = outer.execute(
        """
        select competencia, unidade_executante_cnes, eh_divulgada, qtd_profissionais_comparados,
            horas_ofertadas, horas_contratadas, pct_horas_ofertadas
        from pub_oferta_horas_por_mes
        """
    ).fetchall()
    assert len(few) > 50
    assert len(rows) >= len(few)
    for month, unit, is_told, *measures in rows:
        if (month, unit) in few:
            assert (is_told, measures) == (False, [None] * 4)


def test_differences_to_the_report_are_told_only_of_cells_that_five_serve(
    inner: duckdb.DuckDBPyConnection, outer: duckdb.DuckDBPyConnection
) -> None:
    people = {
        (month, reason): number
        for month, reason, number in inner.execute(
            """
            select r.competencia, r.explicacao, count(distinct o.profissional_id)
            from oferta.oferta_reconciliacao as r
            left join oferta.oferta_por_dia as o
                using (competencia, central_executora_codigo, unidade_executante_cnes,
                    procedimento_codigo)
            where r.qtd_diferenca <> 0 group by all
            """
        ).fetchall()
    }
    told = outer.execute(
        "select competencia, explicacao, qtd_vagas_de_diferenca "
        "from pub_oferta_reconciliacao_por_mes where qtd_vagas_de_diferenca <> 0"
    ).fetchall()
    assert sum(number < 5 for number in people.values()) > 5
    assert all(people[month, reason] >= 5 for month, reason, _ in told)


def test_no_alert_is_about_a_person_or_about_who_waits(
    inner: duckdb.DuckDBPyConnection, outer: duckdb.DuckDBPyConnection
) -> None:
    query = "select distinct regra_codigo from {}"
    kept = {rule for (rule,) in inner.execute(query.format("oferta.oferta_alertas")).fetchall()}
    told = {rule for (rule,) in outer.execute(query.format("pub_oferta_alertas")).fetchall()}
    of_persons = {rule for rule in kept if rule.startswith(("sobreposicao", "horas", "oferta_sem"))}
    assert of_persons
    assert "fila_sem_oferta" in kept
    assert told == {"escala_vencendo", "oferta_desaparecida", "queda_de_oferta"}
    columns = {name for name, *_ in outer.execute("describe pub_oferta_alertas").fetchall()}
    assert not columns & {"profissional_id", "evidencia"}


def test_units_that_share_an_agreed_limit_with_one_kept_back_tell_no_share_of_it(
    outer: duckdb.DuckDBPyConnection,
) -> None:
    groups = outer.execute(
        """
        select count(*) filter (divulgacao = 'nao_divulgada') as kept,
            count(qtd_oferta_real) + count(qtd_vagas_ativas) + count(qtd_vagas_bloqueadas) as told
        from pub_oferta_real_por_mes where qtd_ppi is not null
        group by competencia, central_executora_codigo, procedimento_codigo
        """
    ).fetchall()
    assert any(kept for kept, _ in groups)
    assert all(told == 0 for kept, told in groups if kept)


def test_a_procedure_that_nobody_offers_is_not_listed(
    inner: duckdb.DuckDBPyConnection, outer: duckdb.DuckDBPyConnection
) -> None:
    def codes(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
        return {
            code
            for (code,) in connection.execute(
                f"select distinct procedimento_codigo from {table}"
            ).fetchall()
        }

    known = codes(inner, "dimensoes.dim_procedimentos")
    lost = "(from intermediario.int_oferta__diario_vagas)"
    offered = codes(inner, "oferta.oferta_por_dia") | codes(inner, lost)
    listed = codes(outer, "pub_dim_procedimentos")
    groups = {code for code in listed if code.endswith("000")}
    assert known - offered - groups
    assert offered <= listed
    assert not listed - offered - groups
    assert {code[:4] for code in groups} <= {code[:4] for code in offered}


# --- numbers of persons ----------------------------------------------------------------------

SEEN = [
    "000.000.001 - 91",
    "000.000.001 / 91",
    "000.000.001\n    91",
    "000   000   001   91",
    "0\u200b00000001\u200d91",
    "0" * 5 + "\u00ad" + "000191",
    "000\u00a0000\u2009001\u202f91",
    "000\u3002000\uff0e001\u201391",
    "".join(chr(0xFF10 + int(c)) for c in CPF),
    "".join(chr(0x660 + int(c)) for c in CPF),
    "".join(chr((0x660 if i % 2 else 0x966) + int(c)) for i, c in enumerate(CPF)),
    "⁰⁰⁰⁰⁰⁰⁰⁰¹⁹¹",
    "0 0 0 0 0 0 0 0 1 9 1",
    "0 - 0 - 0 - 0 - 0 - 0 - 0 - 0 - 1 - 9 - 1",
    "cpf\u3164000.000.001\u200e-91",
    "7000 0000  0000 005",
    "700  0000  0000  0005",
    "é00000000191ç",
]
UNSUSPECTED = [
    "2026-06-30 14:00:00 a 2026-07-31",
    "30/06/2026, 31/07/2026",
    "Quadra 12, conjunto 3, lote 191, CEP 70000-000",
    "(61) 3333-4444",
    "12.345.678/0001-95",
    "0000000 | 0191",
    "000 vagas de 00000 e 191 bloqueadas",
    "00000000000",
    "000000001912",
]


@pytest.mark.parametrize("text", SEEN)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert identifier_in(text) in ("CPF", "CNS")


@pytest.mark.parametrize("text", UNSUSPECTED)
def test_numbers_that_belong_to_nobody_are_let_through(text: str) -> None:
    assert identifier_in(text) is None


def spoil_csv(file: Path, said: str) -> None:
    with file.open("a", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=";").writerow(["a", said])


def spoil_json(file: Path, said: str) -> None:
    record = json.loads(file.read_bytes())
    record["tables"][0]["description"] = said
    file.write_text(json.dumps(record, ensure_ascii=False))


def spoil_page(file: Path, said: str) -> None:
    page = file.read_text(encoding="utf-8")
    file.write_text(page.replace("<h1>", f"<h1>{said} ", 1), encoding="utf-8")


def spoil_script(file: Path, said: str) -> None:
    script = file.read_text(encoding="utf-8")
    file.write_text(script.replace('"name":"', f'"name":"{said} ', 1), encoding="utf-8")


def spoil_book(file: Path, said: str) -> None:
    book = load_workbook(file)
    book.worksheets[-1]["A2"] = said
    book.save(file)


def spoil_properties(file: Path, said: str) -> None:
    book = load_workbook(file)
    book.properties.description = said
    book.save(file)


def spoil_database(file: Path, said: str) -> None:
    with duckdb.connect(str(file)) as con:
        con.execute(f"comment on column pub_atualizacao.fonte is '{said}'")


def spoil_parquet(file: Path, said: str) -> None:
    with duckdb.connect() as con:
        con.execute(
            f"copy (select 1 as a) to '{file}' (format parquet, kv_metadata {{nota: '{said}'}})"
        )


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("dicionario.csv", spoil_csv),
        ("dicionario.xlsx", spoil_book),
        ("dicionario.xlsx", spoil_properties),
        ("site/sobre.html", spoil_page),
        ("site/dados/oferta.js", spoil_script),
        ("csv/pub_atualizacao.csv", spoil_csv),
        ("xlsx/pub_atualizacao.xlsx", spoil_book),
        ("manifest.json", spoil_json),
        ("mapa_publico.duckdb", spoil_database),
        ("parquet/pub_atualizacao.parquet", spoil_parquet),
    ],
)
def test_no_published_file_may_name_a_person_or_this_machine(
    city_house: House, tmp_path: Path, name: str, spoil: Callable[[Path, str], None]
) -> None:
    settings = city_house.settings
    folder = tmp_path / "version"
    file = folder / name
    file.parent.mkdir(parents=True)
    original = settings.published / "current" / name
    shutil.copyfile(original, file)
    inspection.require_clean(settings, folder)
    spoil(file, "quem pediu foi 000.000.001 - 91")
    with pytest.raises(PublishError, match=file.name) as refused:
        inspection.require_clean(settings, folder)
    assert "CPF" in str(refused.value)
    assert "001" not in str(refused.value)
    shutil.copyfile(original, file)
    spoil(file, f"feito em {settings.mapa_dir.resolve()}/x")
    with pytest.raises(PublishError, match="path of this machine") as refused:
        inspection.require_clean(settings, folder)
    assert str(settings.mapa_dir) not in str(refused.value)


def test_a_file_of_an_unknown_kind_is_not_published(city_house: House, tmp_path: Path) -> None:
    (tmp_path / "notas.txt").write_text("nada")
    with pytest.raises(PublishError, match=r"notas\.txt"):
        inspection.require_clean(city_house.settings, tmp_path)


# --- spreadsheets ----------------------------------------------------------------------------

RUN = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", '"=1', "\u200b=1", "＝1", "−1"]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_is_text_in_every_file(tmp_path: Path, text: str) -> None:
    assert harmless(text) == f"'{text}"
    row = entries.Entry(**dict.fromkeys(entries.HEADINGS, text))
    table = entries.TableEntry(text, text, text, text, text, text, 3, text, text)
    files.write_csv([row], tmp_path / "d.csv")
    with (tmp_path / "d.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.reader(file, delimiter=";"))
    assert set(read[1]) == {f"'{text}"}
    files.write_xlsx([row], [table], tmp_path / "d.xlsx")
    book = load_workbook(tmp_path / "d.xlsx")
    for sheet in book:
        types = {cell.data_type for cell in sheet[2]}
        assert "f" not in types
    assert {cell.value for cell in book["Colunas"][2]} <= {text, text.replace("\r", "\n")}
    with zipfile.ZipFile(tmp_path / "d.xlsx") as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist())


@pytest.mark.parametrize("value", [-5, 0, 2.5, None, "a=b", "0010456", "2026-06-30", ""])
def test_numbers_and_plain_text_stay_what_they_are(value: object) -> None:
    assert harmless(value) == value
    cell = Workbook().create_sheet()["A1"]
    cell.value = value
    assert cell.data_type in ("n", "s", "d")


# --- where it was made -----------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_version_says_nothing_of_its_maker_and_is_open_whatever_the_umask(
    city_house: House, tmp_path: Path
) -> None:
    telltale = "pasta-da-fulana-de-tal"
    home, data = tmp_path / telltale, tmp_path / telltale / "dados"
    target = home / "alvo"
    data.mkdir(parents=True)
    target.mkdir()
    data.chmod(0o700)
    shutil.copyfile(city_house.settings.warehouse, data / "mapa.duckdb")
    for name in ("run_results.json", "manifest.json"):
        shutil.copyfile(city_house.settings.dbt_target_path / name, target / name)
    env = city_house.env | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "USER": "fulana-de-tal",
        "LOGNAME": "fulana-de-tal",
        "MAPA_DIR": str(data),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(home / "logs"),
    }
    done = subprocess.run(
        [MAPA, "publish"],
        env=env,
        cwd=PROJECT,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = (b"fulana-de-tal", str(PROJECT).encode(), str(tmp_path).encode(), os.uname()[1].encode())
    published = data / "published"
    version = (published / "current").resolve()
    everything = [path for path in version.rglob("*") if path.is_file()]
    assert len(everything) > 10
    for path in everything:
        for content in plain(path):
            # A short name of a host stands in ordinary words.
            assert not any(text in content for text in told if len(text) > 4), path.name
    assert mode(data) == 0o711
    require_open(published)


def plain(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, unpacked."""
    yield path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            yield from (book.read(name) for name in book.namelist())
    elif path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pydict()).encode()
        yield str(pq.read_metadata(path).metadata).encode()
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as con:
            yield str(con.execute("select * from duckdb_tables()").fetchall()).encode()
            yield (
                str(con.execute("select * from duckdb_columns()").fetchall())
                .encode()
                .replace(str(path).encode(), b"")
            )


def require_open(published: Path) -> None:
    """Check the modes of everything that is published."""
    for path in [published, *published.rglob("*")]:
        if path.name == ".lock":
            # Whoever may open it may hold it, and nothing would be published any more.
            assert mode(path) == 0o600
        elif not path.is_symlink():
            assert mode(path) == (0o755 if path.is_dir() else 0o644), path


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077])
def test_modes_are_those_of_the_house_and_not_of_the_umask(tmp_path: Path, mask: int) -> None:
    published = tmp_path / "casa" / "published"
    (tmp_path / "casa").mkdir()
    (tmp_path / "casa").chmod(0o700)
    before = os.umask(mask)
    try:
        with store.locked(published), store.preparing(published) as folder:
            assert mode(folder) == 0o700
            (folder / "parquet").mkdir()
            (folder / "parquet" / "a.parquet").write_bytes(b"")
            (folder / store.DATABASE).write_bytes(b"")
            store.install(published, folder, "v1")
    finally:
        os.umask(before)
    assert mode(published.parent) == 0o711
    require_open(published)


def test_the_dictionary_says_what_is_not_told_and_why(city_house: House) -> None:
    with (city_house.settings.published / "dicionario.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    told = {(row["tabela"], row["coluna"]): row["descricao"] for row in rows}
    for table, column in (
        ("pub_oferta_por_dia", "qtd_vagas_ativas"),
        ("pub_oferta_por_dia", "qtd_vagas_bloqueadas_afastamento_profissional"),
        ("pub_oferta_real_por_mes", "qtd_oferta_real"),
        ("pub_oferta_real_por_mes", "qtd_vagas_ativas_retorno"),
    ):
        assert re.search("Não divulgada, e por isso nula e não zero", told[table, column]), column
