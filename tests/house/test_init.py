"""`mapa init`: any municipality is found however it is written, and its house builds at once."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from conftest import PROJECT, environment, house_environment
from mapa.cli import cli
from mapa.dbt import run_dbt
from mapa.settings import Settings
from mapa.territory.municipalities import NotOneError, Table, loose, plain
from mapa.territory.seeds import RECORD
from offer_house import OfferHouse

TABLE = Table()
PROGRAMME = PROJECT / "tests" / "fixtures" / "municipios" / "programa_2006.csv"
OTHER_NAMES = PROJECT / "scripts" / "mapa" / "territory" / "municipios_outros_nomes.csv"
SEEDS = [
    "acordo_plano_trabalho.csv",
    *(
        f"territorio_{name}.csv"
        for name in ("areas", "bairros", "mosaico", "municipios", "regioes")
    ),
]
PER_STATE = {
    "RO": 52, "AC": 22, "AM": 62, "RR": 15, "PA": 144, "AP": 16, "TO": 139, "MA": 217, "PI": 224,
    "CE": 184, "RN": 167, "PB": 223, "PE": 185, "AL": 102, "SE": 75, "BA": 417, "MG": 853, "ES": 78,
    "RJ": 92, "SP": 645, "PR": 399, "SC": 295, "RS": 497, "MS": 79, "MT": 142, "GO": 246, "DF": 1,
}  # fmt: skip
WITHOUT_CHECK = {
    "2201919", "2201988", "2202251", "2611533", "3117836", "3152131", "4305871", "5203939",
    "5203962",
}  # fmt: skip
"""Codes whose last digit IBGE itself gave otherwise than by its rule."""
KNOWN = {
    "5300108": "Brasília/DF", "3550308": "São Paulo/SP", "3304557": "Rio de Janeiro/RJ",
    "5208707": "Goiânia/GO", "2605459": "Fernando de Noronha/PE", "4314902": "Porto Alegre/RS",
    "5101837": "Boa Esperança do Norte/MT", "5220009": "São João d'Aliança/GO",
    "2400208": "Assú/RN", "1504752": "Mojuí dos Campos/PA",
}  # fmt: skip
WRITTEN = {
    # accents, capitals, blanks
    "sao joao d alianca": "5220009",
    "  GOIÂNIA ": "5208707",
    "Goia\u0302nia": "5208707",
    "Ji Parana": "1100122",
    "PARIQUERAACU": "3536208",
    # the state beside the name
    "Planaltina/GO": "5217609",
    "Planaltina - pr": None,
    "Bom Jesus (RS)": "4302303",
    "Bom Jesus, pb": "2502201",
    "Bom Jesus-SC": "4202537",
    # abbreviations
    "S. José dos Campos": "3549904",
    "S. J. do Rio Preto": "3549805",
    "STO ANTONIO DO DESCOBERTO": "5219753",
    "Sta. Bárbara D'Oeste": "3545803",
    "Gov. Valadares": "3127701",
    "Cel. Fabriciano": "3119401",
    "PRES. PRUDENTE": "3541406",
    "N. Sra. do Socorro": "2804805",
    # apostrophes and what becomes of them
    "São João do Pau dAlho": "3549300",
    "São João do Pau d’Alho": "3549300",
    "Santa Barbara do Oeste/SP": "3545803",
    "SANTA BARBARA DOESTE": "3545803",
    "Sant'Ana do Livramento": "4317103",
    "Santana do Livramento": "4317103",
    # old spellings, and letters that are mixed up
    "Moji das Cruzes": "3530607",
    "Mogy-Guassú": "3530706",
    "Paraty": "3303807",
    "Parati": "3303807",
    "São Luís do Paraitinga": "3550001",
    "São Thomé das Letras": "3165206",
    "Brasópolis": "3108909",
    "Santa Isabel do Pará": "1506500",
    "Eldorado dos Carajás": "1502954",
    "Gracho Cardoso": "2802601",
    # names of before and in use
    "Embu": "3515004",
    "Açu": "2400208",
    "Santarém/PB": "2513653",
    "Santarém": "1506807",
    "Augusto Severo": "2401305",
    "Presidente Juscelino/RN": "2410306",
    "Búzios": "3300233",
    "Distrito Federal": "5300108",
    # codes
    "520870": "5208707",
    "5208707": "5208707",
    "520870-7": "5208707",
    "5208708": None,
    "52": None,
}
"""What somebody types, and the municipality meant; None: none of the table."""


# --- the table ------------------------------------------------------------------------------------


def test_the_table_has_every_municipality_of_every_state_once() -> None:
    assert Counter(one.state for one in TABLE.all) == PER_STATE
    assert len({one.code6 for one in TABLE.all}) == 5571
    assert {code: str(TABLE.find(code)) for code in KNOWN} == {
        code: f"{name}, {code}" for code, name in KNOWN.items()
    }


def test_the_last_digit_of_a_code_follows_from_the_others() -> None:
    def fits(code: str) -> bool:
        products = [int(digit) * (1 + i % 2) for i, digit in enumerate(code[:6])]
        return (sum(p // 10 + p % 10 for p in products) + int(code[6])) % 10 == 0

    assert {one.code for one in TABLE.all if not fits(one.code)} == WITHOUT_CHECK


def test_no_loose_way_of_writing_joins_two_municipalities_of_a_state() -> None:
    with OTHER_NAMES.open(encoding="utf-8", newline="") as file:
        others = [(TABLE.find(row["codigo"]), row["nome"]) for row in csv.DictReader(file)]
    assert len(others) > 20
    assert [name for one, name in others if TABLE.find(name, one.state) != one] == []
    meant: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one, name in [(one, one.name) for one in TABLE.all] + others:
        for key in loose(name):
            meant[one.state, key].add(str(one))
    assert [names for names in meant.values() if len(names) > 1] == []


# --- the finder -----------------------------------------------------------------------------------


def test_each_municipality_is_found_by_its_name_and_state_and_by_its_codes() -> None:
    for one in TABLE.all:
        assert TABLE.find(f"{plain(one.name)}/{one.state.lower()}") == one
        assert TABLE.find(one.name, one.code[:2]) == one
        assert TABLE.find(one.code) == TABLE.find(one.code6, one.state) == one


def test_the_municipalities_of_the_programme_of_2006_are_all_found() -> None:
    with PROGRAMME.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 234
    asked = [(row["uf"], row["municipio_nome"]) for row in rows]
    found = {(state, name): TABLE.find(name, state) for state, name in asked}
    assert len(set(found.values())) == 234
    otherwise = {
        name: one.code
        for (state, name), one in found.items()
        if (plain(name), state) != (plain(one.name), one.state)
    }
    assert otherwise == {
        "Moji das Cruzes": "3530607",
        "Mojiguaçú": "3530706",
        "Embu": "3515004",
        "Pariqueraaçu": "3536208",
        "Jiparaná": "1100122",
    }


@pytest.mark.parametrize(("asked", "code"), WRITTEN.items())
def test_a_name_is_found_however_it_is_written(asked: str, code: str | None) -> None:
    if code is None:
        with pytest.raises(NotOneError):
            TABLE.find(asked)
    else:
        assert TABLE.find(asked).code == code


@pytest.mark.parametrize(
    ("asked", "state", "said"),
    [
        ("Bom Jesus", None, ["one of 5", "Bom Jesus/PI, 2201903", "Bom Jesus/RS, 4", "--state"]),
        ("S. Luís", None, ["São Luís/MA, 2111300", "São Luiz do Anauá/RR, 1400605"]),
        ("Gioânia", None, ["no municipality", "Goiânia/GO, 5208707"]),
        ("Ribeirão Preto", "MG", ["of MG", "Ribeirão Preto/SP, 3543402"]),
        ("Xyzzyx Qwrtp", None, ["no municipality", "Type its code"]),
        ("Goiânia", "XX", ["'XX' is no state", "GO"]),
        ("Goiânia/SP", "GO", ["names a state"]),
        ("5208707", "SP", ["Goiânia/GO", "SP"]),
        ("9999999", None, ["9999999", "6 or 7 digits"]),
        ("   ", None, ["empty"]),
        ("/", None, ["empty"]),
    ],
)  # fmt: skip
def test_what_is_not_one_municipality_says_what_to_type(
    asked: str, state: str | None, said: list[str]
) -> None:
    with pytest.raises(NotOneError) as caught:
        TABLE.find(asked, state)
    assert not [text for text in said if text not in str(caught.value)]


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of what `mapa init` changes."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT / "seeds", folder / "seeds")
    shutil.copyfile(PROJECT / "dbt_project.yml", folder / "dbt_project.yml")
    return folder


def init(project: Path, *arguments: str) -> Result:
    """Run the command in a project."""
    with environment({"DBT_PROJECT_DIR": str(project)}):
        return CliRunner().invoke(cli, ["init", *arguments])


def content(project: Path) -> dict[str, str]:
    """Return what stands in the files."""
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(project.rglob("*"))
        if path.is_file()
    }


def test_the_record_is_that_of_the_seeds_that_are_shipped() -> None:
    """When this fails: (cd seeds && sha256sum {acordo,territorio}_*.csv > territorio.sha256)."""
    assert (PROJECT / "seeds" / RECORD).read_text() == "".join(
        f"{hashlib.sha256((PROJECT / 'seeds' / name).read_bytes()).hexdigest()}  {name}\n"
        for name in SEEDS
    )


def test_only_seeds_of_the_territory_and_lines_of_its_variables_change(project: Path) -> None:
    before = content(project)
    done = init(project, "Goiania", "--owner", "SES d'Oeste: 1ª #2")
    assert done.exit_code == 0, done.output
    after = content(project)
    changed = {name for name, text in after.items() if before.get(name) != text}
    assert changed == {
        "dbt_project.yml", f"seeds/{RECORD}", *(f"seeds/{name}" for name in SEEDS)
    }  # fmt: skip
    assert before.keys() == after.keys()
    lines = [text["dbt_project.yml"].splitlines() for text in (before, after)]
    differ = [new.strip() for old, new in zip(*lines, strict=True) if old != new]
    assert differ == [
        """responsavel: &responsavel "SES d'Oeste: 1ª #2\"""",
        "acordo: null",
        'municipio_ibge6: "520870"',
        'uf_sigla: "GO"',
        "uf_inteira: false",
        'central_codigo: "520870"',
        'sisreg_sufixo: "go-goiania"',
        "territorio_qtd_areas: null",
        "territorio_qtd_regioes: null",
        "territorio_populacao: null",
    ]
    assert yaml.safe_load(after["dbt_project.yml"])["seeds"]["mapa"]["+meta"] == {
        "responsavel": "SES d'Oeste: 1ª #2"
    }
    for name in SEEDS:
        assert after[f"seeds/{name}"].splitlines()[0] == before[f"seeds/{name}"].splitlines()[0]
    assert "seeds/regras_feriados.csv" in done.output
    assert "central_codigo and sisreg_sufixo are guesses" in done.output


