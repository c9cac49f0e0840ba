"""CadSUS's person query (PDQ v3): the request for one identifier and the reading of the answer.

Elements are matched by local name, because the namespace of the answers has changed over time; the
order of children is not relied on. Document types, entities and the network are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4
from xml.sax.saxutils import escape

from lxml import etree

CPF, CNS = "2.16.840.1.113883.13.237", "2.16.840.1.113883.13.236"
CARD_TYPE = f"{CNS}.1"
MASTER = "2.16.840.1.113883.3.4594"
ROOTS = {"cns": CNS, "cpf": CPF}
DATE_LENGTH = len("AAAAMMDD")
COUNT = re.compile("[0-9]{1,9}")

OPAQUE = {
    "providerOrganization", "patientPerson/deceasedTime", "patientPerson/asOtherIDs",
    "patientPerson/asCitizen", "patientPerson/birthPlace",
}  # fmt: skip
"""Described elements whose inside varies."""
DESCRIBED = {
    *("id", "statusCode", "patientPerson", "subjectOf1", "subjectOf1/queryMatchObservation"),
    *(f"subjectOf1/queryMatchObservation/{name}" for name in ("code", "value")),
    *(
        f"patientPerson/{name}"
        for name in (
            "name", "name/given", "name/family", "telecom", "administrativeGenderCode",
            "birthTime", "deceasedInd", "addr", "raceCode", "ethnicGroupCode",
            "maritalStatusCode", "veryImportantPersonCode", "personalRelationship",
            "personalRelationship/code", "personalRelationship/relationshipHolder1",
            "personalRelationship/relationshipHolder1/name",
            "personalRelationship/relationshipHolder1/name/given",
        )
    ),
    *(
        f"patientPerson/addr/{name}"
        for name in (
            "city", "state", "postalCode", "country", "houseNumber", "streetName",
            "streetNameType", "additionalLocator", "unitID",
        )
    ),
    *OPAQUE,
}  # fmt: skip
"""Elements of a patient that the descriptions of the service know, also those not loaded."""

OK, NOT_FOUND, SEVERAL, FAULT = "ok", "nao_encontrado", "varios", "falha"

_REQUEST = """<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>
<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">
<id root="2.16.840.1.113883.4.714" extension="{message}"/><creationTime value="{now}"/>
<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/>
<processingCode code="T"/><processingModeCode code="T"/><acceptAckCode code="AL"/>
<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">
<id root="2.16.840.1.113883.3.72.6.5.100.85"/></device></receiver>
<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE">
<id root="2.16.840.1.113883.3.72.6.2"/><name>{system}</name></device></sender>
<controlActProcess classCode="CACT" moodCode="EVN">
<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/>
<queryByParameter><queryId root="1.2.840.114350.1.13.28.1.18.5.999" extension="1"/>
<statusCode code="new"/><responseModalityCode code="R"/><responsePriorityCode code="I"/>
<parameterList><livingSubjectId><value root="{root}" extension="{number}"/>
<semanticsText>LivingSubject.id</semanticsText></livingSubjectId></parameterList>
</queryByParameter></controlActProcess></PRPA_IN201305UV02></soap:Body></soap:Envelope>
"""


@dataclass(frozen=True)
class Reply:
    """What an answer says: the outcome, how many candidates, and the person if it is one.

    `person` and `cards` are rows of the layouts `cadsus_pessoa` and `cadsus_cns`, all text;
    `unknown` are paths of elements that are in no description of the service.
    """

    outcome: str
    candidates: int | None = None
    person: dict[str, str | None] = field(default_factory=dict, repr=False)
    cards: list[dict[str, str | None]] = field(default_factory=list, repr=False)
    unknown: frozenset[str] = frozenset()


def request(kind: str, number: str, system: str) -> bytes:
    """Return the query for one identifier.

    Args:
        kind: `cns` or `cpf`.
        number: its digits.
        system: code that DATASUS gave to the asking system.

    """
    return _REQUEST.format(
        message=uuid4(),
        now=f"{datetime.now(UTC):%Y%m%d%H%M%S}",
        system=escape(system),
        root=ROOTS[kind],
        number=number,
    ).encode()


def read(body: bytes) -> Reply:
    """Read an answer; whatever is not a proper one is a fault.

    Several candidates are counted and not read: nothing says which of them is meant.
    """
    root = _parse(body)
    control = None if root is None else _first(root, "Body/PRPA_IN201306UV02/controlActProcess")
    if control is None:
        return Reply(FAULT)
    code = _value(control, "queryAck/queryResponseCode", "code")
    subjects = list(_all(control, "subject"))
    total = _value(control, "queryAck/resultTotalQuantity", "value")
    candidates = int(total) if total and COUNT.fullmatch(total) else len(subjects)
    if code == "NF" and not subjects:
        return Reply(NOT_FOUND, 0)
    if code != "OK" or not subjects:
        return Reply(FAULT, candidates)
    if max(candidates, len(subjects)) > 1:
        return Reply(SEVERAL, max(candidates, len(subjects)))
    patient = _first(subjects[0], "registrationEvent/subject1/patient")
    person = None if patient is None else _first(patient, "patientPerson")
    if patient is None or person is None:
        return Reply(FAULT, candidates)
    identifier = _master(patient)
    row, cards = _person(patient, person, identifier), _cards(person, identifier)
    return Reply(OK, 1, row, cards, _unknown(patient))


def _parse(body: bytes) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body.removeprefix(b"\xef\xbb\xbf"), parser)
    except etree.XMLSyntaxError:
        return None
    return None if root.getroottree().docinfo.internalDTD is not None else root


def _person(
    patient: etree._Element, person: etree._Element, identifier: str | None
) -> dict[str, str | None]:
    home = _with(person, "addr", "use", "H")
    vip = _value(person, "veryImportantPersonCode", "code")
    birth, death = _value(person, "birthTime", "value"), _death(person)
    return {
        "id_pessoa": identifier,
        "nome": _name(person, "L"),
        "nome_social": _name(person, "ASGN"),
        "nome_mae": _mother(person),
        "data_nascimento": birth[:DATE_LENGTH] if birth else None,
        "sexo": _value(person, "administrativeGenderCode", "code"),
        "raca_cor": _value(person, "raceCode", "code"),
        "etnia": _value(person, "ethnicGroupCode", "code"),
        "cpf": next((i.get("extension") for i in _documents(person) if i.get("root") == CPF), None),
        "falecido": _value(person, "deceasedInd", "value"),
        "data_obito": death[:DATE_LENGTH] if death else None,
        "res_ibge": _text(home, "city"),
        "res_bairro": _text(home, "additionalLocator"),
        "res_cep": _text(home, "postalCode"),
        "nasc_ibge": _text(_first(person, "birthPlace/addr"), "city"),
        "nacionalidade": None,
        "qualidade": _value(patient, "subjectOf1/queryMatchObservation/value", "value"),
        "protegido": "true" if vip == "VIP" else "false",
        "origem": "pdq",
        "situacao_cadastro": _value(patient, "statusCode", "code"),
    }


def _cards(person: etree._Element, identifier: str | None) -> list[dict[str, str | None]]:
    """Return all cards; the type cannot be told from the number, so it is null when not given."""
    cards = []
    for group in _all(person, "asOtherIDs"):
        ids = {i.get("root"): i.get("extension") for i in _all(group, "id")}
        if ids.get(CNS):
            cards.append(
                {"id_pessoa": identifier, "cns": ids[CNS], "tipo": ids.get(CARD_TYPE)}
                | {"principal": None}
            )
    return cards


def _master(patient: etree._Element) -> str | None:
    """Return the master id, else one of the other registers' ids."""
    ids = {str(i.get("root")): i.get("extension") for i in _all(patient, "id")}
    return ids.get(MASTER) or next(
        (value for root, value in ids.items() if root.startswith(f"{MASTER}.")), None
    )


