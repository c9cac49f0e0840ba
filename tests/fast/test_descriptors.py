"""What describes a version to machines, read by libraries that know nothing of this project."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package
from rdflib import Graph, Namespace
from rdflib.namespace import DCTERMS, RDF

from mapa.publish import descriptors, sheets
from test_sheets import MANIFEST, NAMES, PUBLISHED, ROWS, make

DCAT = Namespace("http://www.w3.org/ns/dcat#")
CODES = {("pub_exemplo", "codigo"): [("0007", "Sete"), ("0008", "Oito"), ("0009", "Nove")]}
AROUND = {
    "publisher": "MPDFT",
    "issued_at": "2026-06-01T00:00:00+00:00",
    "data_referencia": "2026-06-30",
    "spatial": {"ibge": "5300108", "name": "Brasília/DF"},
    "temporal": ["2026-05-01", "2026-06-30"],
}


def described(directory: Path, *, synthetic: bool | None = True) -> dict[str, Any]:
    """Write the CSV of the example and return its manifest."""
    database = make(directory / "publico.duckdb", ROWS)
    sheets.write_csv(database, [PUBLISHED], directory / "csv", synthetic=synthetic)
    content = (directory / "csv" / "pub_exemplo.csv").read_bytes()
    file = {
        "path": "csv/pub_exemplo.csv",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    about = MANIFEST["tables"][0] | {"description": "Exemplo.", "files": {"csv": file["path"]}}
    return MANIFEST | AROUND | {"tables": [about], "files": [file], "synthetic": synthetic}


def package(directory: Path, codes: sheets.Codes, **options: Any) -> Path:
    """Write the data package of the example without its reference to a table that is not there."""
    content = descriptors.datapackage(described(directory, **options), [PUBLISHED], codes)
    (key,) = content["resources"][0]["schema"].pop("foreignKeys")
    assert key == {
        "fields": ["nome"],
        "reference": {"resource": "pub_nomes", "fields": ["nome"]},
    }
    path = directory / "datapackage.json"
    path.write_text(json.dumps(content))
    return path


def test_every_type_is_read_as_what_it_is(tmp_path: Path) -> None:
    read = Package(str(package(tmp_path, CODES)))
    report = read.validate()
    assert report.valid, report.flatten()
    rows = [row.to_dict() for row in read.get_resource("pub_exemplo").read_rows()]
    expected: list[dict[str, Any]] = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    for found, row in zip(rows, expected, strict=True):
        assert found.pop("dados") == "sintéticos"
        row["lista"] = str(row["lista"]) if row["lista"] else None
        row["nome"] = row["nome"] or None  # in a CSV an empty text is an unknown one
        row["pct"] = None if row["pct"] is None else pytest.approx(row["pct"])
        assert {k: float(v) if k == "pct" and v is not None else v for k, v in found.items()} == row


def test_a_code_that_is_not_in_the_list_is_seen(tmp_path: Path) -> None:
    less = {place: codes[:1] for place, codes in CODES.items()}
    report = Package(str(package(tmp_path, less))).validate()
    assert {error[0] for error in report.flatten(["type"])} == {"constraint-error"}


def test_a_changed_file_is_seen(tmp_path: Path) -> None:
    path = package(tmp_path, CODES)
    file = tmp_path / "csv" / "pub_exemplo.csv"
    file.write_text(file.read_text().replace("12,5", "12,6"))
    report = Package(str(path)).validate()
    assert {error[0] for error in report.flatten(["type"])} == {"hash-count"}


@pytest.mark.parametrize("synthetic", [True, False])
def test_both_say_whether_the_numbers_are_simulated(tmp_path: Path, synthetic: bool) -> None:
    manifest = described(tmp_path, synthetic=synthetic)
    made = descriptors.datapackage(manifest, [PUBLISHED], {}), descriptors.dcat(manifest)
    for content in made:
        said = json.dumps(content, ensure_ascii=False)
        assert ("SINTÉTICOS —" in said, "dados sintéticos" in said) == (synthetic, synthetic)


def test_a_catalogue_reads_data_set_and_files_from_any_address(tmp_path: Path) -> None:
    base = "https://dados.example.org/saude/dcat.jsonld"
    graph = Graph()
    content = json.dumps(descriptors.dcat(described(tmp_path)))
    graph.parse(data=content, format="json-ld", publicID=base)
    (dataset,) = graph.subjects(RDF.type, DCAT.Dataset)
    (file,) = graph.objects(dataset, DCAT.distribution)
    assert str(graph.value(file, DCAT.downloadURL)) == (
        "https://dados.example.org/saude/csv/pub_exemplo.csv"
    )
    assert graph.value(file, DCAT.byteSize).toPython() == (
        (tmp_path / "csv" / "pub_exemplo.csv").stat().st_size
    )
    period = graph.value(dataset, DCTERMS.temporal)
    days = [str(graph.value(period, end)) for end in (DCAT.startDate, DCAT.endDate)]
    assert days == AROUND["temporal"]
    spatial = graph.value(dataset, DCTERMS.spatial)
    assert str(graph.value(spatial, DCTERMS.identifier)) == "5300108"


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    manifest = described(tmp_path) | {"spatial": None, "temporal": None}
    assert not {"dct:spatial", "dct:temporal"} & descriptors.dcat(manifest).keys()
