"""Mutation of the SQL rules: each mutant is one slip, and some check must turn red.

`mapa bench mutants` builds houses as the tests do (the small city, and one for each suite of cases
that are worked out by hand) and keeps them. A mutant is judged in one transaction of each, which is
rolled back: its model is made anew, then those that read it as far as anything changes, then the
judges look. No dbt runs for a mutant, so one costs seconds.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import duckdb
import yaml
from duckdb.sqltypes import VARCHAR
from rich.console import Console
from rich.table import Table

from mapa import warehouse
from mapa.dbt import run_dbt
from mapa.dbt_plugin import FUNCTION, hmac_sha256
from mapa.ui import say
from mapa_city import verify
from mapa_city.bench.flips import Mutant, apply, mutants, tokens

PROJECT = Path(__file__).parents[3]
TESTS = [PROJECT / "tests" / folder for folder in ("house", "slow", "")]
EQUIVALENT = PROJECT / "tests" / "fixtures" / "mutantes" / "equivalentes.yml"
RULES = ("models/intermediate/", "models/marts/")
BOUND = 75.0
"""Percentage of the mutants that some check must catch: two fresh samples of 190 caught 79.5 and
83.7, and a sample of that size strays by 3."""
SECONDS = 60.0
"""A flipped join that has not ended by then is one that no build would end."""
STILLBORN = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
"""A mutant that DuckDB does not even read proves nothing; it is not counted."""
JUDGES = ("unit test", "build", "data test", "truth", "cases")
CITY = "city"


@dataclass(frozen=True)
class Suite:
    """A file of tests that know the answer from elsewhere, and the house that they look at.

    Attributes:
        module: the file, without its ending; `build_<fixture>` of it builds the house.
        chosen: which tests judge, as pytest's -k takes it; not those that build another house.
        fixture: the one that gives the house to the tests.
        answer: the model from which they have it, so that they judge none that it reads.

    """

    module: str
    chosen: str = ""
    fixture: str = "house"
    answer: str = ""


SUITES = {
    "offer": Suite("test_offer_golden", "not when_asked"),
    "properties": Suite("test_offer_properties", "not order_of_rows"),
    "history": Suite("test_offer_history", "diary or cause", answer="oferta_por_dia"),
    "versions": Suite("test_offer_versions", "date or hours or spelling"),
    "hours": Suite("test_offer_hours", "not order_and_repetition"),
    "reconciliation": Suite("test_reconciliation"),
    "funnel": Suite("test_funnel"),
    "queue": Suite("test_queue_golden", "not end_of_may"),
    "deaths": Suite("test_deaths"),
    "territory": Suite("test_territory"),
    "values": Suite("test_values", "not staging"),
    "calendar": Suite("test_calendar", "easter or operator or unit"),
    "tables": Suite("test_calendar", "complete_table", "house_of_tables"),
    "proadi": Suite("test_proadi", "by_hand", "small"),
}


class StillbornError(Exception):
    """The database does not read the mutant."""


class House:
    """A built warehouse in which rules can be flipped and looked at."""

    def __init__(self, name: str, directory: Path) -> None:
        """Open a copy of the warehouse built in a directory, beside dbt's target folder."""
        self.name = name
        self.directory = directory
        target = directory / "target"
        self.nodes: dict[str, Any] = json.loads((target / "manifest.json").read_bytes())["nodes"]
        self.models = {n["name"]: n for n in self.nodes.values() if n["resource_type"] == "model"}
        # What dbt writes into each reader is made a view, so that it can be flipped once for all.
        passing = {name for name in self.models if self._stands_nowhere(name)}
        for model in passing:
            node = self.models[model]
            parts = (node["database"], node["schema"], node["alias"])
            node["relation_name"] = ".".join(f'"{part}"' for part in parts)
        relations = {model: self.models[model]["relation_name"] for model in passing}
        compiled = {
            node["name"]: by_name(_compiled(target, node), relations)
            for node in self.nodes.values()
        }
        self.sql = {name: sql for name in self.models if (sql := compiled[name])}
        self.tests: dict[str, tuple[dict[str, Any], str]] = {
            node["name"]: (node, sql)
            for node in self.nodes.values()
            if node["resource_type"] == "test" and (sql := compiled[node["name"]])
        }
        copy = directory / "mutants" / "mapa.duckdb"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(directory / "data" / "mapa.duckdb", copy)
        self.con = warehouse.opened(copy)
        # One thread: a sum of floats must be the same sum each time.
        self.con.execute("set timezone = 'UTC'; set threads = 1; set memory_limit = '2GB'")
        self.con.create_function(FUNCTION, hmac_sha256(bytes(64)), [VARCHAR], VARCHAR)
        # What dbt made with types declared is made as a mutant will be, so that both compare.
        for model in self.order:
            relation = self.models[model]["relation_name"]
            if self.is_table(model):
                self.con.execute(f"create or replace table {relation} as {self.sql[model]}")
            elif model in passing:
                self.con.execute(f"create or replace view {relation} as {self.sql[model]}")
        suite = SUITES.get(name, Suite(""))
        self.answers = self.read_by(suite.answer) if suite.answer else set[str]()
        self.asked = ""
        """Every query of the cases, which says what they look at."""

    @cached_property
    def order(self) -> list[str]:
        """The models, each after those that it reads."""
        placed: dict[str, None] = {}

        def place(name: str) -> None:
            for other in self.reads(self.models[name]):
                place(other)
            placed.setdefault(name)

        for name in sorted(self.sql):
            place(name)
        return [name for name in placed if name in self.sql]

    def reads(self, node: Mapping[str, Any]) -> set[str]:
        """Return the models that a model or test reads."""
        parents = node["depends_on"]["nodes"]
        return {self.nodes[key]["name"] for key in parents if key.startswith("model.")}

    def read_by(self, name: str) -> set[str]:
        """Return a model and all that it is made from."""
        return {name}.union(*(self.read_by(other) for other in self.reads(self.models[name])))

    @cached_property
    def before(self) -> dict[str, tuple[Any, ...]]:
        """What every table says as it was built: its columns and a sum over its rows."""
        return {name: self.says(name) for name in self.order if self.is_table(name)}

    def _stands_nowhere(self, name: str) -> bool:
        return bool(self.models[name]["config"]["materialized"] == "ephemeral")

    def is_table(self, name: str) -> bool:
        """Tell a table from a view, which says by itself what changed below it."""
        return bool(self.models[name]["config"]["materialized"] == "table")

    def says(self, name: str) -> tuple[Any, ...]:
        """Return the columns of a table, how many rows it has, and a sum over what they say."""
        relation = self.models[name]["relation_name"]
        columns = self.con.execute(f"describe {relation}").fetchall()
        rows = f"select count(*), sum(cast(hash(t) as hugeint)) from {relation} as t"
        return (*((c[0], c[1]) for c in columns), self.con.execute(rows).fetchone())

    @contextmanager
    def flipped(self, model: str, sql: str) -> Iterator[set[str]]:
        """Make a model anew, and what follows from it; give the models that differ.

        Raises:
            StillbornError: the database does not read the SQL.
            duckdb.Error: it reads it, but cannot build it, or a contract is broken.

        """
        before = self.before
        timer = threading.Timer(SECONDS, self.con.interrupt)
        self.con.execute("begin")
        timer.start()
        try:
            try:
                changed = {model} if self._build(model, sql, before) else set[str]()
            except STILLBORN as error:
                raise StillbornError from error
            for name in self.order:
                if name == model or not changed & self.reads(self.models[name]):
                    continue
                if self._build(name, self.sql[name], before):
                    changed.add(name)
            yield changed
        finally:
            timer.cancel()
            self.con.execute("rollback")

    def _build(self, name: str, sql: str, before: Mapping[str, tuple[Any, ...]]) -> bool:
        """Make a table anew; tell whether it says something else, as a view always may."""
        relation = self.models[name]["relation_name"]
        if not self.is_table(name):
            self.con.execute(f"create or replace view {relation} as {sql}")
            return True
        self.con.execute(f"create or replace table {relation} as {sql}")
        after = self.says(name)
        if after[:-1] != before[name][:-1] and self.models[name]["config"]["contract"]["enforced"]:
            raise duckdb.ConversionException(f"{name} breaks its contract")
        return after != before[name]

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query, as the houses of the tests do."""
        self.asked += sql
        cursor = self.con.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def failing_test(self, changed: set[str]) -> str | None:
        """Return a data test that fails, of those that read what changed and would stop a build."""
        for name, (node, sql) in self.tests.items():
            severe = node["config"]["severity"].lower() == "error"
            if severe and changed & self.reads(node):
                (count,) = self.con.execute(f"select count(*) from ({sql}\n)").fetchone() or (0,)
                if count:
                    return str(name)
        return None


def _compiled(target: Path, node: Mapping[str, Any]) -> str:
    """Return what dbt compiled of a node, or nothing; unit tests leave files of the same names."""
    path = target / "compiled" / node["package_name"] / node["original_file_path"]
    if path.suffix != ".sql":
        path /= node["path"]
    return path.read_text() if path.exists() else ""


def by_name(sql: str, relations: Mapping[str, str]) -> str:
    """Let SQL read models by their names where dbt has written their SQL into it.

    Args:
        sql: what dbt compiled.
        relations: the relation of each model that is written into its readers.

    """
    for name, relation in relations.items():
        written = f"__dbt__cte__{name}"
        read = tokens(sql)
        said = (n for n, t in enumerate(read) if t.text == written)
        first = next((n for n in said if [t.low for t in read[n + 1 : n + 3]] == ["as", "("]), None)
        if first is None:
            continue
        depth, last = 1, first + 2
        while depth:
            last += 1
            depth += (read[last].text == "(") - (read[last].text == ")")
        if read[last + 1].text == ",":
            sql = sql[: read[first].at] + sql[read[last + 2].at :]
        else:
            sql = sql[: read[first - 1].at] + sql[read[last + 1].at :]
        sql = sql.replace(written, relation)
    return sql


class Given:
    """A plugin of pytest: hands its house to the tests, and remembers which failed."""

    def __init__(self, house: House) -> None:
        """Take the house that the fixture `house` shall be."""
        self.house = house
        self.failed: list[str] = []
        self.passed = 0

    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> House | None:
        """Give the house in place of building one."""
        if fixturedef.argname != SUITES[self.house.name].fixture:
            return None
        fixturedef.cached_result = (self.house, fixturedef.cache_key(request), None)
        return self.house

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Remember a failure, in a test or in what it reads first."""
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call":
            self.passed += 1


