"""The recipes of docs/bi.md, each run as it stands there: all tools read the same sum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner

from conftest import PROJECT, House, environment
from mapa.cli import cli
from mapa.publish import read_manifest, sheets, store
from mapa.settings import Settings
from postgres_server import PASSWORD, Server, server_or_reason

PAGE = (PROJECT / "docs" / "bi.md").read_text(encoding="utf-8")
TRIED = PAGE.partition("## Experimentado a cada teste")[2].partition("\n## ")[0]
BLOCK = re.compile(r"\*\*([^*]+)\*\*.*?\n\n```(\w+)\n(.*?)```", re.DOTALL)
PYTHON = {name: text for name, kind, text in BLOCK.findall(TRIED) if kind == "python"}
SQL = [text for _, kind, text in BLOCK.findall(TRIED) if kind == "sql"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from server_or_reason()


def real_offer(published: Path) -> int:
    """Return the sum of the published marts, straight from the database."""
    with duckdb.connect(str(published / store.DATABASE), read_only=True) as con:
        rows = con.execute("select qtd_oferta_real from pub_oferta_real_por_mes").fetchall()
    return sum(offered for (offered,) in rows if offered is not None)


def test_the_page_has_the_recipes_that_are_looked_for() -> None:
    assert TRIED.count("```python") == len(PYTHON) == 6
    assert len(SQL) == 1
    assert f"mais de {sheets.MOST_CELLS // 1000} mil células" in PAGE


@pytest.mark.parametrize("recipe", PYTHON)
def test_a_recipe_gives_the_sum(city_house: House, recipe: str) -> None:
    names: dict[str, int] = {}
    with chdir(city_house.settings.published):
        exec(PYTHON[recipe], names)
    assert names["total"] == real_offer(city_house.settings.published) > 0


def of_superset(kind: str) -> list[dict[str, Any]]:
    """Return the saved objects of a kind."""
    files = sorted((PROJECT / "docs" / "superset" / kind).rglob("*.yaml"))
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


def test_the_dashboard_of_superset_asks_for_what_is_published(city_house: House) -> None:
    (data,) = of_superset("datasets")
    metrics = {one["metric_name"]: one["expression"] for one in data["metrics"]}
    with duckdb.connect(str(city_house.settings.published / store.DATABASE), read_only=True) as con:
        columns = [row[0] for row in con.execute(f"describe {data['sql']}").fetchall()]
        sums = ", ".join(metrics.values())
        found = con.execute(f"select {sums} from ({data['sql']})").fetchall()
        told = con.execute(
            "select sum(qtd_vagas) filter (vaga_destino in ('feriado', 'afastamento', 'teto', "
            "'ppi')), sum(qtd_vagas) filter (vaga_destino = 'oferta_real'), sum(qtd_vagas) "
            "from pub_oferta_causas_por_mes where competencia_situacao = 'encerrada'"
        ).fetchall()
    assert [*metrics] == ["perdidas", "oferta_real", "vagas"]
    assert found == told
    assert found[0][1] > 0
    assert sorted(columns) == sorted(one["column_name"] for one in data["columns"])
    charts = {one["uuid"]: one for one in of_superset("charts")}
    for chart in charts.values():
        asked = chart["params"]
        used = {*asked.get("metrics", ()), *filter(None, [asked.get("metric")])}
        assert used <= metrics.keys()
        assert {*asked.get("groupby", ())} <= {*columns}
        assert chart["dataset_uuid"] == data["uuid"]
    (dashboard,) = of_superset("dashboards")
    placed = [place for place in dashboard["position"].values() if isinstance(place, dict)]
    shown = {place["meta"]["uuid"] for place in placed if place.get("type") == "CHART"}
    assert shown == charts.keys()
    filters = dashboard["metadata"]["native_filter_configuration"]
    assert {one["targets"][0]["column"]["name"] for one in filters} <= {*columns}


def test_a_release_is_read_in_postgresql(copied: Settings, server: Server) -> None:
    command = ["publish", "--to", server.url()]
    with environment({"MAPA_POSTGRES_PASSWORD": PASSWORD}):
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
        assert "Nothing has changed" in done.stderr
        assert "Loaded version" in done.stderr
        again = CliRunner().invoke(cli, command)
    assert "already holds version" in again.stderr
    assert PASSWORD not in done.output + again.output
    server.run(f"create role painel login password '{PASSWORD}' in role mapa_leitura")
    manifest = read_manifest(copied.published)
    assert manifest is not None
    with (
        server.connect("painel") as con,
        duckdb.connect(str(copied.published / store.DATABASE), read_only=True) as release,
    ):
        assert con.execute(SQL[0]).fetchall() == [(real_offer(copied.published),)]
        for table in manifest["tables"]:
            key = ", ".join(f'"{name}"' for name in table["primary_key"])
            query = f"select * from {{}}{table['name']} order by {key}"
            found = con.execute(query.format("mapa_publico.")).fetchall()
            assert sorted(map(str, found)) == sorted(
                str(row) for row in release.execute(query.format("")).fetchall()
            ), table["name"]
        comments = {
            (table, column): said
            for table, column, said in con.execute(
                "select c.relname, a.attname, col_description(c.oid, a.attnum) from pg_class as c "
                "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 "
                "where c.relnamespace = 'mapa_publico'::regnamespace and c.relkind = 'r'"
            ).fetchall()
        }
        told = release.execute(
            "select table_name, column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
        assert comments == {(table, column): said for table, column, said in told}


@pytest.mark.parametrize(
    ("url", "password", "ended"),
    [
        ("postgresql://dona@127.0.0.1:1/x", PASSWORD, (5, "does not answer")),
        (None, "outra senha", (7, "password authentication failed")),
        (f"postgresql://dona:{PASSWORD}@127.0.0.1/x", "", (2, "it holds a password")),
    ],
)
def test_a_load_that_fails_ends_with_its_code_and_tells_no_password(
    copied: Settings, server: Server, url: str | None, password: str, ended: tuple[int, str]
) -> None:
    before = read_manifest(copied.published)
    with environment({"MAPA_POSTGRES_PASSWORD": password}):
        done = CliRunner().invoke(cli, ["--debug", "publish", "--to", url or server.url()])
    code, said = ended
    assert (done.exit_code, said in done.stderr) == (code, True), done.output
    assert [secret for secret in (PASSWORD, "outra senha") if secret in done.output] == []
    assert read_manifest(copied.published) == before
