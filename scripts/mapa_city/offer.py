"""What the network offers: weekly schedules, who is away when, and the limits agreed on.

A *line* is a professional's weekly block kept up over the years; the system holds it as a row of
short terms, one after the other. Wrong and withdrawn rows, and rows with defects, come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    DAY,
    MISSING,
    Ints,
    Span,
    day_number,
    digits,
    iso_weekday,
    joined,
    pick,
    rank_within,
    whole,
)
from mapa_city.identifiers import cpf
from mapa_city.network import GROUPS, Catalogue, Network
from mapa_city.schemas import (
    HOLIDAYS,
    LEAVES_PROFESSIONAL,
    LEAVES_UNIT,
    PROFESSIONALS,
    SCHEDULES,
    table,
)
from mapa_city.slots import WORKED
from mapa_city.territory import Territory

PAST_DAYS = 220
"""Days before the start since which schedules exist."""

LINES_PER_PROFESSIONAL = 6
FEWEST_SLOTS = 2
"""Nobody opens a block for a single patient."""

FIRST_SCHEDULE = 5_000_001
Columns = dict[str, Ints]


@dataclass(frozen=True)
class Offered:
    """The tables of the offer, before its limits."""

    professionals: pa.Table
    schedules: pa.Table
    leaves_professional: pa.Table
    leaves_unit: pa.Table
    holidays: pa.Table


def build_offer(network: Network, span: Span, rng: np.random.Generator) -> Offered:
    """Build professionals, schedules, leaves and holidays."""
    lines = _lines(network, rng)
    professionals = _professionals(lines, rng)
    schedules = _schedules(network.territory, _terms(lines, span, rng), span, rng)
    executing = np.flatnonzero(network.units["is_executing"].to_numpy())
    closures, leaves = _joint_absences(lines, span, rng)
    closures = _appended(_closures(np.unique(lines["unit_idx"]), span, rng), closures)
    leaves = _appended(_leaves(network.catalogue, lines, span, rng), leaves)
    return Offered(
        professionals=professionals,
        schedules=schedules,
        leaves_professional=_professional_leaves(leaves, rng),
        leaves_unit=_unit_leaves(closures, rng),
        holidays=build_holidays(network.territory, executing, span, rng),
    )


def _lines(network: Network, rng: np.random.Generator) -> Columns:
    """Draw the weekly blocks that the plan asks for, and who works them where."""
    capacity = network.plan.capacity
    per_line = np.clip(capacity.sum() / 60, 3.0, 8.0)
    # Where less than a block is needed, some pools get one of the smallest and others nothing.
    lucky = rng.random(len(capacity)) * FEWEST_SLOTS < capacity
    count = np.maximum(np.round(capacity / per_line), lucky)
    count = count.astype(np.int64)
    procedure = np.repeat(np.arange(len(count)), count)
    group = network.catalogue.group[procedure]
    slots = np.maximum(whole(rng, capacity[procedure] / count[procedure]), FEWEST_SLOTS)
    unit = _unit_of(network, group, rng)
    key = unit * len(GROUPS) + group
    order = np.lexsort((rng.random(len(key)), key))
    procedure, group, slots = procedure[order], group[order], slots[order]
    unit, key = unit[order], key[order]
    rank = rank_within(key)
    team = key * 10_000 + rank // LINES_PER_PROFESSIONAL
    professional = np.unique(team, return_inverse=True)[1]
    minutes = rng.choice(np.array([10, 15, 20, 20, 30]), len(slots))
    return {
        "professional_idx": professional,
        "unit_idx": unit,
        "procedure_idx": procedure,
        "group": group,
        "slots": slots,
        "minutes": minutes,
        "central": _centrals(unit * len(capacity) + procedure),
        "local_agenda": (rng.random(len(slots)) < 0.05).astype(np.int64),
        "auto_split": (rng.random(len(slots)) < 0.7).astype(np.int64),
    } | _hours(professional, rank % LINES_PER_PROFESSIONAL, slots * minutes, rng)


def _centrals(place: Ints) -> Ints:
    """Let some units execute one procedure for two centrals, line by line in turn.

    Args:
        place: unit and procedure of each line.
    """
    places, count = np.unique(place, return_counts=True)
    shared: Ints = places[count > 1][::3]
    return np.isin(place, shared) * (rank_within(place) % 2)


def _unit_of(network: Network, group: Ints, rng: np.random.Generator) -> Ints:
    """Draw an executing unit for each line; a group is offered by a quarter of the units."""
    executing = np.flatnonzero(network.units["is_executing"].to_numpy())
    each = max(3, len(executing) // 4)
    offering = np.vstack([rng.permutation(executing)[:each] for _ in GROUPS])
    # Squaring favours the first units of the list: some are large, some small.
    chosen = np.floor(rng.random(len(group)) ** 2 * each).astype(np.int64)
    return offering[group, chosen]


def _hours(professional: Ints, rank: Ints, minutes: Ints, rng: np.random.Generator) -> Columns:
    """Give the lines of a professional different mornings and afternoons of the week."""
    # Ten half days; 3 has no factor in common with 10, so six lines never meet.
    half = (professional * 7 + rank * 3) % 10
    weekday, afternoon = half % 5 + 1, half // 5
    saturday = rng.random(len(half)) < 0.02
    weekday = np.where(saturday, 6, weekday)
    start = 420 + 30 * rng.integers(0, 3, len(half)) + 360 * afternoon
    length = np.clip(-(-minutes // 30) * 30, 60, 300)
    return {"weekday": weekday, "start_minute": start, "end_minute": start + length}


def _professionals(lines: Columns, rng: np.random.Generator) -> pa.Table:
    """Make the professionals; one in twelve is a colleague who also works in another unit."""
    _, first = np.unique(lines["professional_idx"], return_index=True)
    group, unit = lines["group"][first], lines["unit_idx"][first]
    serial = np.arange(len(first)) + 1
    order = np.argsort(group, kind="stable")
    here, before = order[1:], order[:-1]
    other = (group[here] == group[before]) & (unit[here] != unit[before])
    # Every second candidate at most, so that a copy is never copied again.
    chosen = other & (rng.random(len(here)) < 0.17) & (np.arange(len(here)) % 2 == 0)
    chosen[0] |= other[0]
    serial[here[chosen]] = serial[before[chosen]]
    return table(
        PROFESSIONALS,
        {
            "cpf": cpf(serial),
            "nome": joined("PROFISSIONAL FICTICIO", digits(serial, 5)),
            "cbo": pick([group.cbo for group in GROUPS], group),
            "unit_idx": unit,
        },
    )


def _terms(lines: Columns, span: Span, rng: np.random.Generator) -> Columns:
    """Cut each line into the terms that the system holds, newest rows past the end included."""
    n, until = len(lines["slots"]), span.until
    late = rng.random(n) < 0.15
    begin = span.start - rng.integers(90, PAST_DAYS, n)
    begin[late] = rng.integers(span.start, until + 1, late.sum())
    stop = until + rng.integers(30, 240, n)
    ended = rng.random(n) < 0.1
    stop[ended] = rng.integers(span.start + 20, until + 30, ended.sum())
    most = (until + 240 - span.start + PAST_DAYS) // 60 + 1
    bounds = begin[:, None] + np.cumsum(rng.integers(60, 210, (n, most)), axis=1)
    starts = np.column_stack([begin, bounds[:, :-1]])
    ends = np.minimum(bounds - 1, stop[:, None])
    kept = (starts <= stop[:, None]) & (starts <= until + 20)
    line, _ = np.nonzero(kept)
    terms = {name: values[line] for name, values in lines.items()}
    total = np.maximum(terms["slots"] + rng.choice([-1, 0, 0, 0, 0, 1], len(line)), 1)
    terms["return_slots"] = whole(rng, 0.17 * total)
    terms["reserve_slots"] = np.minimum(whole(rng, 0.1 * total), total - terms["return_slots"])
    terms["first_slots"] = total - terms["return_slots"] - terms["reserve_slots"]
    terms["valid_from"], terms["valid_to"] = starts[kept], ends[kept]
    terms["line"] = line
    return terms


# Positions in the list of status texts.
_ATIVA, _INATIVA, _EXPIRADA, _EXCLUIDA = range(4)
STATUS = ("ATIVA", "INATIVA", "EXPIRADA", "EXCLUIDA")


def _schedules(
    territory: Territory, terms: Columns, span: Span, rng: np.random.Generator
) -> pa.Table:
    """Make the schedule table from the terms, with withdrawn copies, defects and dates of work."""
    over = terms["valid_to"] < span.until
    forgotten = rng.random(len(over)) < 0.02
    terms["status"] = np.where(over & ~forgotten, _EXPIRADA, _ATIVA)
    rows = _with_withdrawn(terms, rng)
    rows |= _operations(rows, span, rng)
    order = np.argsort(rows["created_at"], kind="stable")
    rows = {name: values[order] for name, values in rows.items()}
    _spoil(rows, span, rng)
    code = _share_codes(rows, FIRST_SCHEDULE + np.arange(len(order)), rng)
    each = np.arange(len(order))
    # Some rows do not say how long a slot lasts, or say zero: the block has to tell, if it can.
    silent = (each % 37 == 5) | (rows["start_minute"] == MISSING)
    known = np.select([silent, each % 41 == 7], [MISSING, 0], rows["minutes"])
    minutes = {
        f"minutes_{kind}": np.where(rows[f"{kind}_slots"] == 0, 0, known)
        for kind in ("first", "return", "reserve")
    }
    switches = {name: rows[name].astype(np.bool_) for name in ("auto_split", "local_agenda")}
    texts = {
        "codigo": digits(code, 7),
        "central": pick((territory.central, territory.other_central), rows["central"]),
        "status": pick(STATUS, rows["status"]),
    }
    return table(SCHEDULES, {**rows, **minutes, **switches, **texts})


def _with_withdrawn(terms: Columns, rng: np.random.Generator) -> Columns:
    """Add rows that were deleted or switched off: copies with another number of slots."""
    n = len(terms["status"])
    copies = max(3, n // 14)
    source = rng.integers(0, n, 2 * copies)
    rows = {name: np.concatenate([values, values[source]]) for name, values in terms.items()}
    rows["status"][n:] = np.repeat([_EXCLUIDA, _INATIVA], copies)
    rows["first_slots"][n:] += rng.integers(1, 4, 2 * copies)
    return rows


def _operations(rows: Columns, span: Span, rng: np.random.Generator) -> Columns:
    """Say when each row was typed, last changed and activated; never after the last day."""
    n = len(rows["status"])
    created = np.minimum(rows["valid_from"] - rng.integers(5, 40, n), span.until - 1)
    changed = np.minimum(created + rng.integers(0, 30, n), span.until)
    # What was switched off was so in the middle of its validity.
    middle = (rows["valid_from"] + np.minimum(rows["valid_to"], span.until)) // 2
    off = rows["status"] == _INATIVA
    changed = np.where(off, np.clip(middle, created, span.until), changed)
    never = (rng.random(n) < 0.15) | (rows["status"] == _EXCLUIDA)
    clock = DAY // 3 + rng.integers(0, DAY // 3, (2, n)) // 60 * 60
    return {
        "created_at": created * DAY + clock[0].clip(max=DAY // 2),
        "changed_at": changed * DAY + clock[1].clip(min=DAY // 2),
        "activated_at": np.where(never, MISSING, changed * DAY + clock[1].clip(min=DAY // 2)),
    }


def _spoil(rows: Columns, span: Span, rng: np.random.Generator) -> None:
    """Give some rows the defects that real files have; each defect occurs in every city."""
    # On a withdrawn row a defect would change nothing.
    shuffled = rng.permutation(np.flatnonzero(np.isin(rows["status"], (_ATIVA, _EXPIRADA))))
    n = len(shuffled)

    def some(share: float) -> Ints:
        nonlocal shuffled
        size = max(1, int(share * n))
        chosen, shuffled = shuffled[:size], shuffled[size:]
        return chosen

    rows["valid_from"][some(0.003)] = MISSING
    inverted = some(0.004)
    rows["valid_to"][inverted] = rows["valid_from"][inverted] - 1 - rng.integers(0, 200)
    rows["weekday"][some(0.003)] = MISSING
    rows["start_minute"][some(0.006)] = MISSING
    rows["end_minute"][some(0.004)] = MISSING
    backwards = some(0.002)
    rows["end_minute"][backwards] = rows["start_minute"][backwards]
    for kind in ("first_slots", "return_slots", "reserve_slots"):
        rows[kind][some(0.002)] = MISSING
    empty = some(0.004)
    for kind in ("first_slots", "return_slots", "reserve_slots"):
        rows[kind][empty] = 0
    brief = some(0.003)
    rows["valid_from"][brief] += (rows["weekday"][brief] - rows["valid_from"][brief] - 3) % 7
    rows["valid_to"][brief] = rows["valid_from"][brief] + 1
    current = np.flatnonzero((rows["status"] == _ATIVA) & (rows["valid_to"] > span.until))
    endless = current[rng.random(len(current)) < 0.05]
    rows["valid_to"][endless] = MISSING
    if len(current):
        rows["valid_to"][current[0]] = MISSING


def _share_codes(rows: Columns, code: Ints, rng: np.random.Generator) -> Ints:
    """Let a few pairs of rows of one professional on two weekdays carry the same number."""
    order = np.argsort(rows["professional_idx"], kind="stable")
    left, right = order[:-1:2], order[1::2]
    left = left[: len(right)]
    fit = rows["professional_idx"][left] == rows["professional_idx"][right]
    fit &= rows["weekday"][left] != rows["weekday"][right]
    fit &= rows["central"][left] == rows["central"][right]
    fit &= (rows["weekday"][left] != MISSING) & (rows["weekday"][right] != MISSING)
    pairs = np.flatnonzero(fit)
    chosen = pairs[rng.random(len(pairs)) < 0.02]
    if not len(chosen):
        chosen = pairs[:1]
    shared = code.copy()
    shared[right[chosen]] = code[left[chosen]]
    return shared


def _absences(n: int, span: Span, rng: np.random.Generator) -> Columns:
    """Draw days and hours of absences: long, one day, part of a day, and from hour to hour."""
    shape = rng.choice(4, n, p=[0.35, 0.2, 0.3, 0.15])
    start = rng.integers(span.start - PAST_DAYS, span.until + 60, n)
    length = np.select(
        [shape == 0, shape == 3],
        [rng.integers(7, 31, n), rng.integers(1, 5, n)],
        0,
    )
    begins = 30 * rng.integers(14, 28, n)
    ends = begins + 30 * rng.integers(1, 9, n)
    hours = shape >= 2
    # Some end without an hour, some at the last minute: both mean the end of the day.
    ends = np.select([rng.random(n) < 0.12, rng.random(n) < 0.12], [MISSING, 1439], ends)
    return {
        "start_date": start,
        "start_minute": np.where(hours, begins, MISSING),
        "end_date": start + length,
        "end_minute": np.where(hours, ends, MISSING),
    }


def _leaves(catalogue: Catalogue, lines: Columns, span: Span, rng: np.random.Generator) -> Columns:
    """Draw the leaves of professionals: of all they do, of one unit, of one procedure."""
    people = int(lines["professional_idx"].max()) + 1
    years = (span.until - span.start + PAST_DAYS) / 365
    count = max(12, int(3.2 * years * people))
    # Drawing a line tells both who is away and, when only that is concerned, from what.
    line = rng.integers(0, len(lines["unit_idx"]), count)
    kind = rng.random(count)
    procedure = np.where(kind < 0.25, lines["procedure_idx"][line], MISSING)
    by_group = catalogue.group_row[lines["group"][line]]
    on_group = (by_group >= 0) & (kind > 0.9)
    rows = _absences(count, span, rng) | {
        "professional_idx": lines["professional_idx"][line],
        "unit_idx": np.where(rng.random(count) < 0.4, lines["unit_idx"][line], MISSING),
        "procedure_idx": np.where(on_group, by_group, procedure),
    }
    # A second leave typed over the first, some days later.
    again = rng.integers(0, count, max(2, count // 20))
    typed = {name: values[again] for name, values in rows.items()}
    for name in ("start_date", "end_date"):
        typed[name] = typed[name] + rng.integers(0, 4, len(again))
    return _appended(rows, typed)


def _joint_absences(
    lines: Columns, span: Span, rng: np.random.Generator
) -> tuple[Columns, Columns]:
    """Draw days on which a unit closes at noon and somebody who works there is away altogether.

    Both causes then take part of the slots of one block, which independent draws rarely bring
    about. Returns the closures and the leaves.
    """
    largest = np.argsort(lines["slots"], kind="stable")[-max(5, len(lines["slots"]) // 4) :]
    line = rng.choice(largest, max(10, len(largest) // 10))
    day = rng.integers(span.start, span.until - 6, len(line))
    day += (lines["weekday"][line] - iso_weekday(day)) % 7
    noon = (lines["start_minute"][line] + lines["end_minute"][line]) // 2
    unknown = np.full(len(line), MISSING)
    hours = {"start_date": day, "end_date": day, "end_minute": unknown}
    closures = hours | {"start_minute": noon, "unit_idx": lines["unit_idx"][line]}
    leaves = hours | {
        "start_minute": unknown,
        "professional_idx": lines["professional_idx"][line],
        "unit_idx": unknown,
        "procedure_idx": unknown,
    }
    return closures, leaves


def _appended(rows: Columns, more: Columns) -> Columns:
    """Put the rows of one set of columns below those of another."""
    return {name: np.concatenate([values, more[name]]) for name, values in rows.items()}


def _professional_leaves(rows: Columns, rng: np.random.Generator) -> pa.Table:
    """Number the leaves of professionals and give them a motive."""
    motives = ("FÉRIAS", "LICENÇA MÉDICA", "CONGRESSO; CURSO", 'REUNIÃO "GERAL"', "OUTROS")
    count = len(rows["start_date"])
    texts = {
        "codigo": digits(700_001 + np.arange(count), 6),
        "motive": pick(motives, rng.integers(0, len(motives), count)),
    }
    return table(LEAVES_PROFESSIONAL, {**rows, **texts})


def _closures(units: Ints, span: Span, rng: np.random.Generator) -> Columns:
    """Draw days on which a whole unit does not attend, or only for some hours."""
    years = (span.until - span.start + PAST_DAYS) / 365
    count = max(6, int(2 * years * len(units)))
    rows = _absences(count, span, rng)
    rows["end_date"] = np.minimum(rows["end_date"], rows["start_date"] + 5)
    return rows | {"unit_idx": units[rng.integers(0, len(units), count)]}


def _unit_leaves(rows: Columns, rng: np.random.Generator) -> pa.Table:
    """Number the closures of units and give them a motive."""
    motives = ("REFORMA", "DEDETIZAÇÃO", "FALTA D'ÁGUA", "TREINAMENTO")
    count = len(rows["start_date"])
    texts = {
        "codigo": digits(800_001 + np.arange(count), 6),
        "motive": pick(motives, rng.integers(0, len(motives), count)),
    }
    return table(LEAVES_UNIT, {**rows, **texts})


_NATIONAL = (
    (1, 1, "CONFRATERNIZAÇÃO UNIVERSAL"),
    (4, 21, "TIRADENTES"),
    (5, 1, "DIA DO TRABALHO"),
    (9, 7, "INDEPENDÊNCIA DO BRASIL"),
    (10, 12, "NOSSA SENHORA APARECIDA"),
    (11, 2, "FINADOS"),
    (11, 15, "PROCLAMAÇÃO DA REPÚBLICA"),
    (12, 25, "NATAL"),
)
_BLACK_AWARENESS = (11, 20, "CONSCIÊNCIA NEGRA")
_BLACK_AWARENESS_SINCE = 2024
_NEVER_LISTED = ("DIA DO TRABALHO", "INDEPENDÊNCIA DO BRASIL", "NOSSA SENHORA APARECIDA")
_OF_UNITS = ((2, 11), (3, 19), (5, 13), (6, 24), (8, 14), (10, 28))
"""Days that the municipality gives to some units only."""


def build_holidays(
    territory: Territory, executing: Ints, span: Span, rng: np.random.Generator
) -> pa.Table:
    """Build the holidays of all years that schedules reach; one unit in five has its own day.

    The operator's table lists those of the territory, but for some, and of units, and most of the
    nation's in even years only: the others are there by law. In odd years it says that 20 November
    is a working day.
    On every other holiday some units work; others have days that the municipality gives to them.
    """
    first = date(1970, 1, 1) + timedelta(days=span.start - PAST_DAYS)
    last = date(1970, 1, 1) + timedelta(days=span.until + 365)
    rows: list[tuple[int, str, str, int, bool]] = []
    for year in range(first.year, last.year + 1):
        rows += _holidays_of(territory, year)
    count = max(2, (span.until - span.start + PAST_DAYS) // 365 * (len(executing) // 5))
    days = np.unique(rng.integers(span.start, span.until + 1, count))
    places = executing[rng.integers(0, len(executing), len(days))]
    rows += [
        (day, "DIA DO PADROEIRO", "local", unit, True)
        for day, unit in zip(days.tolist(), places.tolist(), strict=True)
    ]
    # A local day, and the day after it, for which some are typed, has one word only.
    taken = {(day + late, unit) for day, unit in zip(days, places, strict=True) for late in (0, 1)}
    rows += [
        row
        for year in range(first.year, last.year + 1)
        for row in _words_on_units(territory, year, executing.tolist())
        if (row[0], row[3]) not in taken
    ]
    when, names, scopes, units, listed = zip(*rows, strict=True)
    return table(
        HOLIDAYS,
        {
            "date": np.array(when),
            "name": list(names),
            "scope": list(scopes),
            "unit_idx": np.array(units),
            "listed": np.array(listed),
        },
    )


def _holidays_of(territory: Territory, year: int) -> list[tuple[int, str, str, int, bool]]:
    """Return one year's holidays of all units; last, whether the operator lists them."""
    feasts = [("nacional", *feast) for feast in _NATIONAL]
    feasts += [(f.scope, f.month, f.day, f.listed or f.law or "") for f in territory.feasts]
    silent = {*_NEVER_LISTED, *(f.law for f in territory.feasts if f.listed is None)}
    if year >= _BLACK_AWARENESS_SINCE:
        feasts.append(("nacional" if year % 2 == 0 else WORKED, *_BLACK_AWARENESS))
    days = [(day_number(date(year, month, day)), name, scope) for scope, month, day, name in feasts]
    # Good Friday is law; Corpus Christi is one only where somebody decrees it.
    days.append((easter(year) - 2, "PAIXÃO DE CRISTO", "nacional"))
    days.append((easter(year) + 60, "CORPUS CHRISTI", territory.decreed))
    return [
        (*day, MISSING, day[1] not in silent and (day[2] != "nacional" or year % 2 == 0))
        for day in days
    ]


def _words_on_units(
    territory: Territory, year: int, executing: list[int]
) -> list[tuple[int, str, str, int, bool]]:
    """Return what the operator says of one unit in five on some days of a year."""
    worked = sorted({row[0] for row in _holidays_of(territory, year)})[year % 2 :: 2]
    given = [day_number(date(year, month, day)) for month, day in _OF_UNITS]
    return [
        (day, name, scope, unit, True)
        for days, name, scope in (
            (worked, "PLANTÃO DA UNIDADE", WORKED),
            (given, "FESTA DA CIDADE", "municipal"),
        )
        for turn, day in enumerate(days)
        for unit in executing[turn % 5 :: 5]
    ]


def easter(year: int) -> int:
    """Return the day number of Easter Sunday (Gregorian computus)."""
    century, golden = year // 100, year % 19
    moon = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon -= (moon // 28) * (1 - (29 // (moon + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    march = moon - weekday
    month = 3 + (march + 40) // 44
    return day_number(date(year, month, march + 28 - 31 * (month // 4)))