def golden(house: House) -> str | None:
    """Run the hand-worked cases of a house on its tables as they stand; return one that fails."""
    import pytest  # noqa: PLC0415 - a developer's measurement; the demo does without pytest

    suite = SUITES[house.name]
    file = next(path for folder in TESTS if (path := folder / f"{suite.module}.py").exists())
    given = Given(house)
    options = ["-x", "-q", "-m", "not long", "-p", "no:cacheprovider", "--rootdir", str(PROJECT)]
    # The cases build nothing here, so no dbt need stand ready for them.
    os.environ.setdefault("MAPA_TEST_DBT", "none")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        pytest.main([*options, "-k", suite.chosen, str(file)], plugins=[given])
    if not given.failed and not given.passed:
        raise click.ClickException(f"No case of {file.name} ran; `pytest {file}` says why.")
    return given.failed[0] if given.failed else None


@dataclass(frozen=True)
class UnitTest:
    """A unit test of dbt as SQL: what the model makes of its rows, and what it should."""

    name: str
    sql: str

    def fails(self, con: duckdb.DuckDBPyConnection, sql: str) -> bool:
        """Tell whether the two differ in any row."""
        cursor = con.execute(sql)
        which = [column[0] for column in cursor.description].index("actual_or_expected")
        rows: dict[str, Counter[Any]] = defaultdict(Counter)
        for row in cursor.fetchall():
            rows[row[which]][repr((*row[:which], *row[which + 1 :]))] += 1
        return rows["actual"] != rows["expected"]


