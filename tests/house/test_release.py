"""A release is of one build that ran to its end, and one subject's defect holds back no other."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

import under_key
from conftest import PROJECT, House, environment
from mapa import dbt
from mapa.cli import cli
from mapa.errors import BuildError, PublishError
from mapa.publish import contract, gate, publish, read_manifest, store
from mapa.settings import Settings
from test_people_disclosure import QUEUE, one_more_month

QUEUE_DEFECT = "select m.competencia from {{ ref('fila_por_mes') }} as m limit 1"


def copy_of(house: House, directory: Path, project: Path = PROJECT) -> dict[str, str]:
    """Return the environment of a copy of a house that a test may spoil."""
    data, target = directory / "data", directory / "target"
    data.mkdir()
    shutil.copyfile(house.settings.warehouse, data / "mapa.duckdb")
    shutil.copytree(house.settings.published, data / "published", symlinks=True)
    shutil.copytree(house.settings.dbt_target_path, target)
    return house.env | {
        "MAPA_DIR": str(data),
        "DBT_PROJECT_DIR": str(project),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(directory / "logs"),
    }


def digest(published: Path) -> dict[str, str]:
    """Return checksums of all that readers of the current version see."""
    folder = (published / "current").resolve()
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    } | {"version": folder.name}


# --- one build that ran to its end -----------------------------------------------------------


def killed_at(env: dict[str, str], sign: str, *selection: str) -> None:
    """Run `dbt build` by hand and kill it when it says a word."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("dbt"), "--no-use-colors", "build", *selection],
        cwd=PROJECT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    for line in process.stdout or ():
        said.append(line)
        if sign in line:
            process.kill()
            break
    process.wait()
    assert sign in "".join(said[-1:]), "".join(said[-20:])


