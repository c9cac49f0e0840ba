"""CadSUS to raw: who stands behind the cards met in SISREG, asked one person at a time.

Asked are the valid CNS of the SISREG tables whose person is unknown or was last seen more than
CADSUS_MAX_AGE_DAYS ago; then the valid CPF that came with no card, or with one that leads to
nobody. A fault does not count as an answer. Every thousand answers are a load of their own, so that
an interrupted run loses little and the next one goes on where it ended.

Landing holds the answers of a load in one file, `respostas.ndjson.gz`: per answer one line with the
identifier, the instant, the status and the body as received in base64.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pyarrow as pa

from mapa import audit, clocks, layouts, warehouse
from mapa.audit import Load, Summary, Tally
from mapa.errors import ConfigError, FewerError, MapaError, SourceError
from mapa.http import RETRIED, Access, Answer, Door, Pace, Patience
from mapa.landing import Landed
from mapa.layouts import Layout, named
from mapa.load import deliveries, exports, fhir, pdq, snapshot
from mapa.load.archives import Export, exports_in
from mapa.load.intake import Intake
from mapa.packing import packed
from mapa.settings import Settings
from mapa.sources import CADSUS
from mapa.ui import progress

SOURCE, ENTITY = CADSUS.name, "pdq"
PERSONS, CARDS, QUERIES = "cadsus_pessoa", "cadsus_cns", "cadsus_consulta"
"""Layouts of what is known of people."""
BATCH = 1000
"""Answers per load."""
MANY = 20
"""So many faults and nothing else are the service's refusal, not the persons' trouble."""
MARGIN = 60.0
"""Seconds before its end at which a token is no longer used."""
# A fault comes with status 500 and would only come again.
RETRIED_HERE = RETRIED - {500}
NDJSON = "respostas.ndjson.gz"
REJECTED = pa.schema([("linha", pa.int64()), ("coluna", pa.string()), ("motivo", pa.string())])

VALID_CNS = """
    case when regexp_full_match(cns, '[789][0-9]{14}|[12][0-9]{10}(000[0-9]|0018)')
        then list_dot_product(
            [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]::float[],
            list_transform(string_split(cns, ''), lambda d: d::float)
        ) % 11 = 0
        else false
    end
"""


VALID_CPF = """
    case when regexp_full_match(cpf, '[0-9]{11}') and cpf <> '01234567890'
            and cpf <> repeat(left(cpf, 1), 11)
        then list_dot_product(
                [10, 9, 8, 7, 6, 5, 4, 3, 2]::float[],
                list_transform(string_split(left(cpf, 9), ''), lambda d: d::float)
            ) * 10 % 11 % 10 = cpf[10]::float
            and list_dot_product(
                [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]::float[],
                list_transform(string_split(left(cpf, 10), ''), lambda d: d::float)
            ) * 10 % 11 % 10 = cpf[11]::float
        else false
    end
