"""The one place where a query meets a batch: by the names `batch` and `judged`, and by no other.

DuckDB finds them as parameters of `run`. `register` would make a view of each, and a transaction
keeps what was made in it until its end: 400 batches of 0.4 MB held 165 MB, this way none, and a
long load would never let go of a page. Outside the transaction of a load, rows that Python made are
registered under the name `records`, see `Intake.read_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa


def run(
    con: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Sequence[Any] = (),
    *,
    batch: pa.Table | pa.RecordBatch,
    judged: pa.Table | None = None,
) -> duckdb.DuckDBPyConnection:
    """Run a query on a batch.

    Args:
        con: where it runs.
        query: names the batch `batch`, and what `Versions.judge` said of it `judged`.
        parameters: of the query.
        batch: the batch.
        judged: the verdicts, if the query needs them.

    """
    return con.execute(query, parameters)
