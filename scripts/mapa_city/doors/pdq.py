"""The CadSUS door: the token endpoint and the person query (SOAP, PDQ v3) of one person at a time.

The real token endpoint asks for a client certificate; on the loopback interface the simulator does
without. Tokens are signed by a key of this process and expire by the real clock, as clients expect.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import duckdb
from lxml import etree
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN_PATH = "/api/osb/token"  # noqa: S105 - the path of an endpoint
QUERY_PATH = "/cadsus/v2/PDQSupplierJWT"
TOKEN_SECONDS = 3600
CNS_ROOT, CPF_ROOT = "2.16.840.1.113883.13.236", "2.16.840.1.113883.13.237"
SHARED_CPF = 997
"""One CPF in so many stands in two master records, the second one without cards."""

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_MEDIA_TYPE = "application/soap+xml; charset=utf-8"


class MalformedError(Exception):
    """The request is not a query that the service understands."""


@dataclass(frozen=True)
class Query:
    """What a request asks: an identifier, and what the answer must repeat."""

    root: str
    number: str
    message: str
    system: str
    query_root: str
    query_id: str


@dataclass(frozen=True)
class Person:
    """One candidate of an answer; `cards` are number and kind of each, the main one first."""

    master: int
    name: str
    mother: str
    birth_date: date
    sex: str
    race: str
    cpf: str | None
    death_date: date | None
    death_known: str
    city: str
    bairro: str
    cep: str
    cards: Sequence[Sequence[str]]


_COLUMNS = ", ".join(field.name for field in fields(Person))


class Registry:
    """The persons of the document store.

    They are read at the first question and kept: a query of the store for each of them would cost
    more than all the rest of an answer.
    """

    def __init__(self, store: Path) -> None:
        """Open the store for reading."""
        self._con = duckdb.connect(str(store), read_only=True)
        row = self._con.execute("select instant from clock").fetchone()
        self.now = datetime.fromisoformat(str(row[0] if row else None))

    def close(self) -> None:
        """Close the store."""
        self._con.close()

    def candidates(self, root: str, number: str) -> list[Person]:
        """Return the persons who carry a CNS or a CPF."""
        found = list(self._people[root].get(number, ()))
        if root == CPF_ROOT and found and int(number[:9]) % SHARED_CPF == 0:
            found.append(_bare_double(found[0]))
        return found

    @cached_property
    def _people(self) -> dict[str, dict[str, list[Person]]]:
        """Persons by root and number."""
        by_card, by_cpf = defaultdict[str, list[Person]](list), defaultdict[str, list[Person]](list)
        rows = self._con.execute(f"select cns, is_main, {_COLUMNS} from registered")
        while part := rows.fetchmany(2048):
            for cns, is_main, *of_person in part:
                person = Person(*of_person)
                by_card[cns].append(person)
                if is_main and person.cpf:
                    by_cpf[person.cpf].append(person)
        return {CNS_ROOT: by_card, CPF_ROOT: by_cpf}


class Tokens:
    """Issues and checks tokens in the form of a JWT."""

    def __init__(self) -> None:
        """Draw the key that signs the tokens of this process."""
        self._key = secrets.token_bytes(32)

    def issue(self) -> str:
        """Return a new token."""
        claims = {"iss": "mapa-simulate", "exp": int(time.time()) + TOKEN_SECONDS}
        body = f"{_b64({'alg': 'HS256', 'typ': 'JWT'})}.{_b64(claims)}"
        return f"{body}.{self._sign(body)}"

    def accepts(self, token: str) -> bool:
        """Tell whether a token was issued here and has not expired."""
        body, _, signature = token.rpartition(".")
        if not body or not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return False
        payload = body.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return bool(claims["exp"] > time.time())

    def _sign(self, body: str) -> str:
        digest = hmac.new(self._key, body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def routes(registry: Registry) -> list[Route]:
    """Return the routes of the token endpoint and of the query service."""
    tokens = Tokens()
    counter = _Counter()

    async def token(request: Request) -> Response:
        return JSONResponse({"access_token": tokens.issue(), "expires_in": TOKEN_SECONDS})

    async def query(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "jwt" or not tokens.accepts(given):
            return Response("Unauthorized", 401, media_type="text/plain")
        try:
            asked = parse(await request.body())
        except MalformedError as error:
            return Response(fault(str(error)), 500, media_type=_MEDIA_TYPE)
        found = registry.candidates(asked.root, asked.number)
        answer = render(asked, found, registry.now, counter.next())
        return Response(answer, media_type=_MEDIA_TYPE)

    return [Route(TOKEN_PATH, token), Route(QUERY_PATH, query, methods=["POST"])]


def parse(body: bytes) -> Query:
    """Read a query; elements are matched by local name, entities and DTDs are refused.

    Raises:
        MalformedError: it is not a PDQ query by CNS or CPF.

    """
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        tree = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise MalformedError("the body is not well-formed XML") from None
    if tree.getroottree().docinfo.internalDTD is not None:
        raise MalformedError("document type declarations are not accepted")
    if not _found(tree, "PRPA_IN201305UV02"):
        raise MalformedError("PRPA_IN201305UV02 is missing")
    values = _found(tree, "livingSubjectId/value")
    if len(values) != 1 or values[0].get("root") not in (CNS_ROOT, CPF_ROOT):
        raise MalformedError("exactly one livingSubjectId with a CNS or a CPF is expected")
    number = values[0].get("extension", "")
    if not number.isdecimal():
        raise MalformedError("livingSubjectId is not made of digits")
    message = next(iter(_found(tree, "PRPA_IN201305UV02/id")), None)
    query = next(iter(_found(tree, "queryId")), None)
    system = next(iter(_found(tree, "sender/device/name")), None)
    return Query(
        root=str(values[0].get("root")),
        number=number,
        message="" if message is None else message.get("extension", ""),
        system="" if system is None else system.text or "",
        query_root="" if query is None else query.get("root", ""),
        query_id="" if query is None else query.get("extension", ""),
    )


def fault(reason: str) -> str:
    """Return a SOAP fault that blames the sender."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{_SOAP}"><soap:Body>'
        "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason>"
        f'<soap:Text xml:lang="pt">{escape(reason)}</soap:Text></soap:Reason></soap:Fault>'
        "</soap:Body></soap:Envelope>"
    )