TABLES = sorted(path.stem for path in (PROJECT / "models" / "publicacao").glob("*.sql"))
FEW = TABLES[:: len(TABLES) // 2]


@pytest.mark.parametrize(
    "tables", [FEW, pytest.param(TABLES, marks=pytest.mark.long)], ids=["few", "all"]
)
def test_a_build_killed_at_any_published_table_is_never_published(
    city_house: House, tmp_path: Path, tables: list[str]
) -> None:
    env = copy_of(city_house, tmp_path)
    with environment(env):
        settings = Settings.load()
        before = digest(settings.published)
        for table in tables:
            # As if the models said something new: a half release would be seen.
            with duckdb.connect(str(settings.warehouse)) as con:
                con.execute(
                    "update oferta.oferta_real_por_mes set qtd_vagas_total = qtd_vagas_total + 1"
                )
            killed_at(
                env,
                f"START sql table model {gate.SCHEMA}.{table}",
                *("--select", "path:models/publicacao", "--exclude-resource-type", "unit_test"),
            )
            with pytest.raises(PublishError, match="records are of two runs") as refusal:
                publish(settings)
            assert "pub_" in refusal.value.message
            assert digest(settings.published) == before
    assert CliRunner(env=env).invoke(cli, ["publish"]).exit_code == 9


def test_a_table_that_another_run_made_is_named(city_house: House, tmp_path: Path) -> None:
    with environment(copy_of(city_house, tmp_path)):
        settings = Settings.load()
        for change in (
            "update controle.construcoes set construcao_id = 'outra' where tabela like '%_dia'",
            "delete from controle.construcoes where tabela = 'pub_oferta_por_dia'",
        ):
            with duckdb.connect(str(settings.warehouse)) as con:
                con.execute(change)
            with pytest.raises(PublishError, match=r"pub_oferta_por_dia .* was not made by dbt's"):
                publish(settings)


def test_each_published_table_says_which_build_made_it(city_house: House) -> None:
    results = json.loads((city_house.settings.dbt_target_path / "run_results.json").read_bytes())
    build = results["metadata"]["invocation_id"]
    manifest = read_manifest(city_house.settings.published)
    assert manifest is not None
    assert {subject["construcao_id"] for subject in manifest["subjects"]} == {build}
    with duckdb.connect() as con:
        for table in manifest["tables"]:
            path = city_house.settings.published / store.PARQUET / f"{table['name']}.parquet"
            facts = con.execute(
                f"select decode(key), decode(value) from parquet_kv_metadata('{path}')"
            ).fetchall()
            assert dict(facts)["construcao_id"] == build, table["name"]


LATER = """
insert into controle.cargas by name
select c.* replace ('mais nova' as carga_id, c.ordem + 1 as ordem, cast('2001-01-01' as timestamp)
    as iniciada_em, cast('2001-01-01' as timestamp) as terminada_em)
from controle.cargas as c order by c.ordem desc limit 1
"""
CORRECTED = """
insert into controle.correcoes (carga_id, janela_fim, motivo, corrigida_em)
select c.carga_id, c.janela_fim, 'relógio', c.iniciada_em from controle.cargas as c limit 1
"""


@pytest.mark.parametrize(
    ("change", "said"), [(LATER, "1 loads and 0"), (CORRECTED, "0 loads and 1")]
)
def test_what_came_after_the_build_is_noticed_whatever_the_clock_says(
    city_house: House, tmp_path: Path, change: str, said: str
) -> None:
    with environment(copy_of(city_house, tmp_path)):
        settings = Settings.load()
        with duckdb.connect(str(settings.warehouse)) as con:
            con.execute(change)
        with pytest.raises(PublishError, match=f"{said} corrections of days came after"):
            publish(settings)


# --- by subject ------------------------------------------------------------------------------

GOOD = dict.fromkeys(("acordo", "fila", "oferta", "proadi"), (False, False))
"""Of each subject whether manifest and file say that it is stale, when nothing failed."""


@pytest.fixture(scope="module")
def two_subjects(city_house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Copy the city's house, with a project of its own to which a test may add."""
    directory = tmp_path_factory.mktemp("subjects")
    project = directory / "project"
    for name in ("models", "macros", "seeds", "tests/generic", "tests/singular", "docs"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copyfile(PROJECT / "dbt_project.yml", project / "dbt_project.yml")
    return copy_of(city_house, directory, project)


@pytest.fixture
def spoilt(two_subjects: dict[str, str], tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of a copy of that house."""
    for name in ("data", "target"):
        source = Path(two_subjects["MAPA_DIR" if name == "data" else "DBT_TARGET_PATH"])
        shutil.copytree(source, tmp_path / name, symlinks=True)
    env = {"MAPA_DIR": str(tmp_path / "data"), "DBT_TARGET_PATH": str(tmp_path / "target")}
    with environment(two_subjects | env):
        yield Settings.load()


def failing(settings: Settings, prefix: str) -> None:
    """Let dbt's records say that nodes failed, by the beginning of their names."""
    path = settings.dbt_target_path / "run_results.json"
    record = json.loads(path.read_bytes())
    found = [r for r in record["results"] if r["unique_id"].startswith(prefix)]
    assert found, prefix
    for result in found:
        result["status"] = "fail"
    path.write_text(json.dumps(record))


def states(settings: Settings) -> dict[str, tuple[bool, bool]]:
    """Return of each subject whether manifest and file say that it is stale."""
    manifest = read_manifest(settings.published)
    assert manifest is not None
    with duckdb.connect(str(settings.published / store.DATABASE), read_only=True) as con:
        told = dict(con.execute("select assunto, eh_desatualizado from pub_atualizacao").fetchall())
    return {s["name"]: (s["stale"], told[s["name"]]) for s in manifest["subjects"]}


def more(settings: Settings, table: str, column: str) -> None:
    """Let the last build have made other numbers than those that are published."""
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute(f"update {gate.SCHEMA}.{table} set {column} = {column} + 1")


def total(settings: Settings, table: str, column: str) -> int:
    """Return a sum of the current version."""
    with duckdb.connect(str(settings.published / store.DATABASE), read_only=True) as con:
        return int(con.execute(f"select sum({column}) from {table}").fetchall()[0][0])


def shown_as_stale(published: Path) -> bool:
    """Tell whether the first page says that something of the version is of before."""
    return "DESATUALIZADO" in (published / store.SITE / "index.html").read_text(encoding="utf-8")


def test_a_defect_of_the_queue_does_not_block_the_offer(spoilt: Settings) -> None:
    test = spoilt.dbt_project_dir / "tests" / "singular" / "fila" / "defeito.sql"
    test.write_text(QUEUE_DEFECT)
    try:
        with pytest.raises(BuildError, match="defeito"):
            dbt.build(spoilt)
    finally:
        test.unlink()
    more(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
    offer = total(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
    outcome = publish(spoilt.model_copy(update={"mapa_site": True}))
    assert states(spoilt) == GOOD | {"fila": (True, True)}
    assert total(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total") > offer
    assert "fila: STALE, as of 2026-06-30, because of fail: defeito" in str(outcome)
    with pytest.raises(PublishError, match="fila stayed as it was"):
        outcome.require_fresh()
    assert not shown_as_stale(spoilt.published)
    # A second night with the same defect changes nothing, and still says so.
    again = publish(spoilt)
    assert (again.new, [state.name for state in again.stale]) == (False, ["fila"])


def test_a_count_that_nothing_can_hide_stops_only_its_subject(spoilt: Settings) -> None:
    # What was published showed everything but one count of a month and its total.
    with duckdb.connect(str((spoilt.published / "current").resolve() / store.DATABASE)) as con:
        under_key.attach(con, spoilt.warehouse, "inteiro")
        for table in QUEUE:
            con.execute(f"delete from {table}")
            con.execute(f"insert into {table} by name select * from inteiro.{gate.SCHEMA}.{table}")
        con.execute(
            "update pub_fila_por_mes set qtd_aguardando = null where rowid = (select min(rowid) "
            "from pub_fila_por_mes where qtd_aguardando between 1 and 4)"
        )
    with duckdb.connect(str(spoilt.warehouse)) as con:
        one_more_month(con)
    more(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
    queue = total(spoilt, "pub_fila_por_mes", "1")
    offer = total(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
    outcome = publish(spoilt)
    assert states(spoilt) == GOOD | {"fila": (True, True)}
    assert total(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total") > offer
    assert total(spoilt, "pub_fila_por_mes", "1") == queue
    with pytest.raises(PublishError, match=r"refused: pub_fila_por_mes\.qtd_aguardando: a hidden"):
        outcome.require_fresh()


def test_other_columns_of_people_stop_only_their_subject_and_leave_out_one_table(
    spoilt: Settings,
) -> None:
    with duckdb.connect(str((spoilt.published / "current").resolve() / store.DATABASE)) as con:
        con.execute("alter table pub_fila_por_mes add column qtd_de_antes bigint")
    more(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
    queue = total(spoilt, "pub_espera_limites_por_mes", "1")
    offer = total(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
    outcome = publish(spoilt.model_copy(update={"mapa_site": True}))
    assert states(spoilt) == GOOD | {"fila": (True, True)}
    assert total(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total") > offer
    assert total(spoilt, "pub_espera_limites_por_mes", "1") == queue
    with pytest.raises(PublishError, match="pub_fila_por_mes counts people, and qtd_de_antes"):
        outcome.require_fresh()
    # Nothing describes the table as it was; it stays promised, and its months are not forgotten.
    (state,) = outcome.stale
    assert "left out: pub_fila_por_mes" in state.problems[1]
    manifest = read_manifest(spoilt.published)
    assert manifest is not None
    assert "pub_fila_por_mes" not in {table["name"] for table in manifest["tables"]}
    promise = contract.newest([outcome.folder])
    assert promise is not None
    (absent,) = [t["name"] for t in promise["schema"] if "customProperties" in t]
    assert absent == "pub_fila_por_mes"
    again = publish(spoilt)
    assert (again.new, [stale.name for stale in again.stale]) == (False, ["fila"])


def people(settings: Settings) -> list[tuple[object, ...]]:
    """Return what the current version tells of the queue."""
    with duckdb.connect(str(settings.published / store.DATABASE), read_only=True) as con:
        return con.execute("select * from pub_fila_por_mes order by all").fetchall()


def test_what_a_month_said_outlives_a_rollback_and_nights_without_it(spoilt: Settings) -> None:
    first = (spoilt.published / "current").resolve()
    said = people(spoilt)
    certificate = (first / store.DISCLOSURE).read_bytes()
    # A version of before the people were published at all, to which somebody goes back.
    older = first.with_name("20200101T000000Z-00000000")
    shutil.copytree(first, older)
    with duckdb.connect(str(older / store.DATABASE)) as con:
        for (name,) in con.execute("select table_name from duckdb_tables()").fetchall():
            if name.startswith(("pub_fila", "pub_espera", "pub_absenteismo")):
                con.execute(f"drop table {name}")
    (older / store.DISCLOSURE).unlink()
    assert store.roll_back(spoilt.published) == (older.name, first.name)
    results = spoilt.dbt_target_path / "run_results.json"
    green = results.read_bytes()
    failing(spoilt, "test.mapa.fila_por_mes__grao")
    for _ in range(2):
        more(spoilt, "pub_oferta_real_por_mes", "qtd_vagas_total")
        outcome = publish(spoilt, keep=1)
        assert "fila: NOT PUBLISHED" in str(outcome) or "fila: STALE" in str(outcome)
        assert not (outcome.folder / store.DISCLOSURE).exists()
    results.write_bytes(green)
    more(spoilt, "pub_fila_por_mes", "qtd_entradas")
    folder = publish(spoilt, keep=1).folder
    assert people(spoilt) == said
    assert (folder / store.DISCLOSURE).read_bytes() == certificate
    # Now that it stands again, the older one is no longer needed.
    assert [path.name for path in store.versions(spoilt.published)] == [folder.name]


def test_a_defect_of_the_offer_keeps_its_last_good_release(spoilt: Settings) -> None:
    before = total(spoilt, "pub_oferta_por_dia", "qtd_vagas_total")
    queue = total(spoilt, "pub_fila_por_mes", "1")
    more(spoilt, "pub_oferta_por_dia", "qtd_vagas_total")
    # What was published of a month stays; one that is over since is new.
    with duckdb.connect(str(spoilt.warehouse)) as con:
        one_more_month(con)
    failing(spoilt, "test.mapa.pub_oferta_real_por_mes__grao")
    # A unit that the old offer names and the new build no longer knows.
    with duckdb.connect(str(spoilt.warehouse)) as con:
        con.execute(f"delete from {gate.SCHEMA}.pub_dim_estabelecimentos")
    result = CliRunner().invoke(cli, ["publish"], env={"MAPA_SITE": "true"})
    assert (result.exit_code, "oferta: STALE" in result.stderr) == (9, True), result.output
    assert states(spoilt) == GOOD | {"oferta": (True, True)}
    assert total(spoilt, "pub_oferta_por_dia", "qtd_vagas_total") == before
    assert total(spoilt, "pub_fila_por_mes", "1") > queue
    with duckdb.connect(str(spoilt.published / store.DATABASE), read_only=True) as con:
        orphans = con.execute(
            "select count(*) from pub_oferta_por_dia anti join pub_dim_estabelecimentos "
            "on unidade_executante_cnes = unidade_cnes"
        ).fetchall()
    assert orphans == [(0,)]
    assert shown_as_stale(spoilt.published)
    told = CliRunner().invoke(cli, ["status", "--check"])
    assert told.exit_code == 13
    assert "The published oferta is of before (2026-06-30)" in told.stdout


@pytest.mark.parametrize(
    ("node", "stale"),
    [
        ("test.mapa.fila_por_mes__grao", {"fila"}),
        ("model.mapa.pub_fila_por_mes", {"fila"}),
        ("model.mapa.int_fila__solicitacoes", {"fila"}),
        ("test.mapa.pub_oferta_por_dia__toda_unidade_esta_publicada", {"oferta"}),
        ("test.mapa.pub_oferta_por_dia__grao", {"oferta"}),
        ("test.mapa.pub_dim_calendario__grao", {*GOOD}),
        ("model.mapa.int_calendario__referencia", {*GOOD}),
        ("seed.mapa.regras_feriados", {*GOOD}),
        ("test.mapa.acordo_acoes__toda_acao_do_plano", {"acordo"}),
        ("test.mapa.acordo_plano_trabalho__prazo_e_fonte", {"acordo"}),
        ("test.mapa.proadi_termos_saldo__grao", {"proadi"}),
        ("model.mapa.int_proadi__ocorrencias", {"proadi"}),
        ("seed.mapa.proadi_prazos", {"proadi"}),
        ("test.mapa.proadi_oferta__grao", set()),
        ("test.mapa.absenteismo_por_mes__grao", {"fila"}),
        ("test.mapa.espera_por_mes__grao", {"fila"}),
        ("test.mapa.oferta_alertas__iguais_as_fontes", set()),
        ("test.mapa.oferta_por_territorio_por_mes__igual_as_fontes", set()),
    ],
)
def test_what_failed_decides_who_is_stale(spoilt: Settings, node: str, stale: set[str]) -> None:
    failing(spoilt, node)
    build = gate.finished_build(spoilt)
    assert {subject.name for subject in build.subjects if subject.problems} == stale


def test_when_all_failed_all_of_before_stays_and_says_so(spoilt: Settings) -> None:
    before = total(spoilt, "pub_oferta_por_dia", "qtd_vagas_total")
    more(spoilt, "pub_oferta_por_dia", "qtd_vagas_total")
    failing(spoilt, "test.mapa.pub_dim_calendario__grao")
    assert {state.name for state in publish(spoilt).stale} == GOOD.keys()
    assert states(spoilt) == dict.fromkeys(GOOD, (True, True))
    assert total(spoilt, "pub_oferta_por_dia", "qtd_vagas_total") == before


def test_a_version_with_other_columns_is_not_mixed_with_this_one(spoilt: Settings) -> None:
    before = (spoilt.published / "current").resolve()
    with duckdb.connect(str(before / store.DATABASE)) as con:
        con.execute("alter table pub_dim_territorio add column antiga integer")
    failing(spoilt, "test.mapa.fila_por_mes__grao")
    with pytest.raises(PublishError, match="pub_dim_territorio of the version that would have"):
        publish(spoilt)
    assert (spoilt.published / "current").resolve() == before


def test_a_warehouse_of_before_in_which_all_failed_is_no_surprise(spoilt: Settings) -> None:
    with duckdb.connect(str(spoilt.warehouse)) as con:
        con.execute("drop table controle.construcoes")
    failing(spoilt, "test.mapa.pub_dim_calendario__grao")
    assert {state.name for state in publish(spoilt).stale} == GOOD.keys()


def test_what_failed_and_never_was_published_is_absent(spoilt: Settings) -> None:
    shutil.rmtree(spoilt.published)
    failing(spoilt, "test.mapa.fila_por_mes__grao")
    outcome = publish(spoilt)
    assert "fila: NOT PUBLISHED" in str(outcome)
    manifest = read_manifest(spoilt.published)
    assert manifest is not None
    assert "pub_fila_por_mes" not in [table["name"] for table in manifest["tables"]]
    shutil.rmtree(spoilt.published)
    failing(spoilt, "test.mapa.pub_dim_calendario__grao")
    with pytest.raises(PublishError, match="Nothing may be published, and nothing was before"):
        publish(spoilt)
    assert read_manifest(spoilt.published) is None