def unit_tests(house: House) -> dict[str, list[UnitTest]]:
    """Return the unit tests of each model, as dbt ran them."""
    found: dict[str, list[UnitTest]] = defaultdict(list)
    for path in sorted((house.directory / "target" / "run").rglob("*.sql")):
        sql = path.read_text()
        # Below the file that states it, at a depth that differs between dbt's commands.
        stated = next((part for part in path.parts if part.endswith(".yml")), "")
        model = stated.removesuffix(".yml")
        if "actual_or_expected" in sql and model in house.models:
            found[model].append(UnitTest(path.stem, sql))
    return found


class Court:
    """The houses and their judges."""

    def __init__(self, directory: Path) -> None:
        """Open the houses built in a directory; every judge must be content before a flip."""
        self.houses = [House(name, directory / name) for name in (CITY, *SUITES)]
        self.city = self.houses[0]
        truth = self.city.directory / "data" / "city" / "truth.json"
        self.truth: dict[str, Any] = json.loads(truth.read_bytes())
        self.units = unit_tests(self.city)
        if not self.units:
            raise click.ClickException("The city has no unit test of dbt that ran.")
        for tests in self.units.values():
            for test in tests:
                if test.fails(self.city.con, test.sql):
                    raise click.ClickException(f"{test.name} fails before anything is flipped.")
        for house in self.houses:
            if (found := self._look(house, set(house.models))) is not None:
                raise click.ClickException(f"{found[1]} fails before anything is flipped.")

    def rules(self) -> dict[str, str]:
        """Return the compiled SQL of the models that hold rules."""
        return {
            name: sql
            for name, sql in self.city.sql.items()
            if self.city.models[name]["original_file_path"].startswith(RULES)
        }

    def mutants(self) -> list[Mutant]:
        """Return every mutant of every rule."""
        return [m for name, sql in sorted(self.rules().items()) for m in mutants(name, sql)]

    def judge(self, mutant: Mutant) -> tuple[str, str] | None:
        """Return who catches a mutant, and by which test; None when nobody does.

        Raises:
            StillbornError: the database does not read the mutant.

        """
        model = self.city.sql[mutant.model]
        for test in self.units.get(mutant.model, []):
            sql = apply(mutant, model, test.sql)
            if sql is not None and self._unit_fails(test, sql):
                return "unit test", test.name
        for house in self.houses:
            if mutant.model in house.answers:
                continue
            sql = apply(mutant, model, house.sql.get(mutant.model, ""))
            if sql is None:
                continue
            try:
                with house.flipped(mutant.model, sql) as changed:
                    found = self._look(house, changed) if changed else None
            except duckdb.Error as error:
                return "build", type(error).__name__
            if found is not None:
                return found
        return None

    def _unit_fails(self, test: UnitTest, sql: str) -> bool:
        try:
            return test.fails(self.city.con, sql)
        except STILLBORN as error:
            raise StillbornError from error
        except duckdb.Error:
            return True

    def _look(self, house: House, changed: set[str]) -> tuple[str, str] | None:
        """Ask the judges of a house about what changed."""
        if test := house.failing_test(changed):
            return "data test", test
        if house is self.city:
            for mart in verify.MARTS.keys() & changed:
                answer = self.truth[verify.SAME_TRUTH.get(mart, mart)]
                if not verify.compare_mart(house.con, mart, answer).equal:
                    return "truth", mart
            return None
        if house.asked and not any(name in house.asked for name in changed):
            return None
        case = golden(house)
        return ("cases", case) if case else None


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: a judge, `stillborn`, `equivalent` or `survives`."""

    mutant: Mutant
    judge: str
    by: str = ""


def excuses(known: Iterable[Mutant], path: Path = EQUIVALENT) -> dict[str, str]:
    """Read the mutants that say the same as their model, and why.

    Raises:
        click.ClickException: an entry has no reason, or names no mutant that there is.

    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    told = {entry["mutante"]: str(entry.get("motivo") or "") for entry in entries}
    stale = told.keys() - {mutant.key for mutant in known}
    if stale or not all(told.values()) or len(told) < len(entries):
        names = "\n".join(sorted(stale)) or "an entry has no reason or stands twice"
        raise click.ClickException(f"{path.name} does not fit the models any more:\n{names}")
    return told


