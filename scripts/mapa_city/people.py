"""Who lives in the city: persons with address, death and move, and the health cards they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapa_city.arrays import (
    MISSING,
    Flags,
    Floats,
    Ints,
    Span,
    digits,
    joined,
    pick,
    rank_within,
    weighted,
)
from mapa_city.identifiers import cns, cpf
from mapa_city.schemas import CARDS, PERSONS, table
from mapa_city.territory import Territory

FIRST_PERSON_SERIAL = 50_001
"""CPF serials below belong to the staff."""

OUTSIDE_SHARE = 0.08
NAMES_FEMALE = """
MARIA ANA FRANCISCA ANTONIA ADRIANA JULIANA MARCIA FERNANDA PATRICIA ALINE SANDRA CAMILA
AMANDA BRUNA JESSICA LETICIA LUCIANA VANESSA MARIANA GABRIELA VERA VITORIA LARISSA
CLAUDIA BEATRIZ RITA LUANA SONIA RENATA ELIANE CONCEIÇÃO ÂNGELA
"""
NAMES_MALE = """
JOSE JOAO ANTONIO FRANCISCO CARLOS PAULO PEDRO LUCAS LUIZ MARCOS LUIS GABRIEL RAFAEL
DANIEL MARCELO BRUNO EDUARDO FELIPE RAIMUNDO RODRIGO MANOEL MATEUS ANDRE FERNANDO FABIO
LEONARDO GUSTAVO GUILHERME LEANDRO TIAGO JOSÉ SEBASTIÃO
"""
NAMES_MIDDLE = """
SILVA SANTOS OLIVEIRA SOUZA RODRIGUES FERREIRA ALVES PEREIRA LIMA GOMES COSTA RIBEIRO
MARTINS CARVALHO ALMEIDA LOPES SOARES FERNANDES VIEIRA BARBOSA ROCHA DIAS NASCIMENTO
ANDRADE MOREIRA NUNES MARQUES MACHADO MENDES FREITAS D'AVILA CONCEIÇÃO
"""
NAMES_LAST = tuple(
    f"{link} {word}".strip()
    for link in ("", "DO", "DE")
    for word in ("EXEMPLO", "ENSAIO", "INVENTO", "MODELO", "FICTICIO", "RASCUNHO", "PAPEL")
)
DEATHS_KNOWN = ("day", "month", "nothing", "day")
"""How the register comes to know of deaths, taking turns."""

RACES = ("01", "02", "03", "04", "05", "99")
RACE_SHARES = (0.4, 0.11, 0.42, 0.01, 0.01, 0.05)


@dataclass(frozen=True)
class Population:
    """Persons and their cards; cards are sorted by person."""

    persons: pa.Table
    cards: pa.Table


@dataclass(frozen=True)
class _Addresses:
    """Municipality, neighbourhood as written, real region and whether the text tells it."""

    city: pa.Array
    bairro: pa.Array
    ra: Ints
    tells: Flags


def build_population(
    territory: Territory, people: int, span: Span, rng: np.random.Generator
) -> Population:
    """Build the persons and their cards."""
    female = rng.random(people) < 0.52
    age = _ages(people, rng)
    birth = span.start - np.floor(age * 365.25).astype(np.int64)
    home, next_home = (_addresses(territory, people, rng) for _ in range(2))
    death = _deaths(age, span, rng)
    moved = _moves(death, span, rng)
    no_cpf = (rng.random(people) < 0.06) | ((age < 6) & (rng.random(people) < 0.4))
    numbers_cpf = cpf(FIRST_PERSON_SERIAL + np.arange(people))
    moves = pa.array(moved != MISSING)
    persons = table(
        PERSONS,
        {
            "name": _names(female, rng),
            "mother": _names(np.ones(people, dtype=np.bool_), rng),
            "birth_date": birth,
            "sex": pick(("M", "F"), female.astype(np.int64)),
            "race": pick(RACES, weighted(rng, np.array(RACE_SHARES), people)),
            "cpf": pc.if_else(pa.array(no_cpf), None, numbers_cpf),
            "death_date": death,
            "death_known": pick(DEATHS_KNOWN, np.arange(people) % len(DEATHS_KNOWN)),
            "city_ibge6": home.city,
            "bairro": home.bairro,
            "ra": home.ra,
            "bairro_tells": home.tells,
            "moved_at": moved,
            "new_bairro": pc.if_else(moves, next_home.bairro, None),
            "new_ra": next_home.ra,
            "new_bairro_tells": next_home.tells,
            "new_city_ibge6": pc.if_else(moves, next_home.city, None),
            "cep": digits(70_000_000 + rng.integers(0, 3_000, people) * 10, 8),
            "household": np.arange(people),
        },
    )
    return Population(persons, _cards(people, rng))


def _ages(people: int, rng: np.random.Generator) -> Floats:
    """Draw ages at the start with the broad shape of the district's pyramid."""
    edges = np.array([0, 15, 30, 45, 60, 75, 95], dtype=np.float64)
    band = weighted(rng, np.array([0.2, 0.24, 0.25, 0.18, 0.1, 0.03]), people)
    return edges[band] + rng.random(people) * (edges[band + 1] - edges[band])


