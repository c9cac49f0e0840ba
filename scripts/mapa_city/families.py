"""What real families do to a registry: twins, children with a parent's name, homonyms.

Persons keep their row, sex, cards and CPF; names, mothers and, by a few days, birth dates change.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mapa_city.arrays import Flags, Ints, Span, Texts, matches, numbers, texts
from mapa_city.people import NAMES_FEMALE, NAMES_MALE, Population
from mapa_city.schemas import PERSONS, table

YOUNGEST_PARENT, OLDEST_PARENT = 18, 40
GROWN = 45
"""Years from which nobody is a child of the city any more: the parents are dead or elsewhere."""
CHILDREN, COUPLES, TWINS, NAMESAKES, HOMONYMS = 0.6, 0.6, 0.02, 0.05, 0.03
"""Share of the young whose mother lives here; of men with a wife; of these children, twins and sons
with a father's name; share of everybody who has the full name of somebody else."""
YEAR = 365


def build_families(population: Population, span: Span, rng: np.random.Generator) -> Population:
    """Make families of the persons of a city."""
    persons = population.persons
    name, mother = texts(persons, "name"), texts(persons, "mother")
    birth, male = numbers(persons, "birth_date").copy(), matches(persons, "sex", ["M"])
    household = np.arange(len(birth))
    _homonyms(name, birth, male, rng)
    young = birth > span.start - GROWN * YEAR
    children = np.flatnonzero(young & (rng.random(len(birth)) < CHILDREN))
    of = _parents(birth, ~male, children, rng)
    children, of = children[of >= 0], of[of >= 0]
    household[children] = household[of]
    mother[children] = name[of]
    _couples(birth, male, household, rng)
    _namesakes((name, birth, male, household), children, rng)
    _twins((name, mother, birth, male, household), children, rng)
    columns = {column: persons[column].combine_chunks() for column in persons.column_names}
    columns |= {
        "name": pa.array(name, pa.string()),
        "mother": pa.array(mother, pa.string()),
        "birth_date": birth,
        "household": household,
    }
    return Population(table(PERSONS, columns), population.cards)


def first_names(names: Texts) -> list[str]:
    """Return the first word of each name."""
    return [text.split(" ", 1)[0] for text in names.tolist()]


def _homonyms(
    name: Texts,
    birth: Ints,
    male: Flags,
    rng: np.random.Generator,
) -> None:
    """Give some the full name of somebody of their sex and age, some with the birth date too."""
    for sex in (True, False):
        order = np.flatnonzero(male == sex)
        order = order[np.argsort(birth[order], kind="stable")]
        at = np.flatnonzero(rng.random(len(order) - 1) < HOMONYMS)
        # Who has been copied is not copied to.
        at = at[np.diff(np.r_[-2, at]) > 1]
        name[order[at + 1]] = name[order[at]]
        same_day = at[rng.random(len(at)) < 1 / 3]
        birth[order[same_day + 1]] = birth[order[same_day]]


def _parents(birth: Ints, fit: Flags, children: Ints, rng: np.random.Generator) -> Ints:
    """Draw for each child one of those who are of an age to be a parent, or -1."""
    order = np.flatnonzero(fit)
    order = order[np.argsort(birth[order], kind="stable")]
    first = np.searchsorted(birth[order], birth[children] - OLDEST_PARENT * YEAR)
    last = np.searchsorted(birth[order], birth[children] - YOUNGEST_PARENT * YEAR)
    drawn = first + np.floor(rng.random(len(children)) * (last - first)).astype(np.int64)
    return np.where(last > first, order[np.minimum(drawn, len(order) - 1)], -1)


def _couples(birth: Ints, male: Flags, household: Ints, rng: np.random.Generator) -> None:
    """Let grown men live in the household of a woman of their age."""
    women, men = (
        rows[np.argsort(birth[rows], kind="stable")]
        for rows in (np.flatnonzero(~male), np.flatnonzero(male))
    )
    pairs = min(len(women), len(men)) // 2
    wives, husbands = women[:pairs], men[:pairs]
    wed = (rng.random(pairs) < COUPLES) & (household[husbands] == husbands)
    household[husbands[wed]] = household[wives[wed]]


def _namesakes(
    people: tuple[Texts, Ints, Flags, Ints],
    children: Ints,
    rng: np.random.Generator,
) -> None:
    """Give some sons the whole name of their father, who joins the household."""
    name, birth, male, household = people
    sons = children[male[children] & (rng.random(len(children)) < NAMESAKES)]
    alone = male & (household == np.arange(len(name)))
    fathers = _parents(birth, alone, sons, rng)
    _, first = np.unique(fathers, return_index=True)
    for row in first.tolist():
        father, son = int(fathers[row]), int(sons[row])
        if father >= 0:
            name[son] = name[father]
            household[father] = household[son]


def _twins(
    people: tuple[
        Texts,
        Texts,
        Ints,
        Flags,
        Ints,
    ],
    children: Ints,
    rng: np.random.Generator,
) -> None:
    """Make twins of pairs of children born about the same day: all but the first name is one."""
    name, mother, birth, male, household = people
    order = children[np.argsort(birth[children], kind="stable")]
    at = np.flatnonzero(rng.random(max(len(order) - 1, 0)) < TWINS)
    at = at[np.diff(np.r_[-2, at]) > 1]
    for elder, other in zip(order[at].tolist(), order[at + 1].tolist(), strict=True):
        first, rest = name[elder].split(" ", 1)
        choices = (NAMES_MALE if male[other] else NAMES_FEMALE).split()
        choices = [word for word in choices if word != first]
        name[other] = f"{choices[int(rng.integers(0, len(choices)))]} {rest}"
        mother[other], birth[other] = mother[elder], birth[elder]
        household[other] = household[elder]
