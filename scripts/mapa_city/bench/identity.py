"""How often a request is linked to the right person, and what the scored step costs.

A city is read through its doors and built, once with sound identifiers and once with a share of
them wrong, another's or missing. Then every link is compared with whose the request really is. A
link is right if the pseudonym is made of a number of that person; a request can be linked if the
register has a record of its person, for nothing else leads to her.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
import duckdb
import numpy as np
from rich.console import Console
from rich.table import Table

from mapa import identity, warehouse
from mapa.dbt import run_dbt
from mapa.dbt_plugin import hmac_sha256
from mapa.load import cadsus, sisreg
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city.bench.cost import measure
from mapa_city.city import City
from mapa_city.doors.server import serving
from mapa_city.people import NAMES_FEMALE, NAMES_LAST, NAMES_MALE, NAMES_MIDDLE
from mapa_city.slips import SLIP_SHARE

UNTIL = date(2026, 6, 30)
DAYS = 240
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
LIMIT_MB = 4096
"""Peak memory that the scored step may reach."""
MASTER = 1_000_000
"""Number of a record of the register, less that of its person."""


@dataclass(frozen=True)
class Links:
    """Links made and those that are right, by rule; requests that could be linked.

    `missing` are these without a right link, by why there is none.
    """

    made: Counter[str]
    right: Counter[str]
    possible: int
    missing: Counter[str]

    @property
    def precision(self) -> float:
        """Right links of those made."""
        return self.right.total() / max(self.made.total(), 1)

    @property
    def recall(self) -> float:
        """Right links of those possible."""
        return self.right.total() / max(self.possible, 1)


def make_house(settings: Settings, city: City) -> None:
    """Read a city through its doors and build the identity of its requests."""
    with serving(city) as server:
        pointed = settings.model_copy(update=server.settings())
        sisreg.load(pointed, "all")
        cadsus.load(pointed)
    _dbt(settings, "+int_pessoas__identidade")


def _dbt(settings: Settings, select: str) -> None:
    kinds = [argument for kind in ("model", "seed") for argument in ("--resource-type", kind)]
    run_dbt(settings, "build", *kinds, "--select", select, title="dbt build")


def judge(con: duckdb.DuckDBPyConnection, city: City, digest: Callable[[str], str]) -> Links:
    """Compare the links of a house with whose each request really is."""
    owner = {}
    for person, cpf in enumerate(city.persons["cpf"].to_pylist()):
        owner[digest(f"cpf:{cpf}")[:32]] = person
    cards = city.cards.select(["person_idx", "cns"]).to_pylist()
    owner |= {digest(f"cns:{card['cns']}")[:32]: card["person_idx"] for card in cards}
    codes, persons = (city.requests[name].to_pylist() for name in ("codigo", "person_idx"))
    truth = dict(zip(codes, persons, strict=True))
    held = con.execute("select distinct id_pessoa from bruto_cadsus.pessoa").fetchall()
    registered = {int(number) - MASTER for (number,) in held}
    made, right, missing, possible = Counter[str](), Counter[str](), Counter[str](), 0
    for code, person, rule, why in con.execute(
        "select solicitacao_codigo, pessoa_id, vinculo_regra, vinculo_motivo "
        "from intermediario.int_pessoas__identidade"
    ).fetchall():
        is_right = person is not None and owner.get(person) == truth[code]
        made[rule] += person is not None
        right[rule] += is_right
        possible += truth[code] in registered or is_right
        missing[why or "wrong"] += truth[code] in registered and not is_right
    return Links(+made, right, possible, +missing)


def curve(
    con: duckdb.DuckDBPyConnection, city: City, digest: Callable[[str], str], links: Links
) -> Iterator[tuple[float, int, int, Links]]:
    """Yield for each threshold what the scores add to the links of the exact rules."""
    codes, persons = (city.requests[name].to_pylist() for name in ("codigo", "person_idx"))
    own = {
        code: digest(f"cadsus:{MASTER + person}")[:32]
        for code, person in zip(codes, persons, strict=True)
    }
    best = con.execute(
        "select p.solicitacao_codigo, arg_max(p.cadastro_id, p.escore), max(p.escore) "
        "from controle.pares_identidade as p inner join intermediario.int_pessoas__identidade as i "
        "using (solicitacao_codigo) where i.pessoa_id is null and i.vinculo_motivo <> 'ambiguo' "
        "group by all"
    ).fetchall()
    for threshold in THRESHOLDS:
        taken = [own[code] == record for code, record, score in best if score >= threshold]
        both = Links(
            links.made + Counter({"escore": len(taken)}),
            links.right + Counter({"escore": sum(taken)}),
            links.possible,
            Counter(),
        )
        yield threshold, len(taken), sum(taken), both


def score_many(requests: int, records: int) -> int:
    """Score requests, all without a number, against a register of people who are drawn alike.

    A database makes both and streams the register, as a house does: no object of Python is made.
    Of the requests one in twenty has a name that is cut, one in twenty has no birth date.
    """
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(f"{folder}/r.duckdb") as con:
        con.execute(
            "set memory_limit = '1GB'; set threads = 1; set preserve_insertion_order = false"
        )
        con.execute("set enable_progress_bar = false")
        for name, words in (
            ("given", f"{NAMES_FEMALE} {NAMES_MALE}"),
            ("middle", NAMES_MIDDLE),
            ("last", " ".join(NAMES_LAST)),
        ):
            con.execute(f"set variable {name} = $1", [sorted(set(words.split()))])
        con.execute(_REGISTER, [records])
        asked = con.execute(_ASKED, [requests, records]).to_arrow_table()
        register = con.execute("select * from register").to_arrow_reader(identity.BATCH_ROWS)
        return len(identity.score_pairs(asked, register, {"temp_directory": f"{folder}/spilled"}))


_WORD = (
    "getvariable('{0}')[cast(1 + hash(i || '{1}') % len(getvariable('{0}'))::ubigint as bigint)]"
)
_NAME = " || ' ' || ".join(
    _WORD.format(kind, "{0}" + str(turn))
    for turn, kind in enumerate(("given", "middle", "last", "last"))
)
_REGISTER = f"""
    create table register as
    select cast(i as varchar) as unique_id, {_NAME.format("p")} as name,
        {_NAME.format("m")} as mother,
        strftime(date '1930-01-01' + cast(hash(i || 'b') % 34000 as integer), '%Y-%m-%d') as birth,
        case when hash(i || 's') % 2 = 0 then 'F' else 'M' end as sex,
        'BAIRRO ' || hash(i || 'l') % 300 as place
    from range($1) as r (i)
