"""JSON taken strictly: what common readers let pass is told, and told of one document alone.

A doubled field, a field without a name or half a character makes a document that nobody can be
sure of. It is rejected with its reason; the documents beside it are as good as ever. So a text that
cannot be read is taken apart by its brackets, without being read, and each document is judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

MOST_FIELDS = 500
"""Fields of one object, and unknown fields of one index: more are no fields but data."""
MOST_NUMBER = 2**63
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|[][{}:,]', re.DOTALL)
NO_NAME = (b'"":', b'"" :')
NOT_UTF8, NOT_JSON = "codificação inválida", "JSON ilegível"
REASONS = (
    ("UTF-8", NOT_UTF8), ("surrogate", "metade de um caractere"),
    ("depth", "aninhamento profundo demais"), ("recursion", "aninhamento profundo demais"),
    ("infinity", "número grande demais"), ("control character", "caractere de controle"),
)  # fmt: skip
"""By a word of the reader's message, which itself may quote what was read."""


class BadError(Exception):
    """A text that is not read; the argument says why, in the words of `controle.rejeitos`."""


@dataclass(frozen=True)
class Apart:
    """A text and the elements of a list in it, unread: from where to where each goes."""

    text: bytes
    parts: list[tuple[int, int]]
    start: int
    end: int

    @property
    def shell(self) -> bytes:
        """The text with the list empty."""
        return self.text[: self.start] + self.text[self.end :]

    def elements(self) -> list[bytes]:
        """Return the elements."""
        return [self.text[start:end] for start, end in self.parts]


def read(text: bytes, *, exact: bool = False) -> Any:
    """Return what a JSON text says.

    Args:
        text: one document.
        exact: numbers are not looked at, because they are kept as they are written.

    Raises:
        BadError: it cannot be read, or says something twice, or nothing under a name.

    """
    try:
        plain = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if exact and "infinity" in str(error):
            plain = None
        else:
            raise BadError(_reason(text, str(error))) from None
    number = str if exact else _number
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_int=number, parse_float=float)
    except RecursionError:
        raise BadError("aninhamento profundo demais") from None
    except ValueError:
        raise BadError(NOT_JSON) from None
    return content if plain is None else plain


def take_apart(text: bytes, path: Sequence[str]) -> Apart:
    """Find the elements of the list at a path of names; an empty path is the text itself.

    Takes one look at each byte. Brackets must match; what is inside an element is not looked at.

    Raises:
        BadError: there is no such list, or no end of it.

    """
    wanted = [name.encode() for name in path]
    above, names, last = list[bytes](), list[bytes](), b""
    parts, start, begun = list[tuple[int, int]](), -1, -1
    for found in TOKEN.finditer(text):
        token = found.group()
        if token in (b"{", b"["):
            above.append(token)
            names.append(last)
            last = b""
            if start < 0 and token == b"[" and names[1:] == wanted:
                start = begun = found.end()
                inside = len(above)
        elif token in (b"}", b"]"):
            if not above or above.pop() != (b"{" if token == b"}" else b"["):
                break
            names.pop()
            if start >= 0 and len(above) < inside:
                if text[begun : found.start()].strip():
                    parts.append((begun, found.start()))
                return Apart(text, parts, start, found.start())
        elif token == b"," and start >= 0 and len(above) == inside:
            parts.append((begun, found.start()))
            begun = found.end()
        elif token[:1] == b'"':
            last = token[1:-1]
    raise BadError(NOT_JSON)


def is_sound(text: bytes) -> bool:
    """Say whether a text is JSON at all, whatever is wrong with what it says."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def is_too_deep(text: str) -> bool:
    """Say whether a text is JSON that is not read because of its depth."""
    if text[:1] not in ("{", "["):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return "depth" in str(error) or "recursion" in str(error)
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadError("campo repetido")
    if "" in found:
        raise BadError("campo sem nome")
    if len(found) > MOST_FIELDS:
        raise BadError("campos demais")
    return found


def _number(digits: str) -> int:
    if len(digits) > 20 or not -MOST_NUMBER <= (value := int(digits)) < 2 * MOST_NUMBER:
        raise BadError("número grande demais")
    return value


def _reason(text: bytes, message: str) -> str:
    try:
        text.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return next((reason for word, reason in REASONS if word in message), NOT_JSON)
