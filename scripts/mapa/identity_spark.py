"""Scored identity on Spark: the queries and weights of `mapa.identity`, by splink's own backend.

Nothing is cut into portions: what is compared stays with the workers. Names are compared here as
DuckDB does it: the function that splink brings for Spark counts transpositions otherwise, and of
200,000 pairs of names put 419 on another side of the threshold.
"""

from __future__ import annotations

import sys
import unicodedata
from itertools import takewhile
from typing import TYPE_CHECKING

from mapa import identity
from mapa.export import Export

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

TABLE = "controle.pares_identidade"
SIMILARITY = "mapa_jaro_winkler"
BOOST, BOOSTED_FROM, PREFIX = 0.1, 0.7, 4
"""What a common beginning adds, from which similarity on, and how much of it counts (Winkler)."""


def jar() -> str:
    """Return the file of what splink compares texts with, for `spark.jars`.

    Raises:
        UnreadyError: splink is not installed.

    """
    identity.require_splink()
    from splink.backends.spark import similarity_jar_location  # noqa: PLC0415 - an extra

    return str(similarity_jar_location())


def score(spark: SparkSession, raw: Export) -> int:
    """Score what the session has built, and write the pairs for the next build over `raw`.

    Returns the number of pairs. The session needs the pseudonym function, and `jar`.
    """
    from mapa.dbt_plugin import FUNCTION  # noqa: PLC0415 - dbt's, which takes seconds

    _lend(spark, "strip_accents", strip_accents, "string")
    for name, query in (
        ("requests", identity.requests_query()),
        ("register", identity.records_query()),
    ):
        rows = spark.sql(_translated(query))
        rows.selectExpr(*identity.COLUMNS).createOrReplaceTempView(name)
    pairs = score_pairs(spark).selectExpr(
        "request as solicitacao_codigo",
        f"left({FUNCTION}('cadsus:' || record), 32) as cadastro_id",
        "score as escore",
    )
    place = next(raw.location(table) for table in raw.tables if table.name == TABLE)
    pairs.persist()
    # Few beside what they were found among, and read by one query.
    pairs.coalesce(1).write.mode("overwrite").parquet(place.as_uri())
    return int(pairs.count())


def score_pairs(spark: SparkSession) -> DataFrame:
    """Score the views `requests` and `register`; see `identity.score_pairs` for their columns."""
    from splink.backends.spark import SparkAPI  # noqa: PLC0415 - an extra

    held = spark.table("register").count()
    spark.sql(identity.CANDIDATES).createOrReplaceTempView("records")
    api = SparkAPI(spark_session=spark, break_lineage_method="persist")
    _lend(spark, SIMILARITY, jaro_winkler, "double")
    _, pairs = identity.predicted(api, spark.sql, held, "temp view", SIMILARITY)
    return spark.sql(pairs)


def jaro_winkler(one: str | None, other: str | None) -> float | None:
    """Return the similarity of two texts by Jaro and Winkler, from 0 to 1, as DuckDB counts it."""
    if one is None or other is None:
        return None
    a, b = one.encode(), other.encode()
    if a == b:
        return 1.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    is_taken = [False] * len(b)
    found = []
    for place, letter in enumerate(a):
        for there in range(max(0, place - reach), min(len(b), place + reach + 1)):
            if b[there] == letter and not is_taken[there]:
                is_taken[there] = True
                found.append(letter)
                break
    if not found:
        return 0.0
    matched = [letter for letter, taken in zip(b, is_taken, strict=True) if taken]
    moved = sum(x != y for x, y in zip(found, matched, strict=True)) // 2
    count = len(found)
    score = (count / len(a) + count / len(b) + (count - moved) / count) / 3
    if score <= BOOSTED_FROM:
        return score
    begins = list(
        takewhile(lambda pair: pair[0] == pair[1], zip(a[:PREFIX], b[:PREFIX], strict=False))
    )
    return score + BOOST * len(begins) * (1 - score)


def _lend(spark: SparkSession, name: str, function: Callable[..., object], kind: str) -> None:
    """Give the session a function of this module; workers have Python, and nothing of ours."""
    from pyspark.cloudpickle import register_pickle_by_value  # noqa: PLC0415 - an extra

    register_pickle_by_value(sys.modules[__name__])
    spark.udf.register(name, function, kind)


def _translated(sql: str) -> str:
    import sqlglot  # noqa: PLC0415 - an extra

    return str(sqlglot.transpile(sql, read="duckdb", write="spark")[0])


def strip_accents(text: str | None) -> str | None:
    """Return a text without accents."""
    if text is None:
        return None
    parts = unicodedata.normalize("NFD", text)
    return "".join(c for c in parts if not unicodedata.combining(c))
