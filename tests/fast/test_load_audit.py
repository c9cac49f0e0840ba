"""The audit: each load, complete, refused or failed, leaves one row that says all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from conftest import PROJECT
from mapa import __version__
from mapa.cli import cli
from mapa.errors import FormatError, LayoutError, MapaError, SourceError
from mapa.load import cadsus, exports, offer_api, sisreg
from mapa.settings import Settings
from mapa_city.doors import offer_api as door
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from test_load_cadsus import KNOWN, meet, serving_answers
from test_load_offer_api import EXPORT, map_for, records_of

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
CNES = ("cnes_estabelecimento",)
INDEX = INDICES[0]
Action = Callable[[Settings, Path], Any]


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with credentials and sources that nobody serves yet."""
    return Settings(
        mapa_dir=tmp_path / "data",
        sisreg_user=USER,
        sisreg_password=SecretStr(PASSWORD),
        oferta_api_token=SecretStr(door.TOKEN),
        cadsus_rate=0,
    )


def row(settings: Settings) -> dict[str, Any]:
    """Return the only row of the audit."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        (found,) = con.execute("select * from controle.cargas").to_arrow_table().to_pylist()
    assert isinstance(found, dict)
    return found


def read_index(settings: Settings, spoil: list[Any]) -> None:
    """Read an index whose answers are spoilt in turn."""
    with mirroring(Mirror({INDEX: [document(n) for n in range(3)]}, spoil=spoil)) as mirror:
        sisreg.load(settings.model_copy(update={"sisreg_url": mirror.url}), INDEX)


def read_offer(settings: Settings, folder: Path, *change: tuple[str, str]) -> None:
    """Read the offer API by a map with a mistake."""
    with door.serving(records_of(EXPORT)) as url:
        path = map_for(url, folder, ("tamanho = 500", "tamanho = 2"), *change)
        offer_api.load(settings, path, exports.WHOLE)


def ask(settings: Settings, answer: str, status: int, *, refused: bool = False) -> None:
    """Ask CadSUS for one card."""
    with serving_answers() as service:
        service.answers[KNOWN] = (status, answer)
        service.refused = {f"ficha-secreta-{n}" for n in range(9)} if refused else set()
        urls = {"cadsus_url": f"{service.url}/pdq", "cadsus_token_url": f"{service.url}/token"}
        meet(settings, (KNOWN, None))
        cadsus.load(settings.model_copy(update=urls))


def written(folder: Path, text: str, name: str = "x.csv") -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text)
    return path


COMPLETE: dict[str, Action] = {
    "sisreg": lambda s, _: read_index(s, [lambda _: 503]),
    "oferta_api": read_offer,
    "arquivo": lambda s, _: exports.load(s, [EXPORT]),
    "cnes": lambda s, _: exports.load(s, [FIXTURES / "tbEstabelecimento202604.csv"], only=CNES),
    "cadsus": lambda s, _: ask(s, "pdq_ok.xml", 200),
}


@pytest.mark.parametrize("source", COMPLETE)
def test_a_complete_load_has_all_of_it(settings: Settings, tmp_path: Path, source: str) -> None:
    COMPLETE[source](settings, tmp_path)
    found = row(settings)
    assert found["fonte"] == source
    assert (found["resultado"], found["mensagem"]) == ("completa", None)
    assert found["versao_codigo"] == __version__
    assert found["bytes_recebidos"] > 0
    assert len(found["sha256"]) == 64
    assert found["terminada_em"] > found["iniciada_em"]
    assert found["qtd_recebidas"] > 0
    assert found["qtd_recebidas"] == (
        found["qtd_carregadas"] + found["qtd_identicas"] + found["qtd_rejeitadas"]
    )
    assert found["qtd_novas_tentativas"] == (1 if source == "sisreg" else 0)
    assert found["janela_fim"] or source != "sisreg"


ESCALA = EXPORT.read_text()
# Source, entity, whether bytes came, retries, outcome, and what does it.
FAILURES: dict[str, tuple[str, str, bool, int, str, type[MapaError], Action]] = {
    "an index that stays busy": (
        "sisreg", INDEX, True, 1, "falhou", SourceError,
        lambda s, _: read_index(s, [lambda _: 503] * 9),
    ),
    "a source that is not there": (
        "sisreg", INDEX, False, 1, "falhou", SourceError,
        lambda s, _: sisreg.load(s.model_copy(update={"sisreg_url": "http://127.0.0.1:9"}), INDEX),
    ),
    "an offer API that counts other than it delivers": (
        "oferta_api", "escala", True, 0, "falhou", SourceError,
        lambda s, folder: read_offer(s, folder, ("primeira = 1", "primeira = 2")),
    ),
    "an offer API of another form": (
        "oferta_api", "escala", True, 0, "falhou", SourceError,
        lambda s, folder: read_offer(s, folder, ('"dados.itens"', '"itens"')),
    ),
    "a refused certificate": (
        "cadsus", "pdq", False, 0, "falhou", SourceError,
        lambda s, _: ask(s, "pdq_ok.xml", 200, refused=True),
    ),
    "an empty file": (
        "arquivo", "desconhecida", False, 0, "recusada", FormatError,
        lambda s, folder: exports.load(s, [written(folder, "")]),
    ),
    "a file of another system": (
        "arquivo", "desconhecida", True, 0, "recusada", LayoutError,
        lambda s, _: exports.load(s, [FIXTURES / "desconhecido.csv"]),
    ),
    "a column less": (
        "arquivo", "escala", True, 0, "recusada", LayoutError,
        lambda s, folder: exports.load(s, [written(folder, ESCALA.replace("STATUS", "X"))]),
    ),
    "too many wrong rows": (
        "arquivo", "escala", True, 0, "recusada", FormatError,
        lambda s, folder: exports.load(s, [written(folder, ESCALA + "a;b\n" * 9)]),
    ),
    "no establishments": (
        "cnes", "cnes_estabelecimento", True, 0, "recusada", LayoutError,
        lambda s, _: exports.load(s, [EXPORT], only=CNES),
    ),
    "a Bundle that is cut off": (
        "cadsus", "fhir", True, 0, "recusada", FormatError,
        lambda s, folder: cadsus.load_file(s, written(folder, '{"resourceType":', "x.json")),
    ),
    "an archive that is none": (
        "cadsus", "desconhecida", True, 0, "recusada", FormatError,
        lambda s, folder: cadsus.load_file(s, written(folder, "PK\x03\x04", "x.zip")),
    ),
    "no persons": (
        "cadsus", "cadsus_pessoa", True, 0, "recusada", LayoutError,
        lambda s, _: cadsus.load_file(s, EXPORT),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_what_failed_or_was_refused_has_its_row_too(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    source, entity, came, retries, outcome, error, action = FAILURES[name]
    with pytest.raises(error) as caught:
        action(settings, tmp_path)
    found = row(settings)
    assert (found["fonte"], found["entidade"], found["resultado"]) == (source, entity, outcome)
    assert found["mensagem"] == caught.value.message.splitlines()[0]
    assert found["versao_codigo"] == __version__
    assert (found["bytes_recebidos"] > 0) == came
    assert found["qtd_novas_tentativas"] == retries
    assert found["terminada_em"] >= found["iniciada_em"]
    # What became of the records is unknown, because nothing was loaded.
    assert {found[c] for c in ("qtd_recebidas", "qtd_carregadas", "qtd_rejeitadas")} == {None}


def test_the_status_prints_the_audit(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(settings.mapa_dir))
    exports.load(settings, [EXPORT])
    with pytest.raises(FormatError):
        exports.load(settings, [written(tmp_path, "", "vazio.csv")])
    plain = CliRunner().invoke(cli, ["status"]).output
    for word in ("completa", "recusada", "bytes", "retries", "vazio.csv is empty"):
        assert word in plain
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        loads = con.execute("select carga_id, sha256 from controle.cargas").fetchall()
    wide = CliRunner().invoke(cli, ["status", "--wide"]).output
    rows = json.loads(CliRunner().invoke(cli, ["status", "--json"]).output)["loads"]
    for name, checksum in loads:
        assert name in wide
        assert (checksum or "-") in wide
    assert {(row["load"], row["sha256"]) for row in rows} == {*loads}
    assert {row["version"] for row in rows} == {__version__}
