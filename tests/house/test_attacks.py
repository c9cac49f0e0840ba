"""Attacks on what is published, by somebody who reads all of it and knows a good deal besides.

Each attack returns what it recovered, of the city of the suite and, where there is time, of others:
nothing. And each finds a weakness that is put there on purpose, else it would prove nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import highspy
import pytest

import conftest
import test_disclosure as leaves
import under_key
from conftest import SMALL, House, environment
from mapa.publish import inspection, publish, store
from mapa.settings import Settings
from test_people_disclosure import (
    ABSENCE,
    CHANCES,
    OUTCOMES,
    PROCEDURES,
    QUEUE,
    USE,
    WIDTH,
    Attacker,
    Cell,
    one_more_month,
    truth,
)

COUNTS = QUEUE | ABSENCE
ENDING = (USE, PROCEDURES)
"""Tables that tell what became of who was due; the others tell how many were."""
SEEDS = (1, 2, 3)
SAMPLE = {1: 60}
"""Hidden counts for which the attacker solves, by seed; all of those of the others."""
INSIDE = ("intermediario", "fila", "espera", "absenteismo", "oferta", "dimensoes", "qualidade",
          "proadi", "acordo", "publicacao")  # fmt: skip
KEYS = ("", "0", "1", "chave", "segredo", "senha", "key", "secret", "password", "mapa", "sisreg",
        "sus", "530010", "brasilia", "df")  # fmt: skip
"""What a careless operator might take for a key."""
HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
SHORTEST = 12
"""Characters from which on a hash that was cut short is still told from chance."""


@dataclass(frozen=True)
class Target:
    """A house and two of its releases: the one it made, and a later one with one more month."""

    seed: int
    house: House
    first: Path
    second: Path

    def attacker(self) -> Attacker:
        """Return somebody who has read the later release; it repeats what the first one told."""
        with closing(duckdb.connect(str(self.second), read_only=True)) as con:
            return Attacker(con)


def target_of(house: House, seed: int, folder: Path) -> Target:
    """Publish once more, a month later, after all months of before were corrected."""
    data, target = folder / "data", folder / "target"
    data.mkdir()
    shutil.copyfile(house.settings.warehouse, data / "mapa.duckdb")
    shutil.copytree(house.settings.published, data / "published", symlinks=True)
    shutil.copytree(house.settings.dbt_target_path, target)
    with duckdb.connect(str(data / "mapa.duckdb")) as con:
        one_more_month(con)
        con.execute(
            "update publicacao.pub_fila_por_mes set qtd_entradas = qtd_entradas + 1 "
            "where competencia < (select max(competencia) from publicacao.pub_fila_por_mes)"
        )
    first = folder / "primeira.duckdb"
    shutil.copyfile((house.settings.published / store.DATABASE).resolve(), first)
    paths = {"MAPA_DIR": str(data), "DBT_TARGET_PATH": str(target)}
    with environment(house.env | paths | {"DBT_LOG_PATH": str(folder / "logs")}):
        second = publish(Settings.load()).folder / store.DATABASE
    return Target(seed, house, first, second)


@pytest.fixture(
    scope="module",
    params=[1, *(pytest.param(seed, marks=pytest.mark.long) for seed in SEEDS[1:])],
    ids=lambda seed: f"seed-{seed}",
)
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    seed: int = request.param
    if seed == 1:
        house: House = request.getfixturevalue("city_house")
    else:
        city = tmp_path_factory.mktemp(f"city-{seed}")
        house = conftest.make_house(city, replace(SMALL, seed=seed))
    yield target_of(house, seed, tmp_path_factory.mktemp(f"attacked-{seed}"))


# --- differencing ----------------------------------------------------------------------------


def by_difference(attacker: Attacker) -> set[Cell]:
    """Subtract what is shown from each sum, again and again: between months, levels and tables."""
    known = {cell: value for cell, value in attacker.shown.items() if value is not None}
    found: set[Cell] = set()
    while True:
        news = {}
        for terms in attacker.sums:
            hidden = [cell for cell in terms if cell not in known]
            rest = -sum(sign * known.get(cell, 0) for cell, sign in terms.items())
            if len(hidden) == 1:
                news[hidden[0]] = rest * terms[hidden[0]]
            elif hidden and len({terms[cell] for cell in hidden}) == 1 and abs(rest) < WIDTH:
                # All that are hidden share so few people that each is known well enough.
                found.update(hidden)
        if not news.keys() - known.keys():
            return found
        known |= news
        found |= news.keys()


def told_otherwise(first: Path, second: Path) -> set[Cell]:
    """Find counts of the same month that two releases tell otherwise: people came or went."""
    found = set()
    with duckdb.connect() as con:
        for name, path in (("a", first), ("b", second)):
            con.execute(f"attach '{path}' as {name} (read_only)")
        for table, grain in COUNTS.items():
            columns = [
                name
                for name, *_ in con.execute(f"describe b.{table}").fetchall()
                if name.startswith("qtd_")
            ]
            for column in columns:
                for key in con.execute(
                    f"select {', '.join(grain)} from a.{table} as x inner join b.{table} as y "
                    f"using ({', '.join(grain)}) where x.{column} is distinct from y.{column}"
                ).fetchall():
                    found.add((table, key, column))
    return found


def shown_again(target: Target, attacker: Attacker) -> Cell:
    """Show a count that hides another in one sum; return the one that it hid."""
    counted = truth(target.house)
    pairs = [
        hidden
        for terms in attacker.sums
        for hidden in [[cell for cell in terms if attacker.shown[cell] is None]]
        if len(hidden) == 2
        and all(cell in counted for cell in hidden)
        and max(counted[cell] for cell in hidden) >= WIDTH > min(counted[cell] for cell in hidden)
    ]
    small, large = sorted(pairs[0], key=lambda cell: counted[cell])
    attacker.shown[large] = counted[large]
    return small


def test_no_subtraction_brings_a_hidden_count_back(target: Target) -> None:
    attacker = target.attacker()
    assert attacker.hidden
    assert by_difference(attacker) == set()
    small = shown_again(target, attacker)
    assert small in by_difference(attacker)


def test_two_releases_tell_no_more_than_one(target: Target, tmp_path: Path) -> None:
    assert told_otherwise(target.first, target.second) == set()
    # A release that told today's numbers of months of before.
    weak = tmp_path / "fraca.duckdb"
    shutil.copyfile(target.second, weak)
    with duckdb.connect(str(weak)) as con:
        con.execute("update pub_fila_por_mes set qtd_entradas = qtd_entradas + 1")
    assert len(told_otherwise(target.first, weak)) > 10


def by_programs(attacker: Attacker, cells: Iterable[Cell]) -> set[Cell]:
    """Solve for counts: which are bounded to less than may be known."""
    return {
        cell
        for cell in cells
        for low, high in [attacker.interval(cell)]
        if high - low < WIDTH - 1e-4
    }


def test_linear_programs_over_everything_bound_no_count(target: Target) -> None:
    attacker = target.attacker()
    hidden = sorted(attacker.hidden, key=str)
    sample = min(SAMPLE.get(target.seed, 400), len(hidden))
    assert by_programs(attacker, random.Random(target.seed).sample(hidden, sample)) == set()
    small = shown_again(target, attacker)
    assert by_programs(attacker, [small]) == {small}


# --- shares ----------------------------------------------------------------------------------

KINDS = ("atendidos", "com_agendamento", "encerrados")
"""What a chance tells of a cohort, each holding the one before."""
Ends = tuple[float, float]
Chance = dict[tuple[date, int, str], Ends]
"""How many of a cohort, least and most, by its last month, the day and what became of them."""


def chances(target: Target) -> tuple[dict[str, Chance], dict[str, Chance]]:
    """Return as counts what is told of the chances of each procedure, and what is true.

    Only where all were followed to the day: there a chance is a count, of a whole that is known.
    """
    told: dict[str, Chance] = defaultdict(dict)
    true: dict[str, Chance] = defaultdict(dict)
    with closing(duckdb.connect(str(target.second), read_only=True)) as con:
        under_key.attach(con, target.house.settings.warehouse, "dentro")
        for month, code, day, people, low, high, least, most, *exact in con.execute(
            "select t.competencia, t.procedimento_codigo, t.horizonte_dias, m.qtd_pedidos, "
            "t.pct_pedidos_atendidos_minimo, t.pct_pedidos_atendidos_maximo, "
            "t.pct_pedidos_encerrados_minimo, t.pct_pedidos_encerrados_maximo, "
            "m.qtd_pedidos_atendidos, m.qtd_pedidos_atendidos + m.qtd_pedidos_sem_confirmacao, "
            "m.qtd_pedidos - m.qtd_pedidos_em_aberto "
            f"from {CHANCES} as t inner join dentro.espera.espera_probabilidade_por_mes as m "
            "using (competencia, procedimento_codigo, horizonte_dias) "
            "where m.coorte_meses = 12 and t.pct_pedidos_atendidos_minimo is not null "
            "and t.competencia + interval 1 month + to_days(t.horizonte_dias) "
            "<= (select max(data_referencia) from pub_atualizacao)"
        ).fetchall():
            step = most - least
            ends = ((low, low + step), (high - step, high), (least, most))
            for kind, (begin, end), count in zip(KINDS, ends, exact, strict=True):
                told[code][month, day, kind] = begin * people / 100, end * people / 100
                true[code][month, day, kind] = count, count
    return told, true


def by_shares(told: Chance) -> set[tuple[Any, ...]]:
    """Solve for the people behind overlapping cohorts, and behind what lies between two shares.

    Those who entered in one month are in twelve cohorts; who was seen by day 30 was so by day 90;
    who was seen has ended.
    """
    back = {month: [month.year * 12 + month.month - n for n in range(12)] for month, _, _ in told}
    entered = sorted({one for months in back.values() for one in months})
    days = sorted({day for _, day, _ in told})
    place = {key: at for at, key in enumerate(product(entered, days, KINDS))}
    program = highspy.Highs()  # type: ignore[no-untyped-call]
    program.setOptionValue("output_flag", False)
    many = highspy.kHighsInf
    for _ in place:
        program.addVar(0.0, many)

    def row(low: float, high: float, terms: dict[int, float]) -> None:
        program.addRow(low, high, len(terms), list(terms), list(terms.values()))

    for (one, day, kind), at in place.items():
        for wider in (
            *((one, later, kind) for later in days if later > day),
            *((one, day, more) for more in KINDS[KINDS.index(kind) + 1 :]),
        ):
            row(0.0, many, {place[wider]: 1.0, at: -1.0})

    def cohort(month: date, day: int, kind: str) -> dict[int, float]:
        return {place[one, day, kind]: 1.0 for one in back[month]}

    for key, (low, high) in told.items():
        row(low, high, cohort(*key))
    found = set()
    for month, day, kind in told:
        whole = cohort(month, day, kind)
        within = [(month, day, less) for less in KINDS[: KINDS.index(kind)]]
        within += [(month, sooner, kind) for sooner in days if sooner < day]
        for other in (None, *(key for key in within if key in told)):
            aim = whole | (dict.fromkeys(cohort(*other), -1.0) if other else {})
            ends = []
            for sign in (1.0, -1.0):
                costs = [sign * aim.get(at, 0.0) for at in range(len(place))]
                program.changeColsCost(len(costs), list(range(len(costs))), costs)
                program.run()
                assert program.getModelStatus() == highspy.HighsModelStatus.kOptimal
                ends.append(sign * program.getInfo().objective_function_value)
            if ends[1] - ends[0] < WIDTH - 1e-4:
                found.add((month, day, kind, other))
    return found


def test_overlapping_cohorts_bound_no_count(target: Target) -> None:
    told, true = chances(target)
    assert sum(map(len, told.values())) > 30
    assert {code: found for code, each in told.items() if (found := by_shares(each))} == {}
    # The same cohorts, told to the person.
    assert by_shares(true[min(true)])


# --- linking with outside facts --------------------------------------------------------------


def same_for_all(attacker: Attacker) -> set[tuple[Any, ...]]:
    """Find rows in which the same became of everybody, so that it is told of whoever is in them.

    The attacker knows unit, procedure and month of a patient who was due, and not what became of
    him. Zeros of all other outcomes say it, and so does an outcome that is the whole.
    """
    found = set()
    for table in ENDING:
        for key in attacker._keys(table):
            whole, *kinds = (attacker.shown[table, key, name] for name in OUTCOMES)
            others = sum(kind == 0 for kind in kinds)
            if whole != 0 and (others == len(kinds) - 1 or (whole and whole in kinds)):
                found.add((table, key))
    return found


def test_a_known_patients_unit_procedure_and_month_do_not_tell_what_became_of_him(
    target: Target,
) -> None:
    attacker = target.attacker()
    assert same_for_all(attacker) == set()
    counted = truth(target.house)
    alike = [
        (table, key)
        for table in ENDING
        for key in attacker._keys(table)
        for whole, *kinds in [[counted[table, key, name] for name in OUTCOMES]]
        if whole and whole in kinds
    ]
    assert alike
    table, key = alike[0]
    for name in OUTCOMES[1:]:
        if counted[table, key, name] == 0:
            attacker.shown[table, key, name] = 0
    assert (table, key) in same_for_all(attacker)


def test_the_professionals_that_cnes_publishes_are_not_found_absent(target: Target) -> None:
    with (
        closing(duckdb.connect(str(target.house.settings.warehouse), read_only=True)) as inner,
        closing(duckdb.connect(str(target.second), read_only=True)) as outer,
    ):
        staff, closed = leaves.alone(inner), leaves.closures(inner)
        days = outer.execute(leaves.BY_DAY.format(table="pub_oferta_por_dia")).fetchall()
        months = outer.execute(leaves.BY_MONTH.format(table="pub_oferta_real_por_mes")).fetchall()
        causes = outer.execute(leaves.BY_CAUSE).fetchall()
        whole = inner.execute(leaves.BY_DAY.format(table="oferta.oferta_por_dia")).fetchall()
    assert leaves.found_by_day(days, staff) == set()
    assert leaves.found_by_month(months, days, staff, closed) == set()
    assert leaves.found_by_month(causes, days, staff, closed) == set()
    # One day that the restricted mart tells.
    ((cell, day), *_) = sorted(leaves.found_by_day(whole, staff))
    leaked = [row for row in whole if (tuple(row[:3]), row[3]) == (cell, day)]
    assert leaves.found_by_day([*days, *leaked], staff) == {(cell, day)}


# --- pseudonyms without the key --------------------------------------------------------------


def numbers_of(house: House) -> set[str]:
    """Return every CPF and CNS of the city."""
    with closing(duckdb.connect(str(house.settings.warehouse), read_only=True)) as con:
        found = {
            value
            for (value,) in con.execute(
                "select cns from bruto_cadsus.cns union select cpf from bruto_cadsus.pessoa "
                "union select cns_usuario from bruto_sisreg.marcacao_ambulatorial "
                "union select cpf_usuario from bruto_sisreg.solicitacao_ambulatorial "
                "union select cpf_profissional from bruto_cnes.carga_horaria"
            ).fetchall()
            if value
        }
    digits = {re.sub(r"\D", "", value) for value in found}
    return {value for value in found | digits if len(value) >= 11}


def hashed(numbers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield beginnings of what the usual functions, without a key and with poor ones, make of them.

    Hexadecimal digits and base 64, as far as a hash that was cut short is still told from chance.
    """
    for number in numbers:
        value = number.encode()
        digests = [hashlib.new(name, value).digest() for name in HASHES]
        for key in (key.encode() for key in KEYS):
            digests += [hmac.digest(key, value, "sha256"), hashlib.sha256(key + value).digest()]
        for made in digests:
            yield made.hex()[:SHORTEST], number
            yield base64.b64encode(made).decode()[:SHORTEST], number


