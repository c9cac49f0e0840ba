"""The gate: what dbt's own records must say before anything may leave the house.

`target/run_results.json` says what ran and how it ended, `target/manifest.json` says what should
have run. Only a `dbt build` of everything that ran to its end opens the gate, and of what it made
only the subjects in which nothing failed pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from mapa import warehouse
from mapa.errors import PublishError
from mapa.settings import Settings

SCHEMA = "publicacao"
AS_OF_TABLE = "pub_atualizacao"
SHARED = "comum"
"""Subject of what belongs to all subjects."""
GREEN = {"success", "pass", "warn", "no-op"}
MOST = 10
"""Problems that one message tells."""
ADVICE = "Run `dbt build`, then `mapa publish` again."
MONTH, PROCEDURE = "competencia", "procedimento_codigo"
ENDS = ("minimo", "maximo")
"""Between which a share is told."""
Signed = tuple[str, int]
"""A column and its sign."""


@dataclass(frozen=True)
class CodeList:
    """Where the codes of a column are explained: a seed's table, and the list's name in it."""

    relation: str
    name: str


@dataclass(frozen=True)
class Column:
    """A column as the dictionary knows it.

    Attributes:
        codes: where a test holds it to a list of codes.
        required: whether a test holds that it is never null.

    """

    name: str
    description: str
    lgpd: str | None
    codes: CodeList | None = None
    required: bool = False


@dataclass(frozen=True)
class Check:
    """A test that every build makes of a table.

    Attributes:
        name: of the test.
        kind: generic test that it is; its own name where it is a singular one.
        description: what it says of itself, if anything.
        column: that it looks at; empty when it looks at rows.

    """

    name: str
    kind: str
    description: str
    column: str


@dataclass(frozen=True)
class Reference:
    """A column whose every value stands in one of another published table, as a test proves."""

    column: str
    table: str
    field: str


@dataclass(frozen=True)
class Cases:
    """Where it is told how many people a share is of.

    Attributes:
        table: that counts them, by month and procedure.
        months: that end with the month of the share and are counted.
        fewest: how many there must be.

    """

    table: str
    months: int
    fewest: int


@dataclass(frozen=True)
class People:
    """How a table counts people: `config.meta.divulgacao` of its model, and what its tests hold.

    Attributes:
        minimum: the smallest count that is shown.
        universe: tables of one universe count the same people, so that columns of one name agree
            wherever two tables tell them.
        counts: the columns that count people.
        derived: columns that are computed from counts, and from which.
        stocks: columns that carry on from month to month, and the flows, each with its sign.
        sums: columns of a row that add up to what is no count of people, each with its sign.
        shares: parts of a hundred people, told between two columns (`_minimo`, `_maximo`), and the
            count of `cases` that they are of.
        cases: the table with that count; None without shares.

    """

    minimum: int
    universe: str
    counts: tuple[str, ...]
    derived: Mapping[str, tuple[str, ...]]
    stocks: Mapping[str, tuple[Signed, ...]]
    sums: tuple[tuple[Signed, ...], ...]
    shares: Mapping[str, str] = field(default_factory=dict)
    cases: Cases | None = None


@dataclass(frozen=True)
class Table:
    """A model of the schema `publicacao`."""

    name: str
    subject: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    people: People | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Subject:
    """Tables that are published together or not at all, such as those of the offer.

    Attributes:
        name: `config.meta.assunto` of its models.
        problems: status and name of each node in its family that failed, in dbt's words; none when
            it may be published.

    """

    name: str
    tables: tuple[Table, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Build:
    """A build that ran to its end: its identity and what it says of each subject.

    Attributes:
        shared: what all subjects need to be read: dimensions and the as-of dates. What fails in
            their family fails every subject.
        manifest: dbt's own, of the same run.

    """

    invocation_id: str
    shared: tuple[Table, ...]
    subjects: tuple[Subject, ...]
    manifest: dict[str, Any]

    @property
    def owner(self) -> str:
        """Return who publishes: `config.meta.responsavel` of the published models."""
        owners = (
            node["config"]["meta"].get("responsavel")
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "model" and node["schema"] == SCHEMA
        )
        return next((str(owner) for owner in owners if owner), "")

    @property
    def good(self) -> tuple[Subject, ...]:
        """Return the subjects that may be published."""
        return tuple(subject for subject in self.subjects if not subject.problems)

    @property
    def fresh(self) -> tuple[Table, ...]:
        """Return the tables that may be taken from the warehouse, by name."""
        tables = [table for subject in self.good for table in subject.tables]
        return tuple(sorted([*tables, *(self.shared if tables else ())], key=lambda t: t.name))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return all tables that the project publishes, by name."""
        tables = [table for subject in self.subjects for table in subject.tables]
        return tuple(sorted([*tables, *self.shared], key=lambda t: t.name))

    def sources_of(self, table: str) -> set[str]:
        """Return the ids of the sources that a published table is made of."""
        (model,) = (
            name
            for name, node in self.manifest["nodes"].items()
            if node["name"] == table and node["resource_type"] == "model"
        )
        return {
            name for name in _ancestors(self.manifest, [model]) if name in self.manifest["sources"]
        }

    def failing(self, name: str, problem: str) -> Build:
        """Return the same build with one more problem of a subject."""
        subjects = (
            replace(subject, problems=(*subject.problems, problem))
            if subject.name == name
            else subject
            for subject in self.subjects
        )
        return replace(self, subjects=tuple(subjects))


