"""The newest version of each record as two numbers, so that a batch is judged without raw.

Looking keys up in raw costs more with every page of a long load. What is kept here is the hash of
each key and the hash of its newest content, 16 bytes a record; DuckDB spills them when they do not
fit. Two keys with one hash would only make an unchanged record look changed: it is stored once
more, and nothing is lost.
"""

from __future__ import annotations

import pyarrow as pa

from mapa.audit import Load
from mapa.layouts import Layout
from mapa.load import batches

PART_ROWS = 500_000


class Versions:
    """What is stored of one layout, and what one load adds to it."""

    def __init__(self, load: Load, layout: Layout) -> None:
        """Read what is stored."""
        # In a connection of its own: a transaction would keep what is made in it until its end.
        self.con = load.shelf
        self.table = f'"versoes {layout.name}"'
        self.con.execute(
            f"create or replace temp table {self.table} (chave ubigint, conteudo ubigint)"
        )
        stored = load.con.execute(
            f"select hash({layout.key_text()}), arg_max(_hash, (_carga_ordem, _linha)) "
            f"from {layout.table} group by {layout.key_text()}"
        )
        for part in stored.to_arrow_reader(PART_ROWS):
            self._keep(part)

    def judge(self, batch: pa.Table) -> pa.Table:
        """Say which accepted records of a batch are new versions, and remember those.

        Args:
            batch: with `_linha`, `_chave`, `_hash` and `_problema`.

        Returns:
            Columns `_linha`, `_chave`, `_hash` and `mudou`, one row for each accepted record.

        """
        judged = batches.run(
            self.con,
            f"""
            with aceitos as (select _linha, _chave, _hash from batch where _problema is null),
            atuais as (
                -- What was kept later is newer.
                select v.chave, arg_max(v.conteudo, v.rowid) as conteudo
                from {self.table} as v
                inner join (select distinct _chave from aceitos) as a on v.chave = a._chave
                group by v.chave
            )
            select
                a._linha,
                a._chave,
                a._hash,
                a._hash is distinct from coalesce(
                    lag(a._hash) over (partition by a._chave order by a._linha), n.conteudo
                ) as mudou
            from aceitos as a
            left join atuais as n on a._chave = n.chave
            order by a._linha
            """,
            batch=batch,
        ).to_arrow_table()
        self._keep(judged.filter(judged.column("mudou")).select(["_chave", "_hash"]))
        return judged

    def _keep(self, batch: pa.Table | pa.RecordBatch) -> None:
        batches.run(self.con, f"insert into {self.table} select * from batch", batch=batch)
