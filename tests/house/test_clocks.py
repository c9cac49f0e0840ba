"""Clocks that are wrong: refused with both times, harmless afterwards, corrected with a trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from mapa import clocks, synthetic
from mapa.cli import cli
from mapa.errors import BuildError, ConfigError
from mapa.load import cadsus, corrections, exports, sisreg
from mapa.load.replay import replay
from mapa.settings import Settings
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from offer_house import OfferHouse

NOW = datetime(2026, 7, 1, 3, 5)
"""The real time in these tests: UTC, naive. In Brasília it is 00:05 of the same day."""
YEARS = timedelta(days=5 * 365)
CEILINGS = "bruto_sisreg.teto"
Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set this machine's clock; it stands still. It begins at the real time."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(clocks, "now", lambda: moment)

    set_to(NOW)
    return set_to


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve three requests, with the right time."""
    with mirroring(Mirror({INDICES[0]: [document(n) for n in range(3)]})) as served:
        yield served


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a warehouse of the test's own."""
    return Settings(mapa_dir=tmp_path / "data", mapa_max_clock_hours=6)


def of(settings: Settings, mirror: Mirror) -> Settings:
    """Return settings that point at a mirror."""
    return settings.model_copy(
        update={
            "sisreg_url": mirror.url,
            "sisreg_user": USER,
            "sisreg_password": SecretStr(PASSWORD),
        }
    )


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def ceiling(folder: Path, quantity: int, name: str = "teto.csv") -> Path:
    """Write a file of one ceiling."""
    path = folder / name
    path.write_text(
        "competencia;cod_cnes_exec;cod_procedimento_interno;qtd_teto\n"
        f"202604;0010456;0701234;{quantity}\n"
    )
    return path


def newest_ceiling(settings: Settings) -> str:
    """Return what the newest version says, by the number of its load."""
    ((found,),) = query(settings, f"select arg_max(qtd_teto, _carga_ordem) from {CEILINGS}")
    return str(found)


def load_names(settings: Settings) -> list[str]:
    """Return the complete loads in their order."""
    rows = query(
        settings, "select carga_id from controle.cargas where resultado = 'completa' order by ordem"
    )
    return [name for (name,) in rows]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (NOW + YEARS, NOW),
        (NOW - YEARS, NOW),
        (NOW, NOW + YEARS),
        (NOW, NOW - YEARS),
        (NOW, NOW - timedelta(days=1)),
        (NOW, NOW + timedelta(hours=6, minutes=1)),
        (NOW + timedelta(hours=6, minutes=1), NOW),
    ],
    ids=[
        "we are ahead by years", "we are behind by years", "the source is ahead by years",
        "the source is behind by years", "the source is behind by a day",
        "the source is ahead by a minute too much", "we are ahead by a minute too much",
    ],
)  # fmt: skip
def test_clocks_that_differ_are_refused_with_both_times(
    settings: Settings, mirror: Mirror, clock: Clock, ours: datetime, theirs: datetime
) -> None:
    clock(ours)
    mirror.now = theirs.replace(tzinfo=UTC)
    with pytest.raises(ConfigError) as refused:
        sisreg.load(of(settings, mirror), INDICES[0])
    said = refused.value.message
    assert f"{ours:%Y-%m-%d %H:%M} UTC" in said
    assert f"{theirs:%Y-%m-%d %H:%M} UTC" in said
    assert "MAPA_MAX_CLOCK_HOURS" in said
    # What was refused stamps nothing: with the right clocks all is as on a first day.
    clock(NOW)
    mirror.now = NOW.replace(tzinfo=UTC)
    (summary,) = sisreg.load(of(settings, mirror), INDICES[0])
    assert summary.tally.loaded == 3
    assert query(settings, "select marca from controle.marcas") == [(datetime(2026, 7, 1, 0, 5),)]


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        ("Wed, 01 Jul 2026 00:05:00 -0300", False),
        ("Tue, 30 Jun 2026 20:05:00 -0700", False),
        ("Wed, 01 Jul 2026 03:05:00 -0000", False),
        ("", True),
        ("yesterday at noon", True),
        ("Wed, 99 Jul 2026 03:05:00 GMT", True),
        ("Wed, 01 Jul 2026 03:05:00 +9900", True),
    ],
    ids=["in Brasília", "far in the west", "without a zone", "none", "no date", "no such day",
         "no such zone"],
)  # fmt: skip
def test_what_the_source_says_of_the_time_is_read_or_missed_aloud(
    settings: Settings, mirror: Mirror, clock: Clock, said: str, warned: bool
) -> None:
    clock(NOW + timedelta(minutes=1))
    mirror.said = said
    (summary,) = sisreg.load(of(settings, mirror), INDICES[0])
    assert ("does not say what time it is" in str(summary)) == warned
    minute = 6 if warned else 5
    assert query(settings, "select janela_fim, qtd_carregadas from controle.cargas") == [
        (datetime(2026, 7, 1, 0, minute), 3)
    ]


