"""PROADI-SUS: every rule and deadline by hand, what a norm's dates change, and the city."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from lxml import html

from conftest import PROJECT, House, environment, house_environment
from mapa import warehouse
from mapa.dbt import run_dbt
from mapa.load import exports
from mapa.publish import publish, store
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city import verify
from mapa_city.doors.programme import FAULTS
from mapa_city.truth.programme import answers_of

CASES = yaml.safe_load((PROJECT / "tests" / "fixtures" / "proadi" / "casos.yml").read_text())
FIXTURES = PROJECT / "tests" / "fixtures" / "load"
SEEDS = ("proadi_regras", "proadi_prazos")
MARTS = (
    "proadi_termos_saldo", "proadi_projetos_execucao", "proadi_prazos_por_objeto",
    "proadi_prazos_por_responsavel",
)  # fmt: skip
HISTORIC = "{proadi_regras_historicas: true, data_referencia: '2026-06-30'}"
TODAY = "{data_referencia: '2026-06-30'}"
MEETINGS = {
    "gestor": ("10/02/2025", "22/04/2025", "10/11/2025", "10/02/2026"),
    "tecnico": ("03/02/2025", "14/04/2025", "03/11/2025", "03/02/2026"),
}
Row = dict[str, Any]


# --- the cases as files ----------------------------------------------------------------------


class Register:
    """The rows of the operator's tables, one term and project for each case."""

    def __init__(self) -> None:
        """Begin with what all cases share."""
        self.rows: dict[str, list[Row]] = {
            name: [] for name in
            ("entidades", "termos", "isencao", "projetos", "orcamento", "metas", "eventos", "bens")
        }  # fmt: skip
        self.entity("9" * 14)
        self.add("metas", nup=self.project("000", 999_000), indicador="I1", semestre="2015-1")
        self.add("bens", nup="999000", item="1", valor_total="10,00")
        for committee, days in MEETINGS.items():
            for day in days:
                self.event(("comite", committee), f"reuniao realizacao {day}")

    def add(self, table: str, **cells: Any) -> None:
        """Add a row; what is not given is empty."""
        self.rows[table].append(cells)

    def entity(self, cnpj: str, **facts: str) -> None:
        """Add an entity."""
        self.add(
            "entidades", cnpj=cnpj, nome="ENTIDADE", reconhecimento_em=facts.get("reconhecido"),
            renovacao_protocolada_em=facts.get("renovado"),
        )  # fmt: skip

    def term(self, number: str, facts: Mapping[str, Any]) -> None:
        """Add a term: its triennium, and the days of what was asked, signed and printed."""
        first = facts.get("trienio", 2015)
        row: Row = {
            "termo_numero": number, "versao": 0, "instrumento": "original", "cnpj": "9" * 14,
            "trienio_inicio": f"01/01/{first}", "trienio_fim": f"31/12/{first + 2}",
            "vigencia_inicio": "01/01/2010", "solicitado_em": facts.get("pedido"),
            "assinado_em": facts.get("assinado"), "dou_extrato_em": facts.get("extrato"),
            "valor_isencao_estimado": _money(facts.get("estimada")),
        }  # fmt: skip
        self.rows["termos"].append(row)
        if asked := facts.get("prorrogado"):
            amendment = facts.get("aditivo", {})
            next_first = amendment.get("trienio", first)
            self.rows["termos"].append(row | {
                "versao": 1, "instrumento": "aditivo", "prorrogado": "S", "solicitado_em": asked,
                "trienio_inicio": f"01/01/{next_first}", "trienio_fim": f"31/12/{next_first + 2}",
                "assinado_em": amendment.get("assinado"),
                "dou_extrato_em": amendment.get("extrato"),
            })  # fmt: skip

    def project(self, term: str, nup: int, facts: Mapping[str, Any] = {}) -> str:
        """Add a project, with its term when that is new, and return its number."""
        if not any(row["termo_numero"] == term for row in self.rows["termos"]):
            self.term(term, {})
        self.add(
            "projetos", nup=str(nup), versao=0, termo_numero=term,
            natureza=facts.get("natureza", "apoio"), vigencia_inicio="01/01/2015",
            vigencia_fim=facts.get("fim", "31/12/2017"), demandado=facts.get("demandado", "N"),
            tem_ti=facts.get("ti", "N"), tem_equipamentos=facts.get("equipamentos", "N"),
        )  # fmt: skip
        return str(nup)

    def event(self, of: tuple[str, str], fact: str) -> None:
        """Add an event, written as `document [occurrence] event day [result]`."""
        words = fact.split()
        day = next(at for at, word in enumerate(words) if word.count("/") == 2)
        self.add(
            "eventos", objeto_tipo=of[0], objeto_numero=of[1], documento=words[0],
            ocorrencia=words[1] if day == 3 else "", tipo=words[day - 1],
            ocorrido_em=words[day], resultado=words[day + 1] if len(words) > day + 1 else "",
        )  # fmt: skip

    def mistaken(self) -> Register:
        """Return the same records as an earlier load may have told them: all that counts wrong."""
        wrong = {
            "termos": {"solicitado_em": "01/01/2010", "valor_isencao_estimado": "1,00"},
            "isencao": {"valor_usufruido": "1,00"},
            "projetos": {"vigencia_fim": "30/06/2015", "natureza": "apoio", "tem_ti": "S"},
            "orcamento": {"previsto": "1,00", "executado_auditoria": "1,00"},
        }
        before = Register()
        for name, rows in self.rows.items():
            before.rows[name] = [row | wrong.get(name, {}) for row in rows]
        return before

    def write(self, folder: Path) -> list[Path]:
        """Write the files."""
        folder.mkdir()
        paths = []
        for name, rows in self.rows.items():
            header = (FIXTURES / f"proadi_{name}.csv").read_text().splitlines()[0].split(";")
            path = folder / f"proadi_{name}.csv"
            with path.open("w", newline="") as out:
                writer = csv.DictWriter(out, header, delimiter=";", restval="")
                writer.writeheader()
                writer.writerows({k: "" if v is None else v for k, v in r.items()} for r in rows)
            paths.append(path)
        return paths


