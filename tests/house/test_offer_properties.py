"""What must hold of any offer: random networks, built together, and the same ones disturbed.

A build costs seconds, so all networks are drawn first (the same ones in each run) and built at
once, together with their disturbed copies. Each copy has codes of its own, and a failure shows the
small network that broke the rule.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from offer_house import SCHEDULE, SLOTS, Codes, Delivery, OfferHouse, Row, day_text, number_of_unit

FEW, MANY = 30, 300
"""Networks of each test, and before a release."""
COPIES = ("as drawn", "leaves split in two", "leaves repeated", "one more leave")
AS_DRAWN, SPLIT, REPEATED, ONE_MORE = range(len(COPIES))
WEEKDAYS = ("SEG", "TER", "QUA", "QUI", "SEX", "SAB", "DOM")
START = date(2026, 4, 6)
MONTHS = ("202604", "202605")
NATIONAL_HOLIDAY = date(2026, 4, 21)
CAUSES = ("feriado", "afastamento_unidade", "afastamento_profissional")
DAY_MINUTES = 24 * 60
LAST_MINUTE = DAY_MINUTES - 1

Key = tuple[Any, ...]
Measures = dict[str, Any]


@dataclass(frozen=True)
class Schedule:
    """A weekly block; minutes of the day and counts may be unknown."""

    unit: int
    procedure: int
    professional: int
    weekday: str
    slots: tuple[int | None, ...]
    first: date
    last: date
    start: int | None
    end: int | None
    status: str

    def days(self) -> Iterator[date]:
        """Yield the days on which it offers slots."""
        if self.status in ("ATIVA", "EXPIRADA"):
            for offset in range((self.last - self.first).days + 1):
                day = self.first + timedelta(days=offset)
                if WEEKDAYS[day.weekday()] == self.weekday:
                    yield day


@dataclass(frozen=True)
class Absence:
    """A leave or holiday; what is None is not given."""

    cause: str
    unit: int | None
    procedure: int | None
    professional: int | None
    first: date
    start: int | None
    last: date
    end: int | None

    @property
    def begins(self) -> int:
        """Return the first minute, counted from the beginning of time."""
        return self.first.toordinal() * DAY_MINUTES + (self.start or 0)

    @property
    def ends(self) -> int:
        """Return the minute after the last."""
        whole = self.end is None or self.end == LAST_MINUTE
        return self.last.toordinal() * DAY_MINUTES + (DAY_MINUTES if whole else self.end or 0)

    def concerns(self, schedule: Schedule) -> bool:
        """Say whether it is about this schedule's unit, procedure and professional."""
        return (
            self.unit in (None, schedule.unit)
            and self.procedure in (None, schedule.procedure)
            and self.professional in (None, schedule.professional)
        )


@dataclass(frozen=True)
class Network:
    """A few units with their schedules, absences and limits."""

    schedules: tuple[Schedule, ...]
    absences: tuple[Absence, ...]
    ppi: dict[tuple[int, str], list[int]]
    ceilings: dict[tuple[int, int, str], int]
    further: Absence
    cut: float

    def copy(self, kind: int) -> Network:
        """Return the network as one of the copies has it."""
        changed = {
            AS_DRAWN: self.absences,
            SPLIT: tuple(part for a in self.absences for part in halves(a, self.cut)),
            REPEATED: tuple(p for a in self.absences for p in (a, a, halves(a, self.cut)[-1])),
            ONE_MORE: (*self.absences, self.further),
        }
        return replace(self, absences=changed[kind])


