"""Export files: each layout recognised, each row accounted for, each defect refused by name."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from conftest import PROJECT
from mapa import landing
from mapa.errors import FormatError, LayoutError
from mapa.layouts import of_files
from mapa.load import exports
from mapa.load.archives import Export
from mapa.load.recognise import examine, normalise, recognise
from mapa.load.window import BRASILIA
from mapa.settings import Settings

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
SCHEDULES = "bruto_sisreg.escala_ambulatorial"
NAMED_BY_THE_SOURCE = {
    "agendamento_0010456_2026-04.csv": "agendamento",
    "tbEstabelecimento202604.csv": "cnes_estabelecimento",
}
STRANGERS = {"agenda_da_tela.csv", "desconhecido.csv"}


def found_files() -> dict[str, tuple[str, int]]:
    """Return the layout and the records of each good file; it bears the name of its layout."""
    return {
        path.name: (
            NAMED_BY_THE_SOURCE.get(path.name, path.stem),
            len(path.read_bytes().splitlines()) - 1,
        )
        for path in sorted(FIXTURES.iterdir())
        if path.suffix in (".csv", ".txt") and path.name not in STRANGERS
    }


LAYOUT_OF = found_files()
ESCALA = (FIXTURES / "escala.csv").read_text()
HEADER, *ROWS = ESCALA.splitlines()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a warehouse of the test's own."""
    return Settings(mapa_dir=tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file."""

    def write(content: str | bytes, name: str = "SISREG_ESCALAS.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def refusals(settings: Settings) -> list[tuple[Any, ...]]:
    """Return the audit rows, when nothing at all has been loaded."""
    for layout in of_files():
        assert query(settings, f"select count(*) from {layout.table}") == [(0,)]
    return query(settings, "select fonte, entidade, origem, resultado from controle.cargas")


def schedules(*rows: str, line_end: str = "\n", header: str = HEADER) -> str:
    """Return a schedule file."""
    return line_end.join([header, *rows]) + line_end


def with_id(number: int, row: str = ROWS[0]) -> str:
    """Return a row of another schedule."""
    return ";".join([str(number), *row.split(";")[1:]])


def test_each_file_is_recognised_whatever_it_is_called(tmp_path: Path) -> None:
    for name, (layout, _) in LAYOUT_OF.items():
        kept = name if layout == "agendamento" else "x"
        path = tmp_path / kept
        shutil.copyfile(FIXTURES / name, path)
        assert recognise(examine(Export(path))).layout.name == layout
    assert {layout for layout, _ in LAYOUT_OF.values()} == {layout.name for layout in of_files()}


def test_a_folder_is_loaded_once(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in LAYOUT_OF:
        shutil.copyfile(FIXTURES / name, folder / name)
    (folder / ".oculto").write_text("x")
    first = {s.origin: (s.entity, s.tally.loaded) for s in exports.load(settings, [folder])}
    # Both forms of the booking file hold the same bookings; the first one by name stores them.
    assert first == LAYOUT_OF | {"agendamento_0010456_2026-04.csv": ("agendamento", 0)}
    before = query(settings, "select * from bruto_sisreg.agendamento order by all")
    again = exports.load(settings, [folder])
    assert all(summary.skipped for summary in again)
    assert query(settings, "select * from bruto_sisreg.agendamento order by all") == before
    assert {row[0] for row in query(settings, "select fonte from controle.cargas")} == {
        "arquivo", "cadsus", "cnes", "proadi",
    }  # fmt: skip


def test_the_booking_file_in_both_forms_is_the_same(settings: Settings) -> None:
    exports.load(settings, [FIXTURES / "agendamento_0010456_2026-04.csv"])
    (summary,) = exports.load(settings, [FIXTURES / "agendamento.txt"])
    assert (summary.tally.loaded, summary.tally.identical) == (0, 2)
    rows = query(
        settings,
        "select solicitacao, cod_cnes_exec, hr_agendamento, _linha from bruto_sisreg.agendamento",
    )
    assert rows == [("900000002", "0010456", "08:00", 1), ("900000004", "0010456", "09:30", 2)]


@pytest.mark.parametrize(
    ("name", "words"),
    [("agendamento.csv", "file name must"), ("a_0010456_0010457.csv", "file name must")],
)
def test_bookings_need_their_unit(settings: Settings, file: Any, name: str, words: str) -> None:
    content = (FIXTURES / "agendamento_0010456_2026-04.csv").read_bytes()
    with pytest.raises(LayoutError, match=words):
        exports.load(settings, [file(content, name)])


def test_a_cut_off_txt_is_refused_by_its_own_total(settings: Settings, file: Any) -> None:
    lines = (FIXTURES / "agendamento.txt").read_bytes().splitlines(keepends=True)
    with pytest.raises(FormatError, match="declares 2 records and 1 follow"):
        exports.load(settings, [file(b"".join(lines[:-1]), "a.txt")])
    assert query(settings, "select count(*) from bruto_sisreg.agendamento") == [(0,)]


FORMS: dict[str, Callable[[str], bytes]] = {
    "windows-1252": lambda text: text.replace("FICTÍCIO", "“FICTÍCIO”").encode("windows-1252"),
    "iso-8859-1": lambda text: text.replace("FICTÍCIO", "FICT\x81ÍCIO").encode("iso-8859-1"),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "mixed line ends": lambda text: text.replace("\n", "\r\n", 2).encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "empty lines": lambda text: (text.replace("\n", "\n\n") + "\n\n").encode(),
    "comma": lambda text: text.replace(";", ",").encode(),
    "tab": lambda text: text.replace(";", "\t").encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "lower case header": lambda text: text.replace(HEADER, HEADER.lower()).encode(),
    "accented header": lambda text: text.replace("ULTIMA", "ÚLTIMA").encode(),
    "delimiter at the end": lambda text: text.replace("\n", ";\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_in_every_form(settings: Settings, file: Any, form: str) -> None:
    (summary,) = exports.load(settings, [file(FORMS[form](ESCALA))])
    assert summary.tally.loaded == 4
    rows = query(
        settings,
        f"select cod_escala_ambulatorial, hora_da_ultima_ativacao, _linha from {SCHEDULES} "
        "order by _linha",
    )
    assert rows == [
        ("5000001", "14:10", 1), ("5000002", "---", 2), ("5000003", "14:10", 3),
        ("5000004", "14:10", 4),
    ]  # fmt: skip
    names = query(settings, f"select desc_cnes_exec from {SCHEDULES} where _linha = 3")
    assert "FICT" in names[0][0] and "ÍCIO" in names[0][0]


def test_columns_in_another_order_and_a_new_one(settings: Settings, file: Any) -> None:
    order = list(range(33, -1, -1))
    lines = [[*(line.split(";")[i] for i in order), "NOVO?"] for line in ESCALA.splitlines()]
    lines[0][-1] = "Nova Coluna"
    (summary,) = exports.load(settings, [file("\n".join(map(";".join, lines)))])
    assert summary.notes == ("new fields kept in _campos_extras: nova_coluna",)
    assert query(
        settings, f"select distinct cod_central_exec, _campos_extras from {SCHEDULES}"
    ) == [("530010", '{"nova_coluna":"NOVO?"}')]


def test_a_queue_of_2018_with_other_last_names_loses_nothing(settings: Settings, file: Any) -> None:
    """The names of positions 26 to 28 were never published."""
    text = (FIXTURES / "fila_2018_03.csv").read_text()
    for ours, theirs in (("Posicao26", "X"), ("EstimativaUsuario", "Y"), ("ProducaoMensal", "Z")):
        text = text.replace(ours, theirs)
    (summary,) = exports.load(settings, [file(text)])
    assert (summary.entity, summary.tally.loaded) == ("fila_2017_10", 2)
    assert query(settings, "select distinct _campos_extras from bruto_sisreg.fila_2017_10") == [
        ('{"y":"40","z":"25"}',)
    ]


def test_quoted_text_keeps_delimiters_quotes_and_line_breaks(settings: Settings, file: Any) -> None:
    text = 'HOSPITAL; "FICTICIO"\nANEXO\n\nFIM'
    quoted = '"' + text.replace('"', '""') + '"'
    content = schedules(ROWS[0].replace("HOSPITAL FICTICIO", quoted), with_id(6))
    (summary,) = exports.load(settings, [file(content)])
    assert summary.tally.loaded == 2
    assert query(settings, f"select desc_cnes_exec, _linha from {SCHEDULES} order by _linha") == [
        (text, 1), ("HOSPITAL FICTICIO", 2),
    ]  # fmt: skip


def test_bad_rows_are_rejected_with_their_line(settings: Settings, file: Any) -> None:
    settings = settings.model_copy(update={"mapa_max_rejected_share": 0.5})
    content = schedules(
        with_id(1), "2;cortada", with_id(3), with_id(4) + ";a;b", with_id(5),
        with_id(6).replace("ATIVA", "").replace("INATIVA", ""), with_id(7),
        with_id(8).replace("HOSPITAL FICTICIO", '"HOSPITAL" FICTICIO'), with_id(9),
    )  # fmt: skip
    (summary,) = exports.load(settings, [file(content)])
    assert (summary.tally.received, summary.tally.loaded, summary.tally.rejected) == (9, 5, 4)
    assert query(
        settings, "select linha, coluna, motivo from controle.rejeitos order by linha"
    ) == [
        (3, "desc_central_exec", "colunas a menos"),
        (5, None, "colunas a mais"),
        (7, "status", "coluna obrigatória ausente ou vazia"),
        (9, "desc_cnes_exec", "aspas fora do lugar"),
    ]
    rows = query(
        settings, f"select cod_escala_ambulatorial, _linha from {SCHEDULES} order by _linha"
    )
    assert rows == [(str(n), n) for n in (1, 3, 5, 7, 9)]
    assert summary.notes == ("absences not recorded, because some rows cannot be read",)


@pytest.mark.parametrize(("share", "accepted"), [(0.05, False), (0.1, True), (0.0, False)])
def test_a_file_with_too_many_wrong_rows_is_refused_whole(
    settings: Settings, file: Any, share: float, accepted: bool
) -> None:
    """One wrong row in ten: the limit itself is still accepted."""
    settings = settings.model_copy(update={"mapa_max_rejected_share": share})
    exports.load(settings, [file(schedules(*(with_id(n) for n in range(10))), "a.csv")])
    before = query(settings, f"select * from {SCHEDULES} order by all")
    changed = [with_id(n).replace("ATIVA", "INATIVA") for n in range(9)]
    wrong = file(schedules(*changed, "9;cortada"), "b.csv")
    if accepted:
        assert exports.load(settings, [wrong])[0].tally.rejected == 1
        return
    with pytest.raises(FormatError, match="1 of 10 rows are wrong") as caught:
        exports.load(settings, [wrong])
    assert "colunas a menos: 1, the first in line 11" in caught.value.message
    assert query(settings, f"select * from {SCHEDULES} order by all") == before
    assert query(settings, "select count(*) from controle.rejeitos") == [(0,)]


def test_a_zip_is_loaded_member_by_member_each_once(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ppi.csv", "feriado.csv"):
            archive.write(FIXTURES / name, f"2026-04/{name}")
        archive.write(FIXTURES / "agendamento_0010456_2026-04.csv")
        archive.write(FIXTURES / "ppi.csv", "2026-05/ppi copia.csv")
        archive.writestr("__MACOSX/._ppi.csv", b"\0")
        archive.writestr("2026-04/.DS_Store", b"\0")
    first = [(s.entity, s.origin, bool(s.skipped)) for s in exports.load(settings, [path])]
    assert [(entity, skipped) for entity, _, skipped in first] == [
        ("feriado", False), ("ppi", False), ("ppi", True), ("agendamento", False),
    ]  # fmt: skip
    assert first[0][1] == "exports.zip/feriado.csv"
    assert all(summary.skipped for summary in exports.load(settings, [tmp_path]))
    landed = sorted(p.name for p in settings.landing.rglob("*.gz"))
    assert landed == ["agendamento_0010456_2026-04.csv.gz", "feriado.csv.gz", "ppi.csv.gz"]


def test_any_name_that_a_disk_or_an_archive_has_can_be_loaded(
    settings: Settings, file: Any, tmp_path: Path
) -> None:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ppi_mar\xe7o.csv"))
    named.write_bytes((FIXTURES / "ppi.csv").read_bytes())
    long_name = f"{'pasta-com-acento-é/' * 20}{'é' * 300}.csv"
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(FIXTURES / "teto.csv", long_name)
    loads = exports.load(settings, [named, path])
    assert [(load.entity, load.tally.loaded) for load in loads] == [("ppi", 2), ("teto", 1)]
    assert loads[0].origin == "ppi_mar?o.csv"
    landed = sorted(p.name for p in settings.landing.rglob("*.gz"))
    assert landed == ["ppi_mar_o.csv.gz", f"{'é' * 96}.csv.gz"]


@pytest.mark.parametrize("pack", ["zip", "gz"])
def test_nothing_unpacks_beyond_the_limit(settings: Settings, file: Any, pack: str) -> None:
    settings = settings.model_copy(update={"mapa_max_unpacked_mb": 1})
    random = base64.b64encode(os.urandom(800_000))
    path = file(gzip.compress(random), "a.gz")
    if pack == "zip":
        path = path.with_suffix(".zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", random)
    with pytest.raises(FormatError, match="unpacks to more than 1 MB"):
        exports.load(settings, [path])
    assert not settings.landing.exists()
    assert refusals(settings) == [("arquivo", "desconhecida", path.name, "recusada")]


def test_an_open_quotation_mark_does_not_swallow_rows(settings: Settings, file: Any) -> None:
    content = schedules(
        with_id(1), with_id(2).replace("HOSPITAL", '"HOSPITAL'), with_id(3), "4;cortada"
    )
    with pytest.raises(FormatError, match="after line 3 cannot be told apart") as caught:
        exports.load(settings, [file(content)])
    assert "HOSPITAL" not in caught.value.message
    assert query(settings, f"select count(*) from {SCHEDULES}") == [(0,)]
    assert query(settings, "select resultado from controle.cargas") == [("recusada",)]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", FormatError, "is empty: the export failed"),
        (b"\xef\xbb\xbf\r\n", FormatError, "is empty: the export failed"),
        (schedules(), FormatError, "has a header and no record: the export failed"),
        (schedules() + "\n\n", FormatError, "has a header and no record"),
        (b"PK\x03\x04\0\0", FormatError, "the archive is damaged or cut off"),
        (gzip.compress(ESCALA.encode())[:-9], FormatError, "the archive is damaged or cut off"),
        (schedules(*ROWS, header=HEADER.replace("COD CNES EXEC.", "UNIDADE")), LayoutError,
         "column `cod_cnes_exec` is missing"),
        (schedules(*ROWS, header=HEADER.replace("COD. CBO", "STATUS")), LayoutError, "`cod_cbo`"),
        (schedules(*(row + ";x" for row in ROWS), header=HEADER + ";STATUS"), LayoutError,
         "column `status` is repeated"),
        (schedules(*(row.replace("ATIVA", "") for row in ROWS[:1])), LayoutError,
         "`status` is missing or empty in all 1 records"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_refused_by_name(
    settings: Settings, file: Any, content: str | bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        exports.load(settings, [file(content)])
    if settings.warehouse.exists():
        assert query(settings, f"select count(*) from {SCHEDULES}") == [(0,)]


def test_look_alikes_and_strangers_are_refused(settings: Settings) -> None:
    with pytest.raises(LayoutError, match="12-column file of the agenda screen"):
        exports.load(settings, [FIXTURES / "agenda_da_tela.csv"])
    with pytest.raises(LayoutError, match=r"no known layout\.\nKnown are escala, agendamento"):
        exports.load(settings, [FIXTURES / "desconhecido.csv"])


def test_a_leave_without_its_professional_is_not_taken_for_one_of_a_unit(
    settings: Settings, file: Any
) -> None:
    text = (FIXTURES / "afastamento_profissional.csv").read_text()
    content = text.replace("cod_procedimento_interno", "procedimento")
    with pytest.raises(LayoutError, match="cod_procedimento_interno"):
        exports.load(settings, [file(content)])


def test_what_a_complete_file_lacks_has_vanished_and_may_come_back(
    settings: Settings, file: Any
) -> None:
    rows = [with_id(n) for n in range(10)]
    exports.load(settings, [file(schedules(*rows))])
    (summary,) = exports.load(settings, [file(schedules(*rows[2:]))])
    assert summary.notes == ("2 vanished",)
    (summary,) = exports.load(settings, [file(schedules(*rows[1:], with_id(10)))])
    assert summary.notes == ("1 came back",)
    events = query(
        settings,
        "select tabela, chave, evento from controle.ausencias order by registrado_em, chave",
    )
    assert events == [
        (SCHEDULES, "0", "ausente"),
        (SCHEDULES, "1", "ausente"),
        (SCHEDULES, "1", "presente"),
    ]
    assert query(settings, f"select count(*) from {SCHEDULES}") == [(11,)]


def test_a_part_records_no_absence_and_much_vanishing_is_refused(
    settings: Settings, file: Any
) -> None:
    rows = [with_id(n) for n in range(10)]
    exports.load(settings, [file(schedules(*rows))])
    part = file(schedules(with_id(0).replace(";8;15;", ";9;15;")), "parte.csv")
    with pytest.raises(LayoutError, match="9 of 10 known records") as caught:
        exports.load(settings, [part])
    assert "--partial parte.csv" in caught.value.message
    assert query(settings, f"select count(*) from {SCHEDULES}") == [(10,)]
    exports.load(settings, [part], exports.Completeness(partial=True))
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]
    assert query(settings, f"select count(*) from {SCHEDULES}") == [(11,)]
    exports.load(settings, [file(schedules(with_id(1)))], exports.Completeness(confirmed=True))
    assert query(settings, "select count(*) from controle.ausencias") == [(9,)]


# --- the day on which a file was seen -------------------------------------------------------


def seen(settings: Settings) -> list[tuple[Any, ...]]:
    """Return what each complete load describes, oldest first."""
    return query(
        settings,
        "select entidade, cast(janela_fim as varchar) from controle.cargas "
        "where resultado = 'completa' order by iniciada_em",
    )


def test_a_file_is_seen_when_it_is_loaded_by_the_clock_of_brasilia(settings: Settings) -> None:
    exports.load(settings, [FIXTURES / "teto.csv"])
    ((began, until),) = query(settings, "select iniciada_em, janela_fim from controle.cargas")
    assert until == began.replace(tzinfo=UTC).astimezone(BRASILIA).replace(tzinfo=None)
    (note,) = settings.landing.rglob("carga.json")
    assert json.loads(landing.read(note))["janela_fim"] == until.isoformat()


def test_an_archived_file_is_seen_on_the_day_it_was_exported(settings: Settings) -> None:
    exports.load(settings, [FIXTURES / "teto.csv"], seen_on=date(2026, 5, 2))
    assert seen(settings) == [("teto", "2026-05-02 00:00:00")]


def test_archives_go_in_oldest_first_or_not_at_all(settings: Settings, file: Any) -> None:
    rows = [with_id(n) for n in range(10)]
    exports.load(settings, [file(schedules(*rows), "b.csv")], seen_on=date(2026, 5, 2))
    older = file(schedules(*rows[1:]), "a.csv")
    with pytest.raises(click.BadParameter) as caught:
        exports.load(settings, [FIXTURES / "teto.csv", older], seen_on=date(2026, 5, 1))
    text = caught.value.message
    assert "a.csv would be seen on 2026-05-01" in text and "seen on 2026-05-02" in text
    assert "mapa load export --seen-on 2026-05-01" in text
    assert seen(settings) == [("escala", "2026-05-02 00:00:00")]
    # On the same day the file loaded last is the newest; other layouts have a history of their own.
    exports.load(settings, [older, FIXTURES / "teto.csv"], seen_on=date(2026, 5, 2))
    assert [name for name, _ in seen(settings)] == ["escala", "escala", "teto"]


def test_a_return_to_an_earlier_state_undoes_what_came_between(
    settings: Settings, file: Any
) -> None:
    first = file(schedules(*[with_id(n) for n in range(10)]), "a.csv")
    second = file(schedules(*[with_id(n) for n in range(1, 10)]), "b.csv")
    exports.load(settings, [first], seen_on=date(2026, 5, 1))
    exports.load(settings, [second], seen_on=date(2026, 5, 2))
    assert all(again.skipped for again in exports.load(settings, [first, second]))
    (undone,) = exports.load(settings, [first], seen_on=date(2026, 5, 3))
    assert undone.notes == ("1 came back",)
    assert (undone.tally.loaded, undone.tally.identical) == (0, 10)
    assert exports.load(settings, [first], seen_on=date(2026, 5, 3))[0].skipped


def test_operator_tables_lose_nothing_unless_they_are_said_to_be_whole(
    settings: Settings, file: Any
) -> None:
    head, *leaves = (FIXTURES / "afastamento_profissional.csv").read_text().splitlines()
    exports.load(settings, [FIXTURES / "afastamento_profissional.csv"])
    part = file("\n".join([head, "9" + leaves[0][1:]]) + "\n", "mais.csv")
    exports.load(settings, [part], exports.Completeness(confirmed=True))
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]
    whole = file("\n".join([head, leaves[0], ""]), "todos.csv")
    exports.load(settings, [whole], exports.Completeness(confirmed=True, tables=True))
    events = query(settings, "select tabela, evento from controle.ausencias")
    assert events and set(events) == {("bruto_sisreg.afastamento_profissional", "ausente")}


def test_cnes_keeps_no_personal_column(settings: Settings) -> None:
    name = "tbEstabelecimento202604.csv"
    exports.load(settings, [FIXTURES / name], only=("cnes_estabelecimento",))
    rows = query(settings, "select co_cnes, no_fantasia from bruto_cnes.estabelecimento")
    assert rows == [
        ("0000002", "UNIDADE FICTÍCIA DE CEILÂNDIA"),
        ("0000003", 'HOSPITAL FICTÍCIO "SÃO" TRÊS'),
    ]
    raw = settings.warehouse.read_bytes()
    assert b"00000003530" not in raw and b"00000010154" not in raw
    with pytest.raises(LayoutError, match="expected `cnes_estabelecimento`"):
        exports.load(settings, [FIXTURES / "ppi.csv"], only=("cnes_estabelecimento",))


def test_landing_holds_the_file_as_it_was(settings: Settings) -> None:
    exports.load(settings, [FIXTURES / "tbEstabelecimento202604.csv"])
    (landed,) = settings.landing.rglob("*.gz")
    original = (FIXTURES / "tbEstabelecimento202604.csv").read_bytes()
    assert gzip.decompress(landing.read(landed)) == original
    (note,) = settings.landing.rglob("carga.json")
    assert json.loads(landing.read(note))["entidade"] == "cnes_estabelecimento"
    assert not [p for p in settings.landing.rglob("*") if p.name.startswith(".")]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("COD. CNES EXEC.", "cod_cnes_exec"),
        (" Qtd Vagas Prim. Vez ", "qtd_vagas_prim_vez"),
        ("DATA DA INSERÇÃO", "data_da_insercao"),
        ("TO_CHAR(DT_ATUALIZACAO,'DD/MM/YYYY')", "dt_atualizacao"),
        ("TO_CHAR(A.DT_ATUALIZACAO,'DD/MM/YYYY')", "dt_atualizacao"),
    ],
)
def test_header_names_are_normalised(written: str, normal: str) -> None:
    assert normalise(written) == normal
