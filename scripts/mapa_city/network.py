"""What the network is made of: the catalogue of procedures and the health units.

The catalogue says, besides names, how much each procedure is asked for and how far its offer falls
short, so that some queues stand still while others grow for years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mapa_city.arrays import Floats, Ints, digits, pick, weighted
from mapa_city.schemas import PROCEDURES, UNITS, table
from mapa_city.territory import Territory, Writing


@dataclass(frozen=True)
class _Group:
    """One group of the catalogue.

    Attributes:
        name: of the group; a member is called by it and its own word.
        members: words of the members, most wanted first.
        share: weight of the group among all requests.
        load: requests per slot offered; above 1 the queue grows.
        regulated: share of its requests that a regulator must authorise.
        audience: who asks: any, F, M, child or elder.
        as_group: share of its requests served by schedules on the code of the group.
        cbo: occupation that serves it.
        cids: diagnoses that requests carry.
    """

    name: str
    members: tuple[str, ...]
    share: float
    load: float
    regulated: float
    audience: str
    as_group: float
    cbo: str
    cids: tuple[str, ...]


def _group(name: str, members: str, numbers: tuple[float, ...], codes: str) -> _Group:
    """Make a group from compact text; `codes` are audience, occupation and diagnoses."""
    share, load, regulated, as_group = numbers
    audience, cbo, *cids = codes.split()
    words = tuple(members.split(";"))
    return _Group(name, words, share, load, regulated, audience, as_group, cbo, tuple(cids))


# Numbers: share of requests, load, regulated share, share served on the code of the group.
GROUPS: tuple[_Group, ...] = (
    _group(
        "CONSULTA EM OFTALMOLOGIA",
        "GERAL;CATARATA;GLAUCOMA;RETINA;CÓRNEA;ESTRABISMO;PLÁSTICA OCULAR;BAIXA VISÃO",
        (14, 1.5, 0.5, 0.2),
        "any 225265 H259 H409 H522 H353",
    ),
    _group(
        "CONSULTA EM CARDIOLOGIA",
        "GERAL;RISCO CIRÚRGICO;ARRITMIA;VALVOPATIA;HIPERTENSÃO;INSUFICIÊNCIA CARDÍACA;"
        "PEDIÁTRICA;MARCA-PASSO",
        (9, 1.1, 0.5, 0),
        "elder 225120 I10 I509 I499",
    ),
    _group(
        "CONSULTA EM ORTOPEDIA",
        "GERAL;JOELHO;COLUNA;OMBRO;QUADRIL;MÃO;PÉ E TORNOZELO;PEDIÁTRICA",
        (11, 1.9, 0.7, 0),
        "any 225270 M179 M545 M751",
    ),
    _group(
        "CONSULTA EM DERMATOLOGIA",
        "GERAL;CIRÚRGICA;HANSENÍASE;PEDIÁTRICA;ONCOLÓGICA;PSORÍASE;FERIDAS;COSMIATRIA REPARADORA",
        (6, 1.2, 0.3, 0),
        "any 225135 L400 C449 L989",
    ),
    _group(
        "CONSULTA EM GINECOLOGIA",
        "GERAL;MASTOLOGIA;ALTO RISCO;PATOLOGIA CERVICAL;CLIMATÉRIO;INFERTILIDADE;"
        "UROGINECOLOGIA;ENDOMETRIOSE",
        (7, 0.8, 0.3, 0),
        "F 225250 N939 N63 N809",
    ),
    _group(
        "CONSULTA EM UROLOGIA",
        "GERAL;PRÓSTATA;LITÍASE;ANDROLOGIA;VASECTOMIA;PEDIÁTRICA;ONCOLÓGICA;INCONTINÊNCIA",
        (5, 1.4, 0.5, 0),
        "M 225285 N40 N200 C61",
    ),
    _group(
        "CONSULTA EM NEUROLOGIA",
        "GERAL;CEFALEIA;EPILEPSIA;DEMÊNCIAS;MOVIMENTO;INFANTIL;NEUROCIRURGIA;NEUROMUSCULAR",
        (6, 2.3, 0.9, 0),
        "any 225112 G439 G409 G309",
    ),
    _group(
        "CONSULTA EM ENDOCRINOLOGIA",
        "GERAL;DIABETES;TIREOIDE;OBESIDADE;PEDIÁTRICA;OSTEOMETABÓLICA;HIPÓFISE;BARIÁTRICA",
        (5, 1.3, 0.5, 0),
        "any 225155 E119 E039 E669",
    ),
    _group(
        "CONSULTA EM PEDIATRIA",
        "GERAL;ALERGIA;PNEUMOLOGIA;GASTROENTEROLOGIA;NEFROLOGIA;GENÉTICA;SEGUIMENTO;ADOLESCENTE",
        (5, 0.75, 0.2, 0),
        "child 225124 J459 K219 Q909",
    ),
    _group(
        "ULTRASSONOGRAFIA",
        "ABDOME TOTAL;MAMAS;TRANSVAGINAL;TIREOIDE;ARTICULAÇÃO;VIAS URINÁRIAS;DOPPLER;PRÓSTATA",
        (12, 1.15, 0.3, 0),
        "any 225320 R10 N63 E049",
    ),
    _group(
        "TOMOGRAFIA COMPUTADORIZADA",
        "CRÂNIO;TÓRAX;ABDOME;COLUNA;PELVE;SEIOS DA FACE;ANGIOTOMOGRAFIA;ARTICULAÇÃO",
        (5, 0.95, 0.9, 0.5),
        "any 225320 R51 R91 M545",
    ),
    _group(
        "RESSONÂNCIA MAGNÉTICA",
        "JOELHO;COLUNA LOMBAR;CRÂNIO;OMBRO;ABDOME;PELVE;MAMAS;CORAÇÃO",
        (4, 2.0, 1.0, 0),
        "any 225320 M239 M511 G35",
    ),
    _group(
        "EXAMES LABORATORIAIS",
        "HEMOGRAMA;GLICEMIA;LIPIDOGRAMA;TSH;PSA;UREIA;SOROLOGIAS;HEMOGLOBINA GLICADA",
        (6, 0.6, 0.0, 1.0),
        "any 221205 Z000 E119",
    ),
    _group(
        "EXAMES CARDIOLÓGICOS",
        "ECOCARDIOGRAMA;TESTE ERGOMÉTRICO;HOLTER;MAPA;ELETROCARDIOGRAMA;CINTILOGRAFIA;"
        "ECO DE ESTRESSE;ECO TRANSESOFÁGICO",
        (5, 0.9, 0.5, 0.6),
        "elder 225120 I10 I259",
    ),
    _group(
        "REABILITAÇÃO",
        "FISIOTERAPIA;FONOAUDIOLOGIA;TERAPIA OCUPACIONAL;ÓRTESES;PRÓTESES;NEUROLÓGICA;"
        "PULMONAR;PÓS-OPERATÓRIA",
        (5, 1.6, 0.4, 0),
        "any 223605 M545 I694 F809",
    ),
)
FIRST_EXAM_GROUP, LAST_EXAM_GROUP = 9, 13
DELICATE = (FIRST_EXAM_GROUP, 0)
"""Group and member of the exam that is a test for HIV in the national table."""


@dataclass(frozen=True)
class Catalogue:
    """The procedures and how they are asked for.

    Attributes:
        procedures: the table; members first, then the groups that are scheduled themselves.
        group: group of each procedure, position in `GROUPS`.
        group_row: row of the code of each group, -1 when it is not scheduled.
        weight: share of all requests that ask for each procedure; the sum is 1.
    """

    procedures: pa.Table
    group: Ints
    group_row: Ints
    weight: Floats


def build_catalogue() -> Catalogue:
    """Build the catalogue; it is the same in every city."""
    members = [(g, k) for g in range(len(GROUPS)) for k in range(len(GROUPS[g].members))]
    scheduled = [g for g, group in enumerate(GROUPS) if group.as_group > 0]
    rows = [_member_row(g, k) for g, k in members] + [_group_row(g) for g in scheduled]
    columns = dict(zip(PROCEDURES.names, map(list, zip(*rows, strict=True)), strict=True))
    group_row = np.full(len(GROUPS), -1, dtype=np.int64)
    group_row[scheduled] = len(members) + np.arange(len(scheduled))
    # A few requests ask for the group itself; members are wanted less and less down the list.
    wanted = [GROUPS[g].share / (k + 1) ** 1.3 for g, k in members]
    wanted += [GROUPS[g].share * GROUPS[g].as_group / 4 for g in scheduled]
    weight = np.array(wanted) / sum(wanted)
    group = np.array([g for g, _ in members] + scheduled, dtype=np.int64)
    return Catalogue(table(PROCEDURES, columns), group, group_row, weight)


@dataclass(frozen=True)
class Plan:
    """Demand and capacity that the city is given, per pool.

    A pool is what a request queues for: the schedules of one procedure, or those of the code of its
    group. It has the row number of that procedure or group.

    Attributes:
        demand: requests per week.
        capacity: slots per week.
        backlog_days: days of demand that wait when the simulation starts.
    """

    demand: Floats
    capacity: Floats
    backlog_days: Floats


@dataclass(frozen=True)
class Network:
    """What stands before anything is offered or asked for."""

    catalogue: Catalogue
    units: pa.Table
    plan: Plan
    territory: Territory


REQUESTS_PER_PERSON_YEAR = 1.1
PLANNED_PER_KEPT = 1.2
"""Slots planned for each that is left when leaves, holidays and local agendas took theirs."""


def build_plan(catalogue: Catalogue, people: int, rng: np.random.Generator) -> Plan:
    """Say how much is asked of each pool and how much it offers."""
    as_group = np.array([group.as_group for group in GROUPS])[catalogue.group]
    members = catalogue.procedures["tipo"].to_numpy() != "grupo"
    weight = np.where(members, catalogue.weight * (1 - as_group), catalogue.weight)
    shared = np.where(members, catalogue.weight * as_group, 0)
    pooled = members & (as_group > 0)
    np.add.at(weight, catalogue.group_row[catalogue.group[pooled]], shared[pooled])
    load = np.array([group.load for group in GROUPS])[catalogue.group]
    load = load * np.exp(rng.normal(0, 0.2, len(load)))
    demand = weight * people * REQUESTS_PER_PERSON_YEAR / 52
    short = np.maximum(load - 1, 0)
    return Plan(
        demand, PLANNED_PER_KEPT * demand / load, np.minimum(10 + 60 * load + 260 * short, 640)
    )


def _member_row(g: int, k: int) -> tuple[str, str, str, str, str | None, str]:
    """Write one procedure of a group."""
    exam = FIRST_EXAM_GROUP <= g <= LAST_EXAM_GROUP
    code = f"{700 + g + 1:04d}"
    sigtap = f"02{g:02d}01{k + 1:03d}0" if exam else "0301010072"
    if (g, k) == DELICATE:
        sigtap = "0214010058"
    # Some real procedures have no national code either.
    known = None if k == len(GROUPS[g].members) - 1 and g % 4 == 0 else sigtap
    name = f"{GROUPS[g].name} - {GROUPS[g].members[k]}"
    kind = "exame" if exam else "consulta"
    return f"{code}{k + 1:03d}", name, f"{code}000", f"GRUPO - {GROUPS[g].name}", known, kind


def _group_row(g: int) -> tuple[str, str, str, str, str | None, str]:
    """Write the code of a group that is scheduled as if it were a procedure."""
    code, name = f"{700 + g + 1:04d}000", f"GRUPO - {GROUPS[g].name}"
    return code, name, code, name, None, "grupo"


def build_units(territory: Territory, people: int, rng: np.random.Generator) -> pa.Table:
    """Build the units: some 60 executing and 180 requesting ones, fewer in a small city.

    Every health region has units of both kinds; one executing unit in six requests as well.
    """
    scale = min(1.0, people / 60_000)
    executing = max(14, round(60 * scale))
    requesting = max(28, round(170 * scale))
    total = executing + requesting
    is_executing = np.arange(total) < executing
    ras = _places(territory, total, rng)
    names = [
        _name(i, bool(is_executing[i]), territory.areas[ra - 1].name)
        for i, ra in enumerate(ras.tolist())
    ]
    regions = [area.region for area in territory.areas]
    ways = territory.writings()
    places = [_written(ways, i, ra) for i, ra in enumerate(ras.tolist())]
    return table(
        UNITS,
        {
            "cnes": digits(np.arange(total) + 1, 7),
            "nome": names,
            "ra": ras,
            "regiao_saude": pick(regions, ras - 1),
            "bairro": [place.text for place in places],
            "bairro_tells": [place.tells for place in places],
            "is_executing": is_executing,
            "is_requesting": ~is_executing | (np.arange(total) % 6 == 0),
        },
    )


def _written(writings: list[Writing], position: int, ra: int) -> Writing:
    """Return how the registers write where a unit stands; one in twenty does not tell it."""
    tells = position % 20 != 7
    ways = [w for w in writings if w.ra == ra and w.tells == tells and w.text]
    return ways[position % len(ways)]


def _places(territory: Territory, total: int, rng: np.random.Generator) -> Ints:
    """Draw the area of each unit, the health regions taking turns half the time.

    The turns guarantee each health region units of both kinds, however small the city.
    """
    weights = np.array([area.people for area in territory.areas], dtype=np.float64)
    places = weighted(rng, weights, total)
    region = np.array([area.region for area in territory.areas])
    turns = 2 * len(territory.regions)
    for turn, name in enumerate(territory.regions):
        members = np.flatnonzero(region == name)
        mine = np.flatnonzero(np.arange(total) % turns == 2 * turn)
        places[mine] = members[weighted(rng, weights[members], len(mine))]
    return places + 1


def _name(position: int, executing: bool, place: str) -> str:
    """Name a unit so that nobody takes it for a real one; some names are hard to parse."""
    if not executing:
        return f"UBS FICTÍCIA {position:03d}" if position % 5 else f"UBS FICTICIA {position:03d}"
    if position % 7 == 3:
        return f'CENTRO DE ESPECIALIDADES "FICTÍCIO {position:02d}"; {place}'
    if position % 7 == 5:
        return f"POLICLÍNICA FICTÍCIA D'OESTE {position:02d}"
    return f"HOSPITAL FICTICIO {position:02d}"
