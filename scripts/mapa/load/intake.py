"""From batches of records to raw: the rules that every entity of every source shares.

A batch is an Arrow table that DuckDB made from what was received; no record passes through Python.
Records that lack a required column go to `controle.rejeitos`; a record equal to the version before
it (in this load, else the newest stored one) counts as identical; the rest is appended. Where a
layout has records of its own (`Layout.record`), all rows that a file has of one are its version, so
they are held until the last has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import pyarrow as pa

from mapa.audit import Load, Tally
from mapa.errors import ConfigError, FormatError, LayoutError
from mapa.layouts import Layout, canonical
from mapa.load import batches, drift
from mapa.load.versions import Versions
from mapa.sql import literal

BATCH_ROWS = 20_000
NONE_WRONG: Mapping[int, str] = MappingProxyType({})
MARKS = ["_linha", "_chave", "_hash", "_problema"]
"""Columns of a batch by which its records are judged."""
SEEN = "chaves_recebidas"
"""Temporary table with the keys that a snapshot has, rejected records included."""
HELD = "linhas_recebidas"
"""Temporary table with the accepted rows of a file whose records may have several."""


def _problem(reason: str, column: str | None = None, *, unreadable: bool = False) -> str:
    """Return SQL of a value of `_problema`: why a record is rejected, and for which column."""
    where = "null::varchar" if column is None else literal(column)
    return f"{{'coluna': {where}, 'motivo': {literal(reason)}, 'ilegivel': {unreadable}}}"


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
        # Files that brought anything but what was known.
        self.changed = set[str]()
        # Records that could not be read, and those of which not even the key is known.
        self.unreadable = self.nameless = 0
        self.names = ", ".join(f'"{c}"' for c in layout.columns)
        if layout.record:
            self._hold_nothing()
        else:
            self.versions = Versions(load, layout)
        self.follow = follow or layout.snapshot
        if self.follow:
            self.con.execute(f"create or replace temp table {SEEN} (chave varchar)")

    def read(self, relation: str, wrong: Mapping[int, str] = NONE_WRONG) -> pa.Table:
        """Read a relation as one batch.

        Args:
            relation: select with the layout's columns, `_linha` (unique, in order of reception) and
                `_campos_extras`; further columns are kept for the caller to look at.
            wrong: lines whose records cannot be read, and why: they are rejected for that.

        """
        return self.load.scratch.execute(self._prepared(relation, wrong)).to_arrow_table()

    def read_in_parts(self, relation: str) -> Iterator[pa.Table]:
        """Read a relation of any size as batches of bounded size."""
        reader = self.load.scratch.execute(self._prepared(relation)).to_arrow_reader(BATCH_ROWS)
        for part in reader:
            yield pa.Table.from_batches([part])

    def read_rows(
        self,
        rows: list[dict[str, str | None]],
        lines: Sequence[int],
        extras: Sequence[str | None] | None = None,
    ) -> pa.Table:
        """Read rows that Python made as one batch.

        Args:
            rows: by column of the layout; what is not given is null.
            lines: where each stood in what was received.
            extras: `_campos_extras` of each, by default none.

        """
        schema = pa.schema([(name, pa.string()) for name in self.layout.columns])
        table = pa.Table.from_pylist(rows, schema=schema)
        table = table.append_column("_linha", pa.array(lines, pa.int64()))
        extras = extras if extras is not None else [None] * len(rows)
        table = table.append_column("_campos_extras", pa.array(extras, pa.string()))
        self.load.scratch.register("records", table)
        return self.read("select * from records")

    def settle(self, *parts: tuple[pa.Table, str], header_lines: int = 0) -> Tally:
        """Give each record of some batches its fate and return their tally.

        Args:
            parts: batches in order of reception, each with its path inside landing. They are judged
                together, which costs little more than judging one.
            header_lines: lines before the first record, for the line numbers of rejects.

        Raises:
            FormatError: a record is unaccounted for.

        """
        if self.layout.record:
            return self._hold(parts, header_lines)
        marks = pa.concat_tables([batch.select(MARKS) for batch, _ in parts])
        judged = self.versions.judge(marks)
        changed = sum(judged.column("mudou").to_pylist())
        rejected = loaded = 0
        for batch, file in parts:
            wrong = self._reject(batch, file, header_lines)
            new = self._append(batch, judged, file, some=changed < marks.num_rows)
            self._remember_keys(batch)
            if wrong or new:
                self.changed.add(file)
            rejected, loaded = rejected + wrong, loaded + new
        tally = Tally(marks.num_rows, loaded, judged.num_rows - changed, rejected)
        self._count(tally)
        return tally

    def reject_unreadable(self, file: str, rejected: pa.Table) -> None:
        """Reject records that could not be read into a batch: `linha`, `coluna` and `motivo`."""
        self.load.reject(file, rejected)
        self.unreadable += rejected.num_rows
        self._count(Tally(received=rejected.num_rows, rejected=rejected.num_rows))

    def count_identical(self, count: int) -> None:
        """Count records of which it is noted that each was identical."""
        self._count(Tally(received=count, identical=count))

    def finish(self, what: str) -> None:
        """Judge what was held, and refuse a delivery in which no record has some required column.

        Raises:
            LayoutError: names the column; the open transaction is then rolled back.
            FormatError: two rows of one record contradict each other.

        """
        if self.layout.record:
            self._settle_held(what)
        # Of what cannot be read nobody knows what it has.
        known = self.tally.received - self.unreadable
        if self.unseen and known > 0:
            names = ", ".join(f"`{name}`" for name in sorted(self.unseen))
            before = drift.since(self.load)
            raise LayoutError(
                f"{what}: {names} is missing or empty in all {known} records; "
                "nothing was loaded.\n"
                + (f"That was not so in {before}.\n" if before else "")
                + ("The source has changed or the" if before else "The")
                + " export is incomplete. See\n"
                f"  mapa load export --describe {self.layout.name}"
            )

    def _hold_nothing(self) -> None:
        """Begin to hold rows.

        Raises:
            ConfigError: raw has rows of an older version of this program, without `_chave`.

        """
        layout = self.layout
        (old,) = self.con.execute(
            f"select count(*) from {layout.table} where _chave is null"
        ).fetchone() or (0,)
        if old:
            raise ConfigError(
                f"`{layout.table}` was loaded by an older version, which told records apart in "
                "another way; nothing was loaded.\nRebuild it once from landing, which asks no "
                "source:\n  mapa load export --replay"
            )
        self.con.execute(
            f"create or replace temp table {HELD} as select {self.names}, _arquivo, _linha, _hash, "
            f"_chave, _campos_extras, _linha as linha_do_arquivo from {layout.table} limit 0"
        )

    def _hold(self, parts: tuple[tuple[pa.Table, str], ...], header_lines: int) -> Tally:
        """Reject what is wrong, hold the rest, and count it as received."""
        tally = Tally()
        for received, file in parts:
            batch = self._refused(received)
            rejected = self._reject(batch, file, header_lines)
            self._remember_keys(batch)
            batches.run(
                self.con,
                f"insert into {HELD} select {self.names}, $1, _linha, _hash, _chave, "
                f"_campos_extras, _linha + {header_lines} from batch where _problema is null",
                [file],
                batch=batch,
            )
            tally += Tally(received=batch.num_rows, rejected=rejected)
        self._add(tally)
        return tally

    def _refused(self, batch: pa.Table) -> pa.Table:
        """Mark the records that say what they must not, as the layout tells.

        In the transaction of the load, so that a replay sees what it has just rebuilt.
        """
        if not self.layout.refusals:
            return batch
        cases = " ".join(
            f"when {one.condition} then {_problem(one.reason, one.column)}"
            for one in self.layout.refusals
        )
        return batches.run(
            self.con,
            f"select * replace (coalesce(_problema, case {cases} end) as _problema) from batch "
            "order by _linha",
            batch=batch,
        ).to_arrow_table()

    def _settle_held(self, what: str) -> None:
        """Append the records whose rows, all together, are not those of their newest version."""
        self._refuse_contradictions(what)
        table = self.layout.table
        # Rows come in any order; one that stands twice in a file counts once.
        row = self.con.execute(
            f"""
            insert into {table} (
                {self.names}, _carga_id, _arquivo, _linha, _carregado_em, _carga_ordem, _hash,
                _campos_extras, _chave
            )
            with primeiras as (
                select * from {HELD}
                qualify row_number() over (partition by _chave, _hash order by _linha) = 1
            ),
            recebidos as (
                select _chave, list_sort(list(_hash)) as conteudo from primeiras group by _chave
            ),
            cargas as (
                select _chave, arg_max(_carga_id, _carga_ordem) as _carga_id
                from {table} group by _chave
            ),
            atuais as (
                select r._chave, list_sort(list(r._hash)) as conteudo
                from {table} as r
                inner join cargas as c on r._chave = c._chave and r._carga_id = c._carga_id
                group by r._chave
            )
            select
                {", ".join(f'p."{c}"' for c in self.layout.columns)}, $1, p._arquivo, p._linha, $2,
                $3, p._hash, p._campos_extras, p._chave
            from primeiras as p
            inner join recebidos as n on p._chave = n._chave
            left join atuais as a on p._chave = a._chave
            where n.conteudo is distinct from a.conteudo
            order by p._linha
            """,
            [self.load.id, self.load.started, self.load.order],
        ).fetchone()
        loaded = int(row[0]) if row else 0
        held = self.tally.received - self.tally.rejected
        self._add(Tally(loaded=loaded, identical=held - loaded))
        self.tally.check()
        self.con.execute(f"drop table {HELD}")

    def _refuse_contradictions(self, what: str) -> None:
        if self.layout.record != "row":
            return
        found = self.con.execute(
            f"select min(linha_do_arquivo), max(linha_do_arquivo) from {HELD} group by _chave "
            "having count(distinct _hash) > 1 order by 1"
        ).fetchall()
        if found:
            first, last = found[0]
            keys = ", ".join(f"`{name}`" for name in self.layout.key)
            raise FormatError(
                f"{what}: lines {first} and {last} have the same {keys} and say different things"
                + (f", and so do {len(found) - 1} more" if len(found) > 1 else "")
                + "; nothing was loaded.\nKeep the line that holds, then load the file again."
            )

    def _remember_keys(self, batch: pa.Table) -> None:
        if self.follow:
            key = "_chave" if self.layout.record else self.layout.key_text()
            batches.run(self.con, f"insert into {SEEN} select {key} from batch", batch=batch)

    def _count(self, tally: Tally) -> None:
        tally.check()
        self._add(tally)

    def _add(self, tally: Tally) -> None:
        self.tally += tally
        self.load.tally += tally

    def _prepared(self, relation: str, wrong: Mapping[int, str] = NONE_WRONG) -> str:
        """Add to each record of a relation what decides its fate."""
        key = self.layout.key_text()
        problem = self._problem()
        if wrong:
            reasons = ", ".join(_problem(reason, unreadable=True) for reason in wrong.values())
            problem = (
                f"coalesce(map([{', '.join(map(str, wrong))}], [{reasons}])[_linha], {problem})"
            )
        return (
            f"select *, {key if self.layout.record else f'hash({key})'} as _chave, "
            f"{self.layout.content_hash()} as _hash, {problem} as _problema "
            f"from ({relation})"
        )

    def _problem(self) -> str:
        """Return SQL for why a record is rejected, null when it is not.

        That is the first required column that is null or blank, or that the record is a header.
        """
        # A key in a spelling of nothing is none.
        empty = {
            c: f"{canonical(c)} is null" if self.layout.record and c in self.layout.key
            else f"coalesce(trim(\"{c}\"), '') = ''"
            for c in self.layout.required
        }  # fmt: skip
        absent = "coluna obrigatória ausente ou vazia"
        cases = "".join(f" when {why} then {_problem(absent, c)}" for c, why in empty.items())
        if self.headed:
            first = self.layout.required[0]
            name = f"lower(replace(trim(\"{first}\"), '.', ''))"
            cases += f" when translate({name}, ' ', '_') = '{first}' then "
            cases += _problem("cabeçalho repetido")
        return f"case{cases} end"

    def _reject(self, batch: pa.Table, file: str, header_lines: int) -> int:
        found = batches.run(
            self.con,
            f"select _linha + {header_lines} as linha, _problema.coluna, _problema.motivo "
            "from batch where _problema is not null",
            batch=batch,
        ).to_arrow_table()
        if found.num_rows:
            self.load.reject(file, found)
            self._count_unreadable(batch)
        if self.unseen:
            filled = ", ".join(
                f"case when count(nullif(trim(\"{c}\"), '')) > 0 then '{c}' end"
                for c in sorted(self.unseen)
            )
            row = batches.run(self.con, f"select {filled} from batch", batch=batch).fetchone()
            self.unseen -= set(row or ())
        return int(found.num_rows)

    def _count_unreadable(self, batch: pa.Table) -> None:
        row = batches.run(
            self.con,
            f"select count(*), count(*) filter (where {self.layout.key_text()} is null) from batch "
            "where _problema.ilegivel",
            batch=batch,
        ).fetchone()
        unreadable, nameless = row or (0, 0)
        self.unreadable += unreadable
        self.nameless += nameless

    def _append(self, batch: pa.Table, judged: pa.Table, file: str, *, some: bool) -> int:
        """Append the batch, or only what is new of it, and return how many rows that were."""
        chosen = "where _linha in (select j._linha from judged as j where j.mudou)" if some else ""
        row = batches.run(
            self.con,
            f"""
            insert into {self.layout.table} (
                {self.names}, _carga_id, _arquivo, _linha, _carregado_em, _carga_ordem, _hash,
                _campos_extras
            )
            select {self.names}, $1, $2, _linha, $3, $4, _hash, _campos_extras
            from batch
            {chosen}
            """,
            [self.load.id, file, self.load.started, self.load.order],
            batch=batch,
            judged=judged,
        ).fetchone()
        return int(row[0]) if row else 0