def _names(female: Flags, rng: np.random.Generator) -> pa.Array:
    """Draw names whose last part shows that they are invented."""
    n = len(female)
    women, men, middle = NAMES_FEMALE.split(), NAMES_MALE.split(), NAMES_MIDDLE.split()
    given = np.where(
        female, rng.integers(0, len(women), n), len(women) + rng.integers(0, len(men), n)
    )
    return joined(
        pick(women + men, given),
        pick(middle, rng.integers(0, len(middle), n)),
        pick(middle, rng.integers(0, len(middle), n)),
        pick(NAMES_LAST, rng.integers(0, len(NAMES_LAST), n)),
    )


def _addresses(territory: Territory, people: int, rng: np.random.Generator) -> _Addresses:
    """Draw municipality and neighbourhood; two addresses in a hundred say nothing useful."""
    inside = territory.writings()
    texts = [writing.text for writing in inside]
    weights = [(1 - OUTSIDE_SHARE) * writing.share for writing in inside]
    cities = [territory.seat.code] * len(inside)
    outside = sum(city.weight for city in territory.neighbours)
    said = territory.neighbourhoods
    for city in territory.neighbours:
        texts += said
        share = OUTSIDE_SHARE * city.weight / outside / len(said)
        weights += [share] * len(said)
        cities += [city.code] * len(said)
    elsewhere = len(texts) - len(inside)
    ras = np.array([writing.ra for writing in inside] + [0] * elsewhere)
    tells = np.array([writing.tells for writing in inside] + [False] * elsewhere)
    chosen = weighted(rng, np.array(weights), people)
    return _Addresses(pick(cities, chosen), pick(texts, chosen), ras[chosen], tells[chosen])


def _deaths(age: Floats, span: Span, rng: np.random.Generator) -> Ints:
    """Draw who dies in the simulated days, the old far more often."""
    days = span.until - span.start + 1
    yearly = np.minimum(0.0007 * np.exp(0.075 * np.maximum(age - 20, 0)), 0.3)
    dies = rng.random(len(age)) < yearly * days / 365
    return np.where(dies, rng.integers(span.start, span.until + 1, len(age)), MISSING)


def _moves(death: Ints, span: Span, rng: np.random.Generator) -> Ints:
    """Draw who moves, at six in a hundred a year; the dead stay where they lived."""
    days = span.until - span.start + 1
    moves = rng.random(len(death)) < 0.06 * days / 365
    when = rng.integers(span.start, span.until + 1, len(death))
    return np.where(moves & (death == MISSING), when, MISSING)


def _cards(people: int, rng: np.random.Generator) -> pa.Table:
    """Give each person one to three cards; a few have only a provisional one."""
    count = 1 + weighted(rng, np.array([0.78, 0.17, 0.05]), people)
    person = np.repeat(np.arange(people), count)
    first = rank_within(person) == 0
    provisional = np.where(first, rng.random(len(person)) < 0.03, rng.random(len(person)) < 0.85)
    definitive_family = rng.choice(np.array([7, 7, 7, 1, 2]), len(person))
    provisional_family = rng.choice(np.array([898, 898, 9]), len(person))
    # The first digit does not tell the kind: some numbers of one family are of the other kind.
    odd = rng.random(len(person)) < 0.04
    family = np.where(provisional ^ odd, provisional_family, definitive_family)
    return table(
        CARDS,
        {
            "person_idx": person,
            "cns": cns(family, 1 + np.arange(len(person))),
            "kind": pick(("D", "P"), provisional.astype(np.int64)),
            "is_main": first,
        },
    )
