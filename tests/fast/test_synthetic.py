"""What is simulated is recognised wherever it comes in, and what is real never is."""

from __future__ import annotations

import shutil
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from conftest import PROJECT
from mapa import audit, synthetic, warehouse
from mapa.load import cadsus, exports, offer_api, report, sisreg
from mapa.load.replay import replay
from mapa.settings import Settings
from mapa_city import report as simulated_report
from mapa_city.city import City, build
from mapa_city.doors import files
from mapa_city.doors import offer_api as door
from mapa_city.doors.server import serving
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from test_load_offer_api import EXPORT, map_for, records_of

COLUMNS = PROJECT / "docs" / "oferta_real.exemplo.toml"
FIXTURES = PROJECT / "tests" / "fixtures" / "load"
TELLING = ("SISREG_ESCALAS", "SISREG_AGENDAMENTO", "tbEstabelecimento")
"""How the names of the files begin that tell by their content alone."""


@pytest.fixture(scope="module")
def city() -> City:
    return build(people=1500, days=90, seed=1, until=date(2026, 6, 30))


@pytest.fixture(scope="module")
def written(city: City, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return files.write(city, tmp_path_factory.mktemp("city") / "files")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(mapa_dir=tmp_path / "data", oferta_api_token=SecretStr(door.TOKEN))


def noted(settings: Settings) -> dict[str, bool | None]:
    """Return what was noted of each entity."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        found = con.execute("select entidade, eh_sintetica from controle.cargas").fetchall()
    return dict(found)


def all_of_it(settings: Settings) -> bool | None:
    """Return what the loads say together."""
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        return audit.is_synthetic(con)


def real(folder: Path) -> list[Path]:
    """Write every fixture as a real system would, with operators who have names of their own."""
    folder.mkdir()
    for path in sorted(FIXTURES.iterdir()):
        if path.suffix in (".csv", ".txt") and path.name not in (
            "agenda_da_tela.csv",
            "desconhecido.csv",
        ):
            content = path.read_bytes().replace(synthetic.OPERATOR.encode(), b"530010MARIA")
            (folder / path.name).write_bytes(content)
    return [folder]


def test_every_file_of_the_simulator_is_known_in_its_folder(
    settings: Settings, written: list[Path]
) -> None:
    exports.load(settings, written)
    found = noted(settings)
    assert len(found) >= 10
    assert set(found.values()) == {True}


def test_files_that_were_moved_alone_still_tell(
    settings: Settings, written: list[Path], tmp_path: Path
) -> None:
    moved = [path for path in written if path.name.startswith(TELLING)]
    assert len(moved) == 4
    for number, path in enumerate(moved):
        place = tmp_path / str(number)
        place.mkdir()
        # A CSV of bookings names its unit in its name only.
        named = "AGENDAMENTO" in path.name and path.suffix == ".csv"
        name = path.name if named else f"renomeado{path.suffix}"
        exports.load(settings, [Path(shutil.copyfile(path, place / name))])
    assert set(noted(settings).values()) == {True}


def test_a_zip_of_the_simulators_folder_tells_for_all_that_is_in_it(
    settings: Settings, written: list[Path], tmp_path: Path
) -> None:
    packed = tmp_path / "cidade.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*written, written[0].parent / synthetic.MARKER]:
            archive.write(path, f"cidade/{path.name}")
    exports.load(settings, [packed])
    assert set(noted(settings).values()) == {True}


def test_the_simulators_services_say_so(settings: Settings, city: City, tmp_path: Path) -> None:
    with serving(city) as server:
        pointed = settings.model_copy(update=server.settings())
        sisreg.load(pointed, "marcacao-ambulatorial")
        cadsus.load(pointed, limit=3)
    with door.serving(records_of(EXPORT)) as url:
        offer_api.load(settings, map_for(url, tmp_path), exports.WHOLE)
    reported = simulated_report.write(city, tmp_path / "reports")
    report.load(settings, [reported], COLUMNS, {})
    found = noted(settings)
    assert len(found) == 4
    assert set(found.values()) == {True}


def test_real_files_are_not_taken_for_simulated(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, real(tmp_path / "exports"))
    found = noted(settings)
    assert len(found) >= 8
    assert set(found.values()) == {False}
    assert all_of_it(settings) is False


def test_a_real_service_is_not_taken_for_simulated(settings: Settings) -> None:
    access = {"sisreg_user": USER, "sisreg_password": SecretStr(PASSWORD)}
    with mirroring(Mirror({INDICES[1]: [document(1, INDICES[1])]})) as mirror:
        pointed = settings.model_copy(update=access | {"sisreg_url": mirror.url})
        sisreg.load(pointed, INDICES[1])
    assert noted(settings) == {INDICES[1]: False}


def test_one_simulated_file_among_real_ones_makes_all_of_it_synthetic(
    settings: Settings, written: list[Path], tmp_path: Path
) -> None:
    exports.load(settings, real(tmp_path / "exports"))
    (units,) = [path for path in written if path.name.startswith("tbEstabelecimento")]
    exports.load(settings, [units])
    assert all_of_it(settings) is True


def test_a_load_of_before_the_note_leaves_the_origin_unknown(
    settings: Settings, tmp_path: Path
) -> None:
    exports.load(settings, real(tmp_path / "exports"))
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update controle.cargas set eh_sintetica = null where entidade = 'ppi'")
    assert all_of_it(settings) is None
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("alter table controle.cargas drop column eh_sintetica")
    assert all_of_it(settings) is None
    with warehouse.connect(settings.warehouse):
        pass
    assert set(noted(settings).values()) == {None}


def test_a_replay_from_landing_alone_knows_it_again(
    settings: Settings, written: list[Path], tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in written:
        shutil.copyfile(path, moved / path.name)
    exports.load(settings, [moved])
    before = noted(settings)
    assert set(before.values()) == {True, False}
    settings.warehouse.unlink()
    for part in ("export", "cnes"):
        replay(settings, part)
    assert noted(settings) == before


@given(st.binary(max_size=60), st.binary(max_size=60), st.lists(st.integers(1, 12), min_size=1))
def test_the_name_is_seen_wherever_the_chunks_are_cut(
    before: bytes, after: bytes, sizes: list[int]
) -> None:
    content = before + synthetic.OPERATOR.encode() + after
    watch = synthetic.Watch()
    assert b"".join(watch.over(cut(content, sizes))) == content
    assert watch.found


@given(st.binary(max_size=200).filter(lambda b: synthetic.OPERATOR.encode() not in b))
def test_nothing_else_is_taken_for_the_name(content: bytes) -> None:
    watch = synthetic.Watch()
    assert b"".join(watch.over(cut(content, [7]))) == content
    assert not watch.found


def cut(content: bytes, sizes: list[int]) -> Any:
    """Yield the content in pieces of these sizes, over and over."""
    place = turn = 0
    while place < len(content):
        size = sizes[turn % len(sizes)]
        yield content[place : place + size]
        place, turn = place + size, turn + 1
