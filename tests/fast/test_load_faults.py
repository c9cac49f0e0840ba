"""The loader on the source's worst days: a short fault suite, and each rule by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from mapa.cli import cli
from mapa.errors import ConfigError, FormatError, LayoutError, SourceError
from mapa.load import pages, sisreg
from mapa.load.replay import replay
from mapa.settings import Settings
from mapa_city.bench import faults as suite
from mapa_city.bench.faults import Scene, content, faulty, killed, plans
from mapa_city.doors import faults
from mapa_city.doors.faults import Plan
from mirror import PASSWORD, USER, Mirror, document, mirroring

INDEX = "solicitacao-ambulatorial"
TABLE = "bruto_sisreg.solicitacao_ambulatorial"
RUNS, KILLS = 20, 8
ONCE = len(faults.CLASSES) + 1
"""Runs that meet each class of faults, and all of them mixed."""


def first(many: int, cases: Sequence[Any]) -> list[Any]:
    """Return the cases of which only the first ones run each time."""
    values = (case if isinstance(case, tuple) else (case,) for case in cases)
    marks = ((), pytest.mark.long)
    return [pytest.param(*v, marks=marks[n >= many]) for n, v in enumerate(values)]


@pytest.fixture(scope="module")
def city() -> Iterator[Scene]:
    """Serve a small city to all tests of this module."""
    with suite.scene(people=1000, days=60, index=INDEX) as scene:
        yield scene


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve 25 requests that are all open."""
    with mirroring(Mirror({INDEX: [document(n) for n in range(25)]})) as served:
        yield served


@pytest.fixture
def settings(mirror: Mirror, tmp_path: Path) -> Settings:
    """Return settings that point at the mirror, with small pages and little patience."""
    return Settings(
        mapa_dir=tmp_path / "data",
        sisreg_url=mirror.url,
        sisreg_user=USER,
        sisreg_password=SecretStr(PASSWORD),
        sisreg_page=10,
        mapa_attempts=2,
        mapa_wait_seconds=0.001,
    )


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse)) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("kind", "plan"),
    first(ONCE, plans(RUNS, 100)),
    ids=lambda v: v if isinstance(v, str) else str(v.seed),
)
def test_a_load_under_faults_is_complete_or_leaves_nothing(
    city: Scene, kind: str, plan: Plan
) -> None:
    result = faulty(city, kind, plan)
    assert not result.problem
    assert result.outcome == "refused" or not plan.permanent or kind == "wrong-total"


@pytest.mark.parametrize("seed", first(2, range(KILLS)))
def test_a_killed_load_continues_and_ends_with_the_same_rows(city: Scene, seed: int) -> None:
    assert not killed(city, seed).problem


def _busy(answer: dict[str, Any]) -> Any:
    return 503


