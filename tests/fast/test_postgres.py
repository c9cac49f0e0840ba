"""A release in a real PostgreSQL: whole or not at all, under readers, and nothing else touched."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from conftest import environment
from mapa.errors import ConfigError, LockedError, MapaError, PublishError, SourceError
from mapa.publish import postgres, store
from mapa.publish.postgres import Address
from mapa.settings import Settings
from postgres_server import ADMIN, PASSWORD, Server, server_or_reason

NUMBERS = count()
UNITS = "create table unidades (cnes varchar primary key, release integer);"
OFFER = """
create table oferta (
    cnes varchar, dia date, release integer, qtd bigint, pct double, valor decimal(10, 2),
    eh_boa boolean, momento timestamp, texto varchar, lista integer[],
    primary key (cnes, dia), foreign key (cnes) references unidades (cnes)
);
"""
COMMENTS = """
comment on table oferta is 'Vagas de d''Água.';
comment on column oferta.qtd is 'Vagas; "muitas".';
"""
TEXTS = ["", "a;b,c", '"', "l1\nl2", "\\N", "\\.", "d'Água", "\t", "não"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from server_or_reason()


@dataclass
class Place:
    """An empty database of a server, and the address of a schema in it."""

    server: Server
    database: str
    directory: Path

    @property
    def address(self) -> Address:
        """Return the address of the schema by default."""
        return Address.of(self.server.url(database=self.database))

    def load(self, folder: Path, address: Address | None = None) -> postgres.Loaded:
        """Load a release as the owner of everything, or as somebody else."""
        with environment({"MAPA_POSTGRES_PASSWORD": PASSWORD}):
            return postgres.load(Settings.load(), folder, address or self.address)

    def ask(self, question: str, user: str = ADMIN) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        with self.server.connect(user, database=self.database) as con:
            return con.execute(question).fetchall()

    def run(self, *statements: str) -> None:
        """Let the owner of everything do something."""
        self.server.run(*statements, database=self.database)

    def release(self, number: int, rows: int = 3, script: str = "") -> Path:
        """Make a release whose every row says its number."""
        folder = self.directory / f"{number}-{next(NUMBERS)}"
        folder.mkdir()
        with duckdb.connect(str(folder / store.DATABASE)) as con:
            con.execute(UNITS + OFFER + COMMENTS)
            con.execute(f"insert into unidades select range, {number} from range({rows})")
            con.execute(
                "insert into oferta select i, date '2026-06-30', $1, i * 10, i + 0.5, 1.25, true, "
                "timestamp '2026-06-30 08:05:00', $2[i % len($2) + 1], [1, 2] "
                f"from range({rows}) as r(i)",
                [number, TEXTS],
            )
            con.execute(script)
        manifest = {
            "version": f"v{number}",
            "data_referencia": "2026-06-30",
            "source": "DADOS SINTÉTICOS: exemplo",
            "licence": "CC BY 4.0",
            "licence_url": "https://example.org",
            "tables": [{"rows": rows}] * 2,
        }
        (folder / store.MANIFEST).write_text(json.dumps(manifest))
        return folder

    def numbers(self) -> set[object]:
        """Return the releases that the rows of both tables name."""
        tables = (f"select release from mapa_publico.{name}" for name in ("unidades", "oferta"))
        return {number for (number,) in self.ask(" union ".join(tables))}


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Place:
    database = f"casa{next(NUMBERS)}"
    server.run(f"create database {database}")
    return Place(server, database, tmp_path)


def test_cells_types_keys_and_comments_are_those_of_the_release(place: Place) -> None:
    loaded = place.load(place.release(1, rows=len(TEXTS)))
    assert (loaded.new, loaded.version, loaded.tables) == (True, "v1", 2)
    rows = place.ask("select cnes, qtd, pct, valor::text, eh_boa, momento::text, texto, lista "
                     "from mapa_publico.oferta order by qtd")  # fmt: skip
    assert rows == [
        (str(i), i * 10, i + 0.5, "1.25", True, "2026-06-30 08:05:00", text, "[1, 2]")
        for i, text in enumerate(TEXTS)
    ]
    types = place.ask("select column_name::text, data_type::text from information_schema.columns "
                      "where table_name = 'oferta' order by ordinal_position")  # fmt: skip
    assert dict(types) == {
        "cnes": "text", "dia": "date", "release": "integer", "qtd": "bigint",
        "pct": "double precision", "valor": "numeric", "eh_boa": "boolean",
        "momento": "timestamp without time zone", "texto": "text", "lista": "text",
    }  # fmt: skip
    keys = place.ask("select pg_get_constraintdef(oid) from pg_constraint "
                     "where conrelid = 'mapa_publico.oferta'::regclass order by 1")  # fmt: skip
    assert [str(key) for (key,) in keys] == [
        "FOREIGN KEY (cnes) REFERENCES mapa_publico.unidades(cnes) DEFERRABLE INITIALLY DEFERRED",
        "PRIMARY KEY (cnes, dia)",
    ]
    said = place.ask("select obj_description('mapa_publico.oferta'::regclass), "
                     "col_description('mapa_publico.oferta'::regclass, 4), "
                     "obj_description('mapa_publico'::regnamespace)")[0]  # fmt: skip
    assert said[:2] == ("Vagas de d'Água.", 'Vagas; "muitas".')
    assert str(said[2]).startswith("Mapa Social da Saúde, versão v1\n")
    assert "DADOS SINTÉTICOS" in str(said[2])


def test_the_role_may_read_and_nothing_else(place: Place) -> None:
    place.load(place.release(1))
    place.run(
        f"create role leitor{place.database} login password '{PASSWORD}' in role mapa_leitura"
    )
    reader = f"leitor{place.database}"
    assert place.ask("select count(*) from mapa_publico.oferta", reader) == [(3,)]
    place.load(place.release(2))
    assert place.ask("select max(release) from mapa_publico.oferta", reader) == [(2,)]
    for forbidden in (
        "insert into mapa_publico.unidades values ('x', 1) returning 1",
        "delete from mapa_publico.oferta returning 1",
        "create table mapa_publico.minha ()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            place.ask(forbidden, reader)


def test_the_same_release_is_not_loaded_twice_but_another_role_gets_its_right(
    place: Place,
) -> None:
    folder = place.release(1)
    place.load(folder)
    before = place.ask("select xmin::text from mapa_publico.oferta")
    other = Address.of(place.server.url(database=place.database), role=f"outra {place.database}")
    again = place.load(folder, other)
    assert not again.new
    assert "already holds version v1" in str(again)
    assert place.ask("select xmin::text from mapa_publico.oferta") == before
    assert place.ask(f"select has_table_privilege('outra {place.database}', "
                     "'mapa_publico.oferta', 'select')") == [(True,)]  # fmt: skip


JOINED = """
select min(release), max(release), count(*) from (
    select release from mapa_publico.unidades union all select release from mapa_publico.oferta
) as r
"""


def test_readers_see_one_release_each_while_others_are_loaded(place: Place) -> None:
    place.load(place.release(1, rows=2000))
    folders = [place.release(number, rows=2000) for number in range(2, 8)]
    ended = threading.Event()

    def by_statement() -> list[tuple[Any, ...]]:
        seen = []
        with place.server.connect(database=place.database) as con:
            while not ended.is_set():
                seen += con.execute(JOINED).fetchall()
        return seen

    def by_transaction() -> list[tuple[Any, ...]]:
        seen: list[tuple[Any, ...]] = []
        with place.server.connect(database=place.database) as con:
            con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            while not ended.is_set():
                with con.transaction():
                    first = con.execute("select min(release) from mapa_publico.unidades").fetchone()
                    con.execute("select pg_sleep(0.02)")
                    last, rows = con.execute(
                        "select max(release), count(*) from mapa_publico.oferta"
                    ).fetchone() or (None, 0)
                    seen.append((first and first[0], last, 2 * rows))
        return seen

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(reader) for reader in (by_statement, by_statement, by_transaction)]
        try:
            for folder in folders:
                place.load(folder)
        finally:
            ended.set()
        for reader in readers:
            seen = reader.result()
            assert {first == last and rows == 4000 for first, last, rows in seen} == {True}
            assert len({first for first, *_ in seen}) > 1


def test_an_open_reader_neither_waits_nor_holds_up_a_release(place: Place) -> None:
    place.load(place.release(1))
    with place.server.connect(database=place.database) as con:
        con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with con.transaction():
            first = con.execute("select max(release) from mapa_publico.unidades").fetchall()
            place.load(place.release(2))
            assert con.execute("select max(release) from mapa_publico.oferta").fetchall() == first
    assert place.numbers() == {2}


def test_views_of_others_go_on_over_releases(place: Place) -> None:
    place.load(place.release(1))
    place.run("create view public.minha as select max(release) as r from mapa_publico.oferta")
    place.load(place.release(2, rows=1))
    assert place.ask("select r from public.minha") == [(2,)]


CHANGED = "alter table oferta add column nova integer"


def test_changed_columns_make_the_tables_anew_when_nobody_reads(place: Place) -> None:
    place.load(place.release(1))
    with place.server.connect(database=place.database) as con, con.transaction():
        con.execute("select 1 from mapa_publico.oferta")
        with pytest.raises(LockedError, match="Somebody reads the tables"):
            place.load(place.release(2, script=CHANGED))
    assert place.numbers() == {1}
    assert place.load(place.release(2, script=CHANGED)).new
    assert place.ask("select nova, release from mapa_publico.oferta") == [(None, 2)] * 3
    gone = place.release(3, script="drop table oferta")
    place.load(gone)
    assert place.ask("select tablename::text from pg_tables where schemaname = 'mapa_publico'") == [
        ("unidades",)
    ]


def test_a_lost_key_is_a_changed_one(place: Place) -> None:
    place.load(place.release(1))
    keyless = "create or replace table oferta as from oferta"
    place.load(place.release(2, script=keyless))
    keys = "select count(*) from pg_constraint where conrelid = 'mapa_publico.oferta'::regclass"
    assert place.ask(keys) == [(0,)]
    place.load(place.release(3))
    assert place.ask(keys) == [(2,)]


def test_what_others_built_on_changed_tables_is_not_lost(place: Place) -> None:
    place.load(place.release(1))
    place.run("create view public.minha as select max(release) as r from mapa_publico.oferta")
    with pytest.raises(PublishError, match=r"view minha depends on table mapa_publico\.oferta"):
        place.load(place.release(2, script=CHANGED))
    assert place.ask("select r from public.minha") == [(1,)]
    assert place.numbers() == {1}


def test_a_schema_of_others_is_not_touched(place: Place) -> None:
    place.run("create schema mapa_publico", "create table mapa_publico.alheia (a integer)")
    with pytest.raises(PublishError, match="not of a release of Mapa"):
        place.load(place.release(1))
    other = Address.of(place.server.url(database=place.database), schema='nome "estranho"')
    assert place.load(place.release(1), other).new
    assert place.ask('select max(release) from "nome ""estranho""".oferta') == [(1,)]
    assert place.ask("select count(*) from mapa_publico.alheia") == [(0,)]