def test_what_somebody_filled_in_is_not_lost(project: Path) -> None:
    assert init(project, "Goiânia").exit_code == 0
    written = content(project)
    again = init(project, "goiania/go")
    assert (again.exit_code, content(project)) == (7, written)
    assert "already" in again.output
    # Nobody has touched them since: another municipality may take their place.
    assert init(project, "Anápolis").exit_code == 0
    areas = project / "seeds" / "territorio_areas.csv"
    areas.write_text(areas.read_text() + "2,Área da Gestão,,anapolis,,,nao_encontrada,lei\n")
    filled = content(project)
    refused = init(project, "Goiânia")
    assert (refused.exit_code, content(project)) == (7, filled)
    assert "seeds/territorio_areas.csv since" in refused.output
    assert "--force" in refused.output
    assert init(project, "Goiânia", "--force").exit_code == 0
    assert content(project) == written


def test_without_the_record_every_seed_counts_as_changed(project: Path) -> None:
    (project / "seeds" / RECORD).unlink()
    refused = init(project, "Goiânia")
    assert refused.exit_code == 7
    assert [name for name in SEEDS if name not in refused.output] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument"),
        ([""], "empty"),
        (["Bom Jesus"], "one of 5"),
        (["Goiânia", "--state", "ZZ"], "no state"),
        (["Goiânia", "--uf", "GO"], "No such option"),
    ],
)
def test_a_wrong_name_or_option_writes_nothing(
    project: Path, arguments: list[str], said: str
) -> None:
    before = content(project)
    done = init(project, *arguments)
    assert (done.exit_code, content(project)) == (2, before)
    assert said in done.output


