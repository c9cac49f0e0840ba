"""Whose documents are read: lists of centrals, scopes that hold nothing, marks of their own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
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
from mapa.errors import EmptyScopeError, FewerError, LayoutError
from mapa.load import sisreg
from mapa.load.replay import replay
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city.doors.documents import Habits
from mapa_city.doors.server import serving
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring

INDEX = INDICES[0]
REQUESTS = "bruto_sisreg.solicitacao_ambulatorial"
FIVE = json.loads((PROJECT / "tests" / "fixtures" / "doors" / "c05_docs.json").read_text())
FIELD = "codigo_central_reguladora"


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve six requests of five centrals of one municipality, and nothing else."""
    with mirroring(Mirror({name: [] for name in INDICES} | deepcopy(FIVE))) as served:
        yield served


@pytest.fixture
def settings(mirror: Mirror, tmp_path: Path) -> Settings:
    """Return settings that point at the mirror."""
    return pointed(mirror, tmp_path)


def pointed(mirror: Mirror, folder: Path, **changes: Any) -> Settings:
    """Return settings that point at a mirror."""
    return Settings(
        mapa_dir=folder / "data",
        sisreg_url=mirror.url,
        sisreg_user=USER,
        sisreg_password=SecretStr(PASSWORD),
        **changes,
    )


def asking(settings: Settings, central: str, **changes: Any) -> Settings:
    """Return the same settings for other centrals."""
    return settings.model_copy(update={"sisreg_central": central, **changes})


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def centrals(settings: Settings) -> list[str]:
    """Return the central of each request that is stored, in order."""
    return [c for (c,) in query(settings, f"select {FIELD} from {REQUESTS} order by {FIELD}")]


# --- lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("32C164", ["32C164", "32C164"]),
        ("32C164,32C206,32C211,32C220", ["32C164", "32C164", "32C206", "32C211", "32C220"]),
        ("32C220 32C206", ["32C206", "32C220"]),
        (" 32C999 ,\t32C999;32C211, ", ["32C211", "32C999"]),
        ("32C164\n32C220", ["32C164", "32C164", "32C220"]),
    ],
)
def test_several_centrals_are_one_scope_however_they_are_listed(
    settings: Settings, written: str, found: list[str]
) -> None:
    (summary,) = sisreg.load(asking(settings, written), INDEX)
    assert centrals(settings) == found
    assert (summary.tally.received, summary.notes) == (len(found), ())


def test_one_central_is_asked_for_as_before(settings: Settings, mirror: Mirror) -> None:
    sisreg.load(asking(settings, "32C164"), INDEX)
    assert mirror.bodies[0]["query"]["bool"]["filter"][0] == {"term": {FIELD: "32C164"}}


def test_the_order_of_a_list_is_no_other_scope(settings: Settings) -> None:
    sisreg.load(asking(settings, "32C164,32C206"), INDEX)
    sisreg.load(asking(settings, "32C206 32C164 32C206"), INDEX)
    assert query(settings, "select escopo from controle.marcas") == [
        ("df-brasilia: centrais 32C164, 32C206",)
    ]


def test_an_empty_central_still_reads_the_state(settings: Settings) -> None:
    sisreg.load(asking(settings, " , ", sisreg_uf="32"), INDEX)
    assert len(centrals(settings)) == 6
    assert query(settings, "select escopo from controle.marcas") == [("df-brasilia: UF 32",)]


# --- scopes that hold nothing ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sisreg_central": "530010"}, ["530010", "SISREG_CENTRAL"]),
        ({"sisreg_central": "32c164"}, ["32c164", "letters included"]),
        ({"sisreg_central": "32C000, 32C001"}, ["32C000, 32C001", "SISREG_CENTRAL"]),
        ({"sisreg_central": "", "sisreg_uf": "53"}, ["state 53", "check SISREG_UF"]),
    ],
)
def test_a_scope_that_holds_nothing_is_an_error_that_says_what_was_asked(
    settings: Settings, changes: dict[str, Any], words: list[str]
) -> None:
    wrong = settings.model_copy(update=changes)
    with pytest.raises(EmptyScopeError) as caught:
        sisreg.load(wrong, INDEX)
    assert caught.value.exit_code == 7
    assert f"{INDEX}-df-brasilia holds no document of" in caught.value.message
    assert all(word in caught.value.message for word in words)
    assert query(settings, "select count(*) from controle.marcas") == [(0,)]
    ((outcome, message),) = query(settings, "select resultado, mensagem from controle.cargas")
    assert (outcome, words[0] in message) == ("falhou", True)


