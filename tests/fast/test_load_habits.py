"""Habits of the sources that are no defects: dates, empty months, screens, headers, quotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from conftest import PROJECT
from mapa import landing, layouts
from mapa.audit import Summary
from mapa.cli import cli
from mapa.errors import FormatError, LayoutError, PartialError
from mapa.load import exports
from mapa.load.recognise import normalise
from mapa.load.replay import replay
from mapa.settings import Settings
from test_load_exports import HEADER, SCHEDULES, schedules, with_id

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
DOORS = PROJECT / "tests" / "fixtures" / "doors"
BOOKINGS = "bruto_sisreg.agendamento"
TXT_HEAD, *TXT_ROWS = (FIXTURES / "agendamento.txt").read_text().splitlines()
CSV_HEAD, *CSV_ROWS = (FIXTURES / "agendamento_0010456_2026-04.csv").read_text().splitlines()
SCREEN = "HOSPITAL FICTICIO-20260430.csv"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a warehouse of the test's own."""
    return Settings(mapa_dir=tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file."""

    def write(content: str, name: str = "a.txt", encoding: str = "utf-8") -> Path:
        (tmp_path / name).write_bytes(content.encode(encoding))
        return tmp_path / name

    return write


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def bookings(count: int, head: str, rows: list[str]) -> str:
    """Return a booking file of so many bookings."""
    number = rows[0].split(";")[0]
    body = [rows[0].replace(number, str(900_000_000 + n), 1) for n in range(count)]
    return "\n".join([head, *body, ""])


# --- the booking TXT --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["c02_agendamento_barras.txt", "c02b_agendamento_pontos_linha_vazia.txt"]
)
def test_dates_of_the_first_line_may_have_slashes_and_a_second_line_be_empty(
    settings: Settings, name: str
) -> None:
    (summary,) = exports.load(settings, [DOORS / name])
    assert summary.tally.loaded == 2
    assert query(settings, f"select distinct cod_cnes_exec from {BOOKINGS}") == [("0010456",)]


@pytest.mark.parametrize(
    ("first", "last", "line_end"),
    [
        ("01/04/2026", "30.04.2026", "\n"),
        ("01-04-2026", "30-04-2026", "\r\n"),
        ("1/4/2026", "30/4/2026", "\n\n"),
        ("2026-04-01", "2026-04-30", "\r\n\r\n"),
        ("01/04/26", "30/04/26", "\n"),
        (" 01.04.2026 ", "30.04.2026", "\n"),
    ],
)
def test_the_first_line_is_known_by_its_form_not_by_how_dates_are_written(
    settings: Settings, file: Any, first: str, last: str, line_end: str
) -> None:
    head = TXT_HEAD.replace("01.04.2026", first).replace("30.04.2026", last)
    (summary,) = exports.load(settings, [file(line_end.join([head, *TXT_ROWS, ""]))])
    assert (summary.entity, summary.tally.loaded) == ("agendamento", 2)


@pytest.mark.parametrize("first", ["1 de abril", "01/04.2026", "010426", "", "abril/2026"])
def test_what_is_no_date_is_no_first_line(settings: Settings, file: Any, first: str) -> None:
    head = TXT_HEAD.replace("01.04.2026", first)
    with pytest.raises(LayoutError, match="fits no known layout"):
        exports.load(settings, [file("\n".join([head, *TXT_ROWS, ""]))])


EMPTY = ["", "\n", "\r\n\r\n", "\n\n\n"]


@pytest.mark.parametrize(("rest", "separator"), list(zip(EMPTY, "./-/", strict=True)))
def test_a_declared_zero_is_a_normal_empty_month(
    settings: Settings, file: Any, rest: str, separator: str
) -> None:
    head = TXT_HEAD.replace(".", separator).removesuffix("2") + "0"
    (summary,) = exports.load(settings, [file(head + rest)])
    assert (summary.tally.received, summary.skipped) == (0, "")
    assert query(
        settings, "select entidade, qtd_recebidas, qtd_carregadas, resultado from controle.cargas"
    ) == [("agendamento", 0, 0, "completa")]
    assert exports.load(settings, [file(head + rest)])[0].skipped
    replay(settings, "export")
    settings.warehouse.unlink()
    (again,) = replay(settings, "export")
    assert again.tally.received == 0


def test_an_empty_month_does_not_stop_the_folder_it_lies_in(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (DOORS / "c08_agendamento_sem_registros.txt", FIXTURES / "agendamento.txt"):
        (folder / path.name).write_bytes(path.read_bytes())
    loads = exports.load(settings, [folder])
    assert [load.tally.loaded for load in loads] == [2, 0]


@pytest.mark.parametrize(
    ("total", "rows", "words"),
    [
        ("0", 2, "declares 0 records and 2 follow"),
        ("2", 0, "has a header and no record"),
        ("1", 2, "declares 1 records and 2 follow"),
    ],
)
def test_a_declared_number_that_is_not_there_is_still_refused(
    settings: Settings, file: Any, total: str, rows: int, words: str
) -> None:
    content = "\n".join([TXT_HEAD.removesuffix("2") + total, *TXT_ROWS[:rows], ""])
    with pytest.raises(FormatError, match=words):
        exports.load(settings, [file(content)])


# --- the booking CSV of the screen ---------------------------------------------------------------


def of_unit(settings: Settings) -> list[tuple[Any, ...]]:
    """Return the unit of the newest version of each booking."""
    return query(
        settings,
        "select solicitacao, max_by(cod_cnes_exec, _carregado_em) "
        f"from {BOOKINGS} group by all order by all",
    )


def test_the_unit_of_a_file_of_the_screen_is_given(settings: Settings, file: Any) -> None:
    path = file("\n".join([CSV_HEAD, *CSV_ROWS, ""]), SCREEN)
    with pytest.raises(LayoutError, match="does not name its executing unit") as caught:
        exports.load(settings, [path])
    assert "mapa load export --unit CNES FILE" in caught.value.message
    (summary,) = exports.load(settings, [path], unit="0010456")
    assert summary.tally.loaded == 2
    assert of_unit(settings) == [("900000002", "0010456"), ("900000004", "0010456")]
    (note,) = settings.landing.rglob("carga.json")
    assert json.loads(landing.read(note))["unidade"] == "0010456"
    before = query(settings, f"select * from {BOOKINGS} order by all")
    for gone in (False, True):
        if gone:
            settings.warehouse.unlink()
        replay(settings, "export")
        assert query(settings, f"select * from {BOOKINGS} order by all") == before


def test_a_wrong_unit_can_be_corrected_and_the_same_one_is_loaded_once(
    settings: Settings, file: Any
) -> None:
    path = file("\n".join([CSV_HEAD, *CSV_ROWS, ""]), SCREEN)
    exports.load(settings, [path], unit="0010457")
    (corrected,) = exports.load(settings, [path], unit="0010456")
    assert corrected.tally.loaded == 2
    assert {unit for _, unit in of_unit(settings)} == {"0010456"}
    assert exports.load(settings, [path], unit="0010456")[0].skipped


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("agendamento_0010457.csv", "its name names another unit"),
        ("a.txt", "its first line names another unit"),
        ("escala.csv", "whose rows name their units"),
    ],
)
def test_a_unit_that_the_file_contradicts_or_does_not_need_is_refused(
    settings: Settings, file: Any, name: str, words: str
) -> None:
    contents = {
        "agendamento_0010457.csv": "\n".join([CSV_HEAD, *CSV_ROWS, ""]),
        "a.txt": "\n".join([TXT_HEAD.replace("0010456", "0010457"), *TXT_ROWS, ""]),
        "escala.csv": schedules(with_id(1)),
    }
    with pytest.raises(LayoutError, match=words):
        exports.load(settings, [file(contents[name], name)], unit="0010456")


@pytest.mark.parametrize("name", [SCREEN, "agendamento_0010456.csv", "0010456.txt"])
def test_a_unit_that_agrees_is_accepted(settings: Settings, file: Any, name: str) -> None:
    rows = [TXT_HEAD, *TXT_ROWS] if name.endswith("txt") else [CSV_HEAD, *CSV_ROWS]
    (summary,) = exports.load(settings, [file("\n".join([*rows, ""]), name)], unit="0010456")
    assert summary.tally.loaded == 2


@pytest.mark.parametrize(
    ("given", "code"), [("10456", 0), ("0010456", 0), ("00010456", 2), ("x", 2), ("", 2)]
)
def test_the_command_takes_a_cnes(
    file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, code: int
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(tmp_path / "data"))
    path = file("\n".join([CSV_HEAD, *CSV_ROWS, ""]), SCREEN)
    result = CliRunner().invoke(cli, ["load", "export", "--unit", given, str(path)])
    assert result.exit_code == code, result.output
    if code == 0:
        settings = Settings(mapa_dir=tmp_path / "data")
        assert {unit for _, unit in of_unit(settings)} == {"0010456"}


@pytest.mark.parametrize(("count", "is_said"), [(699, False), (700, True), (701, False)])
@pytest.mark.parametrize("form", ["csv", "txt"])
def test_exactly_700_bookings_are_said_in_output_and_audit(
    settings: Settings, file: Any, count: int, is_said: bool, form: str
) -> None:
    head, rows = (CSV_HEAD, CSV_ROWS) if form == "csv" else (TXT_HEAD, TXT_ROWS)
    head = head if form == "csv" else head.removesuffix(";2") + f";{count}"
    path = file(bookings(count, head, rows), f"agendamento_0010456.{form}")
    (summary,) = exports.load(settings, [path])
    assert summary.tally.loaded == count
    found = _warning(settings)
    assert ("WARNING" in str(summary), "exactly 700" in found) == (is_said, is_said)
    settings.warehouse.unlink()
    replay(settings, "export")
    assert _warning(settings) == found


def _warning(settings: Settings) -> str:
    ((outcome, message),) = query(settings, "select resultado, mensagem from controle.cargas")
    assert outcome == "completa"
    return message or ""


def test_700_rows_of_another_layout_are_nothing_special(settings: Settings, file: Any) -> None:
    content = schedules(*(with_id(n) for n in range(700)))
    (summary,) = exports.load(settings, [file(content, "escala.csv")])
    assert (summary.tally.loaded, summary.notes) == (700, ())


# --- CNES from 2017 on ---------------------------------------------------------------------------


def test_cnes_of_2017_loads_and_what_it_lacks_is_unknown(settings: Settings) -> None:
    path = DOORS / "tbEstabelecimento201708_51_colunas.csv"
    (summary,) = exports.load(settings, [path], only=("cnes_estabelecimento",))
    assert summary.tally.loaded == summary.tally.received == 20
    rows = query(
        settings,
        "select co_cnes, no_bairro, co_tipo_estabelecimento, st_contrato_formalizado "
        "from bruto_cnes.estabelecimento order by _linha limit 1",
    )
    assert rows == [("0010456", "ASA NORTE", None, None)]


def cnes(columns: list[str]) -> str:
    """Return a file of CNES with these columns and one unit."""
    values = {
        "co_cnes": "0010456",
        "no_fantasia": "UNIDADE FICTICIA",
        "dt_atualizacao": "01/02/2020",
    }
    cells = [values.get(normalise(column), "") for column in columns]
    quote = [";".join(f'"{cell}"' for cell in line) for line in (columns, cells)]
    return "\n".join([*quote, ""])


CNES_ESTABELECIMENTO = layouts.named("cnes_estabelecimento")
READ = [c for c in CNES_ESTABELECIMENTO.columns if c not in CNES_ESTABELECIMENTO.optional]


@pytest.mark.parametrize(
    ("date", "kept"),
    [
        ("DT_ATUALIZACAO", set(READ)),
        ("TO_CHAR(DT_ATUALIZACAO,'DD/MM/YYYY')", {*CNES_ESTABELECIMENTO.columns}),
        (
            "TO_CHAR(A.DT_ATUALIZACAO,'DD/MM/YYYY')",
            {*CNES_ESTABELECIMENTO.columns, *CNES_ESTABELECIMENTO.withheld},
        ),
        ("TO_CHAR( A.DT_ATUALIZACAO , 'DD/MM/YYYY' ) AS DT_ATUALIZACAO", {*READ, "nu_cpf"}),
        ("to_char(est.dt_atualizacao,'dd/mm/yyyy')", {*READ, "co_atividade", "co_coluna_nova"}),
    ],
    ids=["read", "all", "withheld too", "alias", "new"],
)
def test_only_what_models_read_is_mandatory_however_dates_are_called(
    settings: Settings, file: Any, date: str, kept: set[str]
) -> None:
    columns = [date if c == "dt_atualizacao" else c.upper() for c in sorted(kept)]
    exports.load(settings, [file(cnes(columns), "b.csv")])
    assert query(settings, "select co_cnes, dt_atualizacao from bruto_cnes.estabelecimento") == [
        ("0010456", "01/02/2020")
    ]
    raw = settings.warehouse.read_bytes()
    assert b"NU_CPF" not in raw


@pytest.mark.parametrize("lost", ["co_motivo_desab", "co_municipio_gestor", "dt_atualizacao"])
def test_a_column_that_models_read_is_missed(settings: Settings, file: Any, lost: str) -> None:
    columns = [c.upper() for c in CNES_ESTABELECIMENTO.columns if c != lost]
    with pytest.raises(LayoutError, match=f"column `{lost}` is missing"):
        exports.load(settings, [file(cnes(columns), "b.csv")])


def test_models_read_no_column_that_a_file_may_silently_lack() -> None:
    """Two came into CNES later and are unknown before; all others must be there."""
    text = (PROJECT / "models/staging/cnes/stg_cnes__estabelecimentos.sql").read_text()
    read = {c for c in CNES_ESTABELECIMENTO.columns if f"'{c}'" in text}
    assert read - set(READ) == {"co_tipo_estabelecimento", "st_contrato_formalizado"}
    assert set(READ) <= read


PORTAL = (PROJECT / "tests/fixtures/malformados/cnes/dados_abertos.csv").read_text()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace(";", ","),
        lambda text: text.lower(),
        lambda text: "\n".join(";".join(r.split(";")[:7]) for r in text.splitlines()),
    ],
    ids=["as it is", "commas", "lower case", "seven columns"],
)
def test_the_register_of_the_open_data_portal_is_named_as_what_it_is(
    settings: Settings, file: Any, change: Callable[[str], str]
) -> None:
    for only in ((), ("cnes_estabelecimento",)):
        with pytest.raises(LayoutError, match="the open-data portal") as caught:
            exports.load(settings, [file(change(PORTAL), "cnes_estabelecimentos.csv")], only=only)
        assert "mapa load cnes tbEstabelecimento" in caught.value.message
        assert "CANARIO" not in caught.value.message.upper()


# --- quotation marks -----------------------------------------------------------------------------


def named(*names: str) -> str:
    """Return schedules whose units have these names."""
    rows = [with_id(n).replace("HOSPITAL FICTICIO", name) for n, name in enumerate(names)]
    return schedules(*rows)


def names_of(settings: Settings) -> list[str]:
    """Return the names of the units, in the order of the file."""
    found = query(settings, f"select desc_cnes_exec from {SCHEDULES} order by _linha")
    return [name for (name,) in found]


TEXTS = {
    "nickname": ['"MARIA" DA SILVA'],
    "open": ['"JOSE'],
    "open twice": ['"JOSE', "B", '"ANA'],
    "open and closed further down": ['"JOSE', "B", 'ANA"'],
    "closed in the next": ['"JOSE', 'ANA"'],
    "last": ["A", '"JOSE'],
    "first and middle": ['"A" E "B"', 'SANTA "RITA"'],
    "one mark": ['"'],
    "two of them": ['""X'],
}


FORMS = [("utf-8", "\n"), ("windows-1252", "\r\n"), ("utf-8", "\r\n"), ("windows-1252", "\n")]


@pytest.mark.parametrize(
    ("kind", "encoding", "line_end"), [(k, *FORMS[n % 4]) for n, k in enumerate(TEXTS)]
)
def test_a_quotation_mark_at_the_start_of_a_name_is_text(
    settings: Settings, file: Any, kind: str, encoding: str, line_end: str
) -> None:
    names = ["Ação", *TEXTS[kind], "FIM"]
    content = named(*names).replace("\n", line_end)
    (summary,) = exports.load(settings, [file(content, "e.csv", encoding)])
    assert names_of(settings) == names
    assert (summary.tally.loaded, summary.tally.rejected) == (len(names), 0)
    assert any("quotation marks read as text" in note for note in summary.notes)
    replay(settings, "export")
    assert names_of(settings) == names


def test_regular_quotations_beside_text_stay_quotations(settings: Settings, file: Any) -> None:
    exports.load(settings, [file(named('"UM ""DOIS"""', '"TRES" X', "QUATRO"), "e.csv")])
    assert names_of(settings) == ['UM "DOIS"', '"TRES" X', "QUATRO"]


def test_marks_that_join_two_cells_of_a_line_are_text_too(settings: Settings, file: Any) -> None:
    row = with_id(1).replace("HOSPITAL FICTICIO;0701234", '"HOSPITAL;0701234"')
    assert row != with_id(1)
    (summary,) = exports.load(settings, [file(schedules(row, with_id(2)), "e.csv")])
    assert (names_of(settings), summary.tally.rejected) == (['"HOSPITAL', "HOSPITAL FICTICIO"], 0)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (['"A;B', "C"], "cannot be told apart"),
        (['"JOSE', "B;C", "D"], "cannot be told apart"),
        (['"MARIA" DA; SILVA', "C"], "1 of 3 rows are wrong"),
    ],
)
def test_what_does_not_have_its_fields_is_refused_as_before(
    settings: Settings, file: Any, names: list[str], words: str
) -> None:
    with pytest.raises(FormatError, match=words):
        exports.load(settings, [file(named("A", *names), "e.csv")])
    assert names_of(settings) == []


