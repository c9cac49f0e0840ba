"""Deliveries of several files: the good ones load, each bad one is named, the exit code says so."""

from __future__ import annotations

import gzip
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
from click.testing import CliRunner

from conftest import PROJECT
from mapa.audit import Summary
from mapa.cli import cli
from mapa.errors import DiskError, FormatError, LayoutError, MapaError, PartialError
from mapa.load import cadsus, exports, report
from mapa.load.replay import replay
from mapa.settings import Settings
from test_load_report import HEADER as REPORT_HEADER
from test_load_report import MAP as REPORT_MAP
from test_load_report import ROW as REPORT_ROW

FIXTURES = PROJECT / "tests" / "fixtures" / "load"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a warehouse of the test's own."""
    return Settings(mapa_dir=tmp_path / "data")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three good files: of holidays, PPI and ceilings."""
    path = tmp_path / "exports"
    path.mkdir()
    for name in ("feriado.csv", "ppi.csv", "teto.csv"):
        shutil.copyfile(FIXTURES / name, path / name)
    return path


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def outcomes(settings: Settings) -> list[tuple[Any, ...]]:
    """Return what the audit says, in the order of the loads."""
    return query(
        settings,
        "select entidade, origem, resultado from controle.cargas order by iniciada_em",
    )


def _no_column(text: str) -> bytes:
    return text.replace("COD CNES EXEC.", "UNIDADE").encode()


def _all_rows_wrong(text: str) -> bytes:
    return (text.splitlines()[0] + "\na;b\nc;d\n").encode()


BAD: dict[str, tuple[Callable[[str], bytes], str, str]] = {
    "empty": (lambda _: b"", "desconhecida", "is empty: the export failed"),
    "stranger": (lambda _: b"a;b\n1;2\n", "desconhecida", "fits no known layout"),
    "no column": (_no_column, "escala", "column `cod_cnes_exec` is missing"),
    "rows wrong": (_all_rows_wrong, "escala", "none of 2 rows can be read"),
    "no rows": (lambda t: t.splitlines()[0].encode(), "desconhecida", "a header and no record"),
    "gzip cut": (
        lambda t: gzip.compress(t.encode())[:-9], "desconhecida", "damaged or cut off",
    ),
    "zip cut": (lambda _: b"PK\x03\x04\0\0", "desconhecida", "damaged or cut off"),
    "no text": (lambda t: t.encode("utf-16"), "desconhecida", "is not a text file"),
}  # fmt: skip


PLACES = ("a.csv", "mm.csv", "zz.csv")


@pytest.mark.parametrize(("kind", "name"), [(k, PLACES[n % 3]) for n, k in enumerate(BAD)])
def test_one_bad_file_does_not_hold_back_the_good_ones(
    settings: Settings, folder: Path, kind: str, name: str
) -> None:
    make, entity, words = BAD[kind]
    (folder / name).write_bytes(make((FIXTURES / "escala.csv").read_text()))
    with pytest.raises(PartialError, match=words) as caught:
        exports.load(settings, [folder])
    assert caught.value.exit_code == 12
    assert caught.value.message.startswith("1 of 4 files were refused; the others are loaded.\n")
    assert name in caught.value.message
    assert [s.tally.loaded for s in caught.value.summaries] == [2, 2, 1]
    expected = [
        ("feriado", "feriado.csv", "completa"),
        ("ppi", "ppi.csv", "completa"),
        ("teto", "teto.csv", "completa"),
    ]
    assert outcomes(settings) == sorted(
        [*expected, (entity, name, "recusada")], key=lambda row: row[1]
    )
    for table, rows in (("feriado", 2), ("ppi", 2), ("teto", 1), ("escala_ambulatorial", 0)):
        assert query(settings, f"select count(*) from bruto_sisreg.{table}") == [(rows,)]


def test_all_bad_files_are_named_and_loading_again_skips_the_good(
    settings: Settings, folder: Path
) -> None:
    escala = (FIXTURES / "escala.csv").read_text()
    for number, (make, _, _) in enumerate(BAD.values()):
        (folder / f"bad {number}.csv").write_bytes(make(escala))
    for _ in range(2):
        with pytest.raises(PartialError) as caught:
            exports.load(settings, [folder])
        assert caught.value.message.startswith(f"{len(BAD)} of {len(BAD) + 3} files")
        for number in range(len(BAD)):
            assert f"bad {number}.csv" in caught.value.message
    assert all(summary.skipped for summary in caught.value.summaries)
    for number in range(len(BAD)):
        (folder / f"bad {number}.csv").unlink()
    (folder / "escala.csv").write_text(escala)
    *again, mended = sorted(exports.load(settings, [folder]), key=lambda s: not s.skipped)
    assert (len(again), mended.tally.loaded) == (3, 4)


def test_nothing_but_bad_files_says_that_nothing_was_loaded(
    settings: Settings, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("")
    with pytest.raises(PartialError, match="2 of 2 files were refused; nothing was loaded"):
        exports.load(settings, [tmp_path / "a.csv", tmp_path / "b.csv"])


@pytest.mark.parametrize("inside", ["folder", "zip", "alone"])
def test_a_single_bad_file_ends_with_its_own_code(
    settings: Settings, tmp_path: Path, inside: str
) -> None:
    path = tmp_path / "in"
    path.mkdir()
    (path / "a.csv").write_text("a;b\n1;2\n")
    if inside == "zip":
        with zipfile.ZipFile(path / "a.zip", "w") as archive:
            archive.write(path / "a.csv", "a.csv")
        (path / "a.csv").unlink()
    with pytest.raises(LayoutError, match="fits no known layout") as caught:
        exports.load(settings, [path / "a.csv" if inside == "alone" else path])
    assert caught.value.exit_code == 3


def test_a_bad_member_of_a_zip_does_not_hold_back_the_others(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("teto.csv", "feriado.csv"):
            archive.write(FIXTURES / name, f"2026/{name}")
        archive.writestr("2026/outro.csv", "a;b\n1;2\n")
        archive.writestr("2026/vazio.csv", "")
    with pytest.raises(PartialError, match="2 of 4 files") as caught:
        exports.load(settings, [path])
    assert "exports.zip/outro.csv" in caught.value.message
    assert "exports.zip/vazio.csv is empty" in caught.value.message
    assert [name for _, name, _ in outcomes(settings)] == [
        f"exports.zip/{name}" for name in ("feriado.csv", "outro.csv", "teto.csv", "vazio.csv")
    ]


def test_a_zip_that_must_not_be_trusted_is_refused_whole_and_the_folder_goes_on(
    settings: Settings, folder: Path
) -> None:
    with zipfile.ZipFile(folder / "exports.zip", "w") as archive:
        archive.write(FIXTURES / "cota.csv", "../cota.csv")
        archive.write(FIXTURES / "cota.csv", "cota.csv")
    with pytest.raises(PartialError, match="holds a path that leads out of its folder"):
        exports.load(settings, [folder])
    assert query(settings, "select count(*) from bruto_sisreg.cota") == [(0,)]
    assert query(settings, "select count(*) from bruto_sisreg.teto") == [(1,)]


def test_a_file_that_cannot_be_read_is_a_bad_file(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "fechado.csv"
    shutil.copyfile(FIXTURES / "cota.csv", closed)
    if os.geteuid() == 0:
        # Root may read everything: a disk that fails is the same to us.
        opened = Path.open

        def failing(path: Path, *arguments: Any, **options: Any) -> Any:
            if path == closed:
                raise PermissionError(13, "Permission denied")
            return opened(path, *arguments, **options)

        monkeypatch.setattr(Path, "open", failing)
    else:
        closed.chmod(0)
    with pytest.raises(PartialError, match=r"fechado\.csv cannot be read \(Permission denied\)"):
        exports.load(settings, [folder])
    assert query(settings, "select count(*) from bruto_sisreg.teto") == [(1,)]


def test_what_fails_for_all_files_stops_at_once(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is no bad file."""

    def full(*_: object) -> None:
        raise DiskError("no room left")

    monkeypatch.setattr(exports, "land", full)
    with pytest.raises(DiskError):
        exports.load(settings, [folder])
    assert [row[2] for row in outcomes(settings)] == ["falhou"]