def test_pages_that_were_received_are_not_asked_for_again(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.spoil = [None, None, *[_busy] * 2]
    with pytest.raises(SourceError):
        sisreg.load(settings, INDEX)
    assert rows(settings, f"select count(*) from {TABLE}") == [(0,)]
    mirror.bodies.clear()
    resumed, _ = sisreg.load(settings, INDEX)
    windows = [body for body in mirror.bodies if "sort" in body]
    # Of the interrupted load only the third page was missing; then comes the overlap since.
    assert [body.get("search_after", [0, ""])[1] for body in windows] == ["900000019", ""]
    assert resumed.tally.loaded == 25
    assert "2 pages of an interrupted load reused" in resumed.notes
    assert rows(settings, f"select count(*), min(_linha), max(_linha) from {TABLE}") == [
        (25, 1, 25)
    ]
    arquivos = rows(settings, f"select distinct _arquivo from {TABLE}")
    assert all((settings.landing / name).exists() for (name,) in arquivos)
    outcomes = rows(settings, "select resultado from controle.cargas order by iniciada_em")
    assert [row[0] for row in outcomes] == ["falhou", "completa", "completa"]


@pytest.mark.parametrize("change", ["older", "refused", "central"])
def test_pages_of_another_load_are_left_alone(
    mirror: Mirror, settings: Settings, change: str
) -> None:
    if change == "refused":
        mirror.documents[INDEX][12]["laudo"] = "TEXTO"
        with pytest.raises(LayoutError):
            sisreg.load(settings, INDEX)
        mirror.documents[INDEX][12] = document(12)
    else:
        mirror.spoil = [None, *[_busy] * 2]
        with pytest.raises(SourceError):
            sisreg.load(settings, INDEX)
    if change == "older":
        sisreg.load(settings, INDEX, since=datetime(2026, 4, 20))
    if change == "central":
        settings = settings.model_copy(update={"sisreg_central": "530011"})
        mirror.documents[INDEX].append(document(99, codigo_central_reguladora="530011"))
    (summary,) = sisreg.load(settings, INDEX)
    assert summary.tally.received == (1 if change == "central" else 25)
    assert not any("reused" in note for note in summary.notes)


def test_a_load_that_was_committed_gets_its_last_note(settings: Settings) -> None:
    sisreg.load(settings, INDEX)
    (note,) = settings.landing.rglob("carga.json")
    note.rename(note.with_name("carga.preparada.json"))
    sisreg.load(settings, INDEX)
    assert len(list(settings.landing.rglob("carga.json"))) == 2
    assert not list(settings.landing.rglob("carga.preparada.json"))


def test_what_is_open_is_read_until_it_closes(mirror: Mirror, settings: Settings) -> None:
    closed = "AGENDAMENTO / FALTA / EXECUTANTE "
    newest = {"status_solicitacao": closed, "data_atualizacao": "2026-07-01T00:04:00.000Z"}
    mirror.documents[INDEX][5] |= newest
    sisreg.load(settings, INDEX)
    # The mirror changes a document and leaves its instant of change as it was.
    mirror.documents[INDEX][7] |= {"status_solicitacao": "SOLICITAÇÃO/CANCELADA/REGULADOR"}
    mirror.bodies.clear()
    (summary,) = sisreg.load(settings, INDEX)
    asked = [body["query"]["bool"]["filter"][0]["terms"] for body in mirror.bodies[1:]]
    numbers = [number for terms in asked for number in terms["codigo_solicitacao"]]
    assert [len(terms["codigo_solicitacao"]) for terms in asked] == [10, 10, 4]
    assert "900000005" not in numbers
    # The closed one comes too: with the window, which begins a day before the newest change.
    assert (summary.tally.received, summary.tally.loaded) == (24 + 1, 1)
    mirror.bodies.clear()
    sisreg.load(settings, INDEX)
    assert not any("900000007" in str(body) for body in mirror.bodies)


def test_a_vanished_document_is_marked_and_never_deleted(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.documents[INDEX][3]["status_solicitacao"] = "SOLICITAÇÃO / NEGADA / REGULADOR"
    sisreg.load(settings, INDEX)
    gone = [mirror.documents[INDEX].pop(n) for n in (9, 3)]
    moved = mirror.documents[INDEX][0]
    moved["data_atualizacao"] = "2026-07-01T00:06:00.000Z"
    (daily,) = sisreg.load(settings, INDEX)
    assert daily.notes == ("1 vanished",)
    (full,) = sisreg.load(settings, INDEX, full=True)
    assert full.notes == ("1 vanished",)
    mirror.documents[INDEX] += gone
    (back,) = sisreg.load(settings, INDEX, full=True)
    assert back.notes == ("2 came back",)
    events = "select chave, evento, tabela from controle.ausencias order by registrado_em, chave"
    assert rows(settings, events) == [
        ("900000009", "ausente", TABLE),
        ("900000003", "ausente", TABLE),
        ("900000003", "presente", TABLE),
        ("900000009", "presente", TABLE),
    ]
    assert rows(settings, f"select count(distinct codigo_solicitacao) from {TABLE}") == [(25,)]


def _everything(settings: Settings) -> list[list[tuple[Any, ...]]]:
    return [
        rows(settings, f"select * from {TABLE} order by _carregado_em, _linha"),
        rows(settings, "select * from controle.ausencias order by all"),
        rows(settings, "select * from controle.marcas order by all"),
        rows(settings, "select * from controle.rejeitos order by all"),
        rows(settings, "select * from controle.campos_desconhecidos order by all"),
        rows(settings, "select * from controle.campos where not recusada order by all"),
        rows(
            settings,
            "select * from controle.cargas where resultado = 'completa' order by iniciada_em",
        ),
    ]


def test_replay_rebuilds_raw_from_landing_alone(mirror: Mirror, settings: Settings) -> None:
    documents = mirror.documents[INDEX]
    documents[4]["status_solicitacao"] = ""
    documents[6]["canal"] = "APLICATIVO"
    mirror.spoil = [None, *[_busy] * 2]
    with pytest.raises(SourceError):
        sisreg.load(settings, INDEX)
    sisreg.load(settings, INDEX)
    documents[2] |= {"sigla_situacao": "C", "data_atualizacao": "2026-06-30T23:00:00.000Z"}
    documents.pop(9)
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    sisreg.load(settings, INDEX)
    before = _everything(settings)
    assert [len(part) for part in before[:5] + before[6:]] == [25, 1, 1, 1, 1, 3]
    assert before[5]
    mirror.documents.clear()
    replay(settings)
    assert _everything(settings) == before
    settings.warehouse.unlink()
    replay(settings, INDEX)
    assert _everything(settings) == before


def test_replay_refuses_what_is_missing_or_changed(settings: Settings) -> None:
    sisreg.load(settings, INDEX)
    before = _everything(settings)
    page = next(settings.landing.rglob("pagina-000002*"))
    content = page.read_bytes()
    page.write_bytes(content[:-1])
    with pytest.raises(FormatError, match="not what was received"):
        replay(settings)
    page.write_bytes(content)
    page.parent.rename(settings.mapa_dir / "elsewhere")
    with pytest.raises(ConfigError, match="1 loads of the warehouse are not in"):
        replay(settings)
    assert _everything(settings) == before


def test_a_large_window_is_read_in_parts(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_DOCUMENTS", 5)
    mirror.documents[INDEX][0]["data_atualizacao"] = None
    (summary,) = sisreg.load(settings, INDEX)
    assert (summary.tally.received, summary.tally.loaded, summary.tally.rejected) == (25, 24, 1)
    assert len(mirror.bodies) > 5


def test_a_window_that_moves_is_read_again(mirror: Mirror, settings: Settings) -> None:
    def moves(answer: dict[str, Any]) -> Any:
        # A document that has been read changes, and so leaves the window.
        mirror.documents[INDEX][0]["data_atualizacao"] = "2026-07-01T00:10:00.000Z"
        return answer

    mirror.spoil = [None, moves]
    (summary,) = sisreg.load(settings, INDEX)
    assert (summary.tally.received, summary.tally.loaded) == (25 + 24, 25)
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    (after,) = sisreg.load(settings, INDEX)
    assert after.tally.loaded == 1


def test_a_server_that_refuses_to_sort_is_scrolled(city: Scene, tmp_path: Path) -> None:
    _, end = city.pairs[0]
    for plan in (Plan(refuses_sort=True), Plan(("slow",), 0.2, 5, refuses_sort=True, pause=0.01)):
        data = tmp_path / str(plan.rate + plan.seed)
        city.server.follow(plan)
        sisreg.load(city.settings(data), INDEX)
        city.server.follow(suite.HEALTHY)
        assert content(data, INDEX)[TABLE] == end.content[TABLE]


@pytest.mark.parametrize("fault", ["timed-out", "too-many", "cut-gzip", "dropped", "slow"])
def test_a_fault_that_never_heals_ends_with_the_exit_code_of_the_source(
    city: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    city.server.follow(Plan((fault,), 1.0, 1, permanent=True, pause=0.3, retry_after=0))
    for name, value in city.server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAPA_DIR", str(tmp_path))
    monkeypatch.setenv("MAPA_ATTEMPTS", "2")
    monkeypatch.setenv("MAPA_WAIT_SECONDS", "0.001")
    monkeypatch.setenv("MAPA_TIMEOUT_SECONDS", "0.2")
    result = CliRunner().invoke(cli, ["load", "sisreg", "--index", INDEX])
    city.server.follow(suite.HEALTHY)
    assert result.exit_code == 5
    assert "Traceback" not in result.output
    with duckdb.connect(os.fspath(tmp_path / "mapa.duckdb")) as con:
        assert con.execute(f"select count(*) from {TABLE}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["load", "sisreg", "--full", "--since", "2026-01-01"], "--full"),
        (["load", "sisreg", "--replay", "--full"], "--replay"),
        (["simulate", "--faults", "bogus"], "is not one of"),
    ],
)
def test_options_that_do_not_fit(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, words in result.output) == (2, True)