"""


def load(settings: Settings, limit: int | None = None, *, accept_fewer: bool = False) -> Summary:
    """Ask CadSUS for the persons behind the cards and CPF that are not known yet.

    Args:
        settings: addresses, certificate and concurrency, and where the data are.
        limit: ask for this many at most.
        accept_fewer: believe CadSUS even if it does not know many whom it knew.

    Raises:
        SourceError: CadSUS does not answer, or refuses.
        FewerError: it does not know many whom it knew.
        ConfigError: the certificate cannot be used.

    """
    tally, asked = Tally(), dict[str, int]()
    with (
        deliveries.house(settings) as con,
        progress() as display,
        Registry(settings) as registry,
    ):
        # What the cards have told decides which CPF there is to ask for.
        for kind, choose in (("cns", cards_to_ask), ("cpf", cpfs_to_ask)):
            left = None if limit is None else limit - sum(asked.values())
            wanted = choose(con, settings.cadsus_max_age_days, left)
            asked[kind] = len(wanted)
            task = display.add_task(f"CadSUS, {kind.upper()}", total=len(wanted))
            remaining = iter(wanted)
            while batch := list(islice(remaining, BATCH)):
                registry.accept_fewer = accept_fewer
                tally += _load_batch(con, settings, registry, [(kind, n) for n in batch])
                display.advance(task, len(batch))
    notes = (f"{asked['cns']} cards asked", f"{asked['cpf']} CPF asked")
    return Summary(ENTITY, registry.door.host, tally, notes)


def access(settings: Settings) -> Access:
    """Return how to be let in.

    Raises:
        ConfigError: the certificate is named and its key is not.

    """
    if settings.cadsus_cert and not settings.cadsus_key:
        raise ConfigError("CADSUS_CERT is set and CADSUS_KEY is not.\nGive both as PEM files.")
    return Access(
        "CADSUS_CERT and CADSUS_KEY",
        certificate=settings.cadsus_cert,
        key=settings.cadsus_key,
        authority=settings.mapa_ca_file,
    )


def load_file(settings: Settings, path: Path) -> list[Summary]:
    """Load an extract: persons or cards in a flat layout, or Patients of FHIR.

    Raises:
        LayoutError: the file is something else.
        FormatError: it cannot be read.

    """
    try:
        found = list(exports_in([path], settings.mapa_max_unpacked_mb * 2**20))
        has_patients = any(fhir.is_json(export) for export in found)
    except MapaError as error:
        with warehouse.connect(settings.warehouse) as con:
            size = path.stat().st_size
            audit.refuse(con, (SOURCE, exports.UNKNOWN, Export(path).name), size, error)
    if not has_patients:
        return exports.load(settings, [path], only=(PERSONS, CARDS))
    with deliveries.house(settings) as con:
        return [_load_patients(con, settings, one, alone=len(found) == 1) for one in found]


def repeat(load: Load, landed: list[Landed], note: dict[str, Any]) -> None:
    """Load what landed again: answers of the service, Patients, or a flat file."""
    if load.entity == ENTITY:
        (answers,) = landed
        lines = b"".join(Export(answers.path).chunks()).splitlines()
        asked = [Asked.of(line) for line in lines]
        _take_all(load, [(one, one.reply) for one in asked], answers.name)
    elif load.entity == fhir.ENTITY:
        _take_patients(load, *landed, most=1)
    else:
        exports.repeat(load, landed, note)


def _load_patients(
    con: duckdb.DuckDBPyConnection, settings: Settings, export: Export, *, alone: bool
) -> Summary:
    """Load the Patients of one file in one transaction."""
    digest = hashlib.sha256()
    for chunk in export.chunks():
        digest.update(chunk)
    found = deliveries.Delivery(fhir.ENTITY, digest.hexdigest(), export.path, alone=alone)
    if found.is_known(con):
        return Summary(fhir.ENTITY, export.name, Tally(), skipped=deliveries.SKIPPED)
    what = SOURCE, fhir.ENTITY, export.name
    with deliveries.receiving(con, settings.landing, what, found=found) as receipt:
        landed = exports.land(receipt.folder, export, found.sha256)
        _take_patients(receipt.load, landed, most=settings.mapa_max_rejected_share)
    return receipt.load.summary()


def _take_patients(load: Load, landed: Landed, *, most: float) -> None:
    """Load the Patients of a landed file."""
    persons, cards = Intake(load, named(PERSONS)), Intake(load, named(CARDS))
    patients = fhir.read(Export(landed.path), load.origin)
    unknown = set[str]()
    while part := list(islice(patients, BATCH)):
        unknown.update(*(found.unknown for found in part))
        _settle_patients(persons, cards, part, landed.name)
    load.report_unknown(named(PERSONS).table, unknown, kept="landing")
    persons.finish(load.origin)
    exports.refuse_many_rejects(load, load.origin, most)


def _settle_patients(persons: Intake, cards: Intake, part: list[fhir.Found], file: str) -> None:
    """Load some Patients; a Patient without what a row needs is rejected at its position."""
    bad = [
        {"linha": found.position, "coluna": found.column, "motivo": found.problem}
        for found in part
        if found.problem
    ]
    if bad:
        persons.reject_unreadable(file, pa.Table.from_pylist(bad, schema=REJECTED))
    good = [found for found in part if not found.problem]
    people = persons.read_rows([one.person for one in good], [one.position for one in good])
    persons.settle((people, file))
    held = [card for found in good for card in found.cards]
    before = cards.tally.received
    cards.settle((cards.read_rows(held, range(before + 1, before + len(held) + 1)), file))


def cards_to_ask(con: duckdb.DuckDBPyConnection, max_age_days: int, limit: int | None) -> list[str]:
    """Return the valid CNS of SISREG of whom nothing is known or all is old, in order.

    A card need not be asked when another card of the same person has been.
    """
    found = con.execute(
        f"""
        with cartoes as (
            select lpad(trim(cns), 15, '0') as cns, id_pessoa, _carregado_em
            from {named(CARDS).table}
        ),
        perguntados as (
            select identificador as cns from {named(QUERIES).table}
            where identificador_tipo = 'cns' and resultado <> $fault
                and momento_consulta between $text and $latest_text
        ),
        pessoas_recentes as (
            select id_pessoa from cartoes
            where _carregado_em between $oldest and $latest
                or cns in (select p.cns from perguntados as p)
        )
        select m.cns from ({_cards_met()}) as m
        where {VALID_CNS}
            and m.cns not in (select p.cns from perguntados as p)
            and m.cns not in (
                select c.cns from cartoes as c
                where c.id_pessoa in (select r.id_pessoa from pessoas_recentes as r)
            )
        order by m.cns
        limit $limit
        """,
        _recent(max_age_days) | {"limit": limit if limit is not None else 2**62},
    ).fetchall()
    return [cns for (cns,) in found]


def cpfs_to_ask(con: duckdb.DuckDBPyConnection, max_age_days: int, limit: int | None) -> list[str]:
    """Return the valid CPF of SISREG that only a query by CPF can turn into a person, in order.

    A card goes before the CPF beside it: the CPF is asked for when there is no valid card, or when
    CadSUS has answered for the card and knows nobody, or several.
    """
    found = con.execute(
        f"""
        with perguntados as (
            select identificador_tipo as tipo, identificador as numero, max(resultado = 'ok') as ok
            from {named(QUERIES).table}
            where resultado <> $fault and momento_consulta between $text and $latest_text
            group by all
        ),
        recentes as (
            select lpad(trim(cpf), 11, '0') as cpf from {named(PERSONS).table}
            where _carregado_em between $oldest and $latest
        )
        select distinct m.cpf from ({_people_met()}) as m
        left join perguntados as p on p.tipo = 'cns' and p.numero = m.cns
        where {VALID_CPF}
            and (not coalesce({VALID_CNS}, false) or not p.ok)
            and m.cpf not in (select q.numero from perguntados as q where q.tipo = 'cpf')
            and m.cpf not in (select r.cpf from recentes as r where r.cpf is not null)
        order by m.cpf
        limit $limit
        """,
        _recent(max_age_days) | {"limit": limit if limit is not None else 2**62},
    ).fetchall()
    return [cpf for (cpf,) in found]


def _recent(max_age_days: int) -> dict[str, Any]:
    """Return the bounds of what counts as asked lately; what lies ahead of today was not."""
    now = clocks.now().replace(tzinfo=UTC)
    oldest, latest = now - timedelta(days=max_age_days), now + timedelta(days=1)
    return {
        "fault": pdq.FAULT,
        "text": instant(oldest),
        "latest_text": instant(latest),
        "oldest": oldest.replace(tzinfo=None),
        "latest": latest.replace(tzinfo=None),
    }


def _people_met() -> str:
    """Return SQL for CPF and card of the records of SISREG, with the zeros that some have lost.

    So few digits that the zeros would make up a number are no CPF.
    """
    return " union ".join(
        "select distinct lpad(trim(cpf_usuario), 11, '0') as cpf, "
        "case when regexp_full_match(trim(cns_usuario), '[0-9]{1,15}') "
        "then lpad(trim(cns_usuario), 15, '0') end as cns "
        f"from {layout.table} where regexp_full_match(trim(cpf_usuario), '[0-9]{{9,11}}')"
        for layout in layouts.of_indices()
    )


def _cards_met() -> str:
    """Return SQL for the cards met in SISREG, with the zeros that some numbers have lost."""
    return " union ".join(
        f"select distinct lpad(trim(cns_usuario), 15, '0') as cns from {layout.table} "
        "where regexp_full_match(trim(cns_usuario), '[0-9]{1,15}')"
        for layout in layouts.of_indices()
    )


@dataclass(frozen=True)
class Asked:
    """One identifier (`cns` or `cpf` and its number), when it was asked, and the answer."""

    kind: str
    number: str = field(repr=False)
    moment: str
    answer: Answer

    @classmethod
    def of(cls, line: bytes) -> Asked:
        """Return what a line of landing says."""
        said = orjson.loads(line)
        headers = httpx.Headers({"content-encoding": "gzip"} if said["gzip"] else {})
        answer = Answer(said["status"], headers, base64.b64decode(said["corpo"]))
        return cls(said["identificador_tipo"], said["identificador"], said["momento"], answer)

    @property
    def reply(self) -> pdq.Reply:
        """Return what the answer says."""
        return pdq.read(self.answer.plain())

    def line(self) -> bytes:
        """Return the line of landing."""
        return orjson.dumps(
            {
                "identificador_tipo": self.kind,
                "identificador": self.number,
                "momento": self.moment,
                "status": self.answer.status,
                "gzip": self.answer.is_gzip,
                "corpo": base64.b64encode(self.answer.body).decode(),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


class Registry:
    """CadSUS over HTTP, with its token; may be used by several threads."""

    def __init__(self, settings: Settings) -> None:
        """Prepare both doors; nothing is sent yet.

        Raises:
            ConfigError: the certificate cannot be used, or its key is missing.

        """
        self.settings = settings
        patience, shown = Patience.of(settings), access(settings)
        self.door = Door(settings.cadsus_url, shown, patience, Pace(settings.cadsus_rate))
        self._gate = Door(settings.cadsus_token_url, shown, patience)
        self._renewing = threading.Lock()
        self._token, self._ends = "", 0.0
        self.accept_fewer = False

    @property
    def retries(self) -> int:
        """Attempts beyond the first, at both doors."""
        return self.door.retries + self._gate.retries

    @property
    def synthetic(self) -> bool:
        """Whether any answer said that it is simulated."""
        return self.door.synthetic or self._gate.synthetic

    def __enter__(self) -> Registry:
        """Return itself; leaving closes the connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.door.close()
        self._gate.close()

    def ask(self, identifier: tuple[str, str]) -> Asked:
        """Ask for one identifier: `cns` or `cpf`, and its number.

        Raises:
            SourceError: no answer, or a refusal.

        """
        answer = self._send(identifier, token := self._fresh())
        if answer.status == 401:
            answer = self._send(identifier, self._fresh(refused=token))
        if answer.status < 500:
            self.door.expect_ok(answer, "a person query")
        return Asked(*identifier, instant(clocks.now().replace(tzinfo=UTC)), answer)

    def _send(self, identifier: tuple[str, str], token: str) -> Answer:
        headers = {
            "content-type": "application/soap+xml; charset=utf-8",
            "authorization": f"jwt {token}",
        }
        body = pdq.request(*identifier, self.settings.cadsus_system)
        return self.door.ask("POST", "", RETRIED_HERE, content=body, headers=headers)

    def _fresh(self, *, refused: str = "") -> str:
        """Return a token that has a while to live and is not the one that was refused."""
        with self._renewing:
            if refused == self._token or time.monotonic() > self._ends - MARGIN:
                answer = self._gate.expect_ok(self._gate.ask("GET", ""), "the token request")
                try:
                    content = orjson.loads(answer.plain())
                    self._token = content["access_token"]
                    self._ends = time.monotonic() + float(content.get("expires_in", 3600))
                except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                    raise SourceError(
                        f"{self._gate.host} sent no usable token.\nCheck CADSUS_TOKEN_URL."
                    ) from None
            return self._token