def _death(person: etree._Element) -> str | None:
    """Return when the person died: an attribute, the text, or those of a child."""
    element = _first(person, "deceasedTime")
    for place in () if element is None else (element, *element):
        if found := place.get("value") or (place.text or "").strip():
            return found
    return None


def _unknown(patient: etree._Element) -> frozenset[str]:
    """Return the paths of elements that nobody has described; what is below them is not looked at.

    Only names are returned, never what the elements hold.
    """
    found = set()
    left = [("", child) for child in patient]
    while left:
        above, element = left.pop()
        path = f"{above}{element.tag.rpartition('}')[2]}"
        if path not in DESCRIBED:
            found.add(path)
        elif path not in OPAQUE:
            left += [(f"{path}/", child) for child in element]
    return frozenset(found)


def _mother(person: etree._Element) -> str | None:
    for relation in _all(person, "personalRelationship"):
        if _value(relation, "code", "code") in ("PRN", "MTH"):
            return _text(_first(relation, "relationshipHolder1/name"), "given")
    return None


def _name(person: etree._Element, use: str) -> str | None:
    return _text(_with(person, "name", "use", use), "given")


def _documents(person: etree._Element) -> Iterator[etree._Element]:
    for group in _all(person, "asOtherIDs"):
        yield from _all(group, "id")


def _all(node: etree._Element, name: str) -> Iterator[etree._Element]:
    return node.iterchildren(f"{{*}}{name}")


def _first(node: etree._Element | None, path: str) -> etree._Element | None:
    for name in path.split("/"):
        node = None if node is None else next(_all(node, name), None)
    return node


def _with(node: etree._Element, name: str, attribute: str, value: str) -> etree._Element | None:
    return next((child for child in _all(node, name) if child.get(attribute) == value), None)


def _value(node: etree._Element, path: str, attribute: str) -> str | None:
    found = _first(node, path)
    return None if found is None else found.get(attribute) or None


def _text(node: etree._Element | None, path: str) -> str | None:
    found = _first(node, path)
    return None if found is None else (found.text or "").strip() or None