def finished_build(settings: Settings) -> Build:
    """Read dbt's records of the last command; let only a build that ran to its end pass.

    Raises:
        PublishError: there was no build, it was partial or killed.
    """
    results = _read(settings.dbt_target_path / "run_results.json")
    manifest = _read(settings.dbt_target_path / "manifest.json")
    _require_one_run(settings, results, manifest)
    _require_a_full_build(results["args"])
    statuses = {row["unique_id"]: row["status"] for row in results["results"]}
    models = _published_models(manifest)
    _require_complete(manifest, [name for names in models.values() for name in names], statuses)
    shared = models.pop(SHARED, [])
    return Build(
        invocation_id=results["metadata"]["invocation_id"],
        shared=tuple(_table(manifest, model) for model in shared),
        subjects=tuple(
            Subject(
                name,
                tuple(_table(manifest, model) for model in own),
                _problems(manifest, [*own, *shared], statuses),
            )
            for name, own in sorted(models.items())
        ),
        manifest=manifest,
    )


def require_newest(con: duckdb.DuckDBPyConnection, build: Build) -> None:
    """Check that the tables are those of this build and that nothing was loaded after it.

    Raises:
        PublishError: the warehouse was loaded or built again since, or it is another warehouse.
    """
    names = [table.name for table in build.fresh]
    if not names:
        return
    missing = sorted(set(names) - _standing(con))
    if missing:
        raise PublishError(
            f"The warehouse does not hold {', '.join(missing)}; dbt's last build went elsewhere.\n"
            f"{ADVICE}"
        )
    other = _not_made_by(con, build.invocation_id, names)
    if other:
        raise PublishError(
            f"{', '.join(other)} in the warehouse was not made by dbt's last build.\n{ADVICE}"
        )
    # Loads are numbered, because a clock may have been wrong.
    later = con.execute(
        """
        select
            (select count(*) from controle.cargas
            where resultado = 'completa' and ordem > b.carga_ordem),
            (select count(*) from controle.correcoes) - b.qtd_correcoes
        from (
            select min(carga_ordem) as carga_ordem, min(qtd_correcoes) as qtd_correcoes
            from controle.construcoes where construcao_id = ?
        ) as b
        """,
        [build.invocation_id],
    ).fetchall()[0]
    if any(later):
        loads, corrections = later
        raise PublishError(
            f"{loads} loads and {corrections} corrections of days came after the last build.\n"
            f"{ADVICE}"
        )


def listed(problems: Sequence[str]) -> str:
    """Write the first of some problems, each in a line."""
    more = [f"  and {len(problems) - MOST} more"] if len(problems) > MOST else []
    return "\n".join([*(f"  {problem}" for problem in problems[:MOST]), *more])


