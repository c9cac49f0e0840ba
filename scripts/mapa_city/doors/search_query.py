"""Elasticsearch requests to DuckDB SQL: the part of the query language that readers of SISREG use.

Column names come from the mapping, never from the request; every value of the request travels as a
bound parameter. What the subset does not know is refused in the shape of Elasticsearch's own error,
so that a client never takes an ignored clause for an answered one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mapa_city.doors.search_mapping import DATE, FLOAT, KEYWORD, LONG, NESTED, TEXT, Index

WINDOW = 10_000
MISSING_LAST = {True: 2**63 - 1, False: -(2**63)}
"""What Elasticsearch shows as sort value of a missing date or number: ascending, descending."""

_BOUNDS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
# Parts that a bound leaves out are filled from the end for these two and from the start otherwise.
_ROUND_UP = {"gt", "lte"}


class QueryError(Exception):
    """A request that Elasticsearch would answer with status 400."""

    def __init__(self, kind: str, reason: str) -> None:
        """Keep the exception type of Elasticsearch and its reason."""
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True)
class Predicate:
    """A condition in SQL with its parameters."""

    sql: str
    values: tuple[Any, ...] = ()

    @classmethod
    def all_of(cls, parts: Sequence[Predicate]) -> Predicate:
        """Join conditions by `and`; none at all is always true."""
        sql = " and ".join(part.sql for part in parts)
        return cls(f"({sql})" if parts else "true", sum((part.values for part in parts), ()))

    def negated(self) -> Predicate:
        """Return the opposite; a missing value does not match, so its opposite does."""
        return Predicate(f"not coalesce({self.sql}, false)", self.values)


@dataclass(frozen=True)
class SortKey:
    """One entry of `sort`: the column as compared, as shown in a hit, and the direction."""

    column: str
    kind: str
    ascending: bool

    @property
    def order(self) -> str:
        """Return the term of `order by`; missing values come last in both directions."""
        return f"{self.column} {'asc' if self.ascending else 'desc'} nulls last"

    @property
    def shown(self) -> str:
        """Return the SQL of the JSON text that a hit shows: dates as epoch milliseconds."""
        if self.kind == KEYWORD:
            return f"coalesce(cast(to_json({self.column}) as varchar), 'null')"
        value = f"epoch_ms({self.column})" if self.kind == DATE else self.column
        return f"cast(coalesce({value}, {MISSING_LAST[self.ascending]}) as varchar)"

    def bound(self, value: Any) -> Any:
        """Turn a value of `search_after` into what the column compares with."""
        if value is None or value == MISSING_LAST[self.ascending]:
            return None
        if self.kind == KEYWORD:
            return str(value)
        if self.kind == DATE and isinstance(value, str) and not value.lstrip("-").isdigit():
            return parse_instant(value, round_up=False, zone=UTC)
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise QueryError(
                "illegal_argument_exception", "Failed to parse a value of [search_after]."
            ) from None
        return _from_millis(number) if self.kind == DATE else number


def compile_query(query: Any, index: Index) -> Predicate:
    """Turn a query clause into a condition on the index's table.

    Raises:
        QueryError: the clause is malformed or outside the subset.

    """
    if query is None:
        return Predicate("true")
    if not isinstance(query, dict) or len(query) != 1:
        raise QueryError("parsing_exception", "[query] malformed, one clause expected")
    name, body = next(iter(query.items()))
    if name == "match_all":
        return Predicate("true")
    if name == "ids":
        return _any_of("_id", [str(value) for value in _listed(body, "values")])
    if not isinstance(body, dict):
        raise QueryError("parsing_exception", f"[{name}] query malformed, object expected")
    if name == "bool":
        return _bool(body, index)
    if name not in _LEAVES:
        raise QueryError("parsing_exception", f"unknown query [{name}]")
    if len(body) != 1:
        raise QueryError("parsing_exception", f"[{name}] query needs exactly one field")
    field, argument = next(iter(body.items()))
    return _LEAVES[name](field, argument, index)


def compile_sort(sort: Any, index: Index) -> tuple[SortKey, ...]:
    """Turn `sort` into sort keys; no sort means index order.

    Raises:
        QueryError: unknown field, or a text field without `.keyword`.

    """
    entries = sort if isinstance(sort, list) else [sort] if sort else []
    return tuple(_sort_key(entry, index) for entry in entries)


def after(keys: Sequence[SortKey], values: Any) -> Predicate:
    """Return the condition "behind these sort values", in the order of the keys.

    Raises:
        QueryError: another number of values than of sort keys.

    """
    if not isinstance(values, list) or len(values) != len(keys):
        count = len(values) if isinstance(values, list) else 1
        raise QueryError(
            "illegal_argument_exception",
            f"search_after has {count} value(s) but sort has {len(keys)}.",
        )
    bounds = [key.bound(value) for key, value in zip(keys, values, strict=True)]
    options = []
    for position, key in enumerate(keys):
        ties = [_tie(k, b) for k, b in zip(keys[:position], bounds[:position], strict=True)]
        options.append(Predicate.all_of([*ties, _behind(key, bounds[position])]))
    sql = " or ".join(option.sql for option in options)
    return Predicate(f"({sql})", sum((option.values for option in options), ()))


def parse_instant(text: str, *, round_up: bool, zone: Any) -> datetime:
    """Read a date bound as the naive instant that the index stores.

    Args:
        text: ISO date or date-time; its own offset or `Z` beats `zone`.
        round_up: whether missing parts mean the end of the day.
        zone: zone of a bound that names none.

    Raises:
        QueryError: it is not a date.

    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(
            "parse_exception", "failed to parse date field with format [strict_date_optional_time]"
        ) from None
    if len(text) == 10 and round_up:
        moment += timedelta(days=1) - timedelta(milliseconds=1)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC).replace(tzinfo=None)


