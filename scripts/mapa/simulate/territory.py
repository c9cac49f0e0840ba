"""Where people live: health regions, administrative regions, what addresses call them, neighbours.

Populations are those of the 2022 census where it published one, and shares of their health region
where it did not; they only give the city its shape.
"""

from __future__ import annotations

DISTRICT = "530010"
UNIDENTIFIED = "nao_identificada"
OUTSIDE = "fora_df"

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

AMBIGUOUS = ("", "CENTRO", "SETOR CENTRAL", "SETOR SUL", "AREAL")
"""Texts that stand in several administrative regions, or in none."""

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


def region_of_bairro() -> dict[str, str]:
    """Map every known address text of the district to its health region; others are unknown."""
    known = {name: region for name, region, _ in ADMINISTRATIVE_REGIONS}
    nested = {text: known[name] for name, texts in NEIGHBOURHOODS.items() for text in texts}
    return known | nested