def test_a_quiet_window_is_no_empty_scope(mirror: Mirror, settings: Settings) -> None:
    quiet = asking(settings, "32C206")
    closed = {"status_solicitacao": "SOLICITAÇÃO / NEGADA / REGULADOR"}
    mirror.documents[INDEX] = [d | closed for d in mirror.documents[INDEX]]
    sisreg.load(quiet, INDEX)
    mirror.now = datetime(2026, 8, 1, 3, 5, tzinfo=UTC)
    for _ in range(2):
        sisreg.load(quiet, INDEX)
    (narrow,) = sisreg.load(quiet, INDEX, since=datetime(2026, 1, 1), until=datetime(2026, 1, 2))
    assert (narrow.tally.received, narrow.notes) == (0, ())
    found = query(settings, "select distinct resultado, mensagem from controle.cargas")
    assert found == [("completa", None)]


def test_a_scope_that_the_source_drops_later_is_said_and_nothing_vanishes(
    mirror: Mirror, settings: Settings
) -> None:
    sisreg.load(asking(settings, "32C164"), INDEX)
    mirror.documents[INDEX] = [d for d in mirror.documents[INDEX] if d[FIELD] != "32C164"]
    for full in (False, True):
        with pytest.raises(FewerError, match="0 documents of 32C164 are counted and 2 are known"):
            sisreg.load(asking(settings, "32C164"), INDEX, full=full)
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]


def test_one_central_of_a_list_that_holds_nothing_is_named_in_output_and_audit(
    settings: Settings,
) -> None:
    (summary,) = sisreg.load(asking(settings, "32C164,32C16A,32C206"), INDEX)
    assert summary.tally.received == 3
    assert "WARNING" in str(summary) and "regulating central 32C16A" in str(summary)
    ((outcome, message),) = query(settings, "select resultado, mensagem from controle.cargas")
    assert outcome == "completa"
    assert "32C16A" in message and "32C164" not in message


def test_an_index_without_the_central_does_not_stop_the_one_that_has_it(tmp_path: Path) -> None:
    documents = {name: [document(1, name, **{FIELD: "32C164"})] for name in INDICES}
    documents[INDICES[2]] = [document(1, INDICES[2])]
    with mirroring(Mirror(documents)) as mirror:
        settings = pointed(mirror, tmp_path, sisreg_central="32C164")
        loads = sisreg.load(settings)
    assert [load.tally.received for load in loads] == [1, 1, 0]
    assert "NOT LOADED" in str(loads[2]) and "32C164" in str(loads[2])


def test_an_index_that_is_still_empty_is_named_and_the_others_load(settings: Settings) -> None:
    asked = asking(settings, "32C164")
    loads = sisreg.load(asked)
    assert [load.tally.received for load in loads] == [2, 0, 0]
    assert all(
        "NOT LOADED" in str(load) and "no document at all" in str(load) for load in loads[1:]
    )
    with pytest.raises(EmptyScopeError, match="holds no document at all"):
        sisreg.load(asked, INDICES[1])


def test_the_command_says_what_to_check(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    values = {"URL": mirror.url, "USER": USER, "PASSWORD": PASSWORD, "CENTRAL": "000000"}
    for name, value in values.items():
        monkeypatch.setenv(f"SISREG_{name}", value)
    monkeypatch.setenv("MAPA_DIR", str(tmp_path / "data"))
    result = CliRunner().invoke(cli, ["load", "sisreg", "--index", INDEX])
    assert result.exit_code == 7
    assert "000000" in result.stderr and "SISREG_SUFFIX" in result.stderr


# --- marks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("32C164", "32C206", 1),
        ("32C164", "32C164,32C206", 3),
        ("32C164,32C206", "32C164", 2),
        ("32C164", "", 6),
    ],
)
def test_another_scope_is_read_from_the_beginning(
    settings: Settings, first: str, second: str, found: int
) -> None:
    state = {"sisreg_uf": "32"}
    sisreg.load(asking(settings, first, **state), INDEX)
    (summary,) = sisreg.load(asking(settings, second, **state), INDEX)
    assert summary.tally.received == found
    windows = query(settings, "select janela_inicio from controle.cargas")
    assert windows == [(None,), (None,)]
    sisreg.load(asking(settings, first, **state), INDEX)
    assert query(settings, "select count(*) from controle.marcas") == [(2,)]
    ((begin,),) = query(
        settings,
        "select janela_inicio from controle.cargas order by iniciada_em desc limit 1",
    )
    assert begin is not None


def test_what_another_scope_holds_open_has_not_vanished(mirror: Mirror, settings: Settings) -> None:
    """Under another suffix lie other indices: what they lack tells nothing."""
    sisreg.load(asking(settings, "32C164"), INDEX)
    mirror.documents[INDEX] = [d for d in mirror.documents[INDEX] if d[FIELD] == "32C206"]
    for full in (False, False, True):
        sisreg.load(asking(settings, "32C206"), INDEX, full=full)
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]
    assert len(centrals(settings)) == 3


