"""The offer API of the agreement's pilot: schedules over HTTP into the raw table of the exports.

Its layout is not published, so a file of the operator's says where it is, how it pages and which
field is which column (`docs/oferta_api.exemplo.toml`). What arrives is the whole picture, like an
export: what it lacks has vanished.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pyarrow as pa

from mapa import landing
from mapa.audit import Load, Summary
from mapa.errors import ConfigError, SourceError
from mapa.http import Access, Door, Patience
from mapa.landing import Folder, Landed
from mapa.layouts import named
from mapa.load import deliveries, drift, exports, seen, snapshot, strict
from mapa.load.archives import refuse_no_file
from mapa.load.intake import SEEN, Intake
from mapa.load.strict import BadError
from mapa.settings import Settings
from mapa.sources import OFFER_API

SOURCE, ENTITY = OFFER_API.name, "escala"
READING = ("records", "total", "fields", "iso_dates", "translations")
"""What of a map says how an answer is read; the rest says how it is asked for, perhaps by a key."""
KINDS = {
    str: drift.TEXT, int: "numero", float: "numero", bool: "booleano", list: "lista",
}  # fmt: skip
MOST_PAGES = 100_000
ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T.*)?")


@dataclass(frozen=True)
class FieldMap:
    """Where the API is, how it pages, and which field is which column."""

    url: str
    path: str
    parameters: dict[str, Any]
    page: str
    first: int
    size_name: str
    size: int
    records: str
    total: str
    fields: dict[str, str]
    iso_dates: bool = False
    translations: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> FieldMap:
        """Read the operator's file.

        Raises:
            ConfigError: it is no TOML, or lacks something; the message names what.
            FormatError: it is no file.

        """
        refuse_no_file(path)
        try:
            content = tomllib.loads(path.read_text())
            pages, values = content["paginas"], dict(content.get("valores", {}))
            iso_dates = values.pop("datas_iso", False)
            found = cls(
                url=content["endereco"],
                path=content["caminho"],
                parameters=content.get("parametros", {}),
                page=pages["parametro"],
                first=pages.get("primeira", 1),
                size_name=pages["tamanho_parametro"],
                size=int(pages["tamanho"]),
                records=pages["registros"],
                total=pages["total"],
                fields=dict(content["campos"]),
                iso_dates=iso_dates,
                translations=values,
            )
        except KeyError as missing:
            raise _unfit(path, f"{missing} is missing") from None
        except (ValueError, TypeError, AttributeError):
            raise _unfit(path, "it is not a TOML file of that form") from None
        found._check(path)
        return found

    def _check(self, path: Path) -> None:
        names = (*self.fields.values(), self.url, self.path, self.page, self.size_name)
        tables = all(isinstance(table, dict) for table in self.translations.values())
        if not tables or not all(isinstance(name, str) for name in names):
            raise _unfit(path, "it is not a TOML file of that form")
        unknown = sorted({*self.fields, *self.translations} - set(named(ENTITY).columns))
        if unknown:
            raise _unfit(path, f"`{unknown[0]}` is not a column of `{ENTITY}`")
        missing = [name for name in named(ENTITY).required if name not in self.fields]
        if missing:
            raise _unfit(path, f"no field is given for the mandatory column `{missing[0]}`")
        if self.size < 1:
            raise _unfit(path, "the size of a page must be 1 or more")

    @classmethod
    def of(cls, note: dict[str, Any]) -> FieldMap:
        """Return what a note of landing says of reading; nothing can be asked for with it."""
        return cls("", "", {}, "", 1, "", 1, **note)

    def note(self) -> dict[str, Any]:
        """Return what a replay needs: how to read, not how to ask, which may need a key."""
        return {name: getattr(self, name) for name in READING}

    def row(self, record: Any) -> dict[str, str | None]:
        """Return the columns of one record; what is not given is null."""
        return {name: self._value(name, _at(record, where)) for name, where in self.fields.items()}

    def _value(self, column: str, value: Any) -> str | None:
        if value is None:
            return None
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        if self.iso_dates and column.startswith("data_"):
            text = ISO_DATE.sub(r"\3/\2/\1", text)
        return self.translations.get(column, {}).get(text, text)


def load(
    settings: Settings,
    path: Path,
    completeness: exports.Completeness,
    *,
    accept_types: bool = False,
) -> Summary:
    """Read all pages of the offer API and load them as one snapshot of the schedules.

    Args:
        settings: credential, and where the data are.
        path: the operator's file.
        completeness: how to read what is not there any more.
        accept_types: load even if a field has another type than before.

    Raises:
        ConfigError: the file is unfit.
        SourceError: the API does not answer, refuses, or counts other than it delivers.
        LayoutError: a mandatory field is gone, or a field has another type.

    """
    fields = FieldMap.read(path)
    with (
        deliveries.house(settings) as con,
        Door(fields.url, _access(settings), Patience.of(settings)) as door,
    ):
        what = SOURCE, ENTITY, door.host
        with deliveries.receiving(con, settings.landing, what, door=door) as receipt:
            load = receipt.load
            seen.stamp(load, None)
            kinds, bad = _take(load, fields, _pages(settings, door, fields, receipt.folder))
            _refuse_repeated(load)
            drift.compare(load, named(ENTITY), kinds, accepted=accept_types)
            exports.refuse_many_rejects(load, door.host, settings.mapa_max_rejected_share)
            if not completeness.partial:
                snapshot.compare(load, named(ENTITY), door.host, completeness.confirmed, bad)
            receipt.note = completeness.note() | {"mapa": fields.note()}
    return load.summary()


def repeat(load: Load, landed: list[Landed], note: dict[str, Any]) -> None:
    """Load landed pages again, as the note says they were loaded."""
    fields, completeness = FieldMap.of(note["mapa"]), exports.Completeness.of(note)
    contents = ((page.name, _read(landing.read(page.path), fields)) for page in landed)
    pages = ((name, _at(content, fields.records)) for name, content in contents)
    kinds, bad = _take(load, fields, ((name, records) for name, records in pages if records))
    drift.compare(load, named(ENTITY), kinds, accepted=True)
    if not completeness.partial:
        snapshot.compare(load, named(ENTITY), load.origin, completeness.confirmed, bad)


def _take(
    load: Load, fields: FieldMap, pages: Iterable[tuple[str, list[Any]]]
) -> tuple[dict[str, str | None], int]:
    """Load the records of all pages.

    Returns:
        The fields seen, mapped ones as their columns, and how many records cannot be read.

    """
    intake = Intake(load, named(ENTITY))
    names = {where: name for name, where in fields.fields.items()}
    kinds: dict[str, set[str]] = {}
    bad = 0
    for name, records in pages:
        lines = range(intake.tally.received + 1, intake.tally.received + len(records) + 1)
        placed = list(zip(lines, records, strict=True))
        wrong = [(line, str(one)) for line, one in placed if isinstance(one, BadError)]
        sound = [(line, one) for line, one in placed if not isinstance(one, BadError)]
        leaves = [dict(_leaves(record, names)) for _, record in sound]
        for field_name, value in chain.from_iterable(leaf.items() for leaf in leaves):
            kinds.setdefault(names.get(field_name, field_name), set()).update(_kind(value))
        extras = [_extras({k: v for k, v in leaf.items() if k not in names}) for leaf in leaves]
        if wrong:
            intake.reject_unreadable(name, _rejected(wrong))
            bad += len(wrong)
        if sound:
            rows = [fields.row(record) for _, record in sound]
            batch = intake.read_rows(rows, [line for line, _ in sound], extras)
            intake.settle((batch, name))
    intake.finish(load.origin)
    load.report_unknown(named(ENTITY).table, kinds.keys() - set(named(ENTITY).columns))
    return {name: " ou ".join(sorted(found)) or None for name, found in kinds.items()}, bad


def _refuse_repeated(load: Load) -> None:
    """Refuse schedules of which one came twice: perhaps instead of another, which would vanish.

    Raises:
        SourceError: says how many.

    """
    row = load.con.execute(f"select count(chave), count(distinct chave) from {SEEN}").fetchone()
    came, different = row or (0, 0)
    if different < came:
        raise SourceError(
            f"{load.origin}: {came} schedules came, {different} of them different; nothing was "
            "loaded.\nThe list probably changed while it was read: run the same command again; if "
            "it goes on, ask the owner of the source."
        )


def _rejected(wrong: list[tuple[int, str]]) -> pa.Table:
    lines, reasons = zip(*wrong, strict=True)
    return pa.table(
        {
            "linha": pa.array(lines, pa.int64()),
            "coluna": pa.nulls(len(wrong), pa.string()),
            "motivo": list(reasons),
        }
    )


def _leaves(record: Any, mapped: Container[str], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted path and value of each field; a mapped object is one field."""
    for name, value in record.items() if isinstance(record, dict) else ():
        path = f"{above}{name}"
        if isinstance(value, dict) and path not in mapped:
            yield from _leaves(value, mapped, f"{path}.")
        else:
            yield path, value