def test_in_a_file_that_quotes_all_its_texts_marks_inside_them_are_text(
    settings: Settings, file: Any
) -> None:
    rows = [HEADER, with_id(1).replace("HOSPITAL FICTICIO", 'JOAO "X" SILVA'), with_id(2)]
    content = "\n".join(";".join(f'"{cell}"' for cell in row.split(";")) for row in rows)
    (summary,) = exports.load(settings, [file(content, "e.csv")])
    assert names_of(settings) == ['JOAO "X" SILVA', "HOSPITAL FICTICIO"]
    assert query(settings, f"select min(cod_escala_ambulatorial) from {SCHEDULES}") == [("1",)]
    assert summary.tally.rejected == 0


def test_a_quoted_file_that_is_cut_off_is_refused_as_before(settings: Settings, file: Any) -> None:
    rows = [HEADER, *(with_id(n) for n in range(3))]
    content = "\n".join(";".join(f'"{cell}"' for cell in row.split(";")) for row in rows)
    with pytest.raises(FormatError, match="1 of 3 rows are wrong"):
        exports.load(settings, [file(content[:-3], "e.csv")])


def test_a_partial_folder_keeps_its_text_quotes(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text(named('"JOSE', "B"))
    (folder / "b.csv").write_text("")
    with pytest.raises(PartialError) as caught:
        exports.load(settings, [folder])
    found: list[Summary] = list(caught.value.summaries)
    assert [summary.tally.loaded for summary in found] == [2]