def user_without(place: Place, *rights: str) -> Address:
    """Return the address of a user who may do nothing but what is listed."""
    user = f"u{place.database}"
    place.run(f"create role {user} login password '{PASSWORD}'", *(r.format(user) for r in rights))
    return Address.of(place.server.url(user, place.database), role=f"novo{place.database}")


def test_without_the_right_to_make_the_schema_an_administrator_is_told_what_to_type(
    place: Place,
) -> None:
    with pytest.raises(ConfigError, match="create schema mapa_publico authorization") as refused:
        place.load(place.release(1), user_without(place))
    assert refused.value.exit_code == 7
    place.run(f"create schema mapa_publico authorization u{place.database}",
              f"create role novo{place.database}")  # fmt: skip
    mine = Address.of(place.server.url(f"u{place.database}", place.database),
                      role=f"novo{place.database}")  # fmt: skip
    assert place.load(place.release(1), mine).new


def test_without_the_right_to_make_the_role_nothing_is_left_behind(place: Place) -> None:
    address = user_without(place, f"grant create on database {place.database} to {{}}")
    with pytest.raises(ConfigError, match=f"create role novo{place.database}"):
        place.load(place.release(1), address)
    assert place.ask("select to_regnamespace('mapa_publico')") == [(None,)]


def test_a_second_load_does_not_mix_with_the_first(place: Place) -> None:
    place.load(place.release(1))
    with place.server.connect(database=place.database) as con, con.transaction():
        con.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"{postgres.MARK}mapa_publico"])
        with pytest.raises(LockedError, match="Another `mapa publish --to`"):
            place.load(place.release(2))
    assert place.numbers() == {1}


