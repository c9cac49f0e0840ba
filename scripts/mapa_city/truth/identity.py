"""The right answers on identity: whose each request is, and whether anybody could know it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapa_city.admissions import admissions
from mapa_city.arrays import (
    DAY,
    MISSING,
    Flags,
    Ints,
    Texts,
    day_number,
    day_text,
    month_number,
    month_start,
    numbers,
    texts,
    unless,
)
from mapa_city.city import City
from mapa_city.truth.offer import rows
from mapa_city.truth.seen import Known

LINKED = ("cpf", "cns_definitivo", "cns_provisorio", "nome")
"""What of a request tells whose it is, without any guess."""
WHY_NOT = {
    "no_numbers": "sem_numero",
    "bad_card": "numero_invalido",
    "bad_numbers": "numero_invalido",
    "relative_card_alone": "numero_de_outra_pessoa",
    "relative_numbers": "numero_de_outra_pessoa",
}
UNLINKED = ("sem_numero", "numero_invalido", "numero_de_outra_pessoa", "ambiguo")
NEVER_HERE = (
    "qtd_por_cns_sem_cadastro", "qtd_por_cns_protegido", "qtd_por_escore", "qtd_abaixo_do_limiar",
    "qtd_pessoa_protegida",
)  # fmt: skip
"""The register of the city knows every card, protects nobody, and nothing is scored."""
WORDS = ("name", "mother", "birth_date")


def told(city: City) -> Texts:
    """Return what tells whose each request is, or why nothing does; one of the two lists above.

    A number is told by who owns it. Words tell a person whom the register has, if they are all hers
    and nobody else's.
    """
    person = pa.array(numbers(city.requests, "person_idx"))
    own_cpf = _same(city.identities["cpf"], city.persons["cpf"].take(person))
    card = pa.array(numbers(city.requests, "card_idx"))
    own_card = _same(city.identities["cns"], city.cards["cns"].take(card))
    definitive = _same(city.cards["kind"].take(card), pa.scalar("D"))
    everybody = [tuple(row.values()) for row in city.persons.select(WORDS).to_pylist()]
    alike = Counter(everybody)
    as_registered = np.array(
        [
            tuple(row.values()) == everybody[p]
            for row, p in zip(
                city.identities.select(WORDS).to_pylist(), person.to_pylist(), strict=True
            )
        ]
    )
    as_registered &= city.identities["known_before"].to_numpy()
    unique = np.array([alike[everybody[p]] == 1 for p in person.to_pylist()])
    why = [WHY_NOT.get(slip, "") for slip in city.identities["slip"].to_pylist()]
    return np.select(
        [own_cpf, own_card & definitive, own_card, as_registered & unique, as_registered],
        [*(np.full(len(why), name, dtype=object) for name in (*LINKED, "ambiguo"))],
        np.array(why, dtype=object),
    )


def _same(ours: Any, theirs: Any) -> Flags:
    equal = pc.fill_null(pc.equal(ours, theirs), False)
    return np.asarray(equal.to_numpy(zero_copy_only=False) if hasattr(equal, "to_numpy") else equal)


def people(city: City) -> tuple[Ints, Flags]:
    """Return whose each request is counted as, and whether that is a person of the city.

    What nothing tells is counted as a person of its own: a number beyond those of the city's.
    """
    linked = np.isin(told(city), LINKED)
    own = city.persons.num_rows + np.arange(city.requests.num_rows)
    return np.where(linked, numbers(city.requests, "person_idx"), own), linked


def registered(city: City, known: Known) -> Flags:
    """Tell of the person of each request whether it is known and the register was asked for it.

    It is asked for whoever has a card that a request carries, be it for a bed; where it carries
    none that somebody has, for the CPF.
    """
    owner = dict(
        zip(city.cards["cns"].to_pylist(), numbers(city.cards, "person_idx").tolist(), strict=True)
    )
    holder = {cpf: p for p, cpf in enumerate(city.persons["cpf"].to_pylist()) if cpf}
    asked = np.zeros(city.persons.num_rows, dtype=np.bool_)
    rows = city.identities.select(["cns", "cpf"]).to_pylist()
    for row, seen in zip(rows, known.seen.tolist(), strict=True):
        found = owner.get(row["cns"], holder.get(row["cpf"]))
        if seen and found is not None:
            asked[found] = True
    beds = admissions(city)
    begun = beds["requested_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
    asked[beds["person_idx"].to_numpy()[begun <= day_number(city.until)]] = True
    who, linked = people(city)
    return linked & asked[np.where(linked, who, 0)]


def of_requests(city: City, known: Known, by_person: Ints) -> Ints:
    """Return what the register says of the person of each request, `MISSING` where nothing can."""
    told = registered(city, known)
    return np.where(told, by_person[np.where(told, people(city)[0], 0)], MISSING)


def identity_per_month(city: City, known: Known) -> dict[str, Any]:
    """Count the requests of each month of first reading, by what tells whose they are.

    Of the numbers, those that were typed and those that can exist.
    """
    seen = known.seen
    month = month_number(known.first[seen] // DAY - 1)
    months, place = np.unique(month, return_inverse=True)

    def count(which: Flags) -> Ints:
        return np.bincount(place[which[seen]], minlength=len(months))

    by_what = told(city)
    slip = texts(city.identities, "slip")
    typed = {
        name: np.array([text is not None for text in city.identities[name].to_pylist()])
        for name in ("cpf", "cns")
    }
    misspelt = {
        "cpf": np.isin(slip.astype(str), ["bad_numbers"]),
        "cns": np.isin(slip.astype(str), ["bad_card", "bad_numbers"]),
    }
    kind = dict(zip(city.cards["cns"].to_pylist(), city.cards["kind"].to_pylist(), strict=True))
    provisional = np.array([kind.get(cns) == "P" for cns in city.identities["cns"].to_pylist()])
    whole = count(np.ones(len(seen), dtype=np.bool_))
    counts = {
        "qtd_pedidos_lidos": whole,
        **{f"qtd_por_{name}": count(by_what == name) for name in LINKED},
        **{f"qtd_{name}": count(by_what == name) for name in UNLINKED},
    }
    for name, which in typed.items():
        counts[f"qtd_{name}_informados"] = count(which)
        counts[f"qtd_{name}_validos"] = count(which & ~misspelt[name])
    counts["qtd_cns_provisorios"] = count(provisional)
    counts |= {name: np.zeros(len(months), dtype=np.int64) for name in NEVER_HERE}
    shares = {
        "pct_ligados": (sum(counts[f"qtd_por_{name}"] for name in LINKED), whole),
        "pct_cpf_validos": (counts["qtd_cpf_validos"], counts["qtd_cpf_informados"]),
        "pct_cns_validos": (counts["qtd_cns_validos"], counts["qtd_cns_informados"]),
    }
    shown = counts | {
        name: unless(of == 0, 100 * part / np.maximum(of, 1)) for name, (part, of) in shares.items()
    }
    return {
        "chave": ["competencia"],
        "colunas": list(shown),
        "linhas": rows(day_text(month_start(months)), *shown.values()),
    }