def test_an_older_archive_still_stops_all_before_any_is_loaded(
    settings: Settings, folder: Path
) -> None:
    exports.load(settings, [FIXTURES / "cota.csv"], seen_on=date(2026, 5, 2))
    shutil.copyfile(FIXTURES / "cota.csv", folder / "cota.csv")
    (folder / "cota.csv").write_text((FIXTURES / "cota.csv").read_text() + "\n")
    (folder / "vazio.csv").write_text("")
    with pytest.raises(click.BadParameter):
        exports.load(settings, [folder], seen_on=date(2026, 5, 1))
    assert len(outcomes(settings)) == 1


def test_the_good_files_of_a_partial_delivery_come_out_of_landing(
    settings: Settings, folder: Path
) -> None:
    (folder / "a.csv").write_text("")
    with pytest.raises(PartialError):
        exports.load(settings, [folder])
    every = "select * from bruto_sisreg.ppi order by all"
    before, audit = query(settings, every), outcomes(settings)
    replay(settings, "export")
    assert (query(settings, every), outcomes(settings)) == (before, audit)


def test_reports_of_the_real_offer_are_loaded_one_by_one_too(
    settings: Settings, tmp_path: Path
) -> None:
    by_map = tmp_path / "mapa.toml"
    by_map.write_text(REPORT_MAP)
    files = tmp_path / "reports"
    files.mkdir()
    (files / "a.csv").write_text("")
    (files / "b.csv").write_text(f"{REPORT_HEADER}{REPORT_ROW}")
    (files / "c.csv").write_text("x;y\n1;2\n")
    with pytest.raises(PartialError, match="2 of 3 files were refused; the others are loaded"):
        report.load(settings, [files], by_map, {"qtd_teto": "9"})
    assert [(name, outcome) for _, name, outcome in outcomes(settings)] == [
        ("a.csv", "recusada"), ("b.csv", "completa"), ("c.csv", "recusada"),
    ]  # fmt: skip