def share(verdicts: Sequence[Verdict]) -> float:
    """Return the percentage caught of the mutants that say something else."""
    counted = [v for v in verdicts if v.judge not in {"stillborn", "equivalent"}]
    caught = sum(v.judge != "survives" for v in counted)
    return 100 * caught / len(counted) if counted else 0.0


def try_all(court: Court, chosen: Sequence[Mutant], equal: Mapping[str, str]) -> list[Verdict]:
    """Judge mutants one after the other, and say each survivor as it is found."""
    verdicts = list[Verdict]()
    for number, mutant in enumerate(chosen, start=1):
        try:
            judge, by = court.judge(mutant) or ("survives", "")
        except StillbornError:
            judge, by = "stillborn", ""
        if mutant.key in equal and judge not in {"survives", "stillborn"}:
            raise click.ClickException(f"{EQUIVALENT.name}: {by} catches this one:\n{mutant.key}")
        if judge == "survives" and mutant.key in equal:
            judge = "equivalent"
        verdicts.append(Verdict(mutant, judge, by))
        if judge == "survives":
            say(f"{number}/{len(chosen)} survives: {mutant.key}")
    return verdicts


def report(verdicts: Sequence[Verdict]) -> Table:
    """Return the table: a row for each model, a column for each fate."""
    fates = (*JUDGES, "stillborn", "equivalent", "survives")
    table = Table("model", "mutants", *fates)
    for name in [*sorted({v.mutant.model for v in verdicts}), "all"]:
        counted = Counter(v.judge for v in verdicts if name in {v.mutant.model, "all"})
        table.add_row(name, str(counted.total()), *(str(counted[fate] or "") for fate in fates))
    return table


