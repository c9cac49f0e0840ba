"""PROADI-SUS in the city: entities, terms, projects, money and what happened to them, with faults.

Five entities have six terms of ten projects each: one of the time of the revoked text, two that
have ended, three that go on. Everything is drawn from the city's seed, apart from all else in it,
so that nothing else of the city changes. Money is whole cents; None is unknown. The faults are
those that auditors found: no audit, late reports, ceilings passed, money spent outside the term, a
revoked text cited in a newer document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

import numpy as np

from mapa_city.arrays import numbers, texts
from mapa_city.city import City

STREAM = 18
"""Sets the draws of this module apart from the city's own."""
OLD_TEXT, NEW_TEXT = "PRT 2.814/2014", "PRT 3.362/2017"
ACCOUNTS = {"1": 55, "2": 20, "3": 15, "4": 10}
"""Share of each account in a project's budget, in per cent."""
PROJECTS = 10
Steps = tuple[tuple[str, int], ...]
"""Projects of each term."""


@dataclass
class Project:
    """One project; `money` by year and account: planned, amended, and the three that were spent."""

    nup: str
    nature: str
    area: int | None
    begins: date
    ends: date
    demanded: bool = False
    has_equipment: bool = False
    has_it: bool = False
    money: dict[tuple[int, str], tuple[int, int | None, int | None, int | None, int | None]] = (
        field(default_factory=dict)
    )
    goals: list[tuple[str, int, int, int, int | None]] = field(default_factory=list)
    goods: list[tuple[int, int, date | None]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    changes: int = 0


@dataclass(frozen=True)
class Event:
    """Something that happened: to which document, of which period, what, when, and how it ended."""

    document: str
    period: str
    kind: str
    day: date
    result: str = ""
    cites: str = ""


@dataclass
class Term:
    """One term, with what was used of the exemption in each year."""

    number: str
    entity: int
    first_year: int
    asked: date
    signed: date
    printed: date | None
    estimate: int
    used: dict[int, int | None]
    projects: list[Project] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    amended: tuple[date, date] | None = None

    @property
    def years(self) -> range:
        """The three years."""
        return range(self.first_year, self.first_year + 3)


@dataclass(frozen=True)
class Entity:
    """A hospital of recognised excellence."""

    cnpj: str
    cnes: str
    name: str
    recognised: date
    renewed: date | None


@dataclass(frozen=True)
class Programme:
    """All of it; `meetings` by committee."""

    entities: tuple[Entity, ...]
    terms: tuple[Term, ...]
    meetings: dict[str, list[date]]
    until: date


def programme(city: City) -> Programme:
    """Draw the programme of a city."""
    draw = np.random.default_rng([city.parameters.seed, STREAM])
    until, year = city.until, city.until.year
    offering = sorted(set(numbers(city.schedules, "unit_idx").tolist()))
    cnes, names = texts(city.units, "cnes"), texts(city.units, "nome")
    chosen = [offering[place * len(offering) // 5] for place in range(5)]
    entities = tuple(
        Entity(
            f"{place + 1:08d}000191",
            str(cnes[unit]),
            str(names[unit]),
            recognised := date(year - 4 + place % 3, 3, 1 + place),
            # One renewed in time, one late, the others not yet.
            {0: recognised + timedelta(days=1000), 1: recognised + timedelta(days=1200)}.get(place),
        )
        for place, unit in enumerate(chosen)
    )
    serials = count(1)
    firsts = ((0, 2015), (0, year - 5), (1, year - 5), (2, year - 2), (3, year - 2), (4, year - 2))
    terms = tuple(
        _term(draw, f"{place + 1:03d}/{first - 1}", entity, first, (serials, until))
        for place, (entity, first) in enumerate(firsts)
    )
    _spoil(terms)
    return Programme(entities, terms, _meetings(draw, until), until)


def _term(
    draw: np.random.Generator, number: str, entity: int, first: int, rest: tuple[Any, date]
) -> Term:
    """Draw a term and its projects; `rest` is the serials of projects and the city's last day."""
    serials, until = rest
    asked = date(first - 1, 8, 20) + timedelta(days=int(draw.integers(0, 20)))
    signed = asked + timedelta(days=int(draw.integers(40, 95)))
    printed = signed + timedelta(days=int(draw.integers(5, 35)))
    used = {
        year: int(draw.integers(80, 120)) * 10_000_000 if year < until.year else None
        for year in range(first, first + 3)
    }
    term = Term(number, entity, first, asked, signed, printed, 30 * 100_000_000, used)
    for place in range(PROJECTS):
        term.projects.append(_project(draw, term, place, next(serials), until))
    term.events += _events_of_term(draw, term, until)
    return term


def _project(
    draw: np.random.Generator, term: Term, place: int, serial: int, until: date
) -> Project:
    """Draw a project: three of ten are assistance, one is demanded by the ministry."""
    begins = date(term.first_year, 1, 1) + timedelta(days=int(draw.integers(0, 200)))
    ends = date(term.first_year + int(draw.integers(1, 3)), 12, 31)
    is_support = place < PROJECTS - 3
    project = Project(
        nup=f"25000{serial:06d}{term.first_year}{serial % 100:02d}",
        nature="apoio" if is_support else "assistencial",
        area=place % 4 + 1 if is_support else None,
        begins=begins,
        ends=ends,
        demanded=place == 1,
        has_equipment=place in (2, 8),
        has_it=place in (3, 5),
        changes=int(place in (4, 6)),
    )
    for year in range(begins.year, ends.year + 1):
        total = int(draw.integers(60, 130)) * 1_000_000
        for account, share in ACCOUNTS.items():
            planned = total * share // 100
            amended = int(draw.integers(-5, 6)) * 100_000 if project.changes else None
            spent = (planned + (amended or 0)) * int(draw.integers(80, 112)) // 100
            over = year < until.year
            judged = over and (year < until.year - 1 or place % 3 > 0)
            project.money[year, account] = (
                (planned, amended, spent, spent, spent if judged else None)
                if over
                else (planned, amended, None, None, None)
            )
        for half in (1, 2):
            for name in ("I1", "I2"):
                reached = int(draw.integers(60, 130)) if date(year, 6 * half, 28) < until else None
                project.goals.append((name, year, half, 100, reached))
    if project.has_equipment:
        given = project.ends + timedelta(days=60)
        project.goods += [(2, 150_000, None), (1, 990_050, given if given <= until else None)]
    project.events += [
        event for event in _events_of_project(draw, term, project, place) if event.day <= until
    ]
    return project


def _walk(
    draw: np.random.Generator, document: str, period: str, day: date, *steps: tuple[str, int]
) -> Iterator[Event]:
    """Yield events one after the other, each up to so many days after the one before."""
    for kind, most in steps:
        day += timedelta(days=int(draw.integers(1, most + 1)))
        yield Event(document, period, kind, day)


def _events_of_project(
    draw: np.random.Generator, term: Term, project: Project, place: int
) -> Iterator[Event]:
    """Yield what happened to a project, whatever the day."""
    letter = term.signed - timedelta(days=int(draw.integers(60, 120)))
    if place == 9:
        # In the last year of the triennium: terms are halved from 16 May to 31 August.
        letter = date(term.first_year + 2, 5, 10)
    told = term.signed
    if project.demanded:
        yield Event("demanda", "", "notificacao", letter)
        yield Event(
            "demanda", "", "viabilidade", letter + timedelta(days=int(draw.integers(5, 25)))
        )
    else:
        steps: Steps = ("protocolo", 10), ("remessa", 8), ("recebimento", 3), ("parecer", 22)
        letters = [*_walk(draw, "carta", "", letter, *steps, ("notificacao", 8))]
        # One came without a note of when the secretariat received it.
        yield from (e for e in letters if place != 5 or e.kind != "recebimento")
        told = letters[-1].day
    steps = ("protocolo", 70), ("remessa", 8), ("recebimento", 3)
    walked = [*_walk(draw, "projeto", "", told, *steps)]
    yield from walked
    asked = walked[-1].day + timedelta(days=int(draw.integers(3, 40)))
    answered = asked + timedelta(days=int(draw.integers(2, 30)))
    if place % 2 == 0:
        yield Event("projeto", "", "diligencia", asked)
        yield Event("projeto", "", "resposta", answered)
    if place % 4 == 0:
        yield Event("projeto", "", "prorrogacao", answered + timedelta(days=1))
    steps = ("parecer", 60), ("remessa_do_parecer", 9), ("notificacao", 9)
    yield from _walk(draw, "projeto", "", walked[-1].day + timedelta(days=5), *steps)
    if project.has_it:
        steps = ("remessa_ao_datasus", 5), ("parecer_do_datasus", 25)
        yield from _walk(draw, "projeto", "", walked[-1].day, *steps)
    if project.changes:
        middle = date(term.first_year + 2, 6, 1) if place == 4 else date(term.first_year + 1, 3, 1)
        steps = ("protocolo", 20), ("remessa", 8), ("recebimento", 3), ("diligencia", 9)
        changed = [*_walk(draw, "alteracao", "1", middle, *steps, ("resposta", 16))]
        yield from changed
        steps = ("parecer", 50), ("notificacao", 9)
        yield from _walk(draw, "alteracao", "1", changed[-1].day, *steps)
    yield from _reports(draw, project, place)
    yield from _seldom(draw, project, place)


def _reports(draw: np.random.Generator, project: Project, place: int) -> Iterator[Event]:
    """Yield the reports: half-year, annual and final; a few are late, a few never came."""
    due = [
        (f"relatorio_{kind}", str(year), day, days)
        for year in range(project.begins.year, project.ends.year + 1)
        for kind, day, days in (
            ("semestral", date(year, 6, 30), 70),
            ("anual", date(year, 12, 31), 135),
        )
    ]
    due.append(("relatorio_final", "", date(project.ends.year, 12, 31), 140))
    for number, (document, period, day, most) in enumerate(due):
        is_missing = (place + number) % 7 == 6 or place in (1, 5, 9)
        if is_missing or (document == "relatorio_semestral" and place % 4):
            continue
        steps: Steps = ("protocolo", most), ("remessa", 8), ("recebimento", 3)
        handed = [*_walk(draw, document, period, day, *steps)]
        yield from handed
        if (place + number) % 3 == 0:
            asked = handed[-1].day + timedelta(days=10)
            yield Event(document, period, "diligencia", asked)
            if place != 6:
                days = int(draw.integers(5, 22))
                yield Event(document, period, "resposta", asked + timedelta(days=days))
        cites = OLD_TEXT if place == 3 else NEW_TEXT if place == 7 else ""
        steps = ("parecer", 70), ("notificacao", 9)
        judged = [*_walk(draw, document, period, handed[-1].day + timedelta(days=12), *steps)]
        yield Event(document, period, "parecer", judged[0].day, cites=cites)
        is_rejected = place == 7 and document == "relatorio_anual" and number == 1
        yield Event(
            document, period, "notificacao", judged[1].day, "reprovado" if is_rejected else ""
        )
        if is_rejected:
            yield Event(document, period, "decisao", judged[0].day, "reprovado")
            steps = ("decisao", 1), ("interposicao", 14), ("reconsideracao", 14)
            yield from _walk(draw, "recurso", "1", judged[1].day, *steps)


def _seldom(draw: np.random.Generator, project: Project, place: int) -> Iterator[Event]:
    """Yield what happens to few projects."""
    if place == 2:
        yield Event("equipamentos", "", "pedido", project.ends - timedelta(days=95))
        yield Event("bvs", "", "deposito", project.ends + timedelta(days=300))
        yield Event("documentos", "", "descarte", project.ends + timedelta(days=400))
    if place == 8:
        yield Event("equipamentos", "", "pedido", project.ends - timedelta(days=20))
        steps: Steps = ("justificativa", 30), ("decisao", 80), ("cumprimento", 40)
        yield from _walk(draw, "bvs", "", project.ends + timedelta(days=365), *steps)
    if place == 0:
        steps = ("protocolo", 30), ("resposta", 120)
        yield from _walk(draw, "consulta", "1", project.begins, *steps)
        steps = ("realizacao", 30), ("certificado", 12)
        yield from _walk(draw, "destruicao", "1", project.ends, *steps)
        steps = ("notificacao", 200), ("correcao", 50)
        yield from _walk(draw, "vazamento", "1", project.begins, *steps)


def _events_of_term(draw: np.random.Generator, term: Term, until: date) -> list[Event]:
    """Return what happened to a term besides its signature."""
    first = date(term.first_year - 1, 6, 20)
    found = [*_walk(draw, "portaria_temas", "", first, ("publicacao", 20))]
    found += _walk(draw, "minuta", "1", term.asked, ("recebimento", 5), ("parecer", 30))
    for year in term.years:
        steps: Steps = ("emissao", 320), ("envio", 9)
        found += _walk(draw, "certidao", str(year), date(year, 12, 31), *steps)
    if term.entity == 1:
        steps = ("notificacao", 100), ("defesa", 16)
        found += _walk(draw, "rescisao", "1", date(term.first_year + 1, 2, 1), *steps)
    if term.entity == 2:
        asked = date(term.first_year + 1, 8, 25)
        term.amended = asked, asked + timedelta(days=70)
        found.append(Event("prorrogacao", "", "decisao", asked + timedelta(days=130)))
    return [event for event in found if event.day <= until]


def _spoil(terms: tuple[Term, ...]) -> None:
    """Put into the terms what auditors found."""
    # A term in which assistance passes the ceiling, and one without enough support.
    for place, nature in ((1, "assistencial"), (2, "apoio")):
        term = terms[place]
        for project in term.projects:
            if project.nature == nature:
                for key, (planned, amended, *spent) in project.money.items():
                    factor = 4 if nature == "assistencial" else 1
                    much = [None if value is None else value * factor // 2 for value in spent]
                    project.money[key] = (planned, amended, much[0], much[1], much[2])
    # No audit; the three do not agree; money spent after the term has ended.
    for term in terms[1:3]:
        first, second, third = term.projects[0], term.projects[2], term.projects[4]
        year = first.begins.year
        planned, amended, told, _, approved = first.money[year, "1"]
        first.money[year, "1"] = planned, amended, told, None, approved
        planned, amended, told, audited, approved = second.money[second.begins.year, "3"]
        second.money[second.begins.year, "3"] = (
            planned, amended, told, audited, None if approved is None else approved - 1234,
        )  # fmt: skip
        third.money[term.first_year + 3, "1"] = 0, None, 5_000_000, 5_000_000, None
    terms[4].printed = None


def _meetings(draw: np.random.Generator, until: date) -> dict[str, list[date]]:
    """Return when the committees met: most quarters, the technical one mostly a week before."""
    found: dict[str, list[date]] = {"gestor": [], "tecnico": []}
    for number in range(10):
        year, quarter = until.year - 2 + number // 4, number % 4
        day = date(year, 3 * quarter + 2, 3) + timedelta(days=int(draw.integers(0, 20)))
        if day <= until and number != 4:
            found["gestor"].append(day)
            found["tecnico"].append(day - timedelta(days=(4, 7, 9)[number % 3]))
    return found
