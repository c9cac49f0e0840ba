"""The offer API: by its map it feeds what the export feeds, and says what is wrong with a map."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from conftest import PROJECT, environment
from mapa import warehouse
from mapa.cli import cli
from mapa.errors import ConfigError, LayoutError, MapaError, SourceError
from mapa.layouts import named
from mapa.load import exports, offer_api
from mapa.settings import Settings
from mapa_city.doors import offer_api as door

EXAMPLE = PROJECT / "docs" / "oferta_api.exemplo.toml"
EXPORT = PROJECT / "tests" / "fixtures" / "load" / "escala.csv"


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


def records_of(export: Path) -> list[dict[str, Any]]:
    """Return the schedules of an export in the API's words."""
    with export.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file, delimiter=";")
    columns = named("escala").columns
    records = [dict(zip(columns, [c or None for c in row], strict=True)) for row in rows]
    return door.records(records, EXAMPLE)


@pytest.fixture
def offer() -> list[dict[str, Any]]:
    """Return the schedules of the export in the API's words."""
    return records_of(EXPORT)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings that open the door."""
    return Settings(mapa_dir=tmp_path / "data", oferta_api_token=SecretStr(door.TOKEN))


def map_for(url: str, folder: Path, *changes: tuple[str, str]) -> Path:
    """Return the example, pointed at an address, with some texts replaced."""
    text = EXAMPLE.read_text()
    for old, new in (("https://oferta.example.org/api", url), *changes):
        assert old in text
        text = text.replace(old, new)
    path = folder / "oferta.toml"
    path.write_text(text)
    return path


def schedules(settings: Settings) -> list[tuple[Any, ...]]:
    """Return the raw schedules without where they came from."""
    escala = named("escala")
    names = ", ".join(escala.columns)
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        return con.execute(f"select {names}, _linha from {escala.table} order by _linha").fetchall()


def test_a_schedule_of_the_export_and_of_the_api_is_one_record(
    settings: Settings, offer: list[dict[str, Any]], tmp_path: Path
) -> None:
    exports.load(settings, [EXPORT])
    before = schedules(settings)
    with door.serving(offer) as url:
        summary = offer_api.load(settings, map_for(url, tmp_path), exports.WHOLE)
    assert (summary.tally.loaded, summary.notes) == (0, ())
    assert schedules(settings) == before
    offer[0]["horario"]["fim"], offer[0]["profissional"]["cpf"] = "10:45", "00000000191"
    with door.serving(offer) as url:
        summary = offer_api.load(settings, map_for(url, tmp_path), exports.WHOLE)
    assert summary.notes == ()
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        versions = con.execute(
            f"select _chave, count(*) from {named('escala').table} group by all having count(*) > 1"
        ).fetchall()
    assert len(versions) == 1
    (again,) = exports.load(settings, [EXPORT])
    assert (again.tally.loaded, again.notes) == (1, ())


def test_an_api_that_returns_to_an_earlier_state_is_a_change(
    settings: Settings, offer: list[dict[str, Any]], tmp_path: Path
) -> None:
    changed = [offer[0] | {"horario": offer[0]["horario"] | {"fim": "10:45"}}, *offer[1:]]
    loaded = []
    for records in (offer, changed, offer, offer):
        with door.serving(records) as url:
            summary = offer_api.load(settings, map_for(url, tmp_path), exports.WHOLE)
        loaded.append(summary.tally.loaded)
    assert loaded == [len(offer), 1, 1, 0]


@pytest.mark.parametrize("size", [1, 2, 3, 500])
def test_the_api_feeds_the_same_rows_as_the_export(
    settings: Settings, offer: list[dict[str, Any]], tmp_path: Path, size: int
) -> None:
    other = Settings(mapa_dir=tmp_path / "other")
    exports.load(other, [EXPORT])
    with door.serving(offer) as url:
        path = map_for(url, tmp_path, ("tamanho = 500", f"tamanho = {size}"))
        summary = offer_api.load(settings, path, exports.WHOLE)
        assert (summary.tally.received, summary.tally.loaded) == (4, 4)
        again = offer_api.load(settings, path, exports.WHOLE)
    assert (again.tally.loaded, again.tally.identical) == (0, 4)
    assert schedules(settings) == schedules(other)


def test_what_the_api_lacks_has_vanished(
    settings: Settings, offer: list[dict[str, Any]], tmp_path: Path
) -> None:
    with door.serving(offer) as url:
        offer_api.load(settings, map_for(url, tmp_path), exports.WHOLE)
    with door.serving(offer[1:]) as url:
        path = map_for(url, tmp_path)
        summary = offer_api.load(settings, path, exports.WHOLE)
    assert summary.notes == ("1 vanished",)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (('status = "situacao"', ""), (ConfigError, "mandatory column `status`")),
        (('status = "situacao"', 'estado = "situacao"'), (ConfigError, "`estado` is not a column")),
        (('endereco = "', 'outro = "'), (ConfigError, "'endereco' is missing")),
        (("[campos]", "[campos"), (ConfigError, "not a TOML file")),
        (('status = "situacao"', "status = 1"), (ConfigError, "not a TOML file of that form")),
        (('"dados.itens"', '"itens"'), (SourceError, "no list at `itens`")),
        (("/v1/escalas", "/v2/escalas"), (SourceError, "answered 404 to page 1")),
        (
            ("primeira = 1", "primeira = 2"),
            (SourceError, "0 schedules came and the source counts 4"),
        ),
    ],
)
def test_a_map_that_does_not_fit_is_refused_by_name(
    settings: Settings,
    offer: list[dict[str, Any]],
    tmp_path: Path,
    change: tuple[str, str],
    refusal: tuple[type[MapaError], str],
) -> None:
    error, words = refusal
    with door.serving(offer) as url, pytest.raises(error, match=words):
        offer_api.load(settings, map_for(url, tmp_path, change), exports.WHOLE)
    if settings.warehouse.exists():
        assert schedules(settings) == []


def test_the_command_takes_its_token_from_the_environment(
    offer: list[dict[str, Any]], tmp_path: Path
) -> None:
    with door.serving(offer) as url:
        arguments = ["load", "offer-api", "--map", str(map_for(url, tmp_path))]
        with environment({"MAPA_DIR": str(tmp_path / "data"), "OFERTA_API_TOKEN": "errada"}):
            refused = CliRunner().invoke(cli, arguments)
        with environment({"MAPA_DIR": str(tmp_path / "data"), "OFERTA_API_TOKEN": door.TOKEN}):
            loaded = CliRunner().invoke(cli, arguments)
    assert refused.exit_code == 5
    assert "check OFERTA_API_USER" in refused.output
    assert "errada" not in refused.output
    assert loaded.exit_code == 0
    assert "4 received = 4 loaded" in loaded.output
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if door.TOKEN.encode() in path.read_bytes()]


def test_an_offer_that_shrinks_far_is_refused_with_the_way_out(
    settings: Settings, offer: list[dict[str, Any]], tmp_path: Path
) -> None:
    with door.serving(offer) as url:
        offer_api.load(settings, map_for(url, tmp_path), exports.WHOLE)
    with door.serving(offer[2:]) as url:
        path = map_for(url, tmp_path)
        with pytest.raises(LayoutError, match="2 of 4 known records") as caught:
            offer_api.load(settings, path, exports.WHOLE)
        assert "mapa load offer-api --partial --map FILE" in caught.value.message
        offer_api.load(settings, path, exports.Completeness(confirmed=True))
    assert len(schedules(settings)) == 4