def test_a_request_that_moves_to_another_central_is_followed(
    mirror: Mirror, settings: Settings
) -> None:
    sisreg.load(asking(settings, "32C206"), INDEX)
    moved = {FIELD: "32C220", "data_atualizacao": "2026-07-01T00:04:00.000Z"}
    mirror.documents[INDEX][1] |= moved
    mirror.documents[INDEX].append(document(7, **{FIELD: "32C206"}))
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    sisreg.load(asking(settings, "32C206"), INDEX)
    number = mirror.documents[INDEX][1]["codigo_solicitacao"]
    stored = f"select {FIELD} from {REQUESTS} where codigo_solicitacao = '{number}'"
    assert query(settings, f"{stored} order by _carregado_em") == [("32C206",), ("32C220",)]


def test_marks_of_before_scopes_were_kept_get_the_scope_that_landing_names(
    settings: Settings,
) -> None:
    asked = asking(settings, "32C164")
    sisreg.load(asked, INDEX)
    marks = query(settings, "select * from controle.marcas")
    _forget_scopes(settings)
    sisreg.load(asked, INDEX)
    assert [row[-1] for row in query(settings, "select * from controle.marcas")] == [marks[0][-1]]
    starts = "select janela_inicio is null, escopo from controle.cargas order by iniciada_em"
    assert query(settings, starts) == [
        (True, "df-brasilia: centrais 32C164"),
        (False, "df-brasilia: centrais 32C164"),
    ]


def test_a_mark_whose_load_is_not_in_landing_counts_for_nobody(settings: Settings) -> None:
    asked = asking(settings, "32C164")
    sisreg.load(asked, INDEX)
    _forget_scopes(settings)
    shutil.rmtree(settings.landing)
    (again,) = sisreg.load(asked, INDEX)
    assert (again.tally.received, again.tally.identical) == (2, 2)


def _forget_scopes(settings: Settings) -> None:
    """Leave warehouse and landing as a version before scopes were kept wrote them."""
    with warehouse.connect(settings.warehouse) as con:
        for table in ("cargas", "marcas"):
            con.execute(f"update controle.{table} set escopo = null")
    for path in settings.landing.rglob("*.json"):
        note = json.loads(landing.read(path))
        if note.pop("escopo", None):
            note["central"] = "32C164"
            path.write_text(json.dumps(note))


def test_an_old_warehouse_gets_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "mapa.duckdb"
    with warehouse.connect(path) as con:
        for table in ("cargas", "marcas"):
            con.execute(f"alter table controle.{table} drop column escopo")
        con.execute("insert into controle.marcas values ('sisreg', 'x', '2026-01-01', 'y')")
    for _ in range(2):
        with warehouse.connect(path) as con:
            assert con.execute("select escopo from controle.marcas").fetchall() == [(None,)]
            assert con.execute("select escopo from controle.cargas").fetchall() == []


def test_a_replay_repeats_scopes_marks_and_warnings(settings: Settings) -> None:
    for listed in ("32C164", "32C206,32C16A"):
        sisreg.load(asking(settings, listed), INDEX)
    everything = [
        f"select * from {table} order by all"
        for table in ("controle.marcas", "controle.cargas", REQUESTS)
    ]
    before = [query(settings, sql) for sql in everything]
    assert any("32C16A" in str(row) for row in before[1])
    for gone in (False, True):
        if gone:
            settings.warehouse.unlink()
        replay(settings, INDEX)
        assert [query(settings, sql) for sql in everything] == before


# --- what the index calls the instant of change ---------------------------------------------------


def renamed(found: dict[str, Any]) -> dict[str, Any]:
    """Return a document that calls its instant of change by the other name."""
    return {**{k: v for k, v in found.items() if k != CHANGED}, SYNONYM: found[CHANGED]}


CHANGED, SYNONYM = "data_atualizacao", "dt_atualizacao"


@pytest.mark.parametrize("index", INDICES)
def test_the_other_name_of_the_instant_of_change_is_read_incrementally_too(
    tmp_path: Path, index: str
) -> None:
    documents = [renamed(document(n, index)) for n in range(12)]
    with mirroring(Mirror({index: documents})) as mirror:
        settings = pointed(mirror, tmp_path, sisreg_page=5)
        (first,) = sisreg.load(settings, index)
        assert (first.tally.loaded, first.notes) == (12, ())
        table = layouts.named(index).table
        assert query(settings, f"select count({CHANGED}), count(_campos_extras) from {table}") == [
            (12, 0)
        ]
        mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
        mirror.documents[index][3] |= {SYNONYM: "2026-07-01T10:00:00.000Z", "no_usuario": "X Y"}
        mirror.bodies.clear()
        (second,) = sisreg.load(settings, index)
        assert second.tally.loaded == 1
        window = mirror.bodies[0]
        assert list(window["query"]["bool"]["filter"][1]["range"]) == [SYNONYM]
        assert window["sort"][0] == {SYNONYM: "asc"}
        before = query(settings, f"select * from {table} order by all")
        replay(settings, index)
        assert query(settings, f"select * from {table} order by all") == before


