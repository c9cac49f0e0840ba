"""Scored identity: which register record each request that no number links is likely to be of.

splink does the scoring; it is the extra `identidade`, and without it the rules of the models stand
alone. Its weights are constants: nothing is trained, so that the same house gives the same scores.
What leaves this module are pairs of a request and a pseudonym with a score. Names and mothers stay
in the memory of this process, or in spilled files that are encrypted in every house.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from duckdb.sqltypes import VARCHAR

from mapa import clocks, pseudonyms, warehouse
from mapa.dbt_plugin import hmac_sha256
from mapa.errors import ConfigError
from mapa.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from splink import Linker

LEAST = 0.5
"""Probability, of a pair by itself, from which it is kept."""
MEMORY = "2GB"
"""Of the warehouse that gives both, and again of the database that scores them."""
BATCH_ROWS = 50_000
PORTION = 20_000
"""Requests that are scored at a time."""
REGISTERED_SHARE = 0.9
"""Of requests without a number, how many are of somebody whom the register has."""
NAME, MOTHER, BIRTH, SEX, PLACE = "name", "mother", "birth", "sex", "place"
RULES = ((BIRTH, "first"), (MOTHER, "first"), (MOTHER, BIRTH))
"""Columns of which one set must be equal for a pair to be looked at."""

CANDIDATES = "select * from register as r where " + " or ".join(
    "({0}) in (select {0} from requests where {1})".format(
        ", ".join(columns), " and ".join(f"{column} is not null" for column in columns)
    )
    for columns in RULES
)
_CLEAN = "nullif(trim(regexp_replace(upper(strip_accents({0})), '[^A-Z0-9]+', ' ', 'g')), '')"
_KNOWN = (
    "case when not regexp_matches({0}, '^((SEM|NAO) |IGNORAD|DESCONHECID|RN |RECEM NASCID)') "
    "then {0} end"
)
COLUMNS = (
    "unique_id", "name", "split_part(name, ' ', 1) as first", "mother", "birth", "sex", "place",
)  # fmt: skip
_REQUESTS = """
with documentos as (
    select solicitacao_codigo, paciente_nome, paciente_mae_nome, paciente_data_nascimento,
        paciente_sexo, residencia_bairro, momento_atualizacao, _carga_ordem, _linha
    from staging.stg_sisreg__solicitacoes_ambulatoriais
    union all
    select solicitacao_codigo, paciente_nome, paciente_mae_nome, paciente_data_nascimento,
        paciente_sexo, residencia_bairro, momento_atualizacao, _carga_ordem, _linha
    from staging.stg_sisreg__marcacoes_ambulatoriais
)
select d.solicitacao_codigo as unique_id, {name} as name, {mother} as mother,
    cast(d.paciente_data_nascimento as varchar) as birth, left(d.paciente_sexo, 1) as sex,
    {place} as place
from documentos as d
inner join intermediario.int_pessoas__identidade as i using (solicitacao_codigo)
where i.vinculo_regra = 'escore' or (i.pessoa_id is null and i.vinculo_motivo <> 'pessoa_protegida')
qualify row_number() over (
    partition by d.solicitacao_codigo
    order by d.momento_atualizacao desc, d._carga_ordem desc, d._linha desc
) = 1
"""
_RECORDS = """
with newest as (
    select p.*
    from staging.stg_cadsus__pessoas as p
    where p.cadsus_id is not null
    qualify row_number() over (
        partition by p.cadsus_id order by p._carga_ordem desc, p._arquivo desc, p._linha desc
    ) = 1
)
select p.cadsus_id as unique_id, {name} as name, {mother} as mother,
    cast(p.data_nascimento as varchar) as birth, left(p.sexo_codigo, 1) as sex, {place} as place