def words(texts: Iterable[str]) -> set[str]:
    """Return the beginning of everything long enough to be a hash."""
    return {
        word[:SHORTEST]
        for text in texts
        for word in re.findall(r"[0-9A-Za-z+/]{12,}", text)
        for word in (word, word.lower())
    }


def values_inside(warehouse: Path) -> Iterator[str]:
    """Yield every text in the schemas from the intermediate one on."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as con:
        for schema, table, column in con.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where schema_name in (select unnest($1)) and data_type like 'VARCHAR%'",
            [list(INSIDE)],
        ).fetchall():
            for (value,) in con.execute(
                f'select distinct cast("{column}" as varchar) from {schema}."{table}" '
                f'where length(cast("{column}" as varchar)) >= {SHORTEST}'
            ).fetchall():
                yield value


def values_outside(target: Target) -> Iterator[str]:
    """Yield every text of every published file, the cells of its tables included."""
    folder = target.second.parent
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield from (str(text) for text in inspection.texts(file))
    with closing(duckdb.connect(str(target.second), read_only=True)) as con:
        for table, column in con.execute(
            "select table_name, column_name from duckdb_columns() where not internal"
        ).fetchall():
            rows = con.execute(f'select distinct cast("{column}" as varchar) from {table}')
            yield from (value for (value,) in rows.fetchall() if value)


def test_no_pseudonym_is_found_by_hashing_every_number_of_the_city(target: Target) -> None:
    numbers = numbers_of(target.house)
    assert len(numbers) > 2000
    seen = words(values_outside(target)) | words(values_inside(target.house.settings.warehouse))
    found = {number for form, number in hashed(numbers) if form in seen}
    assert found == set()
    # One number whose hash somebody left in a table, each of the ways that are tried.
    one = min(numbers)
    value = one.encode()
    for weak in (
        hashlib.md5(value).hexdigest(),
        hashlib.sha256(value).hexdigest().upper(),
        hashlib.sha256(b"sus" + value).hexdigest()[:32],
        base64.b64encode(hmac.digest(b"chave", value, "sha256")).decode(),
    ):
        left = words([f"id: {weak}"])
        assert {number for form, number in hashed([one, "x"]) if form in left} == {one}
    # And the pseudonyms are there: with the right key they would be found.
    right = hmac.digest(conftest.TEST_KEY.encode(), b"x", "sha256")
    assert len(right) == 32
    with closing(duckdb.connect(str(target.house.settings.warehouse), read_only=True)) as con:
        ((people,),) = con.execute(
            "select count(distinct pessoa_id) from intermediario.int_fila__solicitacoes"
        ).fetchall()
    assert people > 500


# --- membership ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What the attacker knows of people: names, numbers, and of each the pseudonym at worst."""

    words: frozenset[str]
    cells: frozenset[Cell]


