"""SISREG's report of the real offer: read by a map, each line accounted for, each misfit named."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PROJECT, environment
from mapa.cli import cli
from mapa.errors import ConfigError, FormatError, LayoutError, MapaError
from mapa.layouts import named
from mapa.load import report
from mapa.load.archives import Export
from mapa.load.recognise import LIKE_UTF8, examine
from mapa.load.report_map import ReportMap
from mapa.settings import Settings

EXAMPLE = PROJECT / "docs" / "oferta_real.exemplo.toml"
HEADER = "COMPETÊNCIA;PROCEDIMENTO;TIPO;CNES;TOTAL;REAL\n"
ROW = "03/2026;0701234;GERAL;0010456;1.930;630\n"
MAP = """
[formato]
milhar = "."

[totais]
coluna = "CNES"
valores = ["TOTAL"]

[constantes]
cod_central_exec = "530010"

[valores.tipo_agenda]
GERAL = "TODAS"

[colunas]
competencia = "COMPETÊNCIA"
cod_procedimento_interno = "procedimento"
tipo_agenda = 3
cod_cnes_exec = "CNES"
qtd_total_geral = "TOTAL"
qtd_oferta_real = "REAL"
"""
Write = Callable[..., Path]


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """Return settings with a warehouse of the test's own, that bears half of the rows wrong."""
    return Settings(mapa_dir=tmp_path / "data", mapa_max_rejected_share=0.9)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a file."""

    def write(content: str | bytes, name: str = "oferta_real.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def query(house: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(house.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def stored(house: Settings) -> list[tuple[Any, ...]]:
    """Return what raw holds of the mapped columns."""
    return query(
        house,
        "select competencia, tipo_agenda, cod_central_exec, cod_cnes_exec, "
        "cod_procedimento_interno, qtd_total_geral, qtd_oferta_real, _linha "
        f"from {named('oferta_real').table} order by _linha",
    )


ONE = ("202603", "TODAS", "530010", "0010456", "0701234", "1930", "630", 2)


@pytest.mark.parametrize(
    "content",
    [
        HEADER + ROW,
        (HEADER + ROW).replace("\n", "\r\n").encode("windows-1252"),
        b"\xef\xbb\xbf" + (HEADER + ROW).encode(),
        (HEADER + ROW).replace(";", "\t"),
        (HEADER + ROW).replace(";", ","),
        HEADER.replace("\n", ";;\n") + ROW.replace("\n", ";;\n"),
        HEADER + ROW.rstrip("\n"),
        gzip.compress((HEADER + ROW).encode()),
        HEADER + ROW.replace("0701234", '"0701234"'),
    ],
)
def test_a_report_is_read_however_it_is_written(
    house: Settings, write: Write, content: str | bytes
) -> None:
    by = write(MAP, "mapa.toml")
    (summary,) = report.load(house, [write(content)], by, {})
    assert (summary.tally.received, summary.tally.loaded) == (1, 1)
    assert stored(house) == [ONE]
    landed = sorted(path.name for path in (house.landing / "relatorio").rglob("*.*"))
    assert landed == ["carga.json", "mapa.toml", "oferta_real.csv.gz"]


def test_what_was_asked_for_may_be_constant(house: Settings, write: Write) -> None:
    by = write(
        '[colunas]\ncod_cnes_exec = "CNES"\nqtd_oferta_real = 2\n'
        '[constantes]\ncompetencia = "2026-04"\n[formato]\nlinhas_antes = 2\n',
        "mapa.toml",
    )
    content = "OFERTA REAL\nGERADO EM 30/06/2026\nCNES;REAL\n0010456;5\n"
    constants = {"cod_procedimento_interno": "0701234", "competencia": "03/2026"}
    report.load(house, [write(content)], by, constants)
    assert stored(house) == [("202603", None, None, "0010456", "0701234", None, "5", 4)]


def test_the_same_report_is_skipped_and_with_another_map_it_is_not(
    house: Settings, write: Write
) -> None:
    path, by = write(HEADER + ROW), write(MAP, "mapa.toml")
    report.load(house, [path], by, {})
    (again,) = report.load(house, [path], by, {})
    assert again.skipped
    write(MAP.replace('qtd_total_geral = "TOTAL"', 'qtd_ativa_geral = "TOTAL"'), "mapa.toml")
    (corrected,) = report.load(house, [path], by, {})
    assert corrected.tally.loaded == 1
    # Another file of the same content under the same map tells nothing new.
    (other,) = report.load(house, [write(HEADER + "\n" + ROW, "outro.csv")], by, {})
    assert (other.tally.loaded, other.tally.identical) == (0, 1)


def test_wrong_rows_are_rejected_by_line_and_reason(house: Settings, write: Write) -> None:
    good = ROW + '03/2026;0701234;GERAL;"0010457\n";---;7\n'
    wrong = {
        "13/2026;0701234;GERAL;0010456;1;1\n": ("competencia", "competência ilegível"),
        "03/2026;;GERAL;0010456;1;1\n": (
            "cod_procedimento_interno",
            "coluna obrigatória ausente ou vazia",
        ),
        "03/2026;0701234;CANARIO;0010456;1;1\n": ("tipo_agenda", "tipo de agenda desconhecido"),
        "03/2026;0701234;GERAL;0010456;1,5;1\n": ("qtd_total_geral", "quantidade ilegível"),
        "03/2026;0701234;GERAL;0010456;-1;1\n": ("qtd_total_geral", "quantidade ilegível"),
        "03/2026;0701234;GERAL;0010456;1.93;1\n": ("qtd_total_geral", "quantidade ilegível"),
        "03/2026;0701234;GERAL;0010456;1;---\n": (
            "qtd_oferta_real",
            "coluna obrigatória ausente ou vazia",
        ),
        "03/2026;0701234;GERAL;0010456;1\n": (None, "colunas a menos"),
        "03/2026;0701234;GERAL;0010456;1;1;CANARIO\n": (None, "colunas a mais"),
        HEADER: (None, "cabeçalho repetido"),
    }
    totals = "\n;;;TOTAL;1.930;637\n"
    (summary,) = report.load(
        house, [write(HEADER + good + "".join(wrong) + totals)], write(MAP, "mapa.toml"), {}
    )
    assert str(summary.tally) == "12 received = 2 loaded + 0 identical + 10 rejected"
    assert summary.notes == ("1 lines of totals left out",)
    # The second record runs over two lines.
    rejected = query(house, "select linha, coluna, motivo from controle.rejeitos order by linha")
    assert rejected == [(5 + n, *why) for n, why in enumerate(wrong.values())]


def test_a_report_with_too_many_wrong_rows_is_refused_whole(tmp_path: Path, write: Write) -> None:
    strict = Settings(mapa_dir=tmp_path / "data")
    content = HEADER + ROW + "CANARIO;0701234;GERAL;0010456;1;1\n"
    with pytest.raises(FormatError, match="1 of 2 rows are wrong") as caught:
        report.load(strict, [write(content)], write(MAP, "mapa.toml"), {})
    assert "CANARIO" not in caught.value.message
    assert stored(strict) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('qtd_oferta_real = "REAL"', ""), "mandatory `qtd_oferta_real` is neither a column nor"),
        (("cod_cnes_exec =", "cnes ="), r"\[colunas\] has an unknown key `cnes`"),
        (("[formato]", "[forma]"), "unknown key `forma`"),
        (("milhar =", "milhares ="), r"\[formato\] has an unknown key `milhares`"),
        (("[colunas]", "[colunas"), "it is not a TOML file"),
        (('"CNES"\nqtd', "1.5\nqtd"), r"`cod_cnes_exec` of \[colunas\] is not of the kind"),
        (('milhar = "."', "linhas_antes = -1"), "`linhas_antes` 0 or more"),
        (('milhar = "."', 'separador = ";;"'), "`separador` must be one character"),
        (('valores = ["TOTAL"]', ""), r"\[totais\] needs `coluna` and a list"),
        (('GERAL = "TODAS"', "GERAL = 1"), r"\[valores\] maps texts to texts"),
        (('"530010"', '"530010"\ncompetencia = "01/2026"'), "a column and a constant at once"),
        (('"530010"', '"530010"\ndata_extracao = "2026"'), "constant `data_extracao` is not fit"),
    ],
)
def test_a_map_that_is_unfit_is_refused_by_name(
    house: Settings, write: Write, change: tuple[str, str], words: str
) -> None:
    assert change[0] in MAP
    with pytest.raises(ConfigError, match=words) as caught:
        report.load(house, [write(HEADER + ROW)], write(MAP.replace(*change), "mapa.toml"), {})
    assert "docs/oferta_real.exemplo.toml" in caught.value.message
    assert not house.warehouse.exists()


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ("CNES;REAL\n1;2\n", (LayoutError, "`COMPETÊNCIA` of the map is not in the header")),
        (HEADER.replace("REAL", "CNES") + ROW, (LayoutError, "`CNES` .* is 2 times in the header")),
        ("COMPETÊNCIA;PROCEDIMENTO\n", (LayoutError, "column number 3 and the header has 2")),
        (HEADER, (FormatError, "has a header and no record")),
        (HEADER + ";;;TOTAL;1;1\n", (FormatError, "has a header and no record")),
        ("", (FormatError, "is empty: the export failed")),
        (HEADER + '03/2026;"CANARIO\n' + ROW, (FormatError, "rows after line 1 cannot be told")),
        (b"PK\0\0", (FormatError, "is not a text file")),
    ],
)
def test_a_report_that_does_not_fit_its_map_is_refused(
    house: Settings, write: Write, content: str | bytes, refusal: tuple[type[MapaError], str]
) -> None:
    error, words = refusal
    with pytest.raises(error, match=words) as caught:
        report.load(house, [write(content)], write(MAP, "mapa.toml"), {})
    assert "CANARIO" not in caught.value.message
    assert not house.warehouse.exists() or stored(house) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "competencia=03/2026"], 2, "--set belongs to --map"),
        (["--map", "{by}", "--set", "competencia"], 2, "--set expects COLUMN=VALUE"),
        (["--map", "{by}", "--partial"], 2, "--map takes neither"),
        (["--map", "{by}", "--set", "cnes=1"], 7, "`cnes` of --set is not a column"),
        (["--map", "{by}", "--set", "data_extracao=30/06/2026"], 0, "1 received = 1 loaded"),
    ],
)
def test_the_command_says_what_it_wants(
    tmp_path: Path, write: Write, arguments: list[str], code: int, words: str
) -> None:
    by = write(MAP, "mapa.toml")
    given = [text.format(by=by) for text in arguments]
    with environment({"MAPA_DIR": str(tmp_path / "data")}):
        done = CliRunner().invoke(cli, ["load", "export", *given, str(write(HEADER + ROW))])
    assert done.exit_code == code, done.output
    assert words in done.output


def test_the_example_maps_every_measure() -> None:
    mapped = ReportMap.read(EXAMPLE, {})
    given = {*mapped.columns, *mapped.constants}
    assert set(named("oferta_real").columns) - given == {"desc_procedimento_interno"}


# --- any report that is written is read ------------------------------------------------------

QUANTITY = st.one_of(st.none(), st.integers(0, 9_999_999))
TEXT = st.text(st.characters(codec="windows-1252", exclude_categories=["C"]), max_size=12)
# Two signs such as a tilded A and a pound are a letter in UTF-8: nobody can tell which is meant.
TEXT = TEXT.filter(lambda text: not LIKE_UTF8.search(text.encode("windows-1252")))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(1, 12), TEXT, QUANTITY, QUANTITY), min_size=1, max_size=8),
    delimiter=st.sampled_from(";,\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "windows-1252"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    thousands=st.sampled_from(["", ".", " "]),
    totals=st.integers(0, 2),
)
def test_any_report_that_is_written_is_read(  # noqa: PLR0917 - one per strategy
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str, int | None, int | None]],
    delimiter: str,
    encoding: str,
    newline: str,
    thousands: str,
    totals: int,
) -> None:
    def printed(number: int | None) -> str:
        return "---" if number is None else f"{number:,}".replace(",", thousands)

    text = io.StringIO()
    table = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    table.writerow(["MÊS", "NOME", "TOTAL", "TETO", "REAL", "LINHA"])
    for index, (month, name, total, ceiling) in enumerate(rows):
        table.writerow([f"{month:02}/2026", name, printed(total), printed(ceiling), "1", index])
    for _ in range(totals):
        table.writerow(["TOTAL", "", "1", "1", "1", ""])
    path = tmp_path_factory.mktemp("report") / "r.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    by = ReportMap(
        columns={
            "competencia": "mes",
            "desc_cnes_exec": "NOME",
            "qtd_total_geral": "TOTAL",
            "qtd_teto": 4,
            "qtd_oferta_real": "REAL",
            "cod_cnes_exec": "LINHA",
        },
        constants={"cod_procedimento_interno": "0701234"},
        thousands=thousands,
        totals=("MÊS", frozenset({"TOTAL"})),
    )
    read = report._read(examine(Export(path)), by)
    assert (read.wrong, read.totals) == ([], totals)
    assert [
        (r["competencia"], r["desc_cnes_exec"], r["qtd_total_geral"], r["qtd_teto"])
        for _, r in read.records
    ] == [
        (f"2026{month:02}", name, *("---" if n is None else str(n) for n in (total, ceiling)))
        for month, name, total, ceiling in rows
    ]


@pytest.mark.parametrize("name", ['"MARIA" DA SILVA', '"JOSE', '"A" E "B"', '"'])
def test_a_quotation_mark_at_the_start_of_a_text_of_the_report_is_text(
    house: Settings, write: Write, name: str
) -> None:
    rows = [f"{ROW.strip()};{text}\n" for text in (name, "UNIDADE FICTICIA")]
    path = write(f"{HEADER.strip()};NOME\n{''.join(rows).replace('0010456', '0010457', 1)}")
    (summary,) = report.load(house, [path], write(MAP, "mapa.toml"), {})
    assert (summary.tally.received, summary.tally.loaded) == (2, 2)
    assert "quotation marks read as text" in summary.notes
    assert [row[3] for row in stored(house)] == ["0010457", "0010456"]


def test_a_quotation_mark_that_hides_where_a_row_ends_is_still_refused(
    house: Settings, write: Write
) -> None:
    path = write(f'{HEADER.strip()};NOME\n{ROW.strip()};"JOSE\n{ROW.strip()}\n')
    with pytest.raises(FormatError, match="cannot be told apart"):
        report.load(house, [path], write(MAP, "mapa.toml"), {})