def test_the_command_says_what_was_loaded_and_what_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (folder / "mm.csv").write_text("a;b\nSEGREDO DE ALGUEM;2\n")
    result = CliRunner().invoke(cli, ["load", "export", str(folder)])
    said = result.stderr.replace("\n", " ")
    assert result.exit_code == 12
    for line in ("feriado: feriado.csv: 2 received", "ppi: ppi.csv: 2", "teto: teto.csv: 1"):
        assert line in said
    assert "mm.csv: the header fits no known layout" in said
    assert "SEGREDO" not in result.output
    (folder / "mm.csv").unlink()
    assert CliRunner().invoke(cli, ["load", "export", str(folder)]).exit_code == 0


def test_partial_is_an_error_of_its_own() -> None:
    assert issubclass(PartialError, MapaError)
    assert not issubclass(PartialError, LayoutError | FormatError)


def variants(folder: Path, name: str, change: tuple[str, str]) -> tuple[Path, Path]:
    """Write a file of the fixtures and the same with one cell changed; return both."""
    first, second = folder / f"a-{name}", folder / f"b-{name}"
    shutil.copyfile(FIXTURES / name, first)
    content = first.read_bytes()
    assert content.count(change[0].encode()) >= 1
    second.write_bytes(content.replace(change[0].encode(), change[1].encode(), 1))
    return first, second


def load_patients(settings: Settings, paths: list[Path]) -> list[Summary]:
    """Load Patients of the RNDS."""
    return cadsus.load_file(settings, *paths)


@pytest.mark.parametrize(
    ("name", "change", "table"),
    [
        ("teto.csv", (";80", ";81"), "bruto_sisreg.teto"),
        ("feriado.csv", ("TIRADENTES", "OUTRO"), "bruto_sisreg.feriado"),
        ("escala.csv", (";ATIVA", ";INATIVA"), "bruto_sisreg.escala_ambulatorial"),
        ("agendamento_0010456_2026-04.csv", ("CATARATA", "RETINA"), "bruto_sisreg.agendamento"),
        ("tbEstabelecimento202604.csv", ("UNIDADE", "CENTRO"), "bruto_cnes.estabelecimento"),
        ("cadsus_pessoa.csv", ("FICTICIA UM", "FICTICIA TRES"), "bruto_cadsus.pessoa"),
        ("fhir_individuos.json", ("1980-05-17", "1981-05-17"), "bruto_cadsus.pessoa"),
    ],
    ids=["ceilings", "holidays", "schedules", "bookings", "CNES", "CadSUS", "FHIR"],
)
def test_a_return_to_an_earlier_state_is_a_change(
    settings: Settings, tmp_path: Path, name: str, change: tuple[str, str], table: str
) -> None:
    """File A, then B, then A's bytes again: what holds is A, and the same twice is nothing."""
    load = load_patients if name.endswith(".json") else exports.load
    first, second = variants(tmp_path, name, change)
    said = [load(settings, [path])[0].skipped for path in (first, second, second)]
    assert said == ["", "", "already loaded, skipped"]
    (again,) = load(settings, [first])
    assert (again.skipped, again.tally.loaded > 0) == ("", True)
    ((newest,),) = query(settings, f"select max_by(_carga_id, _carga_ordem) from {table}")
    named = f"select origem from controle.cargas where carga_id = '{newest}'"
    assert query(settings, named) == [(first.name,)]
    assert load(settings, [first])[0].skipped
    every = f"select * from {table} order by all"
    before = query(settings, every)
    parts = {"bruto_sisreg": "export", "bruto_cnes": "cnes", "bruto_cadsus": "cadsus"}
    replay(settings, parts[table.partition(".")[0]])
    assert query(settings, every) == before


def test_a_report_that_returns_to_an_earlier_state_is_a_change(
    settings: Settings, tmp_path: Path
) -> None:
    by_map = tmp_path / "mapa.toml"
    by_map.write_text(REPORT_MAP)
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(f"{REPORT_HEADER}{REPORT_ROW}")
    second.write_text(f"{REPORT_HEADER}{REPORT_ROW}".replace(";630", ";620"))
    loaded = [
        report.load(settings, [path], by_map, {"qtd_teto": "9"})[0]
        for path in (first, second, first, first)
    ]
    assert [bool(summary.skipped) for summary in loaded] == [False, False, False, True]
    assert [summary.tally.loaded for summary in loaded] == [1, 1, 1, 0]