def test_clocks_that_differ_by_hours_are_borne(
    settings: Settings, mirror: Mirror, clock: Clock
) -> None:
    for drift in (timedelta(hours=5, minutes=59), -timedelta(hours=5, minutes=59)):
        mirror.now = (NOW + drift).replace(tzinfo=UTC)
        sisreg.load(of(settings, mirror), INDICES[0])
    assert len(load_names(settings)) == 2


def test_a_simulated_city_lives_in_a_time_of_its_own(
    settings: Settings, mirror: Mirror, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthetic, "HEADER", "server-says")
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.send_response_only", _simulated)
    clock(NOW + YEARS)
    sisreg.load(of(settings, mirror), INDICES[0])
    assert query(settings, "select eh_sintetica from controle.cargas") == [(True,)]


def _simulated(handler: Any, code: int, message: str | None = None) -> None:
    """Send the line of status and the mark of a simulator."""
    handler._headers_buffer = [f"HTTP/1.1 {code} {message or ''}\r\n".encode()]
    handler.send_header("server-says", "1")


def test_a_clock_set_back_by_minutes_puts_no_load_before_another(
    settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    for minutes, quantity in ((0, 80), (-40, 70), (-20, 80)):
        clock(NOW + timedelta(minutes=minutes))
        exports.load(settings, [ceiling(tmp_path, quantity)])
        assert newest_ceiling(settings) == str(quantity)
    assert query(settings, f"select qtd_teto from {CEILINGS} order by _carregado_em") == [
        ("70",), ("80",), ("80",),
    ]  # fmt: skip
    numbers = query(settings, "select ordem, iniciada_em from controle.cargas order by ordem")
    assert [number for number, _ in numbers] == [1, 2, 3]
    assert [began - NOW for _, began in numbers] == [
        timedelta(0), -timedelta(minutes=40), -timedelta(minutes=20),
    ]  # fmt: skip
    every = f"select * from {CEILINGS} order by all"
    before = query(settings, every)
    replay(settings, "export")
    assert query(settings, every) == before


def test_a_refused_load_in_the_future_holds_nothing_up(
    settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    clock(NOW + YEARS)
    (tmp_path / "vazio.csv").write_text("")
    with pytest.raises(click.ClickException):
        exports.load(settings, [tmp_path / "vazio.csv"])
    clock(NOW)
    exports.load(settings, [ceiling(tmp_path, 80)])
    assert newest_ceiling(settings) == "80"


@pytest.mark.parametrize("back", [timedelta(days=3), YEARS], ids=["by days", "by years"])
def test_a_clock_set_back_is_refused_with_the_command_that_settles_it(
    settings: Settings, tmp_path: Path, mirror: Mirror, clock: Clock, back: timedelta
) -> None:
    clock(NOW + back)
    exports.load(settings, [ceiling(tmp_path, 80)])
    clock(NOW)
    (name,) = load_names(settings)
    loads: list[Callable[[], object]] = [
        lambda: exports.load(settings, [ceiling(tmp_path, 70)]),
        lambda: sisreg.load(of(settings, mirror), INDICES[0]),
        lambda: cadsus.load(settings),
    ]
    for load in loads:
        with pytest.raises(ConfigError) as refused:
            load()
        said = refused.value.message
        assert f"{NOW:%Y-%m-%d %H:%M} UTC" in said
        assert f"{NOW + back:%Y-%m-%d %H:%M} UTC" in said
        assert f"mapa load redate {name} --seen-on" in said
    assert load_names(settings) == [name]


def test_a_corrected_day_leaves_its_trace_and_the_next_load_is_right(
    settings: Settings, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(settings.mapa_dir))
    monkeypatch.chdir(tmp_path)
    clock(NOW + YEARS)
    exports.load(settings, [ceiling(tmp_path, 80)])
    clock(NOW)
    (name,) = load_names(settings)
    done = CliRunner().invoke(
        cli, ["load", "redate", name, "--seen-on", "2026-06-30", "--reason", "clock five years on"]
    )
    assert done.exit_code == 0, done.output
    wrong = datetime(2031, 6, 30, 0, 5)
    assert query(settings, "select * exclude (corrigida_em) from controle.correcoes") == [
        (name, wrong, datetime(2026, 6, 30), None, None, "clock five years on")
    ]
    exports.load(settings, [ceiling(tmp_path, 70)])
    assert newest_ceiling(settings) == "70"
    days = "select cast(janela_fim as date) from controle.cargas order by ordem"
    assert query(settings, days) == [(date(2026, 6, 30),), (date(2026, 7, 1),)]
    status = CliRunner().invoke(cli, ["status", "--wide"])
    assert "clock five years on" in status.stdout
    assert name in status.stdout


@pytest.mark.parametrize("anew", [False, True], ids=["in place", "from landing alone"])
def test_a_correction_survives_a_replay(
    settings: Settings, tmp_path: Path, clock: Clock, anew: bool
) -> None:
    clock(NOW + YEARS)
    exports.load(settings, [ceiling(tmp_path, 80)])
    clock(NOW)
    corrections.redate(settings, load_names(settings), date(2026, 6, 29), "wrong once")
    corrections.redate(settings, load_names(settings), date(2026, 6, 30), "and once more")
    exports.load(settings, [ceiling(tmp_path, 70)])
    states = (
        "select carga_id, janela_fim, ordem, iniciada_em, entrega from controle.cargas order by 1",
        "select * from controle.correcoes order by corrigida_em, motivo",
        f"select * from {CEILINGS} order by all",
    )
    before = [query(settings, state) for state in states]
    if anew:
        settings.warehouse.unlink()
    replay(settings, "export")
    assert [query(settings, state) for state in states] == before
    # The wrong instant in the audit row no longer holds anything up.
    exports.load(settings, [ceiling(tmp_path, 60)])
    assert newest_ceiling(settings) == "60"


def test_a_watermark_in_the_future_goes_back_with_its_load_and_is_repeated(
    settings: Settings, mirror: Mirror, clock: Clock
) -> None:
    """A window that begins years ahead reads nothing, night after night."""
    clock(NOW + YEARS)
    mirror.now = (NOW + YEARS).replace(tzinfo=UTC)
    sisreg.load(of(settings, mirror), INDICES[0])
    clock(NOW)
    mirror.now = NOW.replace(tzinfo=UTC)
    with pytest.raises(ConfigError, match="mapa load redate"):
        sisreg.load(of(settings, mirror), INDICES[0])
    corrections.redate(settings, load_names(settings), date(2026, 6, 30), "both clocks")
    marks = "select marca from controle.marcas"
    assert query(settings, marks) == [(datetime(2026, 6, 30),)]
    replay(settings)
    assert query(settings, marks) == [(datetime(2026, 6, 30),)]
    changed = mirror.documents[INDICES[0]]
    changed[0] = document(0, data_atualizacao="2026-06-30T20:00:00.000Z", sigla_situacao="X")
    (summary,) = sisreg.load(of(settings, mirror), INDICES[0])
    assert summary.tally.loaded == 1


def test_a_day_that_cannot_be_is_refused_by_name(
    settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    for day, quantity in ((date(2026, 5, 2), 80), (date(2026, 6, 2), 70), (date(2026, 6, 20), 60)):
        exports.load(settings, [ceiling(tmp_path, quantity)], seen_on=day)
    first, second, third = load_names(settings)
    every = "select * from controle.cargas order by ordem"
    before = query(settings, every)
    for names, day, why in (
        ((second,), date(2026, 7, 2), "has not come yet"),
        ((second,), date(2026, 5, 1), f"{first} of `teto` was loaded before"),
        ((second,), date(2026, 6, 21), f"{third} of `teto` was loaded after"),
        ((first, "20260701T000000-teto-000000"), date(2026, 5, 1), "no complete load"),
    ):
        with pytest.raises(click.BadParameter, match=why):
            corrections.redate(settings, names, day, "a try")
    assert query(settings, every) == before
    assert query(settings, "select count(*) from controle.correcoes") == [(0,)]
    # Those that get one day together do not stand in each other's way.
    corrections.redate(settings, (third, second), date(2026, 6, 25), "both wrong")
    assert query(
        settings, "select cast(janela_fim as date) from controle.cargas order by ordem"
    ) == [(date(2026, 5, 2),), (date(2026, 6, 25),), (date(2026, 6, 25),)]


def test_a_warehouse_of_before_numbers_its_loads_by_itself(
    settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    for hour, quantity in enumerate((80, 70, 60)):
        clock(NOW + timedelta(hours=hour))
        exports.load(settings, [ceiling(tmp_path, quantity)])
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("alter table controle.cargas drop column ordem")
        con.execute("alter table controle.cargas drop column entrega")
        con.execute("drop table controle.correcoes")
        con.execute(f"alter table {CEILINGS} drop column _carga_ordem")
    folder = tmp_path / "inbox"
    folder.mkdir()
    shutil.copyfile(ceiling(tmp_path, 70), folder / "teto.csv")
    # What was loaded before files were told apart stands for any file of that content.
    (summary,) = exports.load(settings, [folder])
    assert summary.skipped
    assert query(settings, "select ordem from controle.cargas order by iniciada_em") == [
        (1,), (2,), (3,),
    ]  # fmt: skip
    assert newest_ceiling(settings) == "60"


def test_a_build_refuses_a_day_that_has_not_come_until_it_is_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warehouses may hold one of before; real clocks here, for dbt has its own."""
    monkeypatch.setenv("MAPA_MAX_CLOCK_HOURS", "6")
    house = OfferHouse.at(tmp_path)
    now = datetime.now(UTC).replace(tzinfo=None)
    exports.load(house.settings, [ceiling(tmp_path, 80)])
    (name,) = load_names(house.settings)
    with duckdb.connect(str(house.settings.warehouse)) as con:
        con.execute("update controle.cargas set janela_fim = $1", [now + YEARS])
    model = ("+int_calendario__referencia",)
    with pytest.raises(BuildError, match=f"mapa load redate {name} --seen-on"):
        house.build(models=model, data_referencia=None)
    yesterday = now.date() - timedelta(days=2)
    corrections.redate(house.settings, [name], yesterday, "it was five years on")
    house.build(models=model, data_referencia=None)
    found = house.query("select data_referencia from intermediario.int_calendario__referencia")
    assert found == [{"data_referencia": yesterday - timedelta(days=1)}]
