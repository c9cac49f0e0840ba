"""What requests say of who asks, with the slips of those who type them.

A slip never makes two people look like one where a careful reader could not tell: whoever types a
relative's number types the patient's own name beside it. What cannot be told at all is marked, so
that the truth knows whose each request really is and what of it can be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    MISSING,
    Flags,
    Ints,
    Texts,
    matches,
    numbers,
    texts,
    unless,
    weighted,
)
from mapa_city.doors.pdq import SHARED_CPF
from mapa_city.families import first_names
from mapa_city.people import NAMES_LAST, NAMES_MIDDLE, Population
from mapa_city.schemas import IDENTITIES, PERSONS, table

SLIP_SHARE = 0.05
HOUSEHOLD_SHARE = 0.2
"""Part of the slips that hit all later requests of a whole household."""
NO_CPF = 0.12
MARRIED, NO_MOTHER, OTHER_MOTHER, WRONG_BIRTH = 0.04, 0.01, 0.01, 0.005
"""Share of women whose requests still have the name of before, and of requests with each defect."""
SLIPS = (
    "bad_card", "bad_numbers", "no_numbers", "relative_card", "relative_card_alone",
    "relative_cpf", "relative_numbers",
)  # fmt: skip
_WEIGHTS = np.array([0.15, 0.1, 0.1, 0.2, 0.15, 0.15, 0.15])
LOST = ("bad_numbers", "no_numbers", "relative_card_alone", "relative_numbers")
"""Slips that leave no number of the person's own."""
DOUBLES = 2
"""Pairs of persons with one name, one mother's name and one birth date."""


@dataclass(frozen=True)
class _Asking:
    """Requests, in the order of the city's, with who asks and which slip was made.

    `slip` counts in SLIPS, -1 for none; `relative` is a row of the persons or -1; `first` is, by
    person, the first request that certainly makes her known to the register.
    """

    person: Ints
    slip: Ints
    relative: Ints
    first: Ints
    with_cpf: Flags

    @property
    def before(self) -> Flags:
        """Tell of which requests an earlier one made the person known."""
        known: Flags = self.first[self.person] < np.arange(len(self.person))
        return known

    @property
    def lost(self) -> Flags:
        """Tell which requests carry no number of the person's own."""
        lost: Flags = np.isin(self.slip, [SLIPS.index(name) for name in LOST])
        lost |= (self.slip == SLIPS.index("bad_card")) & ~self.with_cpf
        return lost


def typed_identities(
    population: Population,
    requests: pa.Table,
    absences: pa.Table,
    share: float,
    rng: np.random.Generator,
) -> tuple[Population, pa.Table]:
    """Return the persons, a few of whom are each other's doubles, and what requests say of them."""
    persons = population.persons
    person = numbers(requests, "person_idx")
    has_cpf = np.array([text is not None for text in persons["cpf"].to_pylist()])
    with_cpf = has_cpf[person] & (rng.random(len(person)) >= NO_CPF)
    relative = _relatives(persons, person, rng)
    slip = _slips(persons, person, relative, share, rng)
    undated = requests["undated"].to_numpy(zero_copy_only=False)
    gone = np.zeros(len(person), dtype=np.bool_)
    gone[numbers(absences, "request_idx")] = True
    first = _first(person, (slip < 0) & ~undated & ~gone, persons.num_rows)
    # A death is known of those whom the register was asked about: the dead only slip later.
    dies = numbers(persons, "death_date")[person] != MISSING
    slip = np.where(dies & (first[person] >= np.arange(len(person))), -1, slip)
    asking = _Asking(person, slip, relative, first, with_cpf)
    persons = _doubled(persons, asking, rng)
    columns = _numbers(persons, population.cards, requests, asking)
    columns |= _words(persons, asking, rng)
    names = np.array([*SLIPS, None], dtype=object)
    columns |= {"slip": pa.array(names[slip], pa.string()), "known_before": asking.before}
    return Population(persons, population.cards), table(IDENTITIES, columns)