def broken_by(does: str) -> tuple[str, str]:
    """Return statements after which the server does something at the first row of a table."""
    return (
        "create function public.trava() returns trigger language plpgsql as "
        f"$$ begin {does}; return new; end $$",
        "create trigger trava before insert on mapa_publico.unidades "
        "for each row execute function public.trava()",
    )


@pytest.mark.parametrize(
    ("does", "error", "said"),
    [
        ("perform pg_terminate_backend(pg_backend_pid())", SourceError, "broke off"),
        (f"raise exception 'titular {PASSWORD}'", PublishError, r"SQLSTATE P0001"),
        ("raise exception sqlstate '53100'", MapaError, "has no room"),
    ],
)
def test_what_breaks_off_in_the_middle_leaves_the_release_before(
    place: Place, does: str, error: type[MapaError], said: str
) -> None:
    place.load(place.release(1))
    place.run(*broken_by(does))
    with pytest.raises(error, match=said) as refused:
        place.load(place.release(2))
    assert PASSWORD not in refused.value.message
    assert place.numbers() == {1}
    held = place.ask("select obj_description('mapa_publico'::regnamespace)")
    assert str(held[0][0]).startswith(f"{postgres.MARK}v1\n")


def test_nobody_at_the_address_is_said(place: Place) -> None:
    nobody = Address.of("postgresql://dona@127.0.0.1:1/postgres")
    with pytest.raises(SourceError, match="does not answer") as refused:
        place.load(place.release(1), nobody)
    assert refused.value.exit_code == 5


