"""Replay: raw, audit, absences and fields of every source come out of landing as they were."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from conftest import PROJECT
from mapa import landing, layouts, warehouse
from mapa.cli import cli
from mapa.errors import ConfigError, FormatError
from mapa.landing import PREPARED, SEALED
from mapa.load import cadsus, exports, offer_api, report
from mapa.load.exports import Completeness
from mapa.load.replay import parts, replay
from mapa.settings import Settings
from mapa_city.doors import offer_api as door
from test_load_cadsus import AMBIGUOUS, BROKEN, KNOWN, UNKNOWN, serving_answers
from test_load_exports import HEADER, with_id
from test_load_offer_api import EXAMPLE, map_for, records_of
from test_load_report import HEADER as REPORT_HEADER
from test_load_report import MAP as REPORT_MAP
from test_load_report import ROW as REPORT_ROW

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
FILES = ("export", "cadsus", "cnes")


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of raw and of the audit; of loads that were refused, nothing."""
    done = "(select carga_id from controle.cargas where resultado = 'completa')"
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        raw = {
            layout.table: f"from {layout.table} order by _carregado_em, _arquivo, _linha"
            for layout in layouts.every()
        }
        control = {
            table: f"from controle.{table} where carga_id in {done} order by all"
            for table in (
                "cargas", "rejeitos", "ausencias", "campos_desconhecidos", "campos", "marcas",
            )
        }  # fmt: skip
        return {name: con.execute(query).fetchall() for name, query in (raw | control).items()}