def _relatives(persons: pa.Table, person: Ints, rng: np.random.Generator) -> Ints:
    """Draw somebody of the household whom a reader can tell from who asks, or -1."""
    household = numbers(persons, "household")
    order = np.argsort(household, kind="stable")
    ordered = household[order]
    first = np.searchsorted(ordered, household[person], side="left")
    size = np.searchsorted(ordered, household[person], side="right") - first
    drawn = order[first + np.floor(rng.random(len(person)) * size).astype(np.int64)]
    given = np.array(first_names(texts(persons, "name")), dtype=object)
    birth, mother = numbers(persons, "birth_date"), texts(persons, "mother")
    alike = given[drawn] == given[person]
    alike &= (birth[drawn] == birth[person]) | (mother[drawn] == mother[person])
    # Of two master records with one CPF the service tells neither.
    serial = np.array([int(text[:9]) if text else 0 for text in persons["cpf"].to_pylist()])
    told = (serial > 0) & (serial % SHARED_CPF > 0)
    return np.where((drawn != person) & ~alike & told[drawn], drawn, -1)


def _slips(
    persons: pa.Table, person: Ints, relative: Ints, share: float, rng: np.random.Generator
) -> Ints:
    """Draw which requests have which slip; those of a household come together."""
    n = len(person)
    slip = np.where(rng.random(n) < share * (1 - HOUSEHOLD_SHARE), weighted(rng, _WEIGHTS, n), -1)
    household = numbers(persons, "household")
    hit = rng.random(len(household)) < share * HOUSEHOLD_SHARE
    together = hit[household[person]]
    # One way of typing for the whole family.
    way = np.where(household[person] % 2 == 0, "relative_numbers", "no_numbers")
    slip = np.where(together, [SLIPS.index(name) for name in way.tolist()], slip)
    needy = np.array([name.startswith("relative") for name in SLIPS])
    slip = np.where((slip >= 0) & needy[slip] & (relative < 0), SLIPS.index("bad_card"), slip)
    # Whoever has no CPF and carries another's would be taken for the other.
    has_cpf = np.array([text is not None for text in persons["cpf"].to_pylist()])[person]
    slip = np.where((slip == SLIPS.index("relative_cpf")) & ~has_cpf, -1, slip)
    alone = SLIPS.index("relative_card_alone")
    return np.where((slip == SLIPS.index("relative_card")) & ~has_cpf, alone, slip)


def _first(person: Ints, sound: Flags, people: int) -> Ints:
    """Return the first sound request of each person; requests come in the order of time."""
    first = np.full(people, len(person), dtype=np.int64)
    rows = np.flatnonzero(sound)
    np.minimum.at(first, person[rows], rows)
    return first


def _doubled(persons: pa.Table, asking: _Asking, rng: np.random.Generator) -> pa.Table:
    """Give a few the name, mother and birth date of somebody who has lost requests."""
    lost = np.flatnonzero(asking.lost & asking.before)
    male = matches(persons, "sex", ["M"])
    fit = np.ones(persons.num_rows, dtype=np.bool_)
    fit[asking.person[asking.lost]] = False
    columns = {name: persons[name].to_pylist() for name in ("name", "mother", "birth_date")}
    used: set[int] = set()
    for request in rng.permutation(lost).tolist():
        person = int(asking.person[request])
        earliest = int(np.flatnonzero(asking.lost & (asking.person == person))[0])
        known = fit & (asking.first < earliest) & (male == male[person])
        others = [other for other in np.flatnonzero(known).tolist() if other not in used]
        if person in used or not others:
            continue
        used |= {person, others[0]}
        for values in columns.values():
            values[others[0]] = values[person]
        if len(used) == 2 * DOUBLES:
            break
    for name, values in columns.items():
        place = persons.schema.get_field_index(name)
        persons = persons.set_column(
            place, PERSONS.field(name), pa.array(values, PERSONS.field(name).type)
        )
    return persons