def build_houses(directory: Path) -> None:
    """Build the houses as the tests do, those that do not stand yet.

    They are made in folders of their own; the folder of the tests must be there.
    """
    sys.path[:0] = map(str, TESTS)
    import conftest  # noqa: PLC0415 - the tests' own city, so that both build the same

    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / CITY / "built").exists():
        say("Building the small city, then its unit tests ...")
        made = conftest.make_house(directory / CITY, conftest.SMALL)
        with conftest.environment(made.env):
            run_dbt(made.settings, "test", "--select", "test_type:unit", title="dbt test")
        (directory / CITY / "built").touch()
    for name, suite in SUITES.items():
        if not (directory / name / "built").exists():
            say(f"Building the house of {suite.module} ...")
            build = getattr(importlib.import_module(suite.module), f"build_{suite.fixture}")
            build(directory / name)
            (directory / name / "built").touch()


@click.command()
@click.option("--sample", type=click.IntRange(min=1), help="So many mutants; by default all.")
@click.option("--seed", default=1, show_default=True, help="Which sample.")
@click.option("--model", "only", help="Mutants of this model only.")
@click.option(
    "--houses",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the built houses are kept, and found again.",
)
def main(sample: int | None, seed: int, only: str | None, houses: Path | None) -> None:
    """Flip the SQL rules one slip at a time and count which check catches it.

    Needs the checkout with its tests, and the extra dev. Ends with 1 when fewer than `BOUND` of the
    mutants that say something else are caught.
    """
    with tempfile.TemporaryDirectory(prefix="mapa-mutants-") as temporary:
        directory = (houses or Path(temporary)).resolve()
        build_houses(directory)
        court = Court(directory)
        known = court.mutants()
        equal = excuses(known)
        chosen = [m for m in known if only in {None, m.model}]
        if sample is not None and sample < len(chosen):
            chosen = random.Random(seed).sample(chosen, sample)  # noqa: S311 - which, not a secret
        say(f"{len(chosen)} of {len(known)} mutants ...")
        verdicts = try_all(court, chosen, equal)
    Console(width=200).print(report(verdicts))
    caught = share(verdicts)
    say(f"{caught:.1f} % caught; at least {BOUND:g} % must be.")
    if caught < BOUND:
        raise SystemExit(1)