def render(query: Query, found: Sequence[Person], now: datetime, number: int) -> str:
    """Return the answer to a query: one subject per candidate, `NF` when there is none."""
    subjects = "".join(_subject(person) for person in found)
    code, total = ("OK" if found else "NF"), len(found)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{_SOAP}"><soap:Body>'
        '<PRPA_IN201306UV02 xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0">'
        f'<id root="00000000-0000-0000-0000-{number:012d}"/>'
        f'<creationTime value="{now:%Y%m%d%H%M%S}"/>'
        '<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201306UV02"/>'
        '<processingCode code="T"/><processingModeCode code="T"/><acceptAckCode code="NE"/>'
        '<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">'
        f'<id root="2.16.840.1.113883.3.72.6.2"/><name>{escape(query.system)}</name></device>'
        '</receiver><sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE">'
        '<id root="2.16.840.1.113883.3.72.6.5.100.85"/></device></sender>'
        '<acknowledgement><typeCode code="AA"/><targetMessage>'
        f'<id root="2.16.840.1.113883.4.714" extension="{escape(query.message)}"/>'
        '</targetMessage></acknowledgement><controlActProcess classCode="CACT" moodCode="EVN">'
        f'<code code="PRPA_TE201306UV02"/>{subjects}<queryAck>'
        f'<queryId root="{escape(query.query_root)}" extension="{escape(query.query_id)}"/>'
        f'<queryResponseCode code="{code}"/><resultTotalQuantity value="{total}"/>'
        f'<resultCurrentQuantity value="{total}"/><resultRemainingQuantity value="0"/>'
        "</queryAck></controlActProcess></PRPA_IN201306UV02></soap:Body></soap:Envelope>"
    )