@pytest.mark.parametrize(
    ("user", "database", "said"),
    [
        (ADMIN, "nenhuma", 'database "nenhuma" does not exist'),
        ("ninguem", "postgres", "password authentication failed"),
    ],
)
def test_the_server_says_why_it_refuses(place: Place, user: str, database: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        place.load(place.release(1), Address.of(place.server.url(user, database)))
    assert PASSWORD not in refused.value.message
    assert refused.value.__cause__ is None


def by_setting(_: Place) -> dict[str, str]:
    return {"MAPA_POSTGRES_PASSWORD": PASSWORD}


def by_libpq(_: Place) -> dict[str, str]:
    return {"PGPASSWORD": PASSWORD}


def by_file(place: Place) -> dict[str, str]:
    path = place.directory / "pgpass"
    path.write_text(f"127.0.0.1:{place.server.port}:*:{ADMIN}:{PASSWORD}\n")
    path.chmod(0o600)
    return {"PGPASSFILE": str(path)}


@pytest.mark.parametrize("given", [by_setting, by_libpq, by_file])
def test_the_password_comes_from_where_libpq_or_the_settings_have_it(
    place: Place, given: Callable[[Place], dict[str, str]]
) -> None:
    with environment(given(place)):
        settings = Settings.load()
        assert PASSWORD not in repr(settings)
        assert postgres.load(settings, place.release(1), place.address).new


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://dona:{PASSWORD}@127.0.0.1/postgres",
        f"postgresql://dona@127.0.0.1/postgres?password={PASSWORD}",
        f"postgresql://dona@127.0.0.1/postgres?sslpassword={PASSWORD}",
        f"postgresql://dona@[{PASSWORD}/postgres",
        f"mysql://dona:{PASSWORD}@127.0.0.1/",
        PASSWORD,
    ],
)
def test_a_password_in_an_address_is_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"holds a password|expected is") as refused:
        Address.of(url)
    assert PASSWORD not in str(refused.value)
