"""A house with nothing but requests in it: read from a mirror several times, built and read back.

The tests of the queue state situations as the documents that the source shows at each reading;
everything between those documents and the marts is the real thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from conftest import environment
from mapa.dbt import run_dbt
from mapa.load import sisreg
from mirror import INDICES, PASSWORD, SAMPLES, USER, Mirror, mirroring
from offer_house import OfferHouse

Document = dict[str, Any]
QUEUE, BOOKINGS = INDICES[0], INDICES[1]
MARTS = ("fila_por_mes", "espera_por_mes", "absenteismo_por_mes", "int_oferta__marcacoes")
READ_ON = (date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30))
"""Days as of whose end the source is read, five minutes after midnight."""

WAITS = "SOLICITAÇÃO / PENDENTE / REGULADOR"
SENT_AGAIN = "SOLICITAÇÃO / REENVIADA / REGULADOR"
RETURNED = "SOLICITAÇÃO / DEVOLVIDA / REGULADOR"
DENIED = "SOLICITAÇÃO / NEGADA / REGULADOR"
CANCELLED = "SOLICITAÇÃO / CANCELADA / SOLICITANTE"
NONE = "SOLICITAÇÃO INEXISTENTE"
BOOKED = "SOLICITAÇÃO / AUTORIZADA / REGULADOR"
PENDING = "AGENDAMENTO / PENDENTE CONFIRMAÇÃO / EXECUTANTE"
CAME = "AGENDAMENTO / CONFIRMADO / EXECUTANTE"
MISSED = "AGENDAMENTO / FALTA / EXECUTANTE"
FREED = "AGENDAMENTO / CANCELADO / SOLICITANTE"


def instant(text: str | None) -> str | None:
    """Write `04-12 09` of 2026 (or a whole date) as the source does."""
    if text is None:
        return None
    day, _, hour = text.partition(" ")
    whole = day if len(day) > 5 else f"2026-{day}"
    return f"{whole}T{hour or '09'}:00:00.000Z"


def history(*entries: str) -> list[dict[str, str | None]]:
    """Write `04-12 09 NEGADA` as entries of a laudo."""
    pairs = [entry.rsplit(" ", 1) for entry in entries]
    return [{"situacao": what, "data_observacao": instant(at)} for at, what in pairs]


def request(status: str, changed: str, *entries: str, **fields: Any) -> Document:
    """Return a document of the queue, asked for on 10 March."""
    return _document(QUEUE, status, changed, entries, fields)


def booking(
    code: int, status: str, changed: str, made: str, day: str, *entries: str, **fields: Any
) -> Document:
    """Return a document of the index of bookings: number, approval and appointment."""
    own = {
        "codigo_marcacao": code,
        "data_aprovacao": instant(made),
        "data_marcacao": instant(day),
        "data_confirmacao": instant(changed) if status == CAME else None,
    }
    return _document(BOOKINGS, status, changed, entries, own | fields)


def _document(
    index: str, status: str, changed: str, entries: Sequence[str], fields: Mapping[str, Any]
) -> Document:
    cancelled = fields.get("cancelled")
    common = {
        "data_solicitacao": instant(fields.get("asked", "03-10 08")),
        "data_atualizacao": instant(changed),
        "status_solicitacao": status,
        "laudo": history("03-10 08 PENDENTE", *entries),
        # The source takes the offset of the zone once more.
        "data_cancelamento": _earlier(instant(cancelled)) if cancelled else None,
    }
    others = {k: v for k, v in fields.items() if k not in ("asked", "cancelled")}
    return {**SAMPLES[index], **common, **others, "_index": index}


def _earlier(text: str | None) -> str:
    moment = datetime.fromisoformat(str(text)).replace(tzinfo=None) - timedelta(hours=3)
    return moment.isoformat(timespec="milliseconds") + "Z"


@dataclass
class Situation:
    """What the source shows of one request at each reading; None shows it as before.

    Attributes:
        readings: documents at each of `READ_ON`, an empty list while it is not there.
        rows: expected of `fila_por_mes` by month and risk: columns that are not zero.
        waits: expected of `espera_por_mes` by month, as above, without the ages of the queue.
        absence: expected of `absenteismo_por_mes` by month, as above.
        slots: fate of each booking by day of the appointment.
    """

    readings: Sequence[Sequence[Document] | None]
    rows: Mapping[str, Mapping[str, int]]
    waits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    absence: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)

    def shown(self, reading: int, number: int) -> list[Document]:
        """Return the documents of a reading under the number of the situation."""
        given = [docs for docs in self.readings[: reading + 1] if docs is not None]
        return [_numbered(document, number) for document in given[-1]] if given else []


def procedure(number: int, which: int = 0) -> str:
    """Return a procedure of a situation."""
    return f"{1000 + number:04d}{which:03d}"


def _numbered(document: Document, number: int) -> Document:
    code = procedure(number, document.get("procedure", 0))
    own: Document = {"codigo_solicitacao": str(900_000_000 + number)}
    if document["_index"] == QUEUE:
        own["procedimentos"] = [{"codigo_interno": code, "descricao_interna": "FICTICIO"}]
    else:
        own["codigo_interno_procedimento"] = code
        own["codigo_marcacao"] = str(800_000_000 + 10 * number + document["codigo_marcacao"])
    kept = {k: v for k, v in document.items() if k not in ("procedure",)}
    return {**kept, **own}


def read_all(house: OfferHouse, situations: Sequence[Situation]) -> None:
    """Let the loader read the mirror once for each reading."""
    with mirroring(Mirror()) as mirror:
        settings = house.settings.model_copy(
            update={
                "sisreg_url": mirror.url,
                "sisreg_user": USER,
                "sisreg_password": SecretStr(PASSWORD),
                "mapa_attempts": 2,
                "mapa_wait_seconds": 0.001,
            }
        )
        for reading, day in enumerate(READ_ON):
            shown = [
                document
                for number, situation in enumerate(situations)
                for document in situation.shown(reading, number)
            ]
            mirror.now = datetime.combine(day + timedelta(days=1), time(3, 5), tzinfo=UTC)
            for index in (QUEUE, BOOKINGS):
                mirror.documents[index] = [
                    {k: v for k, v in document.items() if k != "_index"}
                    for document in shown
                    if document["_index"] == index
                ]
                sisreg.load(settings, index)


def build(house: OfferHouse, *models: str, options: Iterable[str] = (), **variables: Any) -> None:
    """Build marts of the queue, by default all of them."""
    chosen = [f"+{name}" for name in models or MARTS]
    with environment(house.env):
        run_dbt(
            house.settings,
            "run",
            *("--select", *chosen),
            *("--vars", json.dumps(variables)),
            *options,
            title="dbt run",
        )


def seed(house: OfferHouse) -> None:
    """Load the reference tables."""
    with environment(house.env):
        run_dbt(house.settings, "seed", title="dbt seed")


def new_house(directory: Path) -> OfferHouse:
    """Make an empty house with its reference tables."""
    return OfferHouse.at(directory)
