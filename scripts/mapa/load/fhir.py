"""Patients of the RNDS (FHIR R4, profile BRIndividuo) to rows of CadSUS persons and cards.

Read are a Bundle, a single Patient, or one of either per line (NDJSON). Documents are told apart by
the code of their type; extensions by the last segment of their address, because the profile is
published under two prefixes. Whatever has another type than the profile says rejects the Patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from mapa.errors import FormatError
from mapa.load import strict
from mapa.load.archives import Export
from mapa.load.strict import BadError

MOST = 64 * 2**20
"""Largest JSON text that is read at once; larger extracts come as NDJSON."""
ENTITY = "fhir"
CNS, CPF = "HC", "TAX"
SYSTEMS = {"cns": CNS, "cpf": CPF}
CARD_TYPES = {"official": "D", "secondary": "P"}
SEXES = {"male": "M", "female": "F", "unknown": "I", "other": "I"}
ACTIVE = {"true": "active", "false": "inactive", None: None}
MOTHERS = {"mother", "MTH", "PRN"}
EXTENSIONS = {
    "BRQualidadeCadastroIndividuo", "BRParentesIndividuo", "BRRacaCorEtnia", "BRMunicipio",
    "BRPais", "BRNacionalidade", "BRNaturalizacao", "BRIndividuoProtegido",
}  # fmt: skip
ELEMENTS = {
    "resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension",
    "modifierExtension", "identifier", "active", "name", "telecom", "gender", "birthDate",
    "deceasedBoolean", "deceasedDateTime", "address",
}  # fmt: skip
"""What the profile describes, also what is not loaded."""
NAME = re.compile(r"[\w.]{1,64}")
DATE_LENGTH = len("AAAA-MM-DD")
Row = dict[str, str | None]


@dataclass(frozen=True)
class Found:
    """What stands at one position, from 1: a person with cards, or why there is none.

    `unknown` are names of elements and extensions that the profile does not describe.
    """

    position: int
    person: Row = field(default_factory=dict, repr=False)
    cards: list[Row] = field(default_factory=list, repr=False)
    column: str | None = None
    problem: str = ""
    unknown: frozenset[str] = frozenset()


class _WrongTypeError(Exception):
    """An element that is something else than the profile says; the argument is its name."""


def is_json(export: Export) -> bool:
    """Say whether a file begins as JSON does, which no header of a flat layout can."""
    head = next(export.chunks(), b"")
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def read(export: Export, name: str) -> Iterator[Found]:
    """Yield what a file holds; `name` is what messages call it.

    Raises:
        FormatError: it is not JSON, too large to be read at once, or an incomplete Bundle.

    """
    for position, resource in enumerate(_resources(export, name), start=1):
        yield _patient(position, resource)


def _resources(export: Export, name: str) -> Iterator[Any]:
    """Yield the resources of all lines, or of the one JSON text that the file is.

    What cannot be read is an error in the place of a resource.
    """
    lines = _lines(export, name)
    first, second = next(lines, b""), next(lines, None)
    if second is None or not _is_whole(first, second):
        everything = chain([first], [second] if second else [], lines)
        yield from _whole(everything, name)
        return
    for line in chain([first, second], lines):
        yield from _inside(_json(line), name)


def _is_whole(first: bytes, second: bytes) -> bool:
    """Say whether the first line is a JSON text of its own, be it one that cannot be read."""
    looks_so = first.startswith(b"{") and first.endswith(b"}") and second.startswith(b"{")
    return looks_so or not isinstance(_json(first), BadError)


def _whole(lines: Iterator[bytes], name: str) -> list[Any]:
    """Return the resources of a file that is one JSON text."""
    parts, size = [], 0
    for line in lines:
        parts.append(line)
        size += len(line)
        _check_size(size, name)
    text = b"\n".join(parts)
    content, entries = _json(text), None
    if isinstance(content, BadError):
        content, entries = _taken_apart(text, content)
    if isinstance(content, BadError) and strict.is_sound(text):
        # One Patient that says something twice, or nothing under a name.
        return [content]
    if isinstance(content, BadError):
        raise FormatError(
            f"{name} is not JSON, or is cut off; nothing was loaded.\nExpected a FHIR Bundle or "
            "Patient, or one per line (NDJSON). Get it again."
        )
    if not _is(content, "Bundle") and not _is(content, "Patient"):
        raise FormatError(
            f"{name} is JSON but neither a Bundle nor a Patient of FHIR; nothing was loaded.\n"
            "Expected is the answer of the RNDS to a search for patients."
        )
    if _is(content, "Bundle") and not entries and not content.get("entry"):
        raise FormatError(
            f"{name} is a Bundle without entries; nothing was loaded.\n"
            "If nobody was found, there is nothing to load; else get it again."
        )
    return _inside(content, name, entries)


def _taken_apart(text: bytes, why: BadError) -> tuple[Any, list[Any] | None]:
    """Return a Bundle without its entries, and these, each read on its own; else the error."""
    try:
        apart = strict.take_apart(text, ("entry",))
    except BadError:
        return why, None
    entries = [_json(element) for element in apart.elements()]
    if all(isinstance(entry, BadError) for entry in entries):
        return why, None
    return _json(apart.shell), entries


def _inside(content: Any, name: str, entries: list[Any] | None = None) -> list[Any]:
    """Return the resources of a Bundle, or the content itself.

    Args:
        content: what is read.
        name: for messages.
        entries: of the Bundle, when they stand no more in it.

    Raises:
        FormatError: a Bundle declares more of them, and no further page.

    """
    if not _is(content, "Bundle"):
        return [content]
    found, total, links = (content.get(key) for key in ("entry", "total", "link"))
    entries = entries or found or []
    if not isinstance(entries, list):
        raise FormatError(
            f"{name}: `entry` of a Bundle is no list; nothing was loaded.\n"
            "Expected is the answer of the RNDS to a search for patients."
        )
    is_page = isinstance(links, list) and any(_get(link, "relation") == "next" for link in links)
    if isinstance(total, int) and total > len(entries) and not is_page:
        raise FormatError(
            f"{name}: a Bundle declares {total} patients and {len(entries)} follow; nothing was "
            "loaded.\nIt is cut off: get it again."
        )
    return [entry if isinstance(entry, BadError) else _get(entry, "resource") for entry in entries]


def _patient(position: int, resource: Any) -> Found:
    if isinstance(resource, BadError):
        return Found(position, problem=str(resource))
    if not _is(resource, "Patient"):
        problem = strict.NOT_JSON if resource is None else "recurso que não é Patient"
        return Found(position, problem=problem)
    try:
        identifier = _text(resource, "id")
        person = _person(resource) | {"id_pessoa": identifier}
        return Found(position, person, _cards(resource, identifier), unknown=_unknown(resource))
    except _WrongTypeError as wrong:
        return Found(position, column=str(wrong), problem="tipo diferente do perfil BRIndividuo")


def _unknown(patient: dict[str, Any]) -> frozenset[str]:
    """Return the elements and extensions that the profile does not describe: names, no values."""
    extensions = {_name_of(extension) for extension in _objects(patient, "extension")}
    strange = {f"extension/{name}" for name in extensions - EXTENSIONS if NAME.fullmatch(name)}
    return frozenset(strange | (patient.keys() - ELEMENTS))


def _person(patient: dict[str, Any]) -> Row:
    extensions = _extensions(patient)
    home = _choose(_objects(patient, "address"), "home")
    line = home.get("line") or []
    if not isinstance(line, list):
        raise _WrongTypeError("line")
    died = _text(patient, "deceasedDateTime")
    documents = [document for kind, document in _documents(patient) if kind == CPF]
    race = _extensions(extensions.get("BRRacaCorEtnia", {}))
    birth, usual = _text(patient, "birthDate"), _choose(_objects(patient, "name"), "usual", "")
    return {
        "nome": _text(_choose(_objects(patient, "name"), "official"), "text"),
        "nome_social": _text(usual, "text"),
        "nome_mae": _mother(patient),
        "data_nascimento": birth[:DATE_LENGTH] if birth else None,
        "sexo": SEXES.get(_text(patient, "gender") or ""),
        "raca_cor": _code(race.get("race", {})),
        "etnia": _code(race.get("indigenousEthnicity", {})),
        "cpf": _text(documents[0], "value") if documents else None,
        "falecido": "true" if died else _flag(patient, "deceasedBoolean"),
        "data_obito": died[:DATE_LENGTH] if died else None,
        "res_ibge": _text(home, "city"),
        # A complement may be missing in between, so only the last element is certain.
        "res_bairro": _text({"line": line[-1]}, "line") if line else None,
        "res_cep": _text(home, "postalCode"),
        "nasc_ibge": _code(extensions.get("BRMunicipio", {})),
        "nacionalidade": _code(extensions.get("BRNacionalidade", {})),
        "qualidade": _text(extensions.get("BRQualidadeCadastroIndividuo", {}), "valuePositiveInt"),
        "protegido": _flag(extensions.get("BRIndividuoProtegido", {}), "valueBoolean"),
        "origem": "fhir",
        "data_consulta": _text(_object(patient, "meta"), "lastUpdated"),
        "situacao_cadastro": ACTIVE.get(_flag(patient, "active")),
    }


def _cards(patient: dict[str, Any], identifier: str | None) -> list[Row]:
    """Return all cards; a use that is neither official nor secondary leaves the type unknown."""
    return [
        {
            "id_pessoa": identifier,
            "cns": _text(document, "value"),
            "tipo": CARD_TYPES.get(_text(document, "use") or ""),
            "principal": None,
        }
        for kind, document in _documents(patient)
        if kind == CNS
    ]


def _documents(patient: dict[str, Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield the documents with the code of their type, or what their system says when it lacks."""
    for document in _objects(patient, "identifier"):
        kind = _code({"valueCodeableConcept": document.get("type")})
        system = (_text(document, "system") or "").rsplit("/", 1)[-1]
        yield kind or SYSTEMS.get(system), document