def _standing(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of the tables of the published schema that the warehouse holds."""
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = ?", [SCHEMA]
    ).fetchall()
    return {name for (name,) in rows}


def _not_made_by(
    con: duckdb.DuckDBPyConnection, invocation_id: str, names: Sequence[str]
) -> list[str]:
    """Return which of some tables another run of dbt made, or nobody knows which.

    Each table's maker is written in the transaction that makes the table (`macros/project.sql`).
    """
    made = {table for table, (build, _) in built(con).items() if build == invocation_id}
    return sorted(set(names) - made)


def built(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, int]]:
    """Return by table which run of dbt made it, and the newest load that it knew.

    Nothing of a warehouse of before, which did not write it down.
    """
    known = con.execute(
        "select 1 from duckdb_tables() where schema_name = 'controle' "
        "and table_name = 'construcoes'"
    ).fetchall()
    if not known:
        return {}
    rows = con.execute("select tabela, construcao_id, carga_ordem from controle.construcoes")
    return {table: (build, order) for table, build, order in rows.fetchall()}


def _require_one_run(settings: Settings, results: dict[str, Any], manifest: dict[str, Any]) -> None:
    """Refuse records of two runs: dbt writes what should run at once and how it ended at the end.

    Raises:
        PublishError: the last run did not end, or was no build; the message names the first
            published table that it did not make.
    """
    begun = manifest["metadata"]["invocation_id"]
    if begun == results["metadata"]["invocation_id"]:
        return
    names = [_short(name) for own in _published_models(manifest).values() for name in own]
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        missing = _not_made_by(con, begun, sorted(names))
    lacking = f"{missing[0]} was not made" if missing else "not all of its tests have ended"
    raise PublishError(
        "dbt's last command did not build everything to the end: its records are of two runs, and "
        f"in the newer one {lacking}.\n{ADVICE}"
    )


def _read(path: Path) -> dict[str, Any]:
    """Read one of dbt's records."""
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise PublishError(
            f"{path} does not exist: nothing has been built yet.\n{ADVICE}"
        ) from None
    except ValueError:
        raise PublishError(f"{path} cannot be read: it is not whole.\n{ADVICE}") from None
    return record


def _require_a_full_build(arguments: dict[str, Any]) -> None:
    """Refuse another command than `build`, and a build on part of the rows or of what is known."""
    if arguments.get("which") != "build":
        raise PublishError(
            f"dbt's last command was `{arguments.get('which')}`; only a build proves the numbers.\n"
            f"{ADVICE}"
        )
    for flag in ("empty", "sample"):
        if arguments.get(flag):
            raise PublishError(
                f"dbt's last build ran with --{flag}, on part of the rows.\n{ADVICE}"
            )
    if (arguments.get("vars") or {}).get("conhecido_em"):
        raise PublishError(
            "dbt's last build shows what was known on a past day (conhecido_em), not what is "
            f"known.\n{ADVICE}"
        )


def _problems(
    manifest: dict[str, Any], models: list[str], statuses: dict[str, str]
) -> tuple[str, ...]:
    """Return what failed or was skipped of some models, their ancestors and the tests of either.

    What runs before the models (`on-run-start`) belongs to all of them.
    """
    family = _ancestors(manifest, models)
    bad = {name: status for name, status in statuses.items() if status not in GREEN}
    of_family = {
        name
        for name in bad
        if name in family or name.startswith("operation.") or family & _tested(manifest, name)
    }
    # What failed says why; what was skipped because of it only follows.
    order = sorted(of_family, key=lambda name: (bad[name] == "skipped", name))
    return tuple(f"{bad[name]}: {_short(name)}" for name in order)


def _tested(manifest: dict[str, Any], name: str) -> set[str]:
    """Return what a test is about: the model it stands on or whose name it bears.

    Without either it is about the last models that it reads: a test of the queue that looks into
    the calendar is about the queue. One that compares a mart with others bears the mart's name.
    """
    node = {**manifest["nodes"], **manifest["unit_tests"]}.get(name)
    if node is None or node["resource_type"] not in ("test", "unit_test"):
        return set()
    if attached := node.get("attached_node"):
        return {attached}
    read = set(node["depends_on"]["nodes"])
    named = [one for one in read if node["name"].startswith(f"{one.rpartition('.')[2]}__")]
    if named:
        return {max(named, key=len)}
    inner = {above for one in read for above in _ancestors(manifest, [one]) - {one}}
    return read - inner


def _require_complete(
    manifest: dict[str, Any], models: list[str], statuses: dict[str, str]
) -> None:
    """Refuse a run that left out a published model, an ancestor of one, or a data test of either.

    Unit tests need not have run: they depend on no data, so that nightly builds leave them out.
    """
    family = _ancestors(manifest, models)
    due = {
        name
        for name, node in manifest["nodes"].items()
        if (name in family and node["config"]["materialized"] != "ephemeral")
        or (node["resource_type"] == "test" and family & set(node["depends_on"]["nodes"]))
    }
    absent = sorted(due - set(statuses))
    if absent:
        raise PublishError(
            f"The last build was partial: {len(absent)} of the published tables' ancestors and "
            f"tests did not run, {_short(absent[0])} among them.\n{ADVICE}"
        )


def _published_models(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """Return the ids of the models of the published schema by subject, each list by name.

    Raises:
        PublishError: one has no subject, or the one with the as-of dates is absent.
    """
    models: dict[str, list[str]] = {}
    for name, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] == "model" and node["schema"] == SCHEMA:
            subject = node["config"]["meta"].get("assunto")
            if not subject:
                raise PublishError(
                    f"{node['name']} does not say with which tables it is published.\n"
                    f"Set config.meta.assunto: `{SHARED}` for what all subjects need, else theirs."
                )
            models.setdefault(subject, []).append(name)
    if AS_OF_TABLE not in {_short(name) for name in models.get(SHARED, [])}:
        raise PublishError(f"The project has no model {AS_OF_TABLE}, which holds the as-of dates.")
    return models


def _ancestors(manifest: dict[str, Any], models: list[str]) -> set[str]:
    """Return these models and everything they are made of, sources included."""
    found: set[str] = set()
    queue = list(models)
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue.extend(manifest["parent_map"].get(name, []))
    return found


def _table(manifest: dict[str, Any], model: str) -> Table:
    """Describe one published table from its manifest node and the tests that stand on it."""
    node = manifest["nodes"][model]
    tests = _column_tests(manifest, model)
    codes = {column: found for column, test in tests if (found := _code_list(manifest, test))}
    references = [_reference(manifest, column, test) for column, test in tests]
    required = {c for c, test in tests if test["test_metadata"]["name"] == "not_null"}
    return Table(
        name=node["name"],
        subject=node["config"]["meta"]["assunto"],
        description=node["description"].strip(),
        grain=tuple(node["config"]["meta"].get("grao", ())),
        columns=tuple(
            Column(
                name=column["name"],
                description=column["description"].strip(),
                lgpd=column["config"]["meta"].get("lgpd"),
                codes=codes.get(column["name"]),
                required=column["name"] in required,
            )
            for column in node["columns"].values()
        ),
        references=tuple(reference for reference in references if reference),
        people=_people(manifest, model),
        checks=tuple(_checks(manifest, model)),
    )


def _checks(manifest: dict[str, Any], model: str) -> Iterator[Check]:
    """Yield the tests that stand on a model or bear its name, by name."""
    prefix = f"{manifest['nodes'][model]['name']}__"
    for node in sorted(manifest["nodes"].values(), key=lambda node: str(node.get("name"))):
        if node["resource_type"] != "test":
            continue
        own = node.get("attached_node")
        if own == model or (not own and node["name"].startswith(prefix)):
            yield Check(
                name=node["name"],
                kind=node["test_metadata"]["name"] if own else node["name"],
                description=node.get("description", "").strip(),
                column=node.get("column_name") or "",
            )


def _people(manifest: dict[str, Any], model: str) -> People | None:
    """Return how a table counts people, if it does.

    Raises:
        PublishError: the model does not say of each column what it is, or a sum cannot be read.
    """
    node = manifest["nodes"][model]
    meta, said = node["config"]["meta"], node["config"]["meta"].get("divulgacao")
    if said is None:
        return None
    counts, derived = tuple(said["contagens"]), said.get("derivadas", {})
    grain = meta.get("grao", [])
    shares, cases = said.get("parcelas", {}), said.get("casos")
    told = {f"{name}_{end}" for name in shares for end in ENDS}
    left = set(node["columns"]) ^ {*grain, *counts, *derived, *told}
    if left or MONTH not in grain:
        raise PublishError(
            f"{node['name']} counts people, and its config.meta.divulgacao does not say of each "
            f"column whether it is a count or derived: {', '.join(sorted(left)) or MONTH}.\n"
            "Correct it, and run `dbt build`."
        )
    tests = (
        test["test_metadata"]["kwargs"]
        for test in manifest["nodes"].values()
        if test.get("attached_node") == model and test["test_metadata"]["name"] == "soma_confere"
    )
    sums = [[_signed(t["total"], -1), *(_signed(p) for p in t["partes"])] for t in tests]
    return People(
        minimum=int(said["minimo"]),
        universe=said["universo"],
        counts=counts,
        derived={name: tuple(of) for name, of in derived.items()},
        stocks={
            name: tuple(_signed(flow) for flow in flows)
            for name, flows in said.get("estoque", {}).items()
        },
        sums=tuple(tuple(s for s in one if s[0] in counts) for one in sums),
        shares=shares,
        cases=Cases(cases["tabela"], int(cases["meses"]), int(cases["minimo"])) if cases else None,
    )


def _signed(term: str, sign: int = 1) -> Signed:
    """Read a term of a sum: the name of a column, perhaps as `(-name)`.

    Raises:
        PublishError: it is anything else, so that nobody knows what adds up.
    """
    found = re.fullmatch(r"\((-)(\w+)\)|()(\w+)", term)
    if not found:
        raise PublishError(f"A sum over counts of people cannot be read: `{term}` is no column.")
    minus, name, _, plain = found.groups()
    return plain or name, -sign if minus else sign


def _column_tests(manifest: dict[str, Any], model: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the tests of single columns of a model, by column, that hold for every row.

    One that only warns, or looks at part of the rows, proves nothing of the table.
    """
    return sorted(
        (
            (node["column_name"], node)
            for node in manifest["nodes"].values()
            if node.get("attached_node") == model
            and node.get("column_name")
            and node["config"].get("severity", "error").lower() == "error"
            and not node["config"].get("where")
        ),
        key=lambda found: (found[0], found[1]["name"]),
    )


def _reference(manifest: dict[str, Any], column: str, test: dict[str, Any]) -> Reference | None:
    """Return what a test says of a column and another published table, if it does."""
    if test["test_metadata"]["name"] != "relationships":
        return None
    model = test["attached_node"]
    (target,) = set(test["depends_on"]["nodes"]) - {model} or {model}
    node = manifest["nodes"].get(target)
    if node is None or node["resource_type"] != "model" or node["schema"] != SCHEMA:
        return None
    return Reference(column, node["name"], test["test_metadata"]["kwargs"]["field"])


def _code_list(manifest: dict[str, Any], test: dict[str, Any]) -> CodeList | None:
    """Return the list that a test holds a column to, if it does."""
    if test["test_metadata"]["name"] != "codigo_no_dicionario":
        return None
    above = (manifest["nodes"][name] for name in test["depends_on"]["nodes"])
    (seed,) = (node for node in above if node["resource_type"] == "seed")
    name = test["test_metadata"]["kwargs"]["dicionario"]
    return CodeList(f"{seed['schema']}.{seed['alias']}", name)


def _short(unique_id: str) -> str:
    """Return the name a person knows, without dbt's prefix and hash."""
    return unique_id.split(".")[2]