def _load_batch(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    registry: Registry,
    wanted: list[tuple[str, str]],
) -> Tally:
    """Ask for some identifiers and load what came, in one transaction."""
    what = SOURCE, ENTITY, registry.door.host
    with deliveries.receiving(con, settings.landing, what, door=registry) as receipt:
        asked = _ask_all(registry, wanted, settings.cadsus_concurrency)
        landed = receipt.folder.write(NDJSON, packed(one.line() for one in asked))
        replies = [(one, one.reply) for one in asked]
        if len(replies) >= MANY and all(reply.outcome == pdq.FAULT for _, reply in replies):
            raise SourceError(
                f"{registry.door.host} answered all {len(wanted)} person queries with a fault; "
                "nothing was loaded.\nCheck CADSUS_SYSTEM and the rights of the certificate."
            )
        if not registry.accept_fewer:
            _refuse_fewer(con, registry, replies)
        _take_all(receipt.load, replies, landed.name)
    return receipt.load.tally


def _refuse_fewer(
    con: duckdb.DuckDBPyConnection, registry: Registry, replies: list[tuple[Asked, pdq.Reply]]
) -> None:
    """Refuse answers that know nobody behind many identifiers which led to a person before.

    Raises:
        FewerError: says how many.

    """
    numbers = [asked.number for asked, _ in replies]
    known = con.execute(
        f"""
        with perguntados as (
            select identificador_tipo as tipo, identificador as numero,
                arg_max(resultado, (_carga_ordem, _linha)) as resultado
            from {named(QUERIES).table}
            where identificador in (select unnest($numbers)) and resultado <> $fault
            group by all
        ),
        cartoes as (
            select distinct 'cns' as tipo, lpad(trim(cns), 15, '0') as numero
            from {named(CARDS).table}
        )
        select tipo, numero from perguntados where resultado = $ok
        union
        select c.tipo, c.numero from cartoes as c
        where c.numero in (select unnest($numbers))
            and c.numero not in (select p.numero from perguntados as p)
        """,
        {"ok": pdq.OK, "fault": pdq.FAULT, "numbers": numbers},
    ).fetchall()
    gone = sum(
        reply.outcome == pdq.NOT_FOUND and (asked.kind, asked.number) in {*known}
        for asked, reply in replies
    )
    if len(known) >= MANY and not snapshot.is_believed(len(known), gone):
        raise FewerError(
            f"{registry.door.host} does not know {gone} of {len(known)} persons whom it knew; "
            "nothing was loaded.\nThe registry is probably incomplete: ask its owner. If they are "
            "really gone, load with\n  mapa load cadsus --accept-fewer"
        )


