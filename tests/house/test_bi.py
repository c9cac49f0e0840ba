"""What BI tools get to see: keys, comments, types, files for spreadsheets, descriptions."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb
import pytest
from frictionless import Package
from openpyxl import load_workbook
from rdflib import Graph, Namespace
from rdflib.namespace import DCTERMS, FOAF, RDF, RDFS

from conftest import House
from mapa.errors import PublishError
from mapa.publish import gate, publish, read_manifest, store
from mapa.settings import Settings


def change(settings: Settings, statement: str) -> None:
    """Change the warehouse behind dbt's back."""
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute(statement)


def described(house: House) -> dict[str, Any]:
    """Return the manifest of the house's release."""
    manifest = read_manifest(house.settings.published)
    assert manifest is not None
    return manifest


def graph(house: House) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the published models by name and dbt's tests, out of dbt's own record."""
    record = json.loads((house.settings.dbt_target_path / "manifest.json").read_bytes())
    nodes = record["nodes"].values()
    models = {n["name"]: n for n in nodes if n["schema"] == "publicacao"}
    return models, [n for n in nodes if n["resource_type"] == "test"]


def test_every_grain_and_every_reference_of_the_graph_is_declared(city_house: House) -> None:
    models, tests = graph(city_house)
    expected = {(name, "PRIMARY KEY", tuple(n["config"]["meta"]["grao"]), None)
                for name, n in models.items()}  # fmt: skip
    for test in tests:
        # One that looks at part of the rows is no key (procedures told of together have no name).
        if test.get("test_metadata", {}).get("name") == "relationships" and not test["config"].get(
            "where"
        ):
            owner = test["attached_node"].split(".")[2]
            target = test["refs"][0]["name"]
            # A table that refers to itself is not told: its rows are checked as they come.
            if owner in models and target in models and owner != target:
                key = test["test_metadata"]["kwargs"]["field"]
                assert models[target]["config"]["meta"]["grao"] == [key], test["name"]
                expected.add((owner, "FOREIGN KEY", (test["column_name"],), target))
    assert len([kind for _, kind, *_ in expected if kind == "FOREIGN KEY"]) >= 5
    with duckdb.connect(str(city_house.settings.published / store.DATABASE), read_only=True) as con:
        found = {
            (table, kind, tuple(columns), target)
            for table, kind, columns, target in con.execute(
                "select table_name, constraint_type, constraint_column_names, referenced_table "
                "from duckdb_constraints() where constraint_type like '% KEY'"
            ).fetchall()
        }
    assert found == expected
    manifest = described(city_house)
    assert [table["broken_keys"] for table in manifest["tables"]] == [[]] * len(models)


@pytest.mark.parametrize("weaker", [{"severity": "warn"}, {"severity": "WARN"}, {"where": "1 = 1"}])
def test_a_test_that_does_not_hold_for_every_row_makes_no_key(
    copied: Settings, weaker: dict[str, str]
) -> None:
    place = ("pub_oferta_por_dia", "unidade_executante_cnes")

    def referring() -> set[tuple[str, str]]:
        tables = gate.finished_build(copied).tables
        return {(table.name, key.column) for table in tables for key in table.references}

    before = referring()
    path = copied.dbt_target_path / "manifest.json"
    record = json.loads(path.read_bytes())
    for node in record["nodes"].values():
        if node["name"] == "pub_oferta_por_dia__toda_unidade_esta_publicada":
            node["config"] |= weaker
    path.write_text(json.dumps(record))
    assert referring() == before - {place} != before


def test_a_table_that_lost_its_key_is_published_and_says_so(copied: Settings) -> None:
    change(copied, "delete from publicacao.pub_dim_estabelecimentos where eh_executante")
    outcome = publish(copied)
    assert outcome.new
    assert "Key not declared: " in str(outcome)
    assert "pub_oferta_por_dia.unidade_executante_cnes are not in pub_dim" in str(outcome)
    assert str(publish(copied)).partition("\n")[2] == str(outcome).partition("\n")[2]


@pytest.mark.parametrize("kind", ["hugeint", "uhugeint[]"])
def test_a_sum_that_no_tool_reads_is_refused(copied: Settings, kind: str) -> None:
    value = "[qtd_vagas_total]" if kind.endswith("[]") else "qtd_vagas_total"
    change(
        copied,
        "alter table publicacao.pub_oferta_por_dia alter column qtd_vagas_total "
        f"type {kind} using {value}",
    )
    with pytest.raises(PublishError, match=r"qtd_vagas_total is U?HUGEINT"):
        publish(copied)


def test_parquet_files_carry_what_the_columns_mean(city_house: House) -> None:
    models, _ = graph(city_house)
    for table in described(city_house)["tables"]:
        path = city_house.settings.published / store.PARQUET / f"{table['name']}.parquet"
        with duckdb.connect() as con:
            facts = dict(
                con.execute(
                    "select decode(key), decode(value) from parquet_kv_metadata($1)", [str(path)]
                ).fetchall()
            )
        model = models[table["name"]]
        assert facts["descricao"] == model["description"].strip()
        assert json.loads(facts["colunas"]) == {
            name: column["description"].strip() for name, column in model["columns"].items()
        }
        assert list(json.loads(facts["colunas"])) == [c["name"] for c in table["columns"]]


def rows_of(house: House, table: str) -> list[tuple[Any, ...]]:
    """Return a published table in the order of its key."""
    (key,) = (t["primary_key"] for t in described(house)["tables"] if t["name"] == table)
    with duckdb.connect(str(house.settings.published / store.DATABASE), read_only=True) as con:
        return con.execute(f"select * from {table} order by {', '.join(key)}").fetchall()


def as_written(value: Any) -> str:
    """Return what a value is in a CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(".", ",") if isinstance(value, float | Decimal) else str(value)