def _subject(person: Person) -> str:
    return (
        '<subject typeCode="SUBJ" contextConductionInd="false">'
        '<registrationEvent classCode="REG" moodCode="EVN"><statusCode code="completed"/>'
        '<subject1 typeCode="SBJ"><patient classCode="PAT">'
        f'<id root="2.16.840.1.113883.3.4594.2" extension="{2_000_000 + person.master}" '
        'assigningAuthorityName="CADSUS-UPDATE"/>'
        f'<id root="2.16.840.1.113883.3.4594" extension="{1_000_000 + person.master}" '
        'assigningAuthorityName="RES-BRASIL"/><statusCode code="active"/>'
        f'<patientPerson classCode="PSN" determinerCode="INSTANCE">{_details(person)}'
        f"{_documents(person)}{_parents(person)}"
        '<birthPlace classCode="BIRTHPL"><addr><city>530010</city><country>010</country></addr>'
        "</birthPlace></patientPerson>"
        '<providerOrganization classCode="ORG" determinerCode="INSTANCE">'
        '<id root="2.16.840.1.113883.3.4594"/><contactParty classCode="CON"/>'
        '</providerOrganization><subjectOf1><queryMatchObservation classCode="OBS" moodCode="EVN">'
        '<code code="IHE_PDQ"/><value xsi:type="INT" value="100"/></queryMatchObservation>'
        "</subjectOf1></patient></subject1></registrationEvent></subject>"
    )


def _details(person: Person) -> str:
    died = person.death_date
    form = {"day": "%Y%m%d", "month": "%Y%m"}.get(person.death_known)
    death = f'<deceasedTime value="{died:{form}}"/>' if died and form else ""
    state = "DF" if person.city.startswith("53") else "GO"
    return (
        f'<name use="L"><given>{escape(person.name)}</given></name>'
        '<telecom use="PRS" value="+55-61-99999-0001"/>'
        '<telecom use="NET" value="ficticia@example.org"/>'
        f'<administrativeGenderCode code="{person.sex}" codeSystem="2.16.840.1.113883.5.1"/>'
        f'<birthTime value="{person.birth_date:%Y%m%d}000000"/>'
        f'<deceasedInd value="{"true" if died else "false"}"/>{death}'
        f'<addr use="H"><city>{person.city}</city><state>{state}</state>'
        f"<postalCode>{person.cep}</postalCode><country>010</country><houseNumber>0</houseNumber>"
        "<streetName>QNN 00 CONJUNTO A</streetName><streetNameType>081</streetNameType>"
        f"<additionalLocator>{escape(person.bairro)}</additionalLocator><unitID>CASA 0</unitID>"
        f'</addr><raceCode code="{person.race}"/>'
    )


def _documents(person: Person) -> str:
    cards = [((CNS_ROOT, number), (f"{CNS_ROOT}.1", kind)) for number, kind in person.cards]
    documents: list[tuple[tuple[str, str], ...]] = [*cards]
    if person.cpf:
        documents.append(((CPF_ROOT, person.cpf),))
    return "".join(_document(parts) for parts in documents)


def _document(parts: tuple[tuple[str, str], ...]) -> str:
    numbers = "".join(f'<id root="{root}" extension="{value}"/>' for root, value in parts)
    scopes = "".join(f'<id root="{root}"/>' for root, _ in parts)
    return (
        f'<asOtherIDs classCode="ROL">{numbers}<scopingOrganization classCode="ORG" '
        f'determinerCode="INSTANCE">{scopes}</scopingOrganization></asOtherIDs>'
    )


def _parents(person: Person) -> str:
    return "".join(
        f'<personalRelationship classCode="PRS"><code code="{code}" '
        'codeSystem="2.16.840.1.113883.1.11.19563"/>'
        '<relationshipHolder1 classCode="PSN" determinerCode="INSTANCE">'
        f'<name xsi:type="PN" use="L"><given>{escape(name)}</given></name>'
        "</relationshipHolder1></personalRelationship>"
        for code, name in (("PRN", person.mother), ("NPRN", "SEM INFORMACAO"))
    )


def _bare_double(person: Person) -> Person:
    """Return a master record of the same person that nobody has merged yet."""
    return replace(person, master=person.master + 5_000_000, cards=())


def _found(tree: Any, path: str) -> list[Any]:
    steps = "/".join(f"{{*}}{name}" for name in path.split("/"))
    result: list[Any] = tree.findall(f".//{steps}")
    return result


def _b64(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


class _Counter:
    """Numbers the answers."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last
