"""From batches of records to raw: the rules that every entity of every source shares.

A batch is an Arrow table that DuckDB made from what was received; no record passes through Python.
Records that lack a required column go to `controle.rejeitos`; a record equal to the version before
it (in this load, else the newest stored one) counts as identical; the rest is appended.

The batch is the variable `lote`, which DuckDB finds by its name in the calling function.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from mapa.audit import Load, Tally
from mapa.errors import LayoutError
from mapa.load import drift
from mapa.load.layouts import Layout
from mapa.load.versions import Versions, chave

BATCH_ROWS = 20_000
HEADER = "(header)"
MARKS = ["_linha", "_chave", "_hash", "_problema"]
"""Columns of a batch by which its records are judged."""
SEEN = "chaves_recebidas"
"""Temporary table with the keys that a snapshot has, rejected records included."""


class Intake:
    """Moves batches of one layout into its raw table, within one open load."""

    def __init__(
        self, load: Load, layout: Layout, *, headed: bool = False, follow: bool = False
    ) -> None:
        """Begin with nothing received.

        Args:
            load: the open load.
            layout: of its records.
            headed: a header stands above the records, and may stand between them when exports
                were put together by hand.
            follow: keep the keys that come, as snapshots do.

        """
        self.load = load
        self.con = load.con
        self.layout = layout
        self.headed = headed
        self.tally = Tally()
        self.unseen = set(layout.required)
        self.versions = Versions(load, layout)
        self.follow = follow or layout.snapshot
        if self.follow:
            self.con.execute(f"create or replace temp table {SEEN} (chave varchar)")

    def read(self, relation: str) -> pa.Table:
        """Read a relation as one batch.

        Args:
            relation: select with the layout's columns, `_linha` (unique, in order of reception) and
                `_campos_extras`; further columns are kept for the caller to look at.

        """
        return self.load.scratch.execute(self._prepared(relation)).to_arrow_table()

    def read_in_parts(self, relation: str) -> Iterator[pa.Table]:
        """Read a relation of any size as batches of bounded size."""
        reader = self.load.scratch.execute(self._prepared(relation)).to_arrow_reader(BATCH_ROWS)
        for part in reader:
            yield pa.Table.from_batches([part])

    def settle(self, *parts: tuple[pa.Table, str], header_lines: int = 0) -> Tally:
        """Give each record of some batches its fate and return their tally.

        Args:
            parts: batches in order of reception, each with its path inside landing. They are judged
                together, which costs little more than judging one.
            header_lines: lines before the first record, for the line numbers of rejects.

        Raises:
            FormatError: a record is unaccounted for.

        """
        marks = pa.concat_tables([lote.select(MARKS) for lote, _ in parts])
        novas = self.versions.judge(marks)
        changed = sum(novas.column("mudou").to_pylist())
        rejected = loaded = 0
        for lote, file in parts:
            rejected += self._reject(lote, file, header_lines)
            loaded += self._append(lote, novas, file, some=changed < marks.num_rows)
            if self.follow:
                self.con.execute(f"insert into {SEEN} select {chave(self.layout)} from lote")
        tally = Tally(marks.num_rows, loaded, novas.num_rows - changed, rejected)
        self._count(tally)
        return tally

    def reject_unreadable(self, file: str, rejected: pa.Table) -> None:
        """Reject records that could not be read into a batch: `linha`, `coluna` and `motivo`."""
        self.load.reject(file, rejected)
        self._count(Tally(received=rejected.num_rows, rejected=rejected.num_rows))

    def finish(self, what: str) -> None:
        """Refuse a delivery in which no record at all has some required column.

        Raises:
            LayoutError: names the column; the open transaction is then rolled back.

        """
        if self.unseen and self.tally.received:
            names = ", ".join(f"`{name}`" for name in sorted(self.unseen))
            before = drift.since(self.load)
            raise LayoutError(
                f"{what}: {names} is missing or empty in all {self.tally.received} records; "
                "nothing was loaded.\n"
                + (f"That was not so in {before}.\n" if before else "")
                + ("The source has changed or the" if before else "The")
                + " export is incomplete. See\n"
                f"  mapa load export --describe {self.layout.name}"
            )

    def _count(self, tally: Tally) -> None:
        tally.check()
        self.tally += tally
        self.load.tally += tally

    def _prepared(self, relation: str) -> str:
        """Add to each record of a relation what decides its fate."""
        return (
            f"select *, hash({chave(self.layout)}) as _chave, "
            f"{self.layout.content_hash()} as _hash, {self._problem()} as _problema "
            f"from ({relation})"
        )

    def _problem(self) -> str:
        """Return SQL for why a record is rejected, null when it is not.

        That is the first required column that is null or blank, or `HEADER`.
        """
        cases = "".join(
            f" when coalesce(trim(\"{c}\"), '') = '' then '{c}'" for c in self.layout.required
        )
        if self.headed:
            first = self.layout.required[0]
            name = f"lower(replace(trim(\"{first}\"), '.', ''))"
            cases += f" when translate({name}, ' ', '_') = '{first}' then '{HEADER}'"
        return f"case{cases} end"

    def _reject(self, lote: pa.Table, file: str, header_lines: int) -> int:
        found = self.con.execute(
            f"select _linha + {header_lines} as linha, nullif(_problema, '{HEADER}') as coluna, "
            f"case _problema when '{HEADER}' then 'cabeçalho repetido' "
            "else 'coluna obrigatória ausente ou vazia' end as motivo "
            "from lote where _problema is not null"
        ).to_arrow_table()
        if found.num_rows:
            self.load.reject(file, found)
        if self.unseen:
            filled = ", ".join(
                f"case when count(nullif(trim(\"{c}\"), '')) > 0 then '{c}' end"
                for c in sorted(self.unseen)
            )
            row = self.con.execute(f"select {filled} from lote").fetchone()
            self.unseen -= set(row or ())
        return int(found.num_rows)

    def _append(self, lote: pa.Table, novas: pa.Table, file: str, *, some: bool) -> int:
        """Append the batch, or only what is new of it, and return how many rows that were."""
        names = ", ".join(f'"{c}"' for c in self.layout.columns)
        chosen = "where _linha in (select n._linha from novas as n where n.mudou)" if some else ""
        row = self.con.execute(
            f"""
            insert into {self.layout.table} (
                {names}, _carga_id, _arquivo, _linha, _carregado_em, _hash, _campos_extras
            )
            select {names}, $1, $2, _linha, $3, _hash, _campos_extras
            from lote
            {chosen}
            """,
            [self.load.id, file, self.load.started],
        ).fetchone()
        return int(row[0]) if row else 0
