"""The municipalities of Brazil, found by code or by name, however the name is written.

`municipios.csv` is IBGE's Divisão Territorial Brasileira: 5,571 rows, Brasília and Fernando de
Noronha among them. Codes and names are those of 2022, as the package ibge-utils 1.0.1 of the Python
package index carries them; the codes agree with cidade-ibge-tom 0.1.1 and brutils 2.5.0. From the
table of 2025, as told by those who read it, come Boa Esperança do Norte (MT), installed that year,
and five names: Assú, Arez, Barão do Monte Alto, Graccho Cardoso, São Luiz do Anauá.
`municipios_outros_nomes.csv` has names that were official once, or are in use, and that no rule of
spelling below leads to.
"""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent
WITH_STATE = re.compile(r"(.+?)\s*[-–—/,(]\s*([A-Za-z]{2})\s*\)?")
PARTICLES = {"DE", "DO", "DA", "DOS", "DAS", "E"}
OLD_SPELLING = [
    (re.compile(pattern), new)
    for pattern, new in [
        (r"PH", "F"),
        (r"(?<![CLN])H", ""),
        (r"Y", "I"),
        (r"W", "V"),
        (r"G(?=[EI])", "J"),
        (r"[CKQZ]", "S"),
        (r"M(?=[BP])", "N"),
        (r"(.)\1+", r"\1"),
    ]
]
"""What spelling reforms changed, and what people mix up; both sides of a comparison pass it."""
SHORT = 3
"""Letters of a word that may be an abbreviation although no full stop says so."""


@dataclass(frozen=True, order=True)
class Municipality:
    """A municipality of IBGE's table."""

    code: str
    """Seven digits, the last one a check digit."""
    name: str
    state: str
    """Two letters."""

    @property
    def code6(self) -> str:
        """The code as the systems of SUS have it, without the check digit."""
        return self.code[:6]

    def __str__(self) -> str:
        """Return a name that no other municipality has, and the code."""
        return f"{self.name}/{self.state}, {self.code}"


class NotOneError(LookupError):
    """A name or code that does not lead to one municipality; says what to type instead."""


def plain(name: str) -> str:
    """Return a name in capitals, without accents or punctuation: `SAO JOAO D ALIANCA`."""
    letters = unicodedata.normalize("NFKD", name.upper())
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", text).split())


def words(name: str) -> list[str]:
    """Return the words of a name that say something."""
    return [word for word in plain(name).split() if word not in PARTICLES | {"D"}]


def sounded(text: str) -> str:
    """Return a plain name or word as if it had no old and no uncertain spelling."""
    for pattern, new in OLD_SPELLING:
        text = pattern.sub(new, text)
    return text


def loose(name: str) -> set[str]:
    """Return what a name becomes without blanks, particles and spelling.

    The `d` of *d'Oeste* may be missing, stand alone, be one with its word or be written *do*.
    """
    kept = [word for word in plain(name).split() if word not in PARTICLES]
    return {sounded("".join(kept)), sounded("".join(words(name)))} - {""}


def abbreviates(short: str, word: str) -> bool:
    """Whether a word is written short: its first letter and others of it, in their order."""
    letters = iter(word)
    return word.startswith(short[:1]) and all(letter in letters for letter in short)