def _mother(patient: dict[str, Any]) -> str | None:
    for extension in _objects(patient, "extension"):
        if _name_of(extension) == "BRParentesIndividuo":
            inside = _extensions(extension)
            if _text(inside.get("relationship", {}), "valueCode") in MOTHERS:
                return _text(_object(inside.get("parent", {}), "valueHumanName"), "text")
    return None


def _extensions(element: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {_name_of(extension): extension for extension in _objects(element, "extension")}


def _name_of(extension: dict[str, Any]) -> str:
    """Return the last segment of an extension's address, without its version."""
    return (_text(extension, "url") or "").rsplit("/", 1)[-1].split("-")[0]


def _code(element: dict[str, Any]) -> str | None:
    """Return the first code of an extension's concept."""
    codings = _objects(_object(element, "valueCodeableConcept"), "coding")
    return _text(codings[0], "code") if codings else None


def _choose(elements: list[dict[str, Any]], use: str, other: str = "first") -> dict[str, Any]:
    """Return the element of a use; else the first one, or none when `other` is empty."""
    fallback = elements[0] if elements and other else {}
    return next((e for e in elements if e.get("use") == use), fallback)


def _objects(element: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = element.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _WrongTypeError(name)
    return value


def _object(element: dict[str, Any], name: str) -> dict[str, Any]:
    value = element.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _WrongTypeError(name)
    return value


def _text(element: dict[str, Any], name: str) -> str | None:
    value = element.get(name)
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _WrongTypeError(name)


def _flag(element: dict[str, Any], name: str) -> str | None:
    value = element.get(name)
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    raise _WrongTypeError(name)


def _get(element: Any, name: str) -> Any:
    return element.get(name) if isinstance(element, dict) else None


def _is(content: Any, kind: str) -> bool:
    return isinstance(content, dict) and content.get("resourceType") == kind


def _json(text: bytes) -> Any:
    """Return the content of a JSON text, or the error when it cannot be read."""
    try:
        return strict.read(text)
    except BadError as error:
        return error


def _lines(export: Export, name: str) -> Iterator[bytes]:
    """Yield the lines that are not blank."""
    rest = bytearray()
    for chunk in export.chunks():
        *whole, last = chunk.split(b"\n")
        for line in whole:
            if text := _stripped(bytes(rest) + line):
                yield text
            rest.clear()
        rest += last
        _check_size(len(rest), name)
    if text := _stripped(bytes(rest)):
        yield text


def _stripped(line: bytes) -> bytes:
    return line.removeprefix(b"\xef\xbb\xbf").strip()


def _check_size(size: int, name: str) -> None:
    if size > MOST:
        raise FormatError(
            f"{name} holds one JSON text of more than {MOST // 2**20} MB; nothing was loaded.\n"
            "Write it as NDJSON, one Patient per line."
        )