def test_a_project_that_is_not_as_it_should_be_is_named_and_kept(project: Path) -> None:
    settings = project / "dbt_project.yml"
    whole = settings.read_text()
    absent = init(project / "seeds", "Goiânia")
    assert (absent.exit_code, "no dbt project in seeds/" in absent.output) == (7, True)
    settings.write_text(whole.replace("    uf_sigla:", "    sigla:"))
    renamed = init(project, "Goiânia")
    assert (renamed.exit_code, "0 lines with the variable uf_sigla" in renamed.output) == (7, True)
    settings.write_text(f"{whole}\n  - [")
    broken = init(project, "Goiânia")
    assert (broken.exit_code, "no YAML at line" in broken.output) == (7, True)
    settings.write_text(whole)
    areas = project / "seeds" / "territorio_areas.csv"
    areas.write_text(areas.read_text().replace("area_nome", "nome"))
    before = content(project)
    lacking = init(project, "Goiânia", "--force")
    assert (lacking.exit_code, content(project)) == (7, before)
    assert "territorio_areas.csv lacks the column area_nome" in lacking.output


def test_a_folder_that_cannot_be_written_keeps_what_stands_in_it(project: Path) -> None:
    # In the way of a file, which not even root may write.
    (project / "dbt_project.yml.novo").mkdir()
    before = content(project)
    done = init(project, "Goiânia")
    assert (done.exit_code, content(project)) == (10, before)
    assert "cannot be written" in done.output
    assert "Traceback" not in done.output