def _money(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace(".", ",")


def register() -> Register:
    """Return all cases as one register."""
    found = Register()
    for number, case in enumerate(CASES["prazos"], start=1):
        if facts := case.get("entidade"):
            found.entity(f"{number:014d}", **facts)
        elif "comite" not in case:
            found.term(f"{number:03d}", case.get("termo", {}))
            found.project(f"{number:03d}", number, case.get("projeto", {}))
            for fact in case.get("fatos", ()):
                found.event(_object(case, number, fact), fact)
    for number, case in enumerate(CASES["dinheiro"], start=1):
        term = f"M{number}"
        years = [y for p in case["projetos"] for y in p["anos"]] + [*case["usufruida"]]
        first = case.get("trienio", 2021 if min(years) > 2020 else 2015)
        found.term(term, {"trienio": first, "estimada": case["estimada"]})
        for year, used in case["usufruida"].items():
            found.add("isencao", termo_numero=term, exercicio=year, valor_usufruido=_money(used))
        for place, project in enumerate(case["projetos"]):
            nup = number * 1000 + place
            found.project(term, nup, {"fim": f"31/12/{first + 2}"} | project)
            for year, (planned, amended, *spent) in project["anos"].items():
                accounts = project.get("contas", {"1": planned})
                for account, part in accounts.items():
                    shares = [None if s is None else s * part / planned if planned else s
                              for s in spent]  # fmt: skip
                    found.add(
                        "orcamento", nup=nup, exercicio=year, conta=account,
                        previsto=_money(part), aditado=_money(amended),
                        executado_entidade=_money(shares[0]),
                        executado_auditoria=_money(shares[1]),
                        executado_aprovado=_money(shares[2]),
                    )  # fmt: skip
            for fact in project.get("fatos", ()):
                found.event(("projeto", str(nup)), fact)
    return found


def _object(case: Mapping[str, Any], number: int, fact: str) -> tuple[str, str]:
    """Return of what an event of a case is."""
    of_term = case.get("de") == "termo" or fact.split(maxsplit=1)[0] in (
        "portaria_temas",
        "prorrogacao",
    )
    return ("termo", f"{number:03d}") if of_term else ("projeto", str(number))


@dataclass(frozen=True)
class Small:
    """A house with nothing but the register."""

    env: dict[str, str]
    settings: Settings

    def dbt(self, *arguments: str) -> None:
        """Run dbt."""
        with environment(self.env):
            run_dbt(self.settings, *arguments, title="dbt")

    def query(self, sql: str) -> list[Row]:
        """Ask the warehouse."""
        with warehouse.connect(self.settings.warehouse, read_only=True) as con:
            found = con.execute(sql)
            names = [column[0] for column in found.description or []]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def marts(self) -> dict[str, list[Row]]:
        """Return every row of every mart of the register."""
        return {mart: self.query(f"from proadi.{mart} order by all") for mart in MARTS}


def build_small(directory: Path) -> Small:
    """Load and build the cases, with what is out of force."""
    env = house_environment(directory)
    with environment(env):
        settings = Settings.load()
        first = register().mistaken().write(directory / "mistaken")
        exports.load(settings, first, seen_on=date(2026, 6, 1))
        exports.load(settings, register().write(directory / "files"), seen_on=date(2026, 7, 1))
    house = Small(env, settings)
    chosen = [f"+{mart}" for mart in MARTS]
    house.dbt("build", "--select", *chosen, "--exclude", "resource_type:test",
              "resource_type:unit_test", "--vars", HISTORIC)  # fmt: skip
    return house


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Return the house of the cases."""
    return build_small(tmp_path_factory.mktemp("proadi"))


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    day, month, year = map(int, text.split("/"))
    return date(year, month, day)


def _id(case: Mapping[str, Any]) -> str:
    return f"{case['prazo']}-{case['etapa']}"


@pytest.mark.parametrize(
    ("number", "case"), [*enumerate(CASES["prazos"], start=1)],
    ids=[f"{n}-{_id(case)}" for n, case in enumerate(CASES["prazos"], start=1)],
)  # fmt: skip
def test_a_deadline_is_what_one_counts_by_hand(
    small: Small, number: int, case: Mapping[str, Any]
) -> None:
    kind = next((k for k in ("entidade", "comite") if k in case), case.get("de", "projeto"))
    if kind == "projeto" and case["prazo"] in ("D1", "D2", "D3", "D4", "D5"):
        kind = "termo"
    name = {
        "projeto": str(number), "termo": f"{number:03d}", "entidade": f"{number:014d}",
        "comite": case.get("comite"),
    }[kind]  # fmt: skip
    (row,) = [
        row
        for row in small.query("from proadi.proadi_prazos_por_objeto")
        if (row["objeto_tipo"], row["objeto_numero"]) == (kind, name)
        and (row["prazo_codigo"], row["prazo_etapa"]) == (case["prazo"], case["etapa"])
        and row["ocorrencia"] == str(case.get("ocorrencia", "unica"))
        and row["evento_ordem"] == 1
    ]
    assert (row["data_limite"], row["data_limite_outra"]) == (
        _day(case.get("limite")), _day(case.get("outra"))
    )  # fmt: skip
    assert (row["prazo_situacao_codigo"], row["dias_atraso"]) == (
        case["situacao"], case.get("atraso")
    )  # fmt: skip
    assert row["dias_prazo"] == case.get("dias")
    assert row["dias_suspensos"] == case.get("suspensos")
    assert row["foi_prorrogado"] is case.get("prorrogado", False)
    assert case.get("norma", row["norma"]) == row["norma"]
    assert row["base_legal_em_vigor"] == (row["norma"] != "PRT 2.814/2014")


def _expected() -> Iterable[tuple[str, str, str, str, list[Any] | None]]:
    """Yield what each rule must say: mart, object, rule, period, values."""
    for number, case in enumerate(CASES["dinheiro"], start=1):
        for place, values in case.get("termo", {}).items():
            yield ("proadi_termos_saldo", f"M{number}", *place.split(), values)
        for at, project in enumerate(case["projetos"]):
            for place, values in project.get("espera", {}).items():
                yield ("proadi_projetos_execucao", str(number * 1000 + at), *place.split(), values)


@pytest.mark.parametrize("expected", [*_expected()], ids=lambda one: "-".join(map(str, one[1:4])))
def test_a_rule_of_money_is_what_one_counts_by_hand(
    small: Small, expected: tuple[str, str, str, str, list[Any] | None]
) -> None:
    mart, name, rule, period, values = expected
    key = "termo_numero" if mart == "proadi_termos_saldo" else "projeto_nup"
    rows = small.query(
        f"from proadi.{mart} where {key} = '{name}' and proadi_regra_codigo = '{rule}' "
        f"and periodo = '{period}'"
    )
    if values is None:
        assert rows == []
        return
    (row,) = rows
    measured, limit, situation, *norm = values
    assert row["regra_situacao_codigo"] == situation
    assert row["valor_medido"] == (None if measured is None else pytest.approx(measured))
    assert row["valor_limite"] == (None if limit is None else pytest.approx(limit))
    assert [row["norma"]][: len(norm)] == norm
    if None not in (measured, limit):
        assert abs(row["valor_distancia"]) == pytest.approx(abs(limit - measured))
        assert (row["valor_distancia"] < 0) == (situation == "fora")


def _norms(pairs: Iterable[tuple[Any, str | None]]) -> dict[Any, set[str | None]]:
    """Return the norms of each rule or step."""
    found: dict[Any, set[str | None]] = {}
    for key, norm in pairs:
        found.setdefault(key, set()).add(norm)
    return found


def test_every_rule_and_deadline_of_the_seeds_has_a_case_by_each_norm() -> None:
    seeds = {
        name: [*csv.DictReader((PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8"))]
        for name in SEEDS
    }
    steps = _norms(
        ((row["prazo_codigo"], row["prazo_etapa"]), row["norma"]) for row in seeds["proadi_prazos"]
    )
    told = _norms(((case["prazo"], case["etapa"]), case.get("norma")) for case in CASES["prazos"])
    assert steps.keys() == told.keys()
    assert {code for code, _ in steps} == {f"D{n}" for n in range(1, 32)}
    rules = _norms((row["regra_codigo"], row["norma"]) for row in seeds["proadi_regras"])
    measured = _norms(
        (rule, norm) for _, _, rule, _, values in _expected() for norm in (values or ())[3:]
    )
    assert {rule for _, _, rule, _, _ in _expected()} == rules.keys() - {"D28"}
    assert rules.keys() == {f"M{n}" for n in range(1, 15)} | {"D28"}
    for seen, norms in ((told, steps), (measured, rules)):
        assert {k: n for k, n in norms.items() if len(n) > 1 and not n <= seen[k]} == {}
    suspended = {
        (row["prazo_codigo"], row["prazo_etapa"])
        for row in seeds["proadi_prazos"] if row["suspende_em_diligencia"] == "true"
    }  # fmt: skip
    assert suspended == {
        (case["prazo"], case["etapa"]) for case in CASES["prazos"] if case.get("suspensos")
    }
    for row in [*seeds["proadi_regras"], *seeds["proadi_prazos"]]:
        assert all(row[name] for name in ("norma", "dispositivo", "vigente_de")), row
        assert (row["norma"] == "PRT 2.814/2014") == (row["vigente_ate"] == "2017-12-07"), row


# --- in force or not -------------------------------------------------------------------------

DATES: Mapping[str, tuple[str, Callable[[Row], bool]]] = {
    "a rule ends": (
        "update referencia.proadi_regras set vigente_ate = '2023-12-30' "
        "where regra_codigo = 'M6' and norma = 'LC 187/2021'",
        lambda row: row.get("proadi_regra_codigo") == "M6" and row["norma"] == "LC 187/2021",
    ),
    "a rule begins later": (
        "update referencia.proadi_regras set vigente_de = '2022-12-31' "
        "where regra_codigo = 'M6' and norma = 'LC 187/2021'",
        lambda row: (
            row.get("proadi_regra_codigo") == "M6"
            and row["norma"] == "LC 187/2021"
            and row["periodo"] == "2021"
        ),
    ),
    "a deadline ends": (
        "update referencia.proadi_prazos set vigente_ate = '2026-06-29' where prazo_codigo = 'D6'",
        lambda row: row.get("prazo_codigo") == "D6",
    ),
    "a deadline holds to the reference day": (
        "update referencia.proadi_prazos set vigente_ate = '2026-06-30' where prazo_codigo = 'D6'",
        lambda _: False,
    ),
    "a revoked rule comes back": (
        "update referencia.proadi_regras set vigente_ate = null where regra_codigo = 'M11'",
        lambda row: row.get("proadi_regra_codigo") == "M11",
    ),
}
"""A change of one date of one norm, and which rows of before it must change."""


@pytest.fixture(scope="module")
def today(small: Small) -> dict[str, list[Row]]:
    """Build the cases with what is in force only."""
    build_marts(small, TODAY)
    return small.marts()


def build_marts(small: Small, variables: str) -> None:
    """Build what hangs on the norms, the seeds as they stand."""
    small.dbt("run", "--select", "int_proadi__rejeicoes+", "int_proadi__ocorrencias+", "--exclude",
              "path:models/publicacao", "proadi_oferta", "--vars", variables)  # fmt: skip


def test_what_is_out_of_force_is_told_and_not_computed(today: dict[str, list[Row]]) -> None:
    seen = Counter[tuple[str, bool]]()
    for mart in MARTS[:3]:
        for row in today[mart]:
            situation = row.get("regra_situacao_codigo") or row["prazo_situacao_codigo"]
            seen[mart, row["base_legal_em_vigor"]] += 1
            assert (situation == "fora_de_vigor") is not row["base_legal_em_vigor"]
            if not row["base_legal_em_vigor"]:
                assert row.get("valor_medido") is row.get("valor_limite") is None
                assert row.get("data_limite") is row.get("dias_atraso") is None
                assert row["norma"] == "PRT 2.814/2014"
    assert all(seen[mart, False] for mart in MARTS[:3])
    assert seen[MARTS[0], True]
    assert seen[MARTS[2], True]
    assert {row["norma"] for row in today[MARTS[3]]} == {"PRT 3.362/2017"}


@pytest.mark.parametrize("change", DATES)
def test_one_date_of_a_norm_changes_the_rows_it_should_and_no_other(
    small: Small, today: dict[str, list[Row]], change: str
) -> None:
    statement, is_hit = DATES[change]
    with warehouse.connect(small.settings.warehouse) as con:
        con.execute(statement)
    try:
        build_marts(small, TODAY)
        after = small.marts()
    finally:
        small.dbt("seed", "--select", *SEEDS)
    for mart in MARTS[:3]:
        hit = [row for row in today[mart] if is_hit(row)]
        gone = [row for row in today[mart] if row not in after[mart]]
        assert gone == hit, mart
        assert len(after[mart]) == len(today[mart])
    assert bool([r for m in MARTS[:3] for r in today[m] if is_hit(r)]) is (
        change != "a deadline holds to the reference day"
    )


# --- the city --------------------------------------------------------------------------------


def test_the_city_with_what_is_out_of_force_equals_its_truth(
    city_house: House, copied: Settings
) -> None:
    with environment(city_house.env | {"MAPA_DIR": str(copied.mapa_dir)}):
        run_dbt(
            copied, "run", "--select", "int_proadi__rejeicoes+", "int_proadi__ocorrencias+",
            "--exclude", "path:models/publicacao", "proadi_oferta", "--vars",
            "{proadi_regras_historicas: true}", title="dbt",
        )  # fmt: skip
    size = city_house.truth["parametros"]
    city = simulated.build(
        size["pessoas"], size["dias"], size["semente"], date.fromisoformat(size["ate"])
    )
    real = city_house.truth["oferta_real_por_mes"]
    truth = json.loads(json.dumps(answers_of(city, real, historic=True)))
    with warehouse.connect(copied.warehouse, read_only=True) as con:
        found = [verify.compare_mart(con, mart, truth[mart]) for mart in MARTS]
    assert [str(one) for one in found if not one.equal] == []
    silent = {name for one in found for name in one.silent}
    assert silent <= {"base_legal_em_vigor"}


def test_every_fault_of_the_city_is_refused_with_its_reason(city_house: House) -> None:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        found = con.execute(
            "select r.motivo, count(distinct (r.carga_id, r.linha)) from controle.rejeitos as r "
            "join controle.cargas as c using (carga_id) where c.fonte = 'proadi' "
            "and c.ordem in (select max(ordem) from controle.cargas where fonte = 'proadi' "
            "group by entidade) group by r.motivo"
        ).fetchall()
        (plain,) = con.execute(
            "select count(*) from controle.rejeitos where motivo is null"
        ).fetchall()
    assert dict(found) == FAULTS
    assert plain == (0,)


def test_the_page_says_first_what_is_revoked(city_house: House) -> None:
    page = html.parse(city_house.settings.published / store.SITE / "proadi.html")
    (main,) = page.xpath("//main")
    first = main.xpath(".//p")[0].text_content()
    assert first.startswith("Revogado: o texto da PRT 2.814/2014. Vêm dele 1")
    assert "não estão em vigor" in first
    with duckdb.connect(str(city_house.settings.published / store.DATABASE), read_only=True) as con:
        late = con.execute(
            "select count(*) from pub_proadi_prazos_por_objeto "
            "where prazo_situacao_codigo = 'em_atraso'"
        ).fetchall()[0][0]
        out = con.execute(
            "select count(*) from pub_proadi_termos_saldo where regra_situacao_codigo = 'fora'"
        ).fetchall()[0][0]
        unsaid = [
            con.execute(
                f"select count(*) from pub_{mart} where base_legal_em_vigor is null"
            ).fetchall()
            for mart in MARTS
        ]
    (finding,) = page.xpath('//p[@id="achado"]/text()')
    assert finding == (
        f"O registro tem 6 termos: {out} situações fora de um limite calculado e {late} prazos em "
        "atraso."
    )
    assert unsaid == [[(0,)]] * 4
    sides = [one.text_content() for one in page.xpath('//h2[starts-with(@id, "lado-")]')]
    assert sides == ["Prazos: Entidade", "Prazos: Ministério"]


def test_a_house_without_a_register_publishes_and_has_no_page(
    city_house: House, copied: Settings
) -> None:
    with warehouse.connect(copied.warehouse) as con:
        for mart in MARTS:
            con.execute(f"delete from publicacao.pub_{mart}")
    publish(copied.model_copy(update={"mapa_site": True}))
    site = copied.published / store.SITE
    assert (city_house.settings.published / store.SITE / "proadi.html").exists()
    assert not (site / "proadi.html").exists()
    assert "proadi.html" not in (site / "index.html").read_text(encoding="utf-8")
    with duckdb.connect(str(copied.published / store.DATABASE), read_only=True) as con:
        rows = [con.execute(f"select count(*) from pub_{mart}").fetchall() for mart in MARTS]
    assert rows == [[(0,)]] * 4
