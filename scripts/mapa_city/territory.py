"""Where people live: health regions, administrative regions, what addresses call them, neighbours.

Populations are those of the 2022 census where it published one, and shares of their health region
where it did not; they only give the city its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

DISTRICT = "530010"
UNIDENTIFIED = "nao_identificada"
OUTSIDE = "fora_do_territorio"

REGIONS = ("central", "centro_sul", "leste", "norte", "oeste", "sudoeste", "sul")
REGION_CODES = (*REGIONS, UNIDENTIFIED, OUTSIDE)

ADMINISTRATIVE_REGIONS: tuple[tuple[str, str, int], ...] = (
    ("PLANO PILOTO", "central", 198_697),
    ("GAMA", "sul", 139_467),
    ("TAGUATINGA", "sudoeste", 193_367),
    ("BRAZLANDIA", "oeste", 55_561),
    ("SOBRADINHO", "norte", 72_273),
    ("PLANALTINA", "norte", 134_960),
    ("PARANOA", "leste", 63_923),
    ("NUCLEO BANDEIRANTE", "centro_sul", 22_000),
    ("CEILANDIA", "oeste", 287_023),
    ("GUARA", "centro_sul", 120_641),
    ("CRUZEIRO", "central", 29_000),
    ("SAMAMBAIA", "sudoeste", 218_840),
    ("SANTA MARIA", "sul", 116_622),
    ("SAO SEBASTIAO", "leste", 98_612),
    ("RECANTO DAS EMAS", "sudoeste", 102_550),
    ("LAGO SUL", "central", 28_000),
    ("RIACHO FUNDO", "centro_sul", 15_000),
    ("LAGO NORTE", "central", 27_000),
    ("CANDANGOLANDIA", "centro_sul", 12_000),
    ("AGUAS CLARAS", "sudoeste", 128_486),
    ("RIACHO FUNDO II", "centro_sul", 105_210),
    ("SUDOESTE OCTOGONAL", "central", 44_718),
    ("VARJAO", "central", 8_609),
    ("PARK WAY", "centro_sul", 17_000),
    ("SCIA ESTRUTURAL", "centro_sul", 28_007),
    ("SOBRADINHO II", "norte", 82_785),
    ("JARDIM BOTANICO", "leste", 77_767),
    ("ITAPOA", "leste", 65_408),
    ("SIA", "centro_sul", 5_131),
    ("VICENTE PIRES", "sudoeste", 96_871),
    ("FERCAL", "norte", 10_268),
    ("SOL NASCENTE POR DO SOL", "oeste", 101_866),
    ("ARNIQUEIRA", "sudoeste", 42_320),
    ("ARAPOANGA", "norte", 45_000),
    ("AGUA QUENTE", "sudoeste", 13_000),
)
"""Name as a normalised address writes it, health region, weight; the number is the position."""

NEIGHBOURHOODS: dict[str, tuple[str, ...]] = {
    "PLANO PILOTO": (
        "ASA SUL",
        "ASA NORTE",
        "NOROESTE",
        "VILA PLANALTO",
        "GRANJA DO TORTO",
        "VILA TELEBRASILIA",
    ),
    "CEILANDIA": (
        "CEILANDIA NORTE",
        "CEILANDIA SUL",
        "CEILANDIA CENTRO",
        "SETOR O",
        "P SUL",
        "P NORTE",
        "GUARIROBA",
        "EXPANSAO DO SETOR O",
    ),
    "SOL NASCENTE POR DO SOL": ("SOL NASCENTE", "POR DO SOL"),
    "TAGUATINGA": ("TAGUATINGA NORTE", "TAGUATINGA SUL", "TAGUATINGA CENTRO", "M NORTE"),
    "SCIA ESTRUTURAL": ("ESTRUTURAL", "CIDADE ESTRUTURAL", "SCIA"),
    "GUARA": ("GUARA I", "GUARA II", "LUCIO COSTA"),
    "SUDOESTE OCTOGONAL": ("OCTOGONAL", "SUDOESTE"),
    "PLANALTINA": (
        "VALE DO AMANHECER",
        "MESTRE DARMAS",
        "BURITIS IV",
        "JARDIM RORIZ",
        "ESTANCIA",
    ),
    "CRUZEIRO": ("CRUZEIRO NOVO", "CRUZEIRO VELHO"),
    "ITAPOA": ("DEL LAGO", "FAZENDINHA"),
}
"""What addresses say instead of the name of the administrative region."""

OFFICIAL: dict[str, tuple[str, ...]] = {
    "PLANO PILOTO": ("SETOR NOROESTE", "SETOR MILITAR URBANO", "ZONA CIVICO-ADMINISTRATIVA"),
    "GAMA": ("SETOR LESTE (GAMA)", "SETOR SUL - GAMA", "SETOR CENTRAL DO GAMA", "PONTE ALTA (GAMA"),
    "TAGUATINGA": ("SETOR INDUSTRIAL (TAGUATINGA)", "TAGUATINGA NORTE (TAGUATINGA)"),
    "BRAZLANDIA": ("SETOR TRADICIONAL (BRAZLANDIA)", "VILA SAO JOSE (BRAZLANDIA)", "RA IV"),
    "SOBRADINHO": ("NOVA COLINA (SOBRADINHO)", "SETOR DE MANSOES DE SOBRADINHO"),
    "PLANALTINA": (
        "SETOR TRADICIONAL (PLANALTINA)",
        "SETOR RESIDENCIAL LESTE - PLANALTINA",
        "FAZENDA MESTRE DARMAS (ETAPA I - PLANALTINA)",
        "PLANALTINA DF",
        "QUADRA 0 (CASA 0) (PLANALTINA)",
    ),
    "PARANOA": ("PARANOA PARQUE (PARANOA)",),
    "NUCLEO BANDEIRANTE": ("VILA CAUHY (NUCLEO BANDEIRANTE)", "SETOR PLACA DA MERCEDES (RA VIII)"),
    "CEILANDIA": ("CEILANDIA NORTE (CEILANDIA)", "SETOR INDUSTRIAL - CEILANDIA", "RA IX"),
    "GUARA": ("GUARA II QE 00", "QUADRAS ECONOMICAS LUCIO COSTA (GUARA)"),
    "SAMAMBAIA": ("SAMAMBAIA NORTE (SAMAMBAIA)",),
    "SANTA MARIA": ("CONDOMINIO SANTA MONICA (SANTA MARIA)", "NUCLEO RURAL SANTA MARIA"),
    "SAO SEBASTIAO": ("CENTRO (SAO SEBASTIAO)", "VILA DO BOA (SAO SEBASTIAO)"),
    "LAGO SUL": ("SETOR DE HABITACOES INDIVIDUAIS SUL", "SETOR DE MANSOES DOM BOSCO"),
    "RIACHO FUNDO": ("RIACHO FUNDO I", "QN 0 (RIACHO FUNDO)"),
    "LAGO NORTE": ("SETOR DE HABITACOES INDIVIDUAIS NORTE",),
    "AGUAS CLARAS": ("AREAL (AGUAS CLARAS)", "NORTE (AGUAS CLARAS)"),
    "RIACHO FUNDO II": ("QN 0 (RIACHO FUNDO II)",),
    "SUDOESTE OCTOGONAL": ("SETOR SUDOESTE", "AREA OCTOGONAL", "SUDOESTE/OCTOGONAL"),
    "PARK WAY": ("SETOR DE MANSOES PARK WAY",),
    "SOBRADINHO II": ("SETOR OESTE (SOBRADINHO II)", "SOBRADINHO 2"),
    "ITAPOA": ("DEL LAGO II (ITAPOA)", "ITAPOA I"),
    "VICENTE PIRES": (
        "SETOR HABITACIONAL VICENTE PIRES",
        "SETOR HABITACIONAL SAMAMBAIA (VICENTE PIRES)",
    ),
}
"""What the post office's list and those who copy it write: the region in brackets, or after a dash,
or long names that have none; brackets that stay open and brackets that hold something else."""

UNTOLD = (
    "",
    "CENTRO",
    "SETOR CENTRAL",
    "SETOR LESTE",
    "SETOR SUL",
    "SETOR TRADICIONAL",
    "VILA SAO JOSE",
    "ZONA INDUSTRIAL",
    "AREAL",
    "BRASILIA",
    "QUADRA 0 (CASA 0)",
    "CHACARA FICTICIA 0",
)
"""Texts by which nobody who does not know the person can tell the region: these names stand in
several regions, in all, or in no list."""

UNTOLD_SHARE = 0.02
LENT_UNTOLD = "JARDIM FICTICIO (VALPARAISO)"
"""What some write who live in another municipality and give the district as theirs."""


@dataclass(frozen=True)
class Writing:
    """One way of writing where somebody lives.

    Attributes:
        text: of the neighbourhood.
        ra: number of the administrative region in which it really is.
        tells: whether the text lets a stranger know that.
        share: of the people of the district.
    """

    text: str
    ra: int
    tells: bool
    share: float


def writings() -> list[Writing]:
    """Return every way of writing an address in the district; the shares add up to one."""
    everybody = sum(weight for _, _, weight in ADMINISTRATIVE_REGIONS)
    found = []
    for ra, (name, _, weight) in enumerate(ADMINISTRATIVE_REGIONS, start=1):
        # Half of the addresses name the administrative region itself.
        known = (*NEIGHBOURHOODS.get(name, ()), *OFFICIAL.get(name, ()))
        texts = (name,) * max(1, len(known)) + known
        share = weight / everybody
        told = (1 - UNTOLD_SHARE) * share / len(texts)
        found += [Writing(text, ra, True, told) for text in texts]
        found += [Writing(text, ra, False, UNTOLD_SHARE * share / len(UNTOLD)) for text in UNTOLD]
    return found


ENTORNO: tuple[tuple[str, int], ...] = (
    ("520025", 225_693),
    ("520030", 27_008),
    ("520549", 91_767),
    ("520551", 25_322),
    ("520620", 62_337),
    ("520800", 115_669),
    ("521250", 209_129),
    ("521523", 103_804),
    ("521560", 34_967),
    ("521760", 105_031),
    ("521975", 72_127),
    ("522185", 198_861),
)
"""Municipalities of the metropolitan periphery (six-digit code) and weight."""

ENTORNO_NEIGHBOURHOODS = ("CENTRO", "SETOR CENTRAL", "PARQUE DAS AGUAS", "JARDIM PLANALTO", "")


def health_region(ra: int) -> str:
    """Return the health region of an administrative region."""
    return ADMINISTRATIVE_REGIONS[ra - 1][1]
