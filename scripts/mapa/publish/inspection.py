"""The last look at a version before anyone else may: every file of it, by what it says.

The cells of the tables are judged in `contents`; here it is the texts around them: dictionary,
manifest, what the Parquet files say of themselves, comments in the database. None may hold a
person's number, and no byte a path of the machine that made it.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import duckdb
import yaml
from lxml import etree, html

from mapa.errors import PublishError
from mapa.publish import store
from mapa.publish.identifiers import identifier_in
from mapa.settings import Settings

HEXADECIMAL = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32,64}\b")
"""Checksums and ids of runs: among so many digits a number of a person stands by chance."""
FRACTION = re.compile(r"-?\d+,\d+(e[+-]?\d+)?$")
"""A number with a decimal comma: its digits would pass for a person's by chance, so it is judged as
a number, as in the table."""
READ = ("title", "aria-label", "href", "value", "id", "content")
"""Attributes of a page in which a person's number could stand; those of drawings are lengths."""
SAID = """
    select comment from duckdb_tables() where comment is not null
    union all select comment from duckdb_columns() where comment is not null
    union all select table_name from duckdb_tables()
    union all select column_name from duckdb_columns() where not internal
"""


def require_clean(settings: Settings, folder: Path) -> None:
    """Refuse a version in which any file holds a person's number or a path of this machine.

    Raises:
        PublishError: one does; the message names the file, never the value.
    """
    paths = machine_paths(settings)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        for text in texts(file):
            said = HEXADECIMAL.sub("x", text) if isinstance(text, str) else text
            if identifier := identifier_in(said):
                raise PublishError(
                    f"{name}: a text holds a valid {identifier}; nothing was published.\n"
                    "Find out how a person's number came into a description or a name; a published "
                    "file may hold none."
                )
        for content in contents(file):
            if any(path in content for path in paths):
                raise PublishError(
                    f"{name} holds a path of this machine; nothing was published.\n"
                    "A published file says nothing about where it was made; take the path out of "
                    "the description or setting that it comes from."
                )


def machine_paths(settings: Settings) -> list[bytes]:
    """Return the folders that would tell where a version was made."""
    folders = (settings.mapa_dir, settings.dbt_project_dir, settings.dbt_target_path, Path.home())
    # A short one, like / or /app, is part of too many addresses to mean anything.
    return [str(path.resolve()).encode() for path in folders if len(path.resolve().parts) > 2]


def contents(file: Path) -> Iterator[bytes]:
    """Yield the bytes of a file as they stand and, of a workbook, those of its parts."""
    yield file.read_bytes()
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as book:
            for part in book.namelist():
                yield book.read(part)


def texts(file: Path) -> Iterable[str | Decimal]:
    """Return the texts of a published file, each by itself, and the numbers of its cells.

    Raises:
        PublishError: it is of a kind that nobody looks into.
    """
    if store.SITE in file.parts:
        return _site(file)
    readers: dict[str, Callable[[], Iterable[str | Decimal]]] = {
        ".json": lambda: _strings(json.loads(file.read_bytes())),
        ".jsonld": lambda: _strings(json.loads(file.read_bytes())),
        ".yaml": lambda: _strings(yaml.safe_load(file.read_bytes())),
        ".csv": lambda: _cells(file),
        ".xlsx": lambda: _book(file),
        ".parquet": lambda: _parquet(file),
        ".duckdb": lambda: _database(file),
    }
    if file.suffix not in readers:
        raise PublishError(f"{file.name} is of no kind that is published; nothing was published.")
    return readers[file.suffix]()


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _site(file: Path) -> Iterator[str]:
    """Yield what people may read in a file of the site: texts, addresses, data.

    Raises:
        PublishError: it is of a kind that the site does not have.
    """
    if file.suffix == ".html":
        for element in html.parse(file).iter():
            yield from filter(None, (element.text, element.tail))
            yield from (element.attrib.get(name, "") for name in READ)
    elif file.suffix == ".js" and file.parent.name == "dados":
        _, _, argument = file.read_text(encoding="utf-8").partition("(")
        yield from _strings(json.loads(argument.rstrip().removesuffix(");")))
    elif file.parent.name != "recursos" or file.suffix not in {".js", ".css"}:
        raise PublishError(f"{file.name} is of no kind that is published; nothing was published.")


def _cells(file: Path) -> Iterator[str | Decimal]:
    """Yield the cells of a CSV, each text once: most of them stand in many rows."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        found = {cell for row in csv.reader(lines, delimiter=";") for cell in row}
    for cell in found:
        yield Decimal(cell.replace(",", ".")) if FRACTION.match(cell) else cell


def _book(file: Path) -> Iterator[str | Decimal]:
    """Yield the texts in all parts of a workbook and the numbers of its cells, each once."""
    with zipfile.ZipFile(file) as book:
        for part in book.namelist():
            if part.endswith((".xml", ".rels")):
                with book.open(part) as content:
                    yield from set(_elements(content))


def _elements(content: IO[bytes]) -> Iterator[str | Decimal]:
    """Yield what stands in the elements of one part of a workbook, row by row."""
    for _, element in etree.iterparse(content, resolve_entities=False, huge_tree=True):
        kind = etree.QName(element).localname
        if kind == "row":
            element.clear()
        elif kind != "v":
            yield element.text or ""
        elif element.getparent().get("t", "n") == "n" and element.text:
            # All other values are positions in the list of texts, or true and false.
            yield Decimal(element.text)


def _parquet(file: Path) -> Iterator[str]:
    """Yield what a Parquet file says of itself and the names of its columns."""
    with duckdb.connect() as con:
        path = str(file)
        rows = con.execute(
            "select decode(key) from parquet_kv_metadata($1) "
            "union all select decode(value) from parquet_kv_metadata($1) "
            "union all select name from parquet_schema($1) "
            "union all select created_by from parquet_file_metadata($1)",
            [path],
        ).fetchall()
    yield from (str(text) for (text,) in rows)


def _database(file: Path) -> Iterator[str]:
    """Yield the comments of a DuckDB file and the names in it."""
    with duckdb.connect(str(file), read_only=True) as con:
        yield from (text for (text,) in con.execute(SAID).fetchall())
