"""Fields of a source over time: what is new, gone or of another type since the last complete load.

`controle.campos` holds one row per change: the fields of the first load, then only what differs. A
mandatory field that is gone and a field of another type refuse the load before raw is touched; the
rest is loaded and noted. What refused a load is noted too, but the comparison does not learn it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from mapa import sources
from mapa.audit import Change, Load
from mapa.errors import LayoutError, visible
from mapa.layouts import Layout
from mapa.load.recognise import HeaderError

TEXT, OBJECT = "texto", "objeto"
KNOWN, NEW, GONE, RETYPED = "conhecido", "novo", "ausente", "tipo"
NO_LIST = "sem lista"
FAMILIES = {
    TEXT: ("keyword", "text", "constant_keyword", "wildcard", "match_only_text", "version"),
    "inteiro": ("long", "integer", "short", "byte", "unsigned_long"),
    "decimal": ("double", "float", "half_float", "scaled_float"),
    "data": ("date", "date_nanos"),
    "booleano": ("boolean",),
    OBJECT: ("object", "nested", "flattened"),
}
FAMILY_OF = {kind: family for family, kinds in FAMILIES.items() for kind in kinds}
"""Families of the types of `_mapping`: within one, a value is written the same way."""
RENAMED = "talvez renomeado para "
LIKE = 0.6
"""From this likeness on a new name is taken for the new name of one that is gone."""


@dataclass(frozen=True)
class Before:
    """Fields as of the newest complete load, and which load that was, in words."""

    kinds: dict[str, str | None]
    since: str


def compare(
    load: Load,
    layout: Layout,
    kinds: Mapping[str, str | None],
    *,
    accepted: bool = False,
) -> None:
    """Compare the fields of a delivery with those of the last complete load and note the changes.

    Args:
        load: the open load.
        layout: of its records.
        kinds: fields and their types; None is a type that cannot be told.
        accepted: load even if a field has another type.

    Raises:
        LayoutError: a mandatory field is gone, or a field of the layout has another type.

    """
    before = _before(load)
    now = {name: FAMILY_OF.get(kind, kind) if kind else None for name, kind in kinds.items()}
    changes = _changes(before.kinds, now, layout, layout.required)
    missing = [c for c in changes if c.event == GONE and c.field in layout.required]
    # What is read as objects cannot be read as anything else, accepted or not.
    missing += [
        Change(name, now[name], NO_LIST)
        for name in layout.nested
        if now.get(name) not in (None, OBJECT)
    ]
    retyped = [c for c in changes if c.event == RETYPED and _is_read(c.field, layout)]
    if missing or (retyped and not accepted):
        load.refused_changes = changes if before.kinds else [c for c in changes if c.event == GONE]
        raise _refusal(load, layout, before, missing or retyped)
    if before.kinds:
        load.note_changes(changes)
        gone = [c.field for c in changes if c.event == GONE]
        load.notes += [f"fields gone: {', '.join(map(visible, gone))}"] * bool(gone)
        load.notes += [f"type of `{visible(c.field)}` changed ({c.detail})" for c in retyped]
    else:
        load.note_changes([Change(name, kind, KNOWN) for name, kind in sorted(now.items())])


def refuse_header(load: Load, error: HeaderError) -> LayoutError:
    """Note what a file lacks, and return its error with what that may be called now."""
    before = _before(load)
    now: dict[str, str | None] = dict.fromkeys(error.columns, TEXT)
    changes = _changes(before.kinds, now, error.layout, error.expected, error.columns)
    load.refused_changes = changes if before.kinds else [c for c in changes if c.event == GONE]
    when = "now" if before.kinds else "here"
    hints = [
        f"`{c.field}` is perhaps called `{like}` {when}.\n" for c in changes if (like := _like(c))
    ]
    changed = f"The last complete one was {before.since}.\n" if before.since else ""
    first, _, rest = error.message.partition("\n")
    return LayoutError(f"{first}\n{''.join(hints)}{changed}{rest}")


def since(load: Load) -> str:
    """Return which complete load of the same entity is the newest, in words; empty for none."""
    row = load.con.execute(
        "select carga_id, iniciada_em from controle.cargas where fonte = $1 and entidade = $2 "
        "and resultado = 'completa' and ordem < $3 order by ordem desc limit 1",
        [load.source, load.entity, load.order],
    ).fetchone()
    return f"load {row[0]} of {row[1]:%Y-%m-%d %H:%M} UTC" if row else ""


def _before(load: Load) -> Before:
    rows = load.con.execute(
        "select c.campo, c.tipo, c.evento from controle.campos as c "
        "inner join controle.cargas as l using (carga_id) where c.fonte = $1 and c.entidade = $2 "
        "and not c.recusada order by l.ordem, c.campo",
        [load.source, load.entity],
    ).fetchall()
    kinds: dict[str, str | None] = {}
    for name, kind, event in rows:
        if event == GONE:
            kinds.pop(name, None)
        else:
            kinds[name] = kind
    return Before(kinds, since(load) if kinds else "")


def _changes(
    before: dict[str, str | None],
    now: dict[str, str | None],
    layout: Layout,
    expected: Sequence[str],
    order: Sequence[str] = (),
) -> list[Change]:
    """Return what differs, by field; what is expected is gone even when it was never seen.

    A stranger at the place of a field that is gone is taken for it (`order` says who stands where),
    else one of a similar name. A name that the layout knows is no stranger.
    """
    new = sorted(now.keys() - before.keys())
    changes = [Change(name, now[name], NEW) for name in new]
    strangers = [name for name in new if name not in layout.columns]
    for name in sorted({*before, *expected} - now.keys()):
        place = expected.index(name) if name in expected else len(order)
        there = [n for n in order[place : place + 1] if n in strangers]
        like = (there or get_close_matches(name, strangers, 1, LIKE) or [""])[0]
        detail = f"{RENAMED}{like}" if like else None
        changes.append(Change(name, before.get(name), GONE, detail))
    for name in sorted(before.keys() & now.keys()):
        old, kind = before[name], now[name]
        if old and kind and old != kind:
            changes.append(Change(name, kind, RETYPED, f"{old} -> {kind}"))
    return changes


def _refusal(load: Load, layout: Layout, before: Before, why: list[Change]) -> LayoutError:
    what = "; ".join(_words(change, first=not before.kinds) for change in why)
    changed = f"This changed since {before.since}.\n" if before.since else ""
    source = sources.named(load.source)
    way_out = (
        f"If the change of type is meant, load once with\n  mapa load {source.call} --accept-types"
        if all(c.event == RETYPED for c in why) and source.has_types
        else f"Compare with\n  mapa load export --describe {layout.name}"
    )
    return LayoutError(f"{layout.name}: {what}; nothing was loaded.\n{changed}{way_out}")


def _is_read(name: str, layout: Layout) -> bool:
    """Say whether the content of a field matters; `laudo.situacao` is read with `laudo`."""
    column = name.split(".", maxsplit=1)[0]
    return column in {*layout.columns} - {*layout.volatile} and name not in layout.withheld


def _words(change: Change, *, first: bool) -> str:
    """Say what a change is; at the first load nothing can have changed."""
    change = replace(change, field=visible(change.field))
    if change.event == RETYPED:
        return f"field `{change.field}` has another type ({change.detail})"
    like = _like(change)
    if change.event == NO_LIST:
        return (
            f"unknown field type: `{change.field}` is not a list of objects"
            if first
            else f"field `{change.field}` is no longer a list of objects"
        )
    if first:
        perhaps = f" (perhaps it is called `{like}`)" if like else ""
        return f"mandatory field `{change.field}` does not exist{perhaps}"
    perhaps = f" (perhaps renamed to `{like}`)" if like else ""
    return f"mandatory field `{change.field}` does not exist any more{perhaps}"


def _like(change: Change) -> str:
    """Return the name that a field perhaps has now, empty when nobody knows."""
    detail = change.detail or ""
    return visible(detail.removeprefix(RENAMED)) if detail.startswith(RENAMED) else ""
