"""What a source delivers stands in `_sources.yml` alone; what no loader can follow is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from conftest import PROJECT, environment
from mapa import layouts
from mapa.cli import cli
from mapa.errors import ConfigError
from mapa.layouts import STAGING, SYSTEM_COLUMNS, every, of_files, of_indices, read
from mapa.load.replay import REPEATS, parts
from mapa.sources import SOURCES
from mapa.sources import of_files as of_schema

FOLDERS = dict.fromkeys(source.folder for source in SOURCES)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that has the sources and nothing else."""
    for folder in FOLDERS:
        name = STAGING / folder / "_sources.yml"
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copyfile(PROJECT / name, tmp_path / name)
    return tmp_path


def write(project: Path, old: str, new: str) -> Path:
    """Change the sources of CadSUS once."""
    path = project / STAGING / "cadsus" / "_sources.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_every_table_carries_the_columns_that_loaders_add() -> None:
    described = {
        f"{source['schema']}.{table['name']}": [column["name"] for column in table["columns"]]
        for name in FOLDERS
        for source in yaml.load(
            (PROJECT / STAGING / name / "_sources.yml").read_text(), layouts.LOADER
        )["sources"]
        for table in source["tables"]
    }
    assert len(described) == len(every())
    for layout in every():
        assert described[layout.table] == list(layout.types())
        own = [name for name in described[layout.table] if name not in layout.columns]
        assert own == [*SYSTEM_COLUMNS] + ["_chave"] * bool(layout.record)


def test_a_layout_says_all_that_the_loaders_ask() -> None:
    index = layouts.named("marcacao-ambulatorial")
    assert index.table == "bruto_sisreg.marcacao_ambulatorial"
    assert (index.arrival, index.key) == ("indice", ("codigo_solicitacao",))
    assert index.required == ("codigo_solicitacao", "data_atualizacao", "status_solicitacao")
    assert [*index.nested] == ["laudo"]
    assert index.nested == {"laudo": layouts.named("solicitacao-ambulatorial").nested["laudo"]}
    assert index.volatile == ("version", "timestamp", "carga_epoch")
    assert "laudo.observacao" in index.withheld
    assert index.closed == layouts.named("solicitacao-ambulatorial").closed != ""
    assert not index.ours

    schedules = layouts.named("escala")
    assert (schedules.table, schedules.record) == ("bruto_sisreg.escala_ambulatorial", "rows")
    assert schedules.snapshot
    assert (layouts.named("ppi").record, layouts.named("ppi").ours) == ("row", True)
    assert layouts.named("cadsus_pessoa").optional == ("situacao_cadastro",)


def test_layouts_come_in_the_order_in_which_they_are_told() -> None:
    assert every()[:3] == of_indices()
    assert [layout.name for layout in of_files()][:2] == ["escala", "agendamento"]
    assert [la.name for la in of_files("bruto_cnes")] == ["cnes_estabelecimento", "carga_horaria"]
    assert [la.name for la in every()[-2:]] == ["oferta_real", "cadsus_consulta"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("chave: [id_pessoa]\n", "\n", "config.meta.chave is missing"),
        ("obrigatorias: [id_pessoa]\n", "\n", "config.meta.obrigatorias is missing"),
        ("obrigatorias: [id_pessoa]", "obrigatorias: []", "config.meta.obrigatorias is missing"),
        ("chave: [id_pessoa]", "chave: [id_pesoa]", "config.meta.chave names `id_pesoa`"),
        ("chave: [id_pessoa]", "chave: id_pessoa", "config.meta.chave is of another kind"),
        ("chave: [id_pessoa]", "chave: [1]", "config.meta.chave is of another kind"),
        ("[data_consulta, qualidade]", "[nota]", "config.meta.volateis names `nota`"),
        ("[situacao_cadastro]", "[situacao]", "config.meta.podem_faltar names `situacao`"),
        ("proprio: true", "proprio: sim", "config.meta.proprio is of another kind"),
        ("proprio: true", "propio: true", "config.meta has an unknown key `propio`"),
        ("proprio: true", "registro: todas", "config.meta.registro is unknown"),
        ("proprio: true", "chegada: correio", "config.meta.chegada is unknown"),
        ("- name: nome_social", "- name: nome", "column `nome` stands twice"),
    ],
)
def test_what_no_loader_can_follow_is_refused_by_file_and_table(
    project: Path, old: str, new: str, problem: str
) -> None:
    path = write(project, old, new)
    with pytest.raises(ConfigError) as caught:
        read(project)
    first, second = caught.value.message.splitlines()
    assert first == f"{path}, table `pessoa`: {problem}."
    assert second.startswith("Expected ")


def test_a_name_of_two_layouts_is_refused(project: Path) -> None:
    write(project, "formato: cadsus_cns", "formato: cadsus_pessoa")
    with pytest.raises(ConfigError, match="2 tables have the layout name `cadsus_pessoa`"):
        read(project)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("    schema: bruto_cadsus\n", "", "it is no list of sources"),
        ("        columns:\n", "        columns: [\n", r"line \d+: it is no list of sources"),
    ],
)
def test_a_file_of_another_form_is_refused(project: Path, old: str, new: str, problem: str) -> None:
    write(project, old, new)
    with pytest.raises(ConfigError, match=problem):
        read(project)


def test_a_missing_file_is_named(project: Path) -> None:
    path = project / STAGING / "cnes" / "_sources.yml"
    path.unlink()
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read(project)
    assert str(path) in caught.value.message


def test_a_project_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    every.cache_clear()
    try:
        with environment({"DBT_PROJECT_DIR": str(tmp_path)}), pytest.raises(ConfigError) as caught:
            every()
    finally:
        every.cache_clear()
    assert caught.value.message.splitlines()[-1] == (
        "Run mapa in the project's folder, or set DBT_PROJECT_DIR."
    )


def test_a_table_added_to_a_project_is_a_layout(project: Path) -> None:
    write(
        project,
        "      - name: pessoa\n",
        """      - name: visita
        config: {meta: {chave: [numero], obrigatorias: [numero]}}
        columns:
          - name: numero
          - name: _linha
      - name: pessoa
""",
    )
    (added,) = (layout for layout in read(project) if layout.name == "visita")
    assert (added.table, added.columns) == ("bruto_cadsus.visita", ("numero",))
    assert (added.arrival, added.record, added.snapshot) == ("arquivo", "", False)


def test_the_commands_find_the_sources_outside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    every.cache_clear()
    done = CliRunner().invoke(cli, ["load", "export", "--describe", "escala"])
    assert done.output.startswith("escala: raw table bruto_sisreg.escala_ambulatorial, 34 columns")


def test_every_raw_table_is_rebuilt_by_one_command_and_every_source_is_repeated() -> None:
    whole = [parts()[name] for name in dict.fromkeys(source.part for source in SOURCES)]
    rebuilt = [table for part in whole for table in part.tables]
    assert sorted(rebuilt) == sorted(layout.table for layout in every())
    assert sorted(name for part in whole for name in part.sources) == sorted(REPEATS)
    assert {of_schema(layout.schema).name for layout in of_files()} == {
        "arquivo", "cadsus", "cnes", "proadi",
    }  # fmt: skip