from newest as p
where not coalesce(p.eh_protegida, false) and p.nome_social is null
"""


class UnreadyError(ConfigError):
    """Nothing can be scored in this house: splink is not installed, or nothing is built yet."""


@dataclass(frozen=True)
class Scored:
    """How many requests were looked at, how many have a likely record, and how many pairs."""

    requests: int
    found: int
    pairs: int

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.requests} requests without a link scored: {self.found} resemble "
            f"{self.pairs} records."
        )


def score(settings: Settings) -> Scored:
    """Score the requests that no number links against the register; the next build reads it.

    Raises:
        UnreadyError: splink is not installed, or nothing is built yet.
        ConfigError: the key is another.
        LockedError, FormatError, DiskError: as `warehouse.connect`.

    """
    require_splink()
    key = settings.pseudonym_key()
    with warehouse.connect(settings.warehouse) as con:
        if not _is_built(con):
            raise UnreadyError(
                "Nothing is built yet, so that nobody knows which requests no number links.\n"
                "Build first with\n  dbt build"
            )
        pseudonyms.require(con, key)
        con.execute(f"set memory_limit = '{MEMORY}'")
        requests = con.execute(requests_query()).to_arrow_table()
        records = con.execute(records_query()).to_arrow_reader(BATCH_ROWS)
        pairs = score_pairs(requests, records, warehouse.closed(settings.warehouse))
        con.create_function("identity_key", hmac_sha256(key), [VARCHAR], VARCHAR)
        con.begin()
        con.execute("delete from controle.pares_identidade")
        con.register("scored_pairs", pairs)
        con.execute(
            "insert into controle.pares_identidade "
            "select request, left(identity_key('cadsus:' || record), 32), score "
            "from scored_pairs order by all"
        )
        done = Scored(len(requests), len(pairs["request"].unique()), len(pairs))
        con.execute("delete from controle.pareamentos")
        con.execute(
            "insert into controle.pareamentos values ($1, $2, $3, $4)",
            [clocks.now(), done.requests, done.found, done.pairs],
        )
        con.commit()
    return done


def last(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return when scores were made last and of how much, or why there are none.

    `scored_at` is naive UTC, None without scores; then `reason` says why in a sentence.
    """
    row = None
    # A warehouse of before lacks the table.
    with suppress(duckdb.CatalogException):
        row = con.execute("select * from controle.pareamentos").fetchone()
    names = ("scored_at", "requests", "found", "pairs")
    if row:
        reason = None
    elif not _is_installed():
        reason = "splink is not installed; pip install -e '.[identidade]'"
    elif not _is_built(con):
        reason = "nothing is built yet; dbt build says which requests no number links"
    else:
        reason = "they were not made since the first build or the last change of the key; mapa run"
    return dict(zip(names, row or (None,) * len(names), strict=True)) | {"reason": reason}


def require_splink() -> None:
    """Refuse to go on without splink.

    Raises:
        UnreadyError: says how it is installed.

    """
    if not _is_installed():
        raise UnreadyError(
            "`mapa identity` needs splink, which is not installed; without it requests are linked "
            "by exact rules alone.\nAdd the extra `identidade` with\n"
            "  pip install -e '.[identidade]'"
        )


def _is_installed() -> bool:
    with suppress(ModuleNotFoundError):
        return find_spec("splink") is not None
    return False


def score_pairs(
    requests: pa.Table,
    records: pa.Table | pa.RecordBatchReader,
    config: dict[str, Any],
    threads: int = 1,
    portion: int = PORTION,
) -> pa.Table:
    """Score pairs of requests and records that share a block.

    splink sees one portion of the requests at a time, with the records that share a block with one
    of them; how common a name is, is counted in the whole register. So memory hangs on the portion,
    and no score does.

    Args:
        requests: unique_id, name, mother, birth (YYYY-MM-DD), sex, place; text, null if unknown.
        records: the same of the register, as a whole or as a stream.
        config: of the DuckDB in memory that does it.
        threads: how many of them.
        portion: how many requests at a time.

    Returns:
        request, record and score, the probability among all records, in the order of both.

    """
    quiet = logging.getLogger("splink")
    before, quiet.level = quiet.level, logging.CRITICAL
    with duckdb.connect(config=config | {"memory_limit": MEMORY, "threads": threads}) as con:
        con.execute("set enable_progress_bar = false")
        # In whichever order they come, a portion is the same.
        for name, rows, order in (
            ("asked", requests, "order by unique_id"), ("register", records, ""),
        ):  # fmt: skip
            con.register("given", rows)
            con.execute(f"create table {name} as select {', '.join(COLUMNS)} from given {order}")
            con.unregister("given")
        con.execute(
            "create table pairs (request varchar not null, record varchar not null, "
            "score double not null)"
        )
        held = _count(con, "register")
        for start in range(0, _count(con, "asked"), portion):
            con.execute(
                "create or replace table requests as select * from asked "
                f"where rowid >= {start} and rowid < {start + portion}"
            )
            con.execute(f"create or replace table records as {CANDIDATES}")
            if _count(con, "records"):
                _score_portion(con, held)
        pairs = con.execute("select * from pairs order by all").to_arrow_table()
    quiet.level = before
    return pairs


def _score_portion(con: duckdb.DuckDBPyConnection, held: int) -> None:
    """Add the pairs of `requests` and `records`, candidates of a register of `held` records."""
    from splink import DuckDBAPI  # noqa: PLC0415 - an extra

    similarity = "jaro_winkler_similarity"
    linker, pairs = predicted(DuckDBAPI(con), con.execute, held, "table", similarity)
    con.execute(f"insert into pairs {pairs}")
    linker.table_management.delete_tables_created_by_splink_from_db()