def halves(absence: Absence, cut: float) -> tuple[Absence, ...]:
    """Split a leave at some minute; a holiday and a leave of no length stay whole."""
    if absence.cause == "feriado" or absence.ends - absence.begins < 2:
        return (absence,)
    moment = absence.begins + 1 + int(cut * (absence.ends - absence.begins - 2))
    day, minute = date.fromordinal(moment // DAY_MINUTES), moment % DAY_MINUTES
    # A part that ends at midnight is written as the whole day before.
    last, end = (day, minute) if minute else (day - timedelta(days=1), None)
    return (
        replace(absence, last=last, end=end),
        replace(absence, first=day, start=minute or None),
    )


# --- drawing networks ------------------------------------------------------------------------


def draw_minute(dice: random.Random) -> int | None:
    """Draw a minute of the day: inside the blocks, at an edge, anywhere, or unknown."""
    inside, anywhere = dice.randint(480, 720), dice.randint(0, LAST_MINUTE)
    edge = dice.choice((0, 480, 481, 600, 719, 720, LAST_MINUTE))
    return dice.choice((inside, inside, inside, inside, edge, edge, anywhere, None))


def draw_schedule(dice: random.Random) -> Schedule:
    """Draw a schedule; few weekdays, so that schedules share their days."""
    first = START + timedelta(days=dice.randint(0, 20))
    usual = ((480, 720), (480, 1020), (600, 720), (0, LAST_MINUTE), (480, 487))
    start, end = dice.choice((*usual, *usual[:3], (draw_minute(dice), draw_minute(dice))))
    return Schedule(
        unit=dice.randint(1, 3),
        procedure=dice.randint(0, 1),
        professional=dice.randint(0, 1),
        weekday=dice.choice(WEEKDAYS[:3]),
        slots=tuple(dice.choice((0, 1, 2, 3, 7, 10, 13, None)) for _ in SLOTS),
        first=first,
        last=first + timedelta(days=dice.choice((0, 6, 13, 20, 27, 34, 50))),
        start=start,
        end=end,
        status=dice.choice(("ATIVA",) * 12 + ("EXPIRADA", "INATIVA", "EXCLUIDA")),
    )


def draw_absence(
    dice: random.Random, schedules: tuple[Schedule, ...], causes: tuple[str, ...] = CAUSES
) -> Absence:
    """Draw a leave or local holiday about one schedule, on or around one of its first days."""
    # Few holidays: each leaves nothing for the other causes to block.
    cause, about = dice.choice(causes + CAUSES[1:] * 3), dice.choice(schedules)
    day = dice.choice([*about.days()][:2] or [about.first])
    if cause == "feriado":
        return Absence(cause, about.unit, None, None, day, None, day, None)
    first = day - timedelta(days=dice.choice((0,) * 6 + (1, 7)))
    last = day + timedelta(days=dice.choice((0,) * 6 + (1, 7)))
    start, end = draw_minute(dice), draw_minute(dice)
    if first == last and start and end and dice.random() < 0.8:
        start, end = sorted((start, end))
    if cause == "afastamento_unidade":
        return Absence(cause, about.unit, None, None, first, start, last, end)
    unit = dice.choice((None, about.unit, 1))
    procedure = dice.choice((None, about.procedure, 0))
    return Absence(cause, unit, procedure, about.professional, first, start, last, end)


def draw_network(dice: random.Random) -> Network:
    """Draw a network."""
    schedules = tuple(draw_schedule(dice) for _ in range(dice.randint(1, 4)))
    absences = tuple(draw_absence(dice, schedules) for _ in range(dice.randint(0, 8)))
    agreed = itertools.product((0, 1), MONTHS)
    capped = itertools.product((1, 2, 3), (0, 1), MONTHS)
    return Network(
        schedules=schedules,
        absences=absences,
        ppi={
            key: [dice.randint(0, 40) for _ in range(dice.randint(1, 2))]
            for key in agreed
            if dice.random() < 0.4
        },
        ceilings={key: dice.randint(0, 40) for key in capped if dice.random() < 0.3},
        further=draw_absence(dice, schedules, CAUSES[1:]),
        cut=dice.random(),
    )


def draw_networks(many: int) -> list[Network]:
    """Return the networks, the same ones each time."""
    dice = random.Random(1)
    return [draw_network(dice) for _ in range(many)]


# --- from networks to the rows of the export files -------------------------------------------


def clock(minute: int | None) -> str:
    """Write a minute of the day as the exports do."""
    return "" if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def schedule_row(codes: Codes, index: int, schedule: Schedule) -> Row:
    """Return the export row of a schedule."""
    counts = zip(SLOTS.values(), schedule.slots, strict=True)
    return SCHEDULE | {
        "cod_escala_ambulatorial": codes.record(index),
        "cpf_profissional_exec": codes.professional(schedule.professional),
        "cod_cnes_exec": codes.unit(schedule.unit),
        "cod_procedimento_interno": codes.procedure(schedule.procedure),
        "sigla_dia_semana": schedule.weekday,
        **{column: "" if count is None else str(count) for column, count in counts},
        "data_de_vigencia_inicial": day_text(schedule.first),
        "data_de_vigencia_final": day_text(schedule.last),
        "hora_inicial": clock(schedule.start),
        "hora_final": clock(schedule.end),
        "status": schedule.status,
    }


def absence_row(codes: Codes, index: int, absence: Absence) -> Row:
    """Return the export row of an absence."""
    unit = "" if absence.unit is None else codes.unit(absence.unit)
    if absence.cause == "feriado":
        return {"data": day_text(absence.first), "abrangencia": "local", "cod_cnes_exec": unit}
    row = {
        "cod_afastamento": codes.record(index),
        "cod_cnes_exec": unit,
        "data_inicio": day_text(absence.first),
        "hora_inicio": clock(absence.start),
        "data_fim": day_text(absence.last),
        "hora_fim": clock(absence.end),
    }
    if absence.professional is None:
        return row
    procedure = "" if absence.procedure is None else codes.procedure(absence.procedure)
    return row | {
        "cpf_profissional_exec": codes.professional(absence.professional),
        "cod_procedimento_interno": procedure,
    }


def limit_rows(codes: Codes, network: Network) -> Iterator[tuple[str, Row]]:
    """Yield the export rows of the limits, each with its layout."""
    for (procedure, month), quantities in network.ppi.items():
        for requester, quantity in enumerate(quantities):
            yield (
                "ppi",
                {
                    "competencia": month,
                    "cod_central_solicitante": f"{520001 + requester}",
                    "cod_central_exec": SCHEDULE["cod_central_exec"],
                    "cod_procedimento_interno": codes.procedure(procedure),
                    "qtd_ppi": str(quantity),
                },
            )
    for (unit, procedure, month), quantity in network.ceilings.items():
        yield (
            "teto",
            {
                "competencia": month,
                "cod_cnes_exec": codes.unit(unit),
                "cod_procedimento_interno": codes.procedure(procedure),
                "qtd_teto": str(quantity),
            },
        )


def codes_of(index: int, copy: int) -> Codes:
    """Return the codes of a copy of a network."""
    return Codes(1 + index * len(COPIES) + copy)


def delivery(networks: list[Network]) -> dict[str, list[Row]]:
    """Return the rows of all copies of all networks."""
    rows: dict[str, list[Row]] = defaultdict(list)
    rows["feriado"].append({"data": day_text(NATIONAL_HOLIDAY), "abrangencia": "nacional"})
    for index, network in enumerate(networks):
        for copy in range(len(COPIES)):
            codes, disturbed = codes_of(index, copy), network.copy(copy)
            for number, schedule in enumerate(disturbed.schedules):
                rows["escala"].append(schedule_row(codes, number, schedule))
            for number, absence in enumerate(disturbed.absences):
                layout = {"afastamento_unidade": "afastamento_unidade", "feriado": "feriado"}.get(
                    absence.cause, "afastamento_profissional"
                )
                rows[layout].append(absence_row(codes, number, absence))
            for layout, row in limit_rows(codes, disturbed):
                rows[layout].append(row)
    return dict(rows)


def in_another_order(rows: dict[str, list[Row]]) -> list[Delivery]:
    """Return the same rows shuffled, in three loads, schedules (one whole picture) in the last."""
    shuffled = {name: random.Random(1).sample(some, len(some)) for name, some in rows.items()}
    schedules = shuffled.pop("escala")
    return [
        {name: some[::2] for name, some in shuffled.items()},
        {name: some[1::2] for name, some in reversed(shuffled.items())},
        {"escala": schedules},
    ]


# --- the built houses ------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """What the marts say, by copy and by network, with codes replaced by positions."""

    networks: list[Network]
    house: OfferHouse
    days: list[dict[int, dict[Key, Measures]]]
    months: list[dict[int, dict[Key, Measures]]]

    def of_month(self) -> Iterator[tuple[Network, Key, Measures]]:
        """Yield all monthly rows whose numbers are known, with their network."""
        for rows in self.months:
            for index, by_key in rows.items():
                for key, row in by_key.items():
                    if row["qtd_vagas_total"] is not None:
                        yield self.networks[index], key, row

    def of_day(self) -> Iterator[tuple[Network, Key, Measures]]:
        """Yield all daily rows whose numbers are known, with their network."""
        for rows in self.days:
            for index, by_key in rows.items():
                for key, row in by_key.items():
                    if row["qtd_vagas_total"] is not None:
                        yield self.networks[index], key, row


def by_network(
    rows: list[Measures], positions: tuple[str, ...]
) -> list[dict[int, dict[Key, Measures]]]:
    """Arrange mart rows by copy, network and key; `positions` are the further key columns."""
    found: list[dict[int, dict[Key, Measures]]] = [defaultdict(dict) for _ in COPIES]
    for row in rows:
        index, copy = divmod(number_of_unit(row["unidade_executante_cnes"]) - 1, len(COPIES))
        unit, procedure = (
            int(row[c]) % 10 for c in ("unidade_executante_cnes", "procedimento_codigo")
        )
        key = (unit, procedure, *(row[name] for name in positions))
        measures = {
            name: value
            for name, value in row.items()
            if name.startswith("qtd_") or name in ("causa_bloqueio", "limite_vinculante")
        }
        assert key not in found[copy][index]
        found[copy][index][key] = measures
    return found


def build_house(directory: Path, many: int = FEW) -> OfferHouse:
    """Build the house of so many networks and their copies."""
    house = OfferHouse.at(directory)
    house.load([delivery(draw_networks(many))])
    house.build()
    return house


@pytest.fixture(scope="module", params=[FEW, pytest.param(MANY, marks=pytest.mark.long)])
def many(request: pytest.FixtureRequest) -> int:
    """Return how many networks are drawn."""
    return int(request.param)


@pytest.fixture(scope="module")
def house(many: int, tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house of all networks and their copies."""
    return build_house(tmp_path_factory.mktemp("properties"), many)


@pytest.fixture(scope="module")
def built(many: int, house: OfferHouse) -> Built:
    """Return what the marts say of all networks and their copies."""
    daily = house.query(
        "select *, cast(right(escala_codigo, 2) as integer) as posicao from oferta.oferta_por_dia"
    )
    monthly = house.query("select * from oferta.oferta_real_por_mes")
    return Built(
        draw_networks(many),
        house,
        by_network(daily, ("posicao", "data", "vaga_tipo")),
        by_network(monthly, ("competencia",)),
    )


# --- the truth of a day, minute by minute ----------------------------------------------------


def minutes_until_each_cause(network: Network, schedule: Schedule, day: date) -> tuple[int, ...]:
    """Count the minutes of the block that the causes up to each one take, and the block's own."""
    known = schedule.start is not None and schedule.end is not None
    usable = known and (schedule.start or 0) < (schedule.end or 0)
    block = range(schedule.start or 0, schedule.end or 0) if usable else range(DAY_MINUTES)
    midnight = day.toordinal() * DAY_MINUTES
    taken: set[int] = set()
    counts = []
    for cause in CAUSES:
        if cause == "feriado" and day == NATIONAL_HOLIDAY:
            taken.update(block)
        for absence in network.absences:
            if absence.cause == cause and absence.concerns(schedule):
                begins, ends = absence.begins - midnight, absence.ends - midnight
                inside = range(max(begins, block.start), min(ends, block.stop))
                taken.update(inside if usable or not inside else block)
        counts.append(len(taken))
    return *counts, len(block)


def counted_by_hand(network: Network) -> dict[Key, Measures]:
    """Return the daily rows of a network, from sets of minutes."""
    rows: dict[Key, Measures] = {}
    for position, schedule in enumerate(network.schedules):
        for day in schedule.days():
            *taken, block = minutes_until_each_cause(network, schedule, day)
            for kind, slots in zip(SLOTS, schedule.slots, strict=True):
                if slots == 0:
                    continue
                key = (schedule.unit, schedule.procedure, position, day, kind)
                blocked = [None if slots is None else -(-slots * m // block) for m in taken]
                rows[key] = {"qtd_vagas_total": slots} | dict(zip(CAUSES, blocked, strict=True))
    return rows


# --- the tests -------------------------------------------------------------------------------


def test_the_networks_meet_what_they_are_meant_to_meet(built: Built) -> None:
    causes = {row["causa_bloqueio"] for _, _, row in built.of_day()}
    limits = {row["limite_vinculante"] for _, _, row in built.of_month()}
    assert causes == {*CAUSES, "multiplas", None}
    assert limits == {"ppi", "teto", "escala", "nao_informado"}
    assert len(built.networks) in (FEW, MANY)


@pytest.mark.parametrize("copy", range(len(COPIES)), ids=COPIES)
def test_each_day_is_what_counting_minute_by_minute_gives(built: Built, copy: int) -> None:
    for index, network in enumerate(built.networks):
        disturbed = network.copy(copy)
        found = {
            key: {
                "qtd_vagas_total": row["qtd_vagas_total"],
                # Unknown minus unknown stays unknown; else add up what each cause adds.
                **cumulated(row),
            }
            for key, row in built.days[copy][index].items()
        }
        assert found == counted_by_hand(disturbed), disturbed


def cumulated(row: Measures) -> Measures:
    """Return what is blocked up to each cause."""
    parts = [row[f"qtd_vagas_bloqueadas_{cause}"] for cause in CAUSES]
    if None in parts:
        return dict.fromkeys(CAUSES)
    return {cause: sum(parts[: n + 1]) for n, cause in enumerate(CAUSES)}


def test_slots_are_blocked_or_active_and_each_blocked_one_has_a_cause(built: Built) -> None:
    for network, key, row in built.of_day():
        parts = [row[f"qtd_vagas_bloqueadas_{cause}"] for cause in CAUSES]
        assert 0 <= row["qtd_vagas_bloqueadas"] <= row["qtd_vagas_total"], (key, network)
        assert row["qtd_vagas_ativas"] == row["qtd_vagas_total"] - row["qtd_vagas_bloqueadas"]
        assert min(parts) >= 0, (key, network)
        assert sum(parts) == row["qtd_vagas_bloqueadas"], (key, network)
        named = [cause for cause, part in zip(CAUSES, parts, strict=True) if part]
        assert row["causa_bloqueio"] == (
            None if not named else named[0] if len(named) == 1 else "multiplas"
        )


def test_months_add_up_the_days_and_only_what_is_unknown_throughout_stays_so(built: Built) -> None:
    for copy, months in enumerate(built.months):
        for index, network in enumerate(built.networks):
            parts: dict[Key, list[int | None]] = defaultdict(list)
            for (unit, procedure, _, day, kind), row in built.days[copy][index].items():
                place = unit, procedure, day.replace(day=1)
                for measure in ("vagas_total", "vagas_bloqueadas", "vagas_ativas"):
                    for name in (measure, f"{measure}_{kind}"):
                        parts[*place, name].append(row[f"qtd_{measure}"])
            assert months[index].keys() == {place[:3] for place in parts}, network
            for key, row in months[index].items():
                for measure in ("vagas_total", "vagas_bloqueadas", "vagas_ativas"):
                    for name in (measure, *(f"{measure}_{kind}" for kind in SLOTS)):
                        values = parts.get((*key, name), [0])
                        known = [value for value in values if value is not None]
                        assert row[f"qtd_{name}"] == (sum(known) if known else None), network


def test_real_offer_is_within_each_limit_and_says_what_it_lost(built: Built) -> None:
    for network, key, row in built.of_month():
        active, real = row["qtd_vagas_ativas"], row["qtd_oferta_real"]
        after_ceiling = min(active, active if row["qtd_teto"] is None else row["qtd_teto"])
        assert 0 <= real <= after_ceiling, (key, network)
        assert row["qtd_ppi"] is None or real <= row["qtd_ppi"], (key, network)
        assert row["qtd_vagas_perdidas_teto"] == active - after_ceiling, (key, network)
        assert row["qtd_vagas_perdidas_ppi"] == after_ceiling - real, (key, network)
        informed = row["qtd_ppi"] is not None or row["qtd_teto"] is not None
        unlimited = "escala" if informed else "nao_informado"
        by_ceiling = "teto" if after_ceiling < active else unlimited
        assert row["limite_vinculante"] == ("ppi" if real < after_ceiling else by_ceiling), network


def test_limits_are_those_that_were_loaded(built: Built) -> None:
    for network, (unit, procedure, month), row in built.of_month():
        text = f"{month:%Y%m}"
        ppi = network.ppi.get((procedure, text))
        assert row["qtd_ppi"] == (None if ppi is None else sum(ppi)), network
        assert row["qtd_teto"] == network.ceilings.get((unit, procedure, text)), network


def test_units_share_the_ppi_exactly_and_in_proportion(built: Built) -> None:
    for months in built.months:
        for index, by_key in months.items():
            groups: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
            for (unit, procedure, month), row in by_key.items():
                if row["qtd_vagas_ativas"] is not None:
                    after = row["qtd_vagas_ativas"] - row["qtd_vagas_perdidas_teto"]
                    ppi = row["qtd_ppi"]
                    groups[procedure, month, ppi].append((unit, after, row["qtd_oferta_real"]))
            for (*_, ppi), units in groups.items():
                whole = sum(after for _, after, _ in units)
                given_out = whole if ppi is None else min(ppi, whole)
                assert_shared(given_out, [u[1:] for u in sorted(units)], built.networks[index])


def test_kinds_share_the_real_offer_exactly_and_in_proportion(built: Built) -> None:
    for network, _, row in built.of_month():
        kinds = [
            (row[f"qtd_vagas_ativas_{kind}"], row[f"qtd_oferta_real_{kind}"])
            for kind in SLOTS
            if row[f"qtd_vagas_ativas_{kind}"] is not None
        ]
        assert_shared(row["qtd_oferta_real"], kinds, network)


def assert_shared(given_out: int, shares: list[tuple[int, int]], network: Network) -> None:
    """Check shares (weight, part), in the order that breaks ties, against largest remainder."""
    whole = sum(weight for weight, _ in shares)
    assert sum(part for _, part in shares) == given_out, network
    if not whole:
        return
    floors = [given_out * weight // whole for weight, _ in shares]
    rests = [given_out * weight % whole for weight, _ in shares]
    left = given_out - sum(floors)
    luckiest = sorted(range(len(shares)), key=lambda n: (-rests[n], n))[:left]
    expected = [floor + (n in luckiest) for n, floor in enumerate(floors)]
    assert [part for _, part in shares] == expected, network


@pytest.mark.parametrize("copy", [SPLIT, REPEATED], ids=[COPIES[SPLIT], COPIES[REPEATED]])
def test_writing_the_same_leave_otherwise_changes_nothing(built: Built, copy: int) -> None:
    assert any(network.copy(copy) != network for network in built.networks)
    for index, network in enumerate(built.networks):
        assert built.days[copy][index] == built.days[AS_DRAWN][index], network
        assert built.months[copy][index] == built.months[AS_DRAWN][index], network


def test_one_more_leave_never_adds_a_slot(built: Built) -> None:
    fewer = 0
    for index, network in enumerate(built.networks):
        before, after = (built.days[copy][index] for copy in (AS_DRAWN, ONE_MORE))
        assert before.keys() == after.keys(), network
        for key, row in before.items():
            if row["qtd_vagas_total"] is not None:
                assert after[key]["qtd_vagas_ativas"] <= row["qtd_vagas_ativas"], (key, network)
                fewer += after[key]["qtd_vagas_ativas"] < row["qtd_vagas_ativas"]
    assert fewer


def test_the_order_of_rows_and_loads_changes_nothing(
    built: Built, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = OfferHouse.at(tmp_path_factory.mktemp("shuffled"))
    other.load(in_another_order(delivery(built.networks)))
    other.build()
    for mart in ("oferta.oferta_por_dia", "oferta.oferta_real_por_mes"):
        query = f"select * from {mart} order by all"
        assert other.query(query) == built.house.query(query), mart
    counts = "select motivo, situacao, qtd_linhas from qualidade.qualidade_escalas order by all"
    assert other.query(counts) == built.house.query(counts)
