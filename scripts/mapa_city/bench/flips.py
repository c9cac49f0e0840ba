"""Flips of SQL: every small slip that a rule could have, one at a time.

What is flipped is compiled SQL, so that a macro is flipped in each model that it is a part of, with
no Jinja to read and no dbt to run for each mutant. Only tokens matter: a flip exchanges one of
them, or puts a word around it, and leaves all else as it stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

LEXER = re.compile(
    r"""(?P<skip> \s+ | --[^\n]* | /\*.*?\*/ )
      | (?P<text> '(?:[^']|'')*' )
      | (?P<name> "[^"]*" )
      | (?P<number> \d+(?:\.\d+)? )
      | (?P<word> \w+ )
      | (?P<mark> <= | >= | <> | != | :: | \|\| | -> | . )""",
    re.VERBOSE | re.DOTALL,
)
RELATION = re.compile(r'(?:"\w+"\.)*"?(?:__dbt__cte__)?(\w+)"?')
"""A relation under its full name, or as the fixture of a unit test."""
LOOKED_UP = "(select r.data_referencia from "
"""How a model begins to read the reference day that was not given to it."""
GIVEN_DAY = re.compile(r"cast\('\d{4}-\d\d-\d\d' as date\)")
OPERATORS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "<>": "=", "!=": "=",
    "+": "-", "-": "+", "*": "/", "/": "*",
}  # fmt: skip
WORDS = {
    "or": "and", "true": "false", "false": "true", "asc": "desc", "desc": "asc",
    "distinct": "", "exists": "not exists", "except": "union", "intersect": "union",
}  # fmt: skip
FUNCTIONS = {
    "min": "max", "max": "min", "sum": "max", "greatest": "least", "least": "greatest",
    "bool_or": "bool_and", "bool_and": "bool_or", "floor": "ceil", "ceil": "floor",
    "row_number": "rank", "lag": "lead", "lead": "lag", "first_value": "last_value",
    "last_value": "first_value", "arg_min": "arg_max", "arg_max": "arg_min",
}  # fmt: skip
NO_SUM = {"(", ",", "select", "then", "else", "=", "<", ">", "in", "return"}
"""What stands before a sign or a star that is no operator between two values."""


@dataclass(frozen=True)
class Token:
    """A word, number, text or mark of SQL, and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def low(self) -> str:
        """The token in lower case; quoted names and texts stay as they are."""
        return self.text.lower() if self.kind == "word" else self.text


@dataclass(frozen=True)
class Mutant:
    """One flip of one model.

    Attributes:
        model: its name.
        token: which token of the model is flipped, counted from 0.
        kind: operator, constant, join, condition or function.
        was: the token as it stands.
        now: what stands in its place.
        line: the line of the compiled SQL, without its indent.
        nth: 1 for the first such flip of such a line in the model, 2 for the second ...

    """

    model: str
    token: int
    kind: str
    was: str
    now: str
    line: str
    nth: int

    @property
    def key(self) -> str:
        """What names it as long as its line says the same."""
        return f"{self.model} | {self.line} | {self.was} -> {self.now} | {self.nth}"


def tokens(sql: str) -> list[Token]:
    """Split SQL into what it says; comments and blanks say nothing."""
    found = LEXER.finditer(sql)
    return [Token(str(m.lastgroup), m[0], m.start()) for m in found if m.lastgroup != "skip"]


def mutants(model: str, sql: str) -> list[Mutant]:
    """Return every mutant of a model, in the order of its SQL."""
    read, seen, found = tokens(sql), Counter[tuple[str, str, str]](), list[Mutant]()
    for at, token in enumerate(read):
        for kind, now in _flips(read, at):
            start = sql.rfind("\n", 0, token.at) + 1
            line = " ".join(sql[start:].partition("\n")[0].split())
            same = (line, token.text, now)
            seen[same] += 1
            found.append(Mutant(model, at, kind, token.text, now, line, seen[same]))
    return found


def apply(mutant: Mutant, model: str, sql: str) -> str | None:
    """Flip the token of a mutant in SQL that holds the model's, perhaps with other names or days.

    Args:
        mutant: what is flipped.
        model: the SQL in which the mutant was found.
        sql: the same SQL, or the one that another house or a unit test makes of the model.

    Returns:
        The flipped SQL, or None when it has no such line.

    """
    if LOOKED_UP in model:
        sql = GIVEN_DAY.sub(lambda day: _looked_up(day[0], model), sql)
    read = tokens(sql)
    at = mutant.token if sql == model else _counterpart(mutant.token, model, sql)
    if at is None:
        return None
    token = read[at]
    if mutant.now == "when not (":
        close = read[_then_of(read, at)].at
        sql = f"{sql[:close]}) {sql[close:]}"
    return f"{sql[: token.at]}{mutant.now}{sql[token.at + len(token.text) :]}"


def _looked_up(day: str, model: str) -> str:
    """Write a reference day that a test gives as the model looks it up, so that the lines pair."""
    return day if day in model else f"{LOOKED_UP}(select {day} as data_referencia) as r)"