def test_the_house_of_another_municipality_builds_from_its_seeds(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("macros", "models", "seeds", "tests"):
        ignored = shutil.ignore_patterns("fast", "house", "slow", "fixtures")
        shutil.copytree(PROJECT / name, project / name, ignore=ignored)
    shutil.copyfile(PROJECT / "dbt_project.yml", project / "dbt_project.yml")
    done = init(project, "S. João d'Aliança", "--owner", "Secretaria de Saúde (GO)")
    assert done.exit_code == 0, done.output
    env = house_environment(tmp_path / "house") | {"DBT_PROJECT_DIR": str(project)}
    with environment(env):
        house = OfferHouse(tmp_path, env, Settings.load())
        holiday = {"data": "01/05/2026", "descricao": "DIA FICTICIO", "abrangencia": "NACIONAL"}
        house.load([{"feriado": [holiday]}])
        # Data tests among them: a seed that does not fit its rules would end this.
        chosen = ("--select", "resource_type:seed", "+dim_territorio", "dim_territorio")
        left = ("--exclude-resource-types", "unit_test", "--indirect-selection", "cautious")
        run_dbt(house.settings, "build", *chosen, *left, title="dbt build")
    assert house.query(
        "select area_nome, regiao_saude_codigo, mosaico_linha, mosaico_coluna "
        "from dimensoes.dim_territorio"
    ) == [
        {
            "area_nome": "São João d'Aliança",
            "regiao_saude_codigo": "sao_joao_d_alianca",
            "mosaico_linha": 1,
            "mosaico_coluna": 1,
        }
    ]
    counted = house.query(
        "select count(*) as qtd, count(distinct uf_sigla) as ufs, min(municipio_nome) filter "
        "(municipio_ibge6 = '522000') as nome from referencia.territorio_municipios"
    )
    assert counted == [{"qtd": 246, "ufs": 1, "nome": "São João d'Aliança"}]