def known_people(target: Target, attacker: Attacker) -> Known:
    """Return words that name people, and the counts that only a few of them make."""
    counted = truth(target.house)
    with closing(duckdb.connect(str(target.house.settings.warehouse), read_only=True)) as con:
        names = con.execute(
            "select nome from bruto_cadsus.pessoa union select nome_mae from bruto_cadsus.pessoa"
        ).fetchall()
        ids = con.execute("select pessoa_id from intermediario.int_pessoas__identidade").fetchall()
    named = {str(name).upper() for (name,) in names if name and " " in name}
    few = {cell for cell, value in counted.items() if 0 < value < WIDTH and cell in attacker.shown}
    pseudonyms = {str(one) for (one,) in ids if one}
    return Known(frozenset(named | pseudonyms | numbers_of(target.house)), frozenset(few))


def members(known: Known, texts: Iterable[str], attacker: Attacker) -> set[Any]:
    """Find whose name, number or pseudonym stands there, and counts of few that are shown."""
    said = {text for text in texts if len(text) >= 5}
    whole = {text.strip().upper() for text in said} | {text.strip() for text in said}
    parts = {word for text in said for word in re.findall(r"[0-9a-f]{32}|\d{11,15}", text)}
    shown = {cell for cell in known.cells if attacker.shown[cell] is not None}
    return {*(known.words & (whole | parts)), *shown}


def test_of_no_known_person_it_is_told_that_he_is_there(target: Target) -> None:
    attacker = target.attacker()
    known = known_people(target, attacker)
    assert len(known.cells) > 50
    outside = list(values_outside(target))
    assert members(known, outside, attacker) == set()
    name = next(iter(sorted(word for word in known.words if " " in word)))
    number = next(iter(sorted(word for word in known.words if word.isdigit())))
    assert members(known, [*outside, name.title(), f"n. {number}."], attacker) == {name, number}
    cell = min(known.cells, key=str)
    attacker.shown[cell] = truth(target.house)[cell]
    assert members(known, outside, attacker) == {cell}