def _counterpart(at: int, model: str, sql: str) -> int | None:
    """Find the token of a model in another SQL of it; None when its line has none."""
    home, read = tokens(model), tokens(sql)
    line = _line_of(model, home[at])
    other = _counterparts(model, sql).get(line)
    if other is None:
        return None
    ours = [n for n, token in enumerate(home) if _line_of(model, token) == line]
    others = [n for n, token in enumerate(read) if _line_of(sql, token) == other]
    # A line may hold another day than ours, or read a fixture of another name.
    words = [home[n].text for n in ours], [read[n].text for n in others]
    blocks = SequenceMatcher(None, *words, autojunk=False).get_matching_blocks()
    if 2 * sum(block.size for block in blocks) < min(len(ours), len(others)):
        return None
    for block in blocks:
        if 0 <= ours.index(at) - block.a < block.size:
            return others[ours.index(at) - block.a + block.b]
    return None


def _line_of(sql: str, token: Token) -> int:
    return sql.count("\n", 0, token.at)


@lru_cache(maxsize=512)
def _counterparts(model: str, sql: str) -> dict[int, int]:
    """Pair the lines of two SQLs that say the same of relations by other names, or nearly so."""
    ours, others = (
        [RELATION.sub(r"\1", line).strip() for line in text.split("\n")] for text in (model, sql)
    )
    found: dict[int, int] = {}
    for same, a, to_a, b, to_b in SequenceMatcher(None, ours, others, autojunk=False).get_opcodes():
        if same == "equal" or (same == "replace" and to_a - a == to_b - b):
            found |= zip(range(a, to_a), range(b, to_b), strict=True)
    return found


def _flips(read: Sequence[Token], at: int) -> Iterator[tuple[str, str]]:
    """Say what may stand in the place of a token: the kind of the flip, and the new text."""
    token = read[at]
    before = read[at - 1].low if at else ""
    after = read[at + 1].low if at + 1 < len(read) else ""
    if token.kind == "mark" and token.text in OPERATORS:
        if not (token.text in "+-*" and (before in NO_SUM or before == ".")):
            yield "operator", OPERATORS[token.text]
    elif token.kind == "number" and token.text.isdecimal():
        if not (before == "select" and after == "from") and not _is_counted(read, at):
            yield "constant", str(int(token.text) + 1)
    elif token.kind == "text" and before not in {"date", "timestamp", "interval"}:
        yield "constant", f"{token.text[:-1]}~'"
    elif token.kind == "word" and token.low in FUNCTIONS and after == "(":
        yield "function", FUNCTIONS[token.low]
    elif token.kind == "word":
        yield from _of_a_keyword(read, at, before, after)


def _of_a_keyword(
    read: Sequence[Token], at: int, before: str, after: str
) -> Iterator[tuple[str, str]]:
    """Flip what a keyword joins, asks or orders."""
    word = read[at].low
    if word in {"left", "inner"} and after == "join":
        yield "join", "inner" if word == "left" else "left"
    elif word == "all" and before == "union":
        yield "join", ""
    elif word in {"true", "false"}:
        yield "constant", WORDS[word]
    elif word == "and" and not _ends_between(read, at):
        yield "condition", "or"
    elif word == "is" and after == "null":
        yield "condition", "is not"
    elif word == "not" and not (before == "not" or after == "materialized"):
        # `is not null` and `not exists` alike: what was denied is asked.
        yield "condition", ""
    elif word == "in" and before != "not" and after == "(":
        yield "condition", "not in"
    elif word == "exists" and before == "not":
        return
    elif word == "when":
        yield "condition", "when not ("
    elif word in WORDS and not (word == "distinct" and before == "not"):
        yield "condition", WORDS[word]


def _is_counted(read: Sequence[Token], at: int) -> bool:
    """Tell the 1 of `count(case when ... then 1 end)`: any number counts the same."""
    depth = 0
    for index in range(at - 1, 1, -1):
        word = read[index].low
        if word == "case" and depth == 0:
            return (read[index - 2].low, read[index - 1].text) == ("count", "(")
        depth += (word == "end") - (word == "case")
    return False


def _ends_between(read: Sequence[Token], at: int) -> bool:
    """Tell whether an `and` belongs to `between`: no other `and` stands in between."""
    depth = 0
    for token in reversed(read[:at]):
        depth += (token.text == ")") - (token.text == "(")
        if depth < 0 or (depth == 0 and token.low in {"and", "or", "where", "on", "when"}):
            return False
        if depth == 0 and token.low == "between":
            return True
    return False


def _then_of(read: Sequence[Token], at: int) -> int:
    """Find the `then` of a `when`."""
    depth = 0
    for index in range(at + 1, len(read)):
        depth += (read[index].low == "case") - (read[index].low == "end")
        if depth == 0 and read[index].low == "then":
            return index
    raise ValueError("a `when` without its `then`")