"""
_ASKED = """
    with drawn as (
        select i, cast(hash(i, 'w') % $2 as varchar) as unique_id from range($1) as r (i)
    )
    select cast(d.i as varchar) as unique_id,
        case when d.i % 20 = 0 then left(r.name, length(r.name) - 3) else r.name end as name,
        r.mother, case when d.i % 20 <> 1 then r.birth end as birth, r.sex, r.place
    from drawn as d inner join register as r using (unique_id)
"""


def measured(settings: Settings, people: int, share: float, threshold: float) -> list[Table]:
    """Return the links of one city, before and after the scores, and the curve."""
    city = simulated.build(people, DAYS, 1, UNTIL, slips=share)
    digest = hmac_sha256(settings.pseudonym_key())
    make_house(settings, city)
    with warehouse.connect(settings.warehouse) as con:
        exact = judge(con, city, digest)
    identity.score(settings)
    with warehouse.connect(settings.warehouse) as con:
        steps = list(curve(con, city, digest, exact))
    _dbt(settings, "int_pessoas__identidade")
    with warehouse.connect(settings.warehouse) as con:
        both = judge(con, city, digest)
    title = f"{share:.0%} of the identifiers wrong, another's or missing"
    return [
        _rules(f"{title}: exact rules", exact),
        _rules(f"{title}: with scores from {threshold} on", both),
        _thresholds(f"{title}: scores", steps),
    ]


def _rules(title: str, links: Links) -> Table:
    shown = Table(title=title, title_justify="left")
    for name in ("rule", "links", "right", "precision"):
        shown.add_column(name, justify="left" if name == "rule" else "right")
    for rule, made in links.made.most_common():
        right = links.right[rule]
        shown.add_row(rule, str(made), str(right), f"{right / made:.5f}")
    made, right = links.made.total(), links.right.total()
    shown.add_row("all", str(made), str(right), f"{links.precision:.5f}")
    of = f"recall {links.recall:.5f} of {links.possible} that can be linked"
    why = ", ".join(f"{count} {name}" for name, count in links.missing.most_common())
    shown.caption = f"{of}; not linked: {why or 'none'}"
    return shown


def _thresholds(title: str, steps: Sequence[tuple[float, int, int, Links]]) -> Table:
    shown = Table(title=title, title_justify="left")
    for name in ("from", "links added", "right", "precision of all", "recall of all"):
        shown.add_column(name, justify="right")
    for threshold, made, right, both in steps:
        figures = f"{both.precision:.5f}", f"{both.recall:.5f}"
        shown.add_row(str(threshold), str(made), str(right), *figures)
    return shown


@click.command()
@click.option(
    "--people",
    default=9000,
    show_default=True,
    type=click.IntRange(500),
    help="People of the city whose links are judged.",
)
@click.option(
    "--requests",
    default=20_000,
    show_default=True,
    type=click.IntRange(4),
    help="Requests without a number that are scored.",
)
@click.option(
    "--records",
    default=3_200_000,
    show_default=True,
    type=click.IntRange(2000),
    help="Records of the register against which they are.",
)
@click.option("--cost-only", is_flag=True, help="Measure the cost alone, and no links.")
def main(people: int, requests: int, records: int, cost_only: bool) -> None:
    """Measure precision and recall of the links, and the cost of the scored step.

    Needs the extra `identidade`. The cost is that of `--requests` requests without a number against
    `--records` records; a step that passes the bound on memory is an error.
    """
    identity.require_splink()
    console = Console(width=100)
    for share in () if cost_only else (0.0, SLIP_SHARE):
        with tempfile.TemporaryDirectory() as name:
            for table in measured(_settings(Path(name)), people, share, 0.99):
                console.print(table)
    costs = [measure(score_many, requests // part, records // part) for part in (4, 2, 1)]
    shown = Table(title="Scores of requests without a number", title_justify="left")
    for head in ("requests", "records", "pairs", "CPU s", "wall s", "peak MB"):
        shown.add_column(head, justify="right")
    for part, cost in zip((4, 2, 1), costs, strict=True):
        figures = (str(cost.count), f"{cost.cpu:.1f}", f"{cost.wall:.0f}", f"{cost.rss:.0f}")
        shown.add_row(str(requests // part), str(records // part), *figures)
    shown.caption = (
        f"CPU grows with the size to the power {np.log2(costs[-1].cpu / costs[-2].cpu):.2f}"
    )
    console.print(shown)
    if costs[-1].rss > LIMIT_MB:
        raise click.ClickException(f"The scored step reached more than {LIMIT_MB} MB.")


def _settings(folder: Path) -> Settings:
    """Return the settings of a house of its own in a folder."""
    settings = Settings.load()
    if settings.mapa_pseudonym_key is None:
        os.environ["MAPA_PSEUDONYM_KEY"] = secrets.token_hex(32)
        settings = Settings.load()
    shutil.copyfile(settings.dbt_project_dir / "profiles.yml.example", folder / "profiles.yml")
    os.environ["DBT_PROFILES_DIR"] = str(folder)
    os.environ["MAPA_MAX_CLOCK_HOURS"] = "6"
    return settings.model_copy(
        update={
            "mapa_dir": folder / "data",
            "dbt_target_path": folder / "target",
            "dbt_log_path": folder / "logs",
        }
    )