def write(path: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    """Write an export of schedules."""
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def load_exports(settings: Settings, folder: Path) -> None:
    """Load files of every layout of SISREG, schedules that change, vanish and come back."""
    # A project is only taken when its term is known: they come as one folder.
    together = sorted(FIXTURES.glob("proadi_*.csv"))
    for path in sorted(FIXTURES.iterdir()):
        known = ("agenda_da_tela.csv", "desconhecido.csv", "escala.csv")
        if path.suffix in (".csv", ".txt") and path.name not in known and path not in together:
            exports.load(settings, [path])
    exports.load(settings, together)
    rows = [with_id(n) for n in range(1, 9)]
    changed = rows[0].replace("ATIVA", "INATIVA")
    more = [f"{row};ção" for row in rows[:7]]
    exports.load(settings, [write(folder / "1.csv", *rows)])
    exports.load(settings, [write(folder / "2.csv", changed, "a;b", *rows[1:7])])
    latin = write(folder / "3.csv", *more, header=f"{HEADER};SITUAÇÃO NOVA", encoding="cp1252")
    exports.load(settings, [latin])
    exports.load(settings, [write(folder / "4.csv", rows[7])], Completeness(partial=True))
    exports.load(settings, [write(folder / "5.csv", *rows[:2])], Completeness(confirmed=True))
    exports.load(settings, [write(folder / "back.csv", *reversed(rows))])
    with zipfile.ZipFile(folder / "6.zip", "w") as archive:
        archive.writestr("junho/6.csv", (folder / "1.csv").read_text().replace("SEG", "TER"))
    exports.load(settings, [folder / "6.zip"], Completeness(confirmed=True))
    with pytest.raises(FormatError):
        exports.load(settings, [write(folder / "7.csv", "a;b")])
    by_map = folder / "mapa.toml"
    by_map.write_text(REPORT_MAP)
    (folder / "8.csv").write_text(f"{REPORT_HEADER}{REPORT_ROW}{REPORT_ROW.replace('4', 'x')}")
    report.load(settings, [folder / "8.csv"], by_map, {"qtd_teto": "9"}, date(2026, 5, 2))


def load_offer(settings: Settings, folder: Path) -> None:
    """Load the offer API twice, with one schedule less and a field that no column takes."""
    offer = records_of(FIXTURES / "escala.csv")
    changed = [record | {"origem": {"lote": n}} for n, record in enumerate(offer[:3])]
    for records in (offer, changed):
        with door.serving(records) as url:
            path = map_for(url, folder, ("tamanho = 500", "tamanho = 2"))
            offer_api.load(settings, path, Completeness(confirmed=True))


def load_persons(settings: Settings) -> None:
    """Ask by card and CPF, twice; load Patients and flat files."""
    with warehouse.connect(settings.warehouse) as con:
        for cns, cpf in ((KNOWN, None), (UNKNOWN, "191000000"), (AMBIGUOUS, None), (BROKEN, None)):
            con.execute(
                "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario, cpf_usuario) "
                "values (?, ?)",
                [cns, cpf],
            )
    with serving_answers() as service:
        service.answers["00191000000"] = (200, "pdq_antigo_protegido_falecido.xml")
        pointed = settings.model_copy(
            update={"cadsus_url": f"{service.url}/pdq", "cadsus_token_url": f"{service.url}/token"}
        )
        cadsus.load(pointed)
        cadsus.load(pointed)
    for name in ("fhir_individuos.json", "cadsus_pessoa.csv", "cadsus_cns.csv"):
        cadsus.load_file(settings, FIXTURES / name)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything loaded; tests work on copies."""
    folder = tmp_path_factory.mktemp("replay")
    settings = settings_in(folder)
    load_exports(settings, folder)
    load_offer(settings, folder)
    load_persons(settings)
    return folder


def settings_in(folder: Path) -> Settings:
    """Return settings of a folder."""
    return Settings(
        mapa_dir=folder / "data",
        mapa_max_rejected_share=0.5,
        oferta_api_token=SecretStr(door.TOKEN),
        cadsus_rate=0,
    )


@pytest.fixture
def settings(loaded: Path, tmp_path: Path) -> Settings:
    """Return settings of a copy of what was loaded."""
    shutil.copytree(loaded / "data", tmp_path / "data")
    return settings_in(tmp_path)


def test_what_was_loaded_has_something_of_everything(settings: Settings) -> None:
    rows = everything(settings)
    api = {layout.table for layout in layouts.of_indices()}
    assert not [name for name, found in rows.items() if not found and name not in api | {"marcas"}]
    assert {row[2] for row in rows["bruto_cadsus.consulta"]} == {
        "ok", "nao_encontrado", "varios", "falha",
    }  # fmt: skip
    assert {row[0] for row in rows["bruto_cadsus.consulta"]} == {"cns", "cpf"}
    assert {row[5] for row in rows["campos"]} == {"conhecido", "novo", "ausente"}
    assert {row[3] for row in rows["ausencias"]} == {"ausente", "presente"}


def test_replay_rebuilds_all_files_and_answers_from_landing_alone(settings: Settings) -> None:
    before = everything(settings)
    refused = "select * from controle.cargas where resultado <> 'completa'"
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        other = con.execute(refused).fetchall()
    for part in FILES:
        replay(settings, part)
        assert everything(settings) == before
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        assert con.execute(refused).fetchall() == other != []
    asked = before.pop("bruto_sisreg.marcacao_ambulatorial")
    settings.warehouse.unlink()
    for part in FILES:
        assert replay(settings, part)
    after = everything(settings)
    assert (len(asked), after.pop("bruto_sisreg.marcacao_ambulatorial")) == (4, [])
    assert after == before


def test_replay_of_one_part_leaves_the_others_alone(settings: Settings) -> None:
    before = everything(settings)
    shutil.rmtree(settings.landing / "cadsus")
    replay(settings, "export")
    with pytest.raises(ConfigError, match=r"6 loads of the warehouse are not in"):
        replay(settings, "cadsus")
    assert everything(settings) == before


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _repack(path: Path) -> None:
    """Write something else that can be read just as well."""
    path.write_bytes(gzip.compress(gzip.decompress(landing.read(path)) + b"\n"))


@pytest.mark.parametrize("part", FILES)
@pytest.mark.parametrize("harm", [_cut, _repack, Path.unlink])
@pytest.mark.parametrize("with_warehouse", [True, False])
def test_damage_is_named_and_changes_nothing(
    settings: Settings, part: str, harm: Callable[[Path], None], with_warehouse: bool
) -> None:
    before = everything(settings)
    if not with_warehouse:
        settings.warehouse.unlink()
    files = (settings.landing / parts()[part].sources[0]).glob("*/*.gz")
    last = max(file for file in files if (file.parent / SEALED).exists())
    harm(last)
    with pytest.raises(FormatError, match="not what was received") as caught:
        replay(settings, part)
    assert str(last) in caught.value.message
    assert f"mapa load {part}" in caught.value.message
    if with_warehouse:
        assert everything(settings) == before
    else:
        assert not any(everything(settings).values())


def test_a_note_that_cannot_be_read_is_damage(settings: Settings) -> None:
    note = next((settings.landing / "cnes").glob(f"*/{SEALED}"))
    content = json.loads(landing.read(note))
    note.write_text("{")
    with pytest.raises(FormatError, match="not what was received"):
        replay(settings, "cnes")
    note.write_text(json.dumps({"carga_id": content["carga_id"], "arquivos": []}))
    with pytest.raises(ConfigError, match="an older version wrote it"):
        replay(settings, "cnes")


def test_a_load_whose_last_note_is_missing_counts_when_it_was_committed(
    settings: Settings,
) -> None:
    before = everything(settings)
    for note in settings.landing.glob(f"*/*/{SEALED}"):
        note.rename(note.with_name(PREPARED))
    replay(settings, "cnes")
    assert everything(settings) == before
    assert not list(settings.landing.rglob(PREPARED))


def test_notes_keep_no_credential_and_not_how_the_api_is_asked(settings: Settings) -> None:
    notes = [json.loads(landing.read(p)) for p in settings.landing.glob(f"oferta_api/*/{SEALED}")]
    assert len(notes) == 2
    for note in notes:
        assert set(note["mapa"]) == {"records", "total", "fields", "iso_dates", "translations"}
        assert (note["parcial"], note["confirmada"]) == (False, True)
        assert door.TOKEN not in json.dumps(note)


@pytest.mark.parametrize("part", ["sisreg", *FILES])
def test_an_empty_landing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(tmp_path / "data"))
    result = CliRunner().invoke(cli, ["load", part, "--replay"])
    assert (result.exit_code, "holds no complete load" in result.output) == (0, True)


@pytest.mark.parametrize("part", FILES)
def test_the_command_takes_replay_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(settings.mapa_dir))
    monkeypatch.chdir(settings.mapa_dir)
    before = everything(settings)
    result = CliRunner().invoke(cli, ["load", part, "--replay"])
    assert (result.exit_code, "received = " in result.output) == (0, True)
    assert everything(settings) == before
    other = ["--limit", "3"] if part == "cadsus" else [str(EXAMPLE)]
    result = CliRunner().invoke(cli, ["load", part, "--replay", *other])
    assert (result.exit_code, "it takes nothing else" in result.output) == (2, True)