def _bool(body: Mapping[str, Any], index: Index) -> Predicate:
    parts: list[Predicate] = []
    for name, clauses in body.items():
        if name not in ("filter", "must", "must_not"):
            raise QueryError("parsing_exception", f"[bool] query does not support [{name}]")
        for clause in clauses if isinstance(clauses, list) else [clauses]:
            part = compile_query(clause, index)
            parts.append(part.negated() if name == "must_not" else part)
    return Predicate.all_of(parts)


def _term(field: str, argument: Any, index: Index) -> Predicate:
    value = argument.get("value") if isinstance(argument, dict) else argument
    return _terms(field, [value], index)


def _terms(field: str, argument: Any, index: Index) -> Predicate:
    if not isinstance(argument, list):
        raise QueryError("parsing_exception", "[terms] query requires an array of terms")
    found = _resolve(field, index)
    if found is None:
        return Predicate("false")
    column, kind = found
    if kind == TEXT:
        # The index holds lower-case tokens and `term` is not analysed: "P" finds nothing.
        tokens = [str(value) for value in argument]
        return Predicate(f"list_has_any({_tokens(column)}, ?)", (tokens,))
    return _any_of(column, [_typed(value, kind) for value in argument])


def _match(field: str, argument: Any, index: Index) -> Predicate:
    value = argument.get("query") if isinstance(argument, dict) else argument
    found = _resolve(field, index)
    if found is None:
        return Predicate("false")
    column, kind = found
    if kind != TEXT:
        return _any_of(column, [_typed(value, kind)])
    every = isinstance(argument, dict) and str(argument.get("operator", "or")).lower() == "and"
    function = "list_has_all" if every else "list_has_any"
    return Predicate(f"{function}({_tokens(column)}, {_tokens('cast(? as varchar)')})", (value,))


def _range(field: str, argument: Any, index: Index) -> Predicate:
    if not isinstance(argument, dict):
        raise QueryError("parsing_exception", "[range] query malformed, object expected")
    zone = _zone(argument.get("time_zone", "Z"))
    found = _resolve(field, index)
    if found is None:
        return Predicate("false")
    column, kind = found
    parts = []
    for name, value in argument.items():
        if name in ("time_zone", "format", "boost"):
            continue
        if name not in _BOUNDS:
            raise QueryError("parsing_exception", f"[range] query does not support [{name}]")
        bound = _typed(value, kind, round_up=name in _ROUND_UP, zone=zone)
        parts.append(Predicate(f"{column} {_BOUNDS[name]} ?", (bound,)))
    return Predicate.all_of(parts)