def _numbers(
    persons: pa.Table, cards: pa.Table, requests: pa.Table, asking: _Asking
) -> dict[str, pa.Array]:
    """Return the card and the CPF as they are typed."""
    card = texts(cards, "cns")
    main = np.flatnonzero(cards["is_main"].to_numpy(zero_copy_only=False))
    own_cpf = np.array(persons["cpf"].to_pylist(), dtype=object)
    cns = card[numbers(requests, "card_idx")]
    cpf = unless(~asking.with_cpf, own_cpf[asking.person])
    theirs = card[main[asking.relative]], own_cpf[asking.relative]

    def made(*names: str) -> Flags:
        return np.isin(asking.slip, [SLIPS.index(name) for name in names])

    wrong = made("bad_card", "bad_numbers")
    cns[wrong] = [_misspelt(text) for text in cns[wrong].tolist()]
    cpf[made("bad_numbers")] = [
        _misspelt(text) if text else None for text in cpf[made("bad_numbers")].tolist()
    ]
    cns[made("no_numbers")] = None
    cpf[made("no_numbers", "relative_card_alone")] = None
    with_their_card = made("relative_card", "relative_card_alone", "relative_numbers")
    # Beside another's card only the own CPF tells who it is.
    cpf = np.where(made("relative_card"), own_cpf[asking.person], cpf)
    cns = np.where(with_their_card, theirs[0], cns)
    cpf = np.where(made("relative_cpf", "relative_numbers"), theirs[1], cpf)
    return {"cns": pa.array(cns, pa.string()), "cpf": pa.array(cpf, pa.string())}


def _misspelt(number: str) -> str:
    """Return a number whose last digit is another, so that its check digits are wrong."""
    return f"{number[:-1]}{(int(number[-1]) + 3) % 10}"


def _words(persons: pa.Table, asking: _Asking, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Return name, mother and birth date as they are typed.

    Half of those whose number says nothing, and all whom no earlier request made known, are also
    written otherwise than in the register.
    """
    person, n = asking.person, len(asking.person)
    name, mother = texts(persons, "name")[person], texts(persons, "mother")[person]
    birth = numbers(persons, "birth_date")[person]
    women = ~matches(persons, "sex", ["M"])
    married = (women & (rng.random(len(women)) < MARRIED))[person]
    chance = rng.random(n)
    untold = chance < NO_MOTHER
    swapped = (chance >= NO_MOTHER) & (chance < NO_MOTHER + OTHER_MOTHER)
    wrong = (chance > 1 - WRONG_BIRTH) & (birth % 31 != 0)
    otherwise = asking.lost & (~asking.before | (rng.random(n) < 0.5))
    name = np.where(married, _other_last(name, rng), name)
    name = np.where(otherwise, _shortened(name), name)
    mother = np.where(swapped, _other_last(mother[rng.permutation(n)], rng), mother)
    mother = unless(untold, mother)
    return {
        "name": pa.array(name, pa.string()),
        "mother": pa.array(mother, pa.string()),
        "birth_date": pa.array((birth + 30 * wrong).view("datetime64[D]")),
    }


def _other_last(names: Texts, rng: np.random.Generator) -> Texts:
    """Return names with another last part."""
    drawn = rng.integers(0, len(NAMES_LAST), len(names)).tolist()
    middle = NAMES_MIDDLE.split()
    written = [
        f"{' '.join(text.split(' ')[:2])} {middle[i % len(middle)]} {NAMES_LAST[i]}"
        for text, i in zip(names.tolist(), drawn, strict=True)
    ]
    return np.array(written, dtype=object)


def _shortened(names: Texts) -> Texts:
    """Return names with a middle name as a letter."""
    words = [text.split(" ") for text in names.tolist()]
    return np.array([" ".join([w[0], w[1][0], *w[2:]]) for w in words], dtype=object)