def test_each_table_is_a_csv_with_the_same_cells(city_house: House) -> None:
    for table in described(city_house)["tables"]:
        path = city_house.settings.published / table["files"]["csv"]
        with path.open(encoding="utf-8-sig", newline="") as lines:
            heading, *rows = csv.reader(lines, delimiter=";")
        assert heading == [*(column["name"] for column in table["columns"]), "dados"]
        expected = [
            [*map(as_written, row), "sintéticos"] for row in rows_of(city_house, table["name"])
        ]
        assert rows == expected, table["name"]


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row with fractions of twelve digits; a spreadsheet keeps fifteen, rounded."""
    return tuple(float(f"{v:.12g}") if isinstance(v, float | Decimal) else v for v in row)


def test_each_table_is_a_workbook_with_the_same_cells(city_house: House) -> None:
    for table in described(city_house)["tables"]:
        path = city_house.settings.published / table["files"]["xlsx"]
        book = load_workbook(path, read_only=True)
        heading, *rows = book["Dados"].iter_rows(values_only=True)
        # A row ends with its last cell that says something.
        rows = [(*row, *[None] * (len(heading) - len(row))) for row in rows]
        assert list(heading) == [column["name"] for column in table["columns"]]
        found = [tuple(v.date() if isinstance(v, datetime) else v for v in row) for row in rows]
        expected = rows_of(city_house, table["name"])
        assert list(map(_rounded, found)) == list(map(_rounded, expected)), table["name"]
        facts = book["Procedência"].iter_rows(max_row=10, max_col=2, values_only=True)
        about = {str(name): value for name, value in facts}
        assert str(about["Dados"]).startswith("DADOS SINTÉTICOS")
        assert about["Versão"] == described(city_house)["version"]
        assert about["Linhas"] == str(table["rows"])


def test_codes_stand_with_their_labels_in_the_workbook(city_house: House) -> None:
    path = city_house.settings.published / store.XLSX / "pub_oferta_por_dia.xlsx"
    sheet = load_workbook(path, read_only=True)["Procedência"]
    said = {row[0]: row for row in sheet.iter_rows(values_only=True, max_col=5)}
    assert "primeira_vez = " in str(said["vaga_tipo"][4])
    assert said["unidade_executante_cnes"][2:4] == ("sim", "pub_dim_estabelecimentos.unidade_cnes")


def test_frictionless_finds_the_whole_package_valid(city_house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    shutil.copytree((city_house.settings.published / "current").resolve(), release)
    package = Package(str(release / store.DATAPACKAGE))
    report = package.validate()
    assert report.valid, report.flatten()
    models, _ = graph(city_house)
    manifest = described(city_house)
    assert [resource.name for resource in package.resources] == sorted(models)
    assert package.to_dict()["synthetic"] is True
    assert package.title and package.title.startswith("DADOS SINTÉTICOS")
    for table in manifest["tables"]:
        schema = package.get_resource(table["name"]).schema
        assert schema.primary_key == table["primary_key"]
        assert [
            {"column": key["fields"][0], "table": key["reference"]["resource"],
             "field": key["reference"]["fields"][0]} for key in schema.foreign_keys
        ] == table["foreign_keys"]  # fmt: skip
    kinds = package.get_resource("pub_oferta_por_dia").schema.get_field("vaga_tipo")
    assert "primeira_vez" in kinds.constraints["enum"]
    # The keys are looked at indeed: without a unit its slots refer to nothing.
    units = release / store.CSV / "pub_dim_estabelecimentos.csv"
    used = str(rows_of(city_house, "pub_oferta_por_dia")[0][2])
    lines = units.read_text(encoding="utf-8").splitlines(keepends=True)
    units.write_text("".join(x for x in lines if not x.startswith(used)), encoding="utf-8")
    spoilt = Package(str(release / store.DATAPACKAGE)).validate()
    assert "foreign-key" in {error[0] for error in spoilt.flatten(["type"])}


def test_a_catalogue_finds_every_file_of_the_version(city_house: House) -> None:
    folder = (city_house.settings.published / "current").resolve()
    read = Graph().parse(folder / store.DCAT, format="json-ld")
    namespace = Namespace("http://www.w3.org/ns/dcat#")
    (dataset,) = read.subjects(RDF.type, namespace.Dataset)
    found = {
        Path(unquote(urlsplit(str(read.value(file, namespace.downloadURL))).path))
        for file in read.objects(dataset, namespace.distribution)
    }
    besides = {store.MANIFEST, store.DATAPACKAGE, store.DCAT}
    assert found == {
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in besides and store.SITE not in path.parts
    }
    manifest = described(city_house)
    about = {
        "title": read.value(dataset, DCTERMS.title),
        "agent": read.value(read.value(dataset, DCTERMS.publisher), FOAF.name),
        "place": read.value(read.value(dataset, DCTERMS.spatial), RDFS.label),
        "last": read.value(read.value(dataset, DCTERMS.temporal), namespace.endDate),
    }
    assert about["title"] is not None and about["title"].startswith("DADOS SINTÉTICOS")
    assert (str(about["agent"]), str(about["place"])) == ("MPDFT", "Brasília/DF")
    assert str(about["last"]) == manifest["temporal"][1] > manifest["data_referencia"]


def test_the_first_day_of_publication_stays(copied: Settings) -> None:
    first = read_manifest(copied.published)
    change(copied, "update publicacao.pub_oferta_por_dia set qtd_vagas_total = 0")
    assert publish(copied).new
    second = read_manifest(copied.published)
    assert first is not None and second is not None
    assert second["issued_at"] == first["issued_at"]
    assert second["version"] != first["version"]


def test_a_version_of_before_gets_the_files_that_it_lacks(copied: Settings) -> None:
    manifest = copied.published / "current" / store.MANIFEST
    content = json.loads(manifest.read_bytes())
    content["content_sha256"] = "of a program that wrote fewer files"
    del content["issued_at"]
    manifest.write_text(json.dumps(content))
    # What versions have no more leaves no name behind that leads nowhere.
    gone = copied.published / "dicionario.html"
    gone.symlink_to("current/dicionario.html")
    outcome = publish(copied)
    assert outcome.new
    assert not gone.is_symlink()
    assert not (copied.published / store.SITE).is_symlink()
    for name in set(store.STABLE) - {store.SITE}:
        assert (copied.published / name).exists(), name
