"""Where people live: a territory, its health regions, areas, what addresses call them, neighbours.

A territory is data that the city is given; the truth asks it, and never the seeds of the project.
Populations of the Federal District are those of the 2022 census where it published one, and shares
of their health region where it did not; they also give the city its shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNIDENTIFIED = "nao_identificada"
OUTSIDE = "fora_do_territorio"
UNTOLD_SHARE = 0.02


@dataclass(frozen=True)
class Municipality:
    """A municipality: six-digit code, name as SISREG shows it, state and weight."""

    code: str
    name: str
    state: str
    weight: int = 0


@dataclass(frozen=True)
class Area:
    """Part of a territory; its number is its position, from 1.

    Attributes:
        name: as a normalised address writes it.
        region: code of its health region.
        people: residents.
        neighbourhoods: what addresses say instead of the name.
    """

    name: str
    region: str
    people: int
    neighbourhoods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feast:
    """A holiday of the state or the municipality.

    Attributes:
        scope: as the operator's table says it.
        month: of the fixed day.
        day: of the month.
        listed: what the operator's table calls it; None when it lacks it.
        law: what the law calls it; None when no law fixes it.
    """

    scope: str
    month: int
    day: int
    listed: str | None
    law: str | None = None


@dataclass(frozen=True)
class Writing:
    """One way of writing where somebody lives.

    Attributes:
        text: of the neighbourhood.
        ra: number of the area in which it really is.
        tells: whether the text lets a stranger know that.
        share: of the people of the territory.
    """

    text: str
    ra: int
    tells: bool
    share: float


@dataclass(frozen=True)
class Territory:
    """A municipality with its network.

    Attributes:
        seat: the municipality.
        regions: code and name of each health region.
        outside: name of the class of those who live elsewhere.
        areas: in the order of their numbers.
        untold: texts by which nobody who does not know the person can tell the area: they stand in
            several, in all, or in no list.
        lent_untold: what some write who live elsewhere and give the territory as theirs.
        neighbours: other municipalities, four at least; the first has units in the register.
        neighbourhoods: what their residents write.
        feasts: holidays of its own.
        decreed: reach of the optional days that somebody decrees each year.
        central: that executes and with which PPI agrees.
        other_central: for which some units execute as well.
        regulating: centrals among which the requests are shared out; none given, `central`.
        census: year in which the people were counted.
    """

    seat: Municipality
    regions: Mapping[str, str]
    outside: str
    areas: tuple[Area, ...]
    untold: tuple[str, ...]
    lent_untold: str
    neighbours: tuple[Municipality, ...]
    neighbourhoods: tuple[str, ...]
    feasts: tuple[Feast, ...]
    decreed: str
    central: str
    other_central: str
    regulating: tuple[str, ...] = ()
    census: int = 2022

    @property
    def region_names(self) -> dict[str, str]:
        """Name of each region, and of the two classes of those who have none."""
        return {**self.regions, UNIDENTIFIED: "Não identificada", OUTSIDE: self.outside}

    @property
    def population(self) -> dict[str, int]:
        """Residents of each health region."""
        return {
            code: sum(area.people for area in self.areas if area.region == code)
            for code in self.regions
        }

    @property
    def municipalities(self) -> tuple[Municipality, ...]:
        """The seat and its neighbours."""
        return (self.seat, *self.neighbours)

    def health_region(self, ra: int) -> str:
        """Return the health region of an area."""
        return self.areas[ra - 1].region

    def writings(self) -> list[Writing]:
        """Return every way of writing an address in the territory; the shares add up to one."""
        everybody = sum(area.people for area in self.areas)
        found = []
        for ra, area in enumerate(self.areas, start=1):
            # Half of the addresses name the area itself.
            known = area.neighbourhoods
            texts = (area.name,) * max(1, len(known)) + known
            share = area.people / everybody
            told = (1 - UNTOLD_SHARE) * share / len(texts)
            unsaid = UNTOLD_SHARE * share / len(self.untold)
            found += [Writing(text, ra, True, told) for text in texts]
            found += [Writing(text, ra, False, unsaid) for text in self.untold]
        return found


_AREAS: tuple[tuple[str, str, int], ...] = (
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

_NEIGHBOURHOODS: dict[str, tuple[str, ...]] = {
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

_OFFICIAL: dict[str, tuple[str, ...]] = {
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

_UNTOLD = (
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

FEDERAL_DISTRICT = Territory(
    seat=Municipality("530010", "BRASILIA", "DF"),
    regions={
        "central": "Central",
        "centro_sul": "Centro-Sul",
        "leste": "Leste",
        "norte": "Norte",
        "oeste": "Oeste",
        "sudoeste": "Sudoeste",
        "sul": "Sul",
    },
    outside="Fora do Distrito Federal",
    areas=tuple(
        Area(name, region, people, (*_NEIGHBOURHOODS.get(name, ()), *_OFFICIAL.get(name, ())))
        for name, region, people in _AREAS
    ),
    untold=_UNTOLD,
    lent_untold="JARDIM FICTICIO (VALPARAISO)",
    neighbours=(
        Municipality("520025", "ÁGUAS LINDAS DE GOIÁS", "GO", 225_693),
        Municipality("520030", "ALEXANIA", "GO", 27_008),
        Municipality("520549", "CIDADE OCIDENTAL", "GO", 91_767),
        Municipality("520551", "COCALZINHO DE GOIAS", "GO", 25_322),
        Municipality("520620", "CRISTALINA", "GO", 62_337),
        Municipality("520800", "FORMOSA", "GO", 115_669),
        Municipality("521250", "LUZIÂNIA", "GO", 209_129),
        Municipality("521523", "NOVO GAMA", "GO", 103_804),
        Municipality("521560", "PADRE BERNARDO", "GO", 34_967),
        Municipality("521760", "PLANALTINA", "GO", 105_031),
        Municipality("521975", "SANTO ANTÔNIO DO DESCOBERTO", "GO", 72_127),
        Municipality("522185", "VALPARAISO DE GOIAS", "GO", 198_861),
    ),
    neighbourhoods=("CENTRO", "SETOR CENTRAL", "PARQUE DAS AGUAS", "JARDIM PLANALTO", ""),
    feasts=(
        Feast("distrital", 4, 21, "ANIVERSÁRIO DE BRASÍLIA"),
        Feast("distrital", 11, 30, "DIA DO EVANGÉLICO", "Dia do Evangélico"),
    ),
    decreed="distrital",
    central="530010",
    other_central="520025",
)