def test_a_source_that_changes_the_name_changes_no_document(
    mirror: Mirror, settings: Settings
) -> None:
    asked = asking(settings, "32C164,32C206,32C211,32C220,32C999")
    sisreg.load(asked, INDEX)
    mirror.documents[INDEX] = [renamed(d) for d in mirror.documents[INDEX]]
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    (summary,) = sisreg.load(asked, INDEX, full=True)
    assert (summary.tally.identical, summary.tally.loaded, summary.notes) == (6, 0, ())
    assert query(settings, "select count(*) from controle.campos where evento <> 'conhecido'") == [
        (0,)
    ]


def test_documents_of_both_names_in_one_index_are_all_read(tmp_path: Path) -> None:
    found = [document(n) if n % 2 else renamed(document(n)) for n in range(12)]
    found[0] |= {CHANGED: found[0][SYNONYM]}
    with mirroring(Mirror({INDEX: found})) as mirror:
        settings = pointed(mirror, tmp_path, sisreg_page=5)
        assert sisreg.load(settings, INDEX)[0].tally.loaded == 12
        mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
        closed = {"status_solicitacao": "SOLICITAÇÃO / NEGADA / REGULADOR"}
        mirror.documents[INDEX][2] |= {SYNONYM: "2026-07-01T10:00:00.000Z", **closed}
        mirror.documents[INDEX][3] |= {CHANGED: "2026-07-01T10:00:00.000Z", **closed}
        assert sisreg.load(settings, INDEX)[0].tally.loaded == 2


@pytest.mark.parametrize("name", [CHANGED, SYNONYM])
def test_an_instant_of_change_that_is_no_date_is_refused_at_the_first_load(
    mirror: Mirror, settings: Settings, name: str
) -> None:
    if name == SYNONYM:
        mirror.documents[INDEX] = [renamed(d) for d in mirror.documents[INDEX]]
    mirror.kinds = {name: {"type": "keyword"}}
    with pytest.raises(LayoutError, match="unknown field type: `data_atualizacao` is not a date"):
        sisreg.load(asking(settings, "32C164"), INDEX)


def test_a_first_load_speaks_of_no_change(mirror: Mirror, settings: Settings) -> None:
    asked = asking(settings, "32C164")
    mirror.kinds = {"laudo": {"type": "keyword"}}
    _refused(asked, "unknown field type: `laudo` is not a list of objects")
    mirror.kinds = {}
    mirror.documents[INDEX][0]["laudo"] = "TEXTO"
    mirror.documents[INDEX][4]["laudo"] = "TEXTO"
    _refused(asked, "unknown field type: `laudo` is not a list of objects")
    mirror.documents[INDEX][0]["laudo"] = mirror.documents[INDEX][4]["laudo"] = []
    mirror.dropped = {"data_solicitacao"}
    _refused(asked, "mandatory field `data_solicitacao` does not exist;")


def _refused(settings: Settings, words: str) -> None:
    with pytest.raises(LayoutError) as caught:
        sisreg.load(settings, INDEX)
    said = caught.value.message
    assert words in said
    assert not [w for w in ("no longer", "any more", "changed", "renamed", " now") if w in said]


# --- the synthetic city has these habits too ---------------------------------------------------


def test_a_city_with_several_centrals_and_the_other_name_is_loaded_whole(tmp_path: Path) -> None:
    city = simulated.build(people=500, days=60, seed=7, until=date(2026, 6, 30))
    habits = Habits(("32C164", "32C206", "320530"), SYNONYM)
    usual = Settings(mapa_dir=tmp_path / "usual", sisreg_page=100)
    other = Settings(mapa_dir=tmp_path / "other", sisreg_page=100)
    for as_of in (date(2026, 6, 10), date(2026, 6, 30)):
        with serving(city, as_of=as_of) as server:
            sisreg.load(usual.model_copy(update=server.settings()))
        with serving(city, as_of=as_of, habits=habits) as server:
            told = other.model_copy(update=server.settings())
            assert told.sisreg_central == "32C164,32C206,320530"
            sisreg.load(told)
    for layout in layouts.of_indices():
        same = (
            f"select * exclude ({FIELD}, _carga_id, _arquivo, _carregado_em, _hash, _linha, "
            f"carga_epoch, timestamp) from {layout.table} order by all"
        )
        assert query(other, same) == query(usual, same)
    assert len(query(other, f"select distinct {FIELD} from {REQUESTS}")) == 3