_LEAVES = {"term": _term, "terms": _terms, "match": _match, "range": _range}


def _any_of(column: str, values: list[Any]) -> Predicate:
    marks = ", ".join("?" for _ in values)
    return Predicate(f"{column} in ({marks})", tuple(values)) if values else Predicate("false")


def _tokens(text: str) -> str:
    return f"string_split_regex(lower({text}), '[^\\p{{L}}\\p{{N}}]+')"


def _resolve(field: str, index: Index) -> tuple[str, str] | None:
    """Return column and effective kind of a field; an unmapped field matches nothing."""
    bare = field.removesuffix(".keyword")
    kind = index.kinds.get(bare)
    if kind is None or kind == NESTED or (bare != field and kind != TEXT):
        return None
    # A flag may be stored as 1 or as "1.0"; the index sees the text of either.
    column = f"(\"{bare}\" ->> '$')" if bare in index.mixed else f'"{bare}"'
    return column, KEYWORD if bare != field else kind


def _typed(value: Any, kind: str, *, round_up: bool = False, zone: Any = UTC) -> Any:
    if kind in (KEYWORD, TEXT):
        return str(value).lower() if isinstance(value, bool) else str(value)
    try:
        if kind == DATE:
            if isinstance(value, str):
                return parse_instant(value, round_up=round_up, zone=zone)
            return _from_millis(int(value))
        return float(value) if kind == FLOAT else int(value)
    except (TypeError, ValueError):
        raise QueryError("number_format_exception", f"a value cannot be read as [{kind}]") from None


def _from_millis(value: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(milliseconds=value)


def _zone(text: Any) -> Any:
    if text in ("Z", "UTC"):
        return UTC
    try:
        if str(text)[:1] in "+-":
            return datetime.strptime(str(text), "%z").tzinfo or UTC
        return ZoneInfo(str(text))
    except (ValueError, KeyError, OSError):
        raise QueryError("illegal_argument_exception", "[time_zone] is not a zone") from None


def _sort_key(entry: Any, index: Index) -> SortKey:
    if isinstance(entry, str):
        field, ascending = entry, True
    elif isinstance(entry, dict) and len(entry) == 1:
        field, how = next(iter(entry.items()))
        order = how.get("order", "asc") if isinstance(how, dict) else how
        ascending = str(order).lower() == "asc"
    else:
        raise QueryError("parsing_exception", "[sort] malformed")
    if field == "_doc":
        return SortKey("_doc", LONG, ascending)
    bare = field.removesuffix(".keyword")
    if index.kinds.get(field) == TEXT:
        raise QueryError("illegal_argument_exception", _NO_FIELDDATA.format(field))
    found = _resolve(field, index)
    if found is None:
        raise QueryError(
            "query_shard_exception", f"No mapping found for [{bare}] in order to sort on"
        )
    return SortKey(*found, ascending)


_NO_FIELDDATA = (
    "Text fields are not optimised for operations that require per-document field data like "
    "aggregations and sorting, so these operations are disabled by default. Please use a keyword "
    "field instead. Alternatively, set fielddata=true on [{}] in order to load field data by "
    "uninverting the inverted index. Note that this can use significant memory."
)


def _tie(key: SortKey, bound: Any) -> Predicate:
    if bound is None:
        return Predicate(f"{key.column} is null")
    return Predicate(f"{key.column} = ?", (bound,))


def _behind(key: SortKey, bound: Any) -> Predicate:
    if bound is None:
        return Predicate("false")
    comparison = ">" if key.ascending else "<"
    return Predicate(f"({key.column} {comparison} ? or {key.column} is null)", (bound,))


def _listed(body: Any, name: str) -> list[Any]:
    values = body.get(name) if isinstance(body, dict) else None
    if not isinstance(values, list):
        raise QueryError("parsing_exception", f"[{name}] must be an array")
    return values