def predicted(
    api: Any, execute: Callable[[str], object], held: int, made: str, similarity: str
) -> tuple[Linker, str]:
    """Let splink score the tables `requests` and `records` of an engine.

    Args:
        api: splink's of the engine.
        execute: what runs SQL there.
        held: records of the table `register`, in which is counted how common a name is.
        made: what stands for these counts, a `table` or a `temp view`.
        similarity: function of the engine for that of Jaro and Winkler.

    Returns:
        splink's own, which knows what it left, and SQL of request, record and score.

    """
    from splink import Linker  # noqa: PLC0415 - an extra

    linker = Linker(
        [api.register("requests", dataset_display_name="requests"),
         api.register("records", dataset_display_name="records")],
        _settings(held, similarity), log_level=logging.CRITICAL,
    )  # fmt: skip
    for column in (NAME, MOTHER):
        execute(
            f"create or replace {made} common_{column} as select {column}, "
            f"count(*) / {held} as tf_{column} from register "
            f"where {column} in (select {column} from requests) group by {column}"
        )
        common = api.register(f"common_{column}")
        linker.table_management.register_term_frequency_lookup(common, column)
    found = linker.inference.predict(threshold_match_probability=LEAST)
    # A request is of one person at most: each candidate takes from the others. Sums hang
    # on their order, and so does a last digit.
    return linker, (
        "with found as (select case when source_dataset_l = 'requests' "
        "then unique_id_l else unique_id_r end as request, case when source_dataset_l = 'requests' "
        "then unique_id_r else unique_id_l end as record, pow(2, match_weight) as odds "
        f"from {found.physical_name}) select request, record, "
        "round(odds / (1 + sum(odds) over (partition by request)), 9) as score from found"
    )


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    found = con.execute(f"select count(*) from {table}").fetchone()
    return int(found[0]) if found else 0


def _is_built(con: duckdb.DuckDBPyConnection) -> bool:
    found = con.execute(
        "select count(*) from information_schema.tables where table_schema = 'intermediario' "
        "and table_name = 'int_pessoas__identidade'"
    ).fetchone()
    return bool(found and found[0])


def requests_query() -> str:
    """Return DuckDB's SQL of the requests that no number links, in the columns of `score_pairs`."""
    return _query(_REQUESTS, "d.paciente_")


def records_query() -> str:
    """Return DuckDB's SQL of the newest version of each record of the register, likewise."""
    return _query(_RECORDS, "p.")


def _query(sql: str, side: str) -> str:
    mother = "d.paciente_mae_nome" if side.startswith("d") else "p.mae_nome"
    place = "d.residencia_bairro" if side.startswith("d") else "p.residencia_bairro"
    return sql.format(
        name=_KNOWN.format(_CLEAN.format(f"{side}nome")),
        mother=_KNOWN.format(_CLEAN.format(mother)),
        place=_CLEAN.format(place),
    )


def _settings(records: int, similarity: str) -> Any:
    """Return what splink compares, with fixed weights: m among pairs of one person, u among all.

    Exact names count by how common each is in the two tables.
    """
    from splink import SettingsCreator, block_on  # noqa: PLC0415 - an extra

    first = "split_part({0}_l, ' ', 1) = split_part({0}_r, ' ', 1)"
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="unique_id",
        probability_two_random_records_match=REGISTERED_SHARE / records,
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in RULES],
        comparisons=[
            _comparison(NAME, (
                ("name_l = name_r", 0.75, 1e-5),
                (first.format(NAME) + f" and {similarity}(name_l, name_r) >= 0.9",
                 0.19, 2e-4),
                (first.format(NAME), 0.055, 0.02),
            ), (0.005, 0.98)),
            _comparison(MOTHER, (
                ("mother_l = mother_r", 0.93, 1e-5),
                (first.format(MOTHER) + f" and {similarity}(mother_l, mother_r) >= 0.9",
                 0.03, 2e-4),
                (first.format(MOTHER), 0.02, 0.03),
            ), (0.02, 0.97)),
            _comparison(BIRTH, (
                ("birth_l = birth_r", 0.97, 4e-5),
                ("damerau_levenshtein(birth_l, birth_r) = 1", 0.02, 2e-3),
            ), (0.01, 0.998)),
            _comparison(SEX, (("sex_l = sex_r", 0.995, 0.5),), (0.005, 0.5)),
            _comparison(PLACE, (("place_l = place_r", 0.8, 0.03),), (0.2, 0.97)),
        ],
        retain_matching_columns=False,
    )  # fmt: skip


def _comparison(
    column: str, levels: Sequence[tuple[str, float, float]], rest: tuple[float, float]
) -> Any:
    """Return the comparison of a column: conditions from the strictest on, each with m and u."""
    import splink.comparison_level_library as level  # noqa: PLC0415 - an extra
    from splink.comparison_library import CustomComparison  # noqa: PLC0415 - an extra

    made: list[Any] = [level.NullLevel(column)]
    for number, (condition, m, u) in enumerate(levels):
        one = (
            level.ExactMatchLevel(column, term_frequency_adjustments=column in (NAME, MOTHER))
            if number == 0
            else level.CustomLevel(condition)
        )
        made.append(one.configure(m_probability=m, u_probability=u))
    made.append(level.ElseLevel().configure(m_probability=rest[0], u_probability=rest[1]))
    return CustomComparison(comparison_levels=made, output_column_name=column)
