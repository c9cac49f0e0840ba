"""What a complete file no longer has: keys that vanished, and keys that came back."""

from __future__ import annotations

from mapa import sources
from mapa.audit import PRESENCES, Load
from mapa.errors import LayoutError
from mapa.layouts import Layout
from mapa.load.intake import SEEN

MOST = 0.3
"""Share of the known keys that may vanish at once without being confirmed."""


def is_believed(known: int, gone: int) -> bool:
    """Say whether so much may vanish at once without being confirmed."""
    return gone <= MOST * known


def compare(load: Load, layout: Layout, name: str, confirmed: bool, unreadable: int) -> None:
    """Record which known keys the file lacks and which have come back.

    Rejected rows of the file count as present. When rows could not be read at all, nobody knows
    their keys, and no absence is recorded.

    Raises:
        LayoutError: so much would vanish that the file is probably not the whole picture.

    """
    if unreadable:
        load.notes.append("absences not recorded, because some rows cannot be read")
        return
    load.con.execute(
        f"""
        create or replace temp table chaves as
        with conhecidas as (
            -- What this file alone knows is no measure of how much of the rest it lacks.
            select distinct _chave as chave from {layout.table} where _carga_id <> $2
        ),
        eventos as (
            select chave, arg_max(evento, ordem) as evento
            from {PRESENCES} where tabela = $1 group by chave
        )
        select
            c.chave,
            coalesce(e.evento, 'presente') = 'presente' as presente,
            c.chave in (select r.chave from {SEEN} as r) as no_arquivo
        from conhecidas as c left join eventos as e on c.chave = e.chave
        """,
        [layout.table, load.id],
    )
    row = load.con.execute(
        "select count(*) filter (where presente), "
        "count(*) filter (where presente and not no_arquivo) from chaves"
    ).fetchone()
    known, gone = row or (0, 0)
    if not is_believed(known, gone) and not confirmed:
        raise _incomplete(load, layout, name, f"{gone} of {known}")
    gone = load.record_presence(
        layout.table, "ausente", "select chave from chaves where presente and not no_arquivo"
    )
    back = load.record_presence(
        layout.table, "presente", "select chave from chaves where not presente and no_arquivo"
    )
    load.notes += [f"{gone} vanished"] * bool(gone) + [f"{back} came back"] * bool(back)


def _incomplete(load: Load, layout: Layout, name: str, share: str) -> LayoutError:
    # A member of a zip is loaded again by the name of the zip.
    source = sources.named(load.source)
    what = name.partition("/")[0] if source.has_files else source.wants
    return LayoutError(
        f"{name}: {share} known records of `{layout.name}` are not in it; nothing was loaded.\n"
        "If it holds only a part (one unit, one period), load it with\n"
        f"  mapa load {source.command} --partial {what}\n"
        "If it is complete and they are really gone, with\n"
        f"  mapa load {source.command} --complete {what}"
    )