class Table:
    """IBGE's table with what is needed to look names up in it."""

    def __init__(self, folder: Path = HERE) -> None:
        """Read the table and the other names."""
        with (folder / "municipios.csv").open(encoding="utf-8", newline="") as file:
            self.all = [Municipality(*row.values()) for row in csv.DictReader(file)]
        self._of_code = {one.code: one for one in self.all}
        self._of_code |= {one.code6: one for one in self.all}
        self.states = {one.code[:2]: one.state for one in self.all}
        with (folder / "municipios_outros_nomes.csv").open(encoding="utf-8", newline="") as file:
            others = [(self._of_code[row["codigo"]], row["nome"]) for row in csv.DictReader(file)]
        official = [(plain(one.name), one) for one in self.all]
        self._names = official + [(plain(name), one) for one, name in others]
        self._official = _index(official)

    @cached_property
    def _loose(self) -> dict[str, list[Municipality]]:
        return _index((key, one) for name, one in self._names for key in loose(name))

    @cached_property
    def _words(self) -> list[tuple[Municipality, list[str]]]:
        return [(one, words(name)) for name, one in self._names]

    def of_state(self, state: str) -> list[Municipality]:
        """Return the municipalities of a state in the order of their codes."""
        return [one for one in self.all if one.state == state]

    def find(self, asked: str, state: str | None = None) -> Municipality:
        """Return the municipality that a name or code means.

        Args:
            asked: 6 or 7 digits; or a name, maybe with its state as `Nome/UF`, with or without
                accents, abbreviated or in an old spelling.
            state: two letters or two digits; only names of it count.

        Raises:
            NotOneError: none or several, each named; or the state is none.

        """
        asked = asked.strip()
        if plain(asked) not in self._official and (parts := WITH_STATE.fullmatch(asked)):
            if state and self._state(state) != self._state(parts[2]):
                raise NotOneError(f"{asked!r} names a state, and the state given is {state!r}.")
            asked, state = parts[1], parts[2]
        state = self._state(state) if state else None
        if re.fullmatch(r"[\d.\- ]+", asked):
            return self._coded(re.sub(r"\D", "", asked), state)
        if not plain(asked):
            raise NotOneError("The name is empty. Expected is a name, `Nome/UF` or IBGE's code.")
        found = self._named(asked, state)
        if len(found) == 1:
            return found[0]
        if not found:
            raise NotOneError(self._unknown(asked, state))
        listed = "".join(f"\n  {one}" for one in sorted(found))
        raise NotOneError(
            f"{asked!r} may be one of {len(found)}:{listed}\n"
            "Say which by its state (`Nome/UF` or --state) or by its code."
        )

    def _state(self, state: str) -> str:
        known = self.states.get(state, state.strip().upper())
        if known not in self.states.values():
            raise NotOneError(
                f"{state!r} is no state. Expected is one of {', '.join(self.states.values())}."
            )
        return known

    def _coded(self, code: str, state: str | None) -> Municipality:
        one = self._of_code.get(code)
        if one is None:
            raise NotOneError(
                f"IBGE's table has no municipality {code}. Expected is a code of 6 or 7 digits, "
                "or a name."
            )
        if state not in (None, one.state):
            raise NotOneError(f"{code} is {one}, and the state given is {state}.")
        return one

    def _named(self, asked: str, state: str | None) -> list[Municipality]:
        """Return whom a name means: the nearest way of writing that leads anywhere decides."""

        def within(found: Iterable[Municipality]) -> list[Municipality]:
            return [one for one in dict.fromkeys(found) if state in (None, one.state)]

        return (
            within(self._official.get(plain(asked), []))
            or within(one for key in loose(asked) for one in self._loose.get(key, []))
            or within(self._abbreviated(asked))
        )

    def _abbreviated(self, asked: str) -> Iterable[Municipality]:
        """Yield those whose name has the same words, at least one of them in full."""
        ours = [
            (word, bool(dot) or len(word) <= SHORT)
            for piece, dot in re.findall(r"([^\s.]+)(\.?)", asked)
            for word in words(piece)
        ]
        for one, theirs in self._words:
            if len(ours) != len(theirs):
                continue
            pairs = list(zip(ours, theirs, strict=True))
            full = [sounded(word) == sounded(their) for (word, _), their in pairs]
            short = [may and abbreviates(word, their) for (word, may), their in pairs]
            if any(full) and all(a or b for a, b in zip(full, short, strict=True)):
                yield one

    def _unknown(self, asked: str, state: str | None) -> str:
        here = [(name, one) for name, one in self._names if state in (None, one.state)]
        near = difflib.get_close_matches(plain(asked), [name for name, _ in here], 5, 0.6)
        ones = [one for text in dict.fromkeys(near) for name, one in here if name == text]
        ones += self._named(asked, None)
        where = f" of {state}" if state else ""
        listed = "".join(f"\n  {one}" for one in dict.fromkeys(ones))
        return f"IBGE's table has no municipality {asked!r}{where}." + (
            f" The nearest:{listed}" if listed else " Type its code, of 6 or 7 digits."
        )


def _index(pairs: Iterable[tuple[str, Municipality]]) -> dict[str, list[Municipality]]:
    found: defaultdict[str, list[Municipality]] = defaultdict(list)
    for key, one in pairs:
        found[key].append(one)
    return dict(found)