def test_bookings_of_one_unit_say_nothing_of_those_of_another(
    settings: Settings, tmp_path: Path
) -> None:
    """A file that does not name its unit: the newest content is that of the unit."""
    path = tmp_path / "agenda.csv"
    shutil.copyfile(FIXTURES / "agendamento_0010456_2026-04.csv", path)
    units = ("0010456", "0000002", "0010456", "0000002")
    loaded = [exports.load(settings, [path], unit=unit)[0] for unit in units]
    assert [bool(summary.skipped) for summary in loaded] == [False, False, True, True]


@pytest.fixture
def standing(settings: Settings, tmp_path: Path) -> Path:
    """Return a folder with two files of ceilings, loaded in the order of their names: A, then B."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    variants(folder, "teto.csv", (";80", ";70"))
    exports.load(settings, [folder])
    return folder


def ceilings(settings: Settings) -> list[str]:
    """Return the versions of the one ceiling, oldest first."""
    rows = query(settings, "select qtd_teto from bruto_sisreg.teto order by _carga_ordem")
    return [quantity for (quantity,) in rows]


def test_a_folder_that_stands_is_loaded_once(settings: Settings, standing: Path) -> None:
    for _ in range(2):
        assert all(summary.skipped for summary in exports.load(settings, [standing]))
    exports.load(settings, sorted(standing.iterdir()))
    assert ceilings(settings) == ["80", "70"]


def test_what_is_loaded_by_hand_is_not_undone_by_a_folder_that_stands(
    settings: Settings, standing: Path, tmp_path: Path
) -> None:
    third = tmp_path / "c.csv"
    third.write_text((standing / "a-teto.csv").read_text().replace(";80", ";60"))
    exports.load(settings, [third])
    exports.load(settings, [standing / "a-teto.csv"])
    for _ in range(2):
        assert all(summary.skipped for summary in exports.load(settings, [standing]))
    assert ceilings(settings) == ["80", "70", "60", "80"]


@pytest.mark.parametrize(
    "deliver",
    [
        lambda path: shutil.copyfile(path, path.with_name("c.csv")),
        lambda path: path.with_name("b-teto.csv").write_bytes(path.read_bytes()),
        lambda path: os.utime(path, (1_900_000_000, 1_900_000_000)),
    ],
    ids=["under another name", "over the other file", "over itself, newer"],
)
def test_content_that_is_delivered_anew_into_a_folder_is_a_change(
    settings: Settings, standing: Path, deliver: Callable[[Path], object]
) -> None:
    deliver(standing / "a-teto.csv")
    exports.load(settings, [standing])
    assert ceilings(settings) == ["80", "70", "80"]
    for _ in range(2):
        assert all(summary.skipped for summary in exports.load(settings, [standing]))


def test_a_file_that_returns_with_its_old_time_is_delivered_anew(
    settings: Settings, tmp_path: Path
) -> None:
    """A copy may keep the time of the original, and so be the very file of before but one."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    path = folder / "teto.csv"
    for quantity, time in ((80, 1_700_000_000), (70, 1_700_000_500), (80, 1_700_000_000)):
        content = (FIXTURES / "teto.csv").read_text().replace(";80", f";{quantity}")
        path.write_text(content)
        os.utime(path, (time, time))
        exports.load(settings, [folder])
        assert all(summary.skipped for summary in exports.load(settings, [folder]))
    assert ceilings(settings) == ["80", "70", "80"]


def test_a_zip_that_stands_is_loaded_once_and_touching_a_mode_is_no_delivery(
    settings: Settings, tmp_path: Path
) -> None:
    first, second = variants(tmp_path, "teto.csv", (";80", ";70"))
    folder = tmp_path / "inbox"
    folder.mkdir()
    packed = folder / "tetos.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(first, "a.csv")
        archive.write(second, "b.csv")
    for paths in ([folder], [packed], [folder]):
        exports.load(settings, paths)
        packed.chmod(0o600)
    assert ceilings(settings) == ["80", "70"]


def test_files_of_one_name_in_several_folders_are_several_files(
    settings: Settings, tmp_path: Path
) -> None:
    folders = []
    for month, quantity in (("2026-01", 80), ("2026-02", 70)):
        folders.append(tmp_path / month)
        folders[-1].mkdir()
        content = (FIXTURES / "teto.csv").read_text().replace(";80", f";{quantity}")
        (folders[-1] / "teto.csv").write_text(content)
    for _ in range(3):
        exports.load(settings, folders)
    assert ceilings(settings) == ["80", "70"]