def _kind(value: Any) -> set[str]:
    """Return the type of a value, nothing for null."""
    if value is None:
        return set()
    return {KINDS.get(type(value), "objeto")}


def _extras(leaves: dict[str, Any]) -> str | None:
    """Return the fields that no column takes as one JSON object, None when there is none."""
    found = {name: value for name, value in leaves.items() if value is not None}
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if found else None


def _access(settings: Settings) -> Access:
    password = settings.oferta_api_password
    return Access(
        "OFERTA_API_USER and OFERTA_API_PASSWORD, or OFERTA_API_TOKEN",
        user=settings.oferta_api_user or "",
        password=password.get_secret_value() if password else "",
        authority=settings.mapa_ca_file,
    )


def _pages(
    settings: Settings, door: Door, fields: FieldMap, folder: Folder
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the records of each page and its name in landing.

    Raises:
        SourceError: a page is not what the file says, or the counts do not agree.

    """
    token = settings.oferta_api_token
    headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    received = 0
    for number in range(fields.first, fields.first + MOST_PAGES):
        asked = {**fields.parameters, fields.page: number, fields.size_name: fields.size}
        answer = door.ask("GET", f"{fields.path}?{urlencode(asked)}", headers=headers)
        body = door.expect_ok(answer, f"page {number} of the offer").plain()
        landed = folder.write(f"pagina-{number:06}.json", body)
        records, total = _content(door, fields, number, body)
        received += len(records)
        if records:
            yield landed.name, records
        # A server may give smaller pages than asked for.
        if not records or received >= total:
            break
    if received != total:
        raise SourceError(
            f"{door.host}: {received} schedules came and the source counts {total}; nothing was "
            "loaded.\nRun the same command again; if it goes on, ask the owner of the source."
        )
    if not received:
        raise SourceError(
            f"{door.host} has no schedule at all; nothing was loaded.\n"
            "Check the parameters in the file given with --map."
        )


def _content(door: Door, fields: FieldMap, number: int, body: bytes) -> tuple[list[Any], int]:
    content = _read(body, fields)
    records, total = _at(content, fields.records), _at(content, fields.total)
    if not isinstance(records, list) or not isinstance(total, int):
        raise SourceError(
            f"{door.host}: page {number} has no list at `{fields.records}` or no count at "
            f"`{fields.total}`; nothing was loaded.\nCheck [paginas] in the file given with --map."
        )
    return records, total


def _read(body: bytes, fields: FieldMap) -> Any:
    """Return what a page says; a record that cannot be read is an error in its place.

    None when the page itself cannot be read.
    """
    try:
        return strict.read(body)
    except BadError:
        pass
    path = fields.records.split(".")
    try:
        apart = strict.take_apart(body, path)
        content = strict.read(apart.shell)
    except BadError:
        return None
    _at(content, fields.records).extend(map(_one, apart.elements()))
    return content


def _one(element: bytes) -> Any:
    try:
        return strict.read(element)
    except BadError as error:
        return error


def _at(content: Any, where: str) -> Any:
    """Return what stands at a dotted path, None when there is nothing."""
    for name in where.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _unfit(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"{path.name} cannot be used: {problem}.\n"
        "Compare with docs/oferta_api.exemplo.toml and mapa load export --describe escala."
    )