def _ask_all(registry: Registry, wanted: list[tuple[str, str]], concurrency: int) -> list[Asked]:
    """Ask in parallel; the first failure, or Ctrl-C, calls off what has not been sent."""
    pool = ThreadPoolExecutor(concurrency)
    waits = True
    try:
        return list(pool.map(registry.ask, wanted))
    except KeyboardInterrupt:
        # What is on its way may take minutes; the warehouse is to be free now.
        waits = False
        raise
    finally:
        pool.shutdown(wait=waits, cancel_futures=True)


def _take_all(load: Load, replies: list[tuple[Asked, pdq.Reply]], file: str) -> None:
    """Load queries, persons and cards."""
    queries = [
        {
            "identificador_tipo": asked.kind,
            "identificador": asked.number,
            "resultado": reply.outcome,
            "qtd_candidatos": None if reply.candidates is None else str(reply.candidates),
            "momento_consulta": asked.moment,
        }
        for asked, reply in replies
    ]
    persons = [
        reply.person | {"data_consulta": asked.moment} for asked, reply in replies if reply.person
    ]
    cards = [card for _, reply in replies for card in reply.cards]
    unknown = {name for _, reply in replies for name in reply.unknown}
    load.report_unknown(named(PERSONS).table, unknown, kept="landing")
    for layout, records in (
        (QUERIES, queries), (PERSONS, persons), (CARDS, cards),
    ):  # fmt: skip
        _take(load, named(layout), records, file)


def _take(load: Load, layout: Layout, records: list[dict[str, str | None]], file: str) -> None:
    """Load the records of one table, numbered in their order."""
    intake = Intake(load, layout)
    intake.settle((intake.read_rows(records, range(1, len(records) + 1)), file))


def instant(moment: datetime) -> str:
    """Write an instant in UTC, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
