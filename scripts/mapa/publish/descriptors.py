"""What machines read of a version before they take it: `datapackage.json` and `dcat.jsonld`.

The first describes the CSV files to programs (Frictionless Data Package v1: types, keys, code
lists), the second the whole version to catalogues of open data (DCAT-AP: who, what, where, when,
under which licence, which files). All addresses are relative, so that both are right wherever the
folder is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mapa.dictionary.entries import DATA
from mapa.publish.contents import Published
from mapa.publish.gate import Column
from mapa.publish.sheets import MARK, SYNTHETIC, Codes

NAME = "mapa-social-da-saude"
TITLE = "Mapa Social da Saúde: oferta regulada do SUS"
DESCRIPTION = (
    "Vagas da rede pública regulada pelo SISREG, por dia, mês, unidade e procedimento, e o que as "
    "limita; tabelas que não contam pessoas, cada coluna descrita no dicionário de dados."
)
KEYWORDS = ("SUS", "SISREG", "regulação", "oferta", "vagas", "saúde pública")
INTEGER = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?$")
NUMBER = re.compile(r"(DOUBLE|FLOAT|DECIMAL\(.*\))$")
HEALTH = "http://publications.europa.eu/resource/authority/data-theme/HEAL"
PORTUGUESE = "http://publications.europa.eu/resource/authority/language/POR"
MEDIA = "https://www.iana.org/assignments/media-types/"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    "duckdb": ("DuckDB", None),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "csv": ("CSV", "text/csv"),
    "xlsx": ("XLSX", SHEET),
    "json": ("JSON", "application/json"),
    "yaml": ("YAML", "application/yaml"),
}
"""What a file is, by the end of its name: name of the format, and type in IANA's register."""
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def datapackage(
    manifest: Mapping[str, Any], tables: Sequence[Published], codes: Codes
) -> dict[str, Any]:
    """Describe the CSV files of a version: a resource for each table, with schema and keys.

    Args:
        manifest: what the version says of itself, its files so far included.
        tables: what is in it.
        codes: allowed values of columns.
    """
    licence = {
        "name": manifest["licence"].replace(" ", "-"),
        "path": manifest["licence_url"],
        "title": manifest["licence"],
    }
    return {
        "profile": "tabular-data-package",
        "name": NAME,
        "title": _title(manifest),
        "description": _description(manifest),
        "version": manifest["version"],
        "created": manifest["created_at"],
        "keywords": _keywords(manifest),
        "licenses": [licence],
        "sources": [{"title": manifest["source"]}],
        "contributors": [{"title": manifest["publisher"], "role": "publisher"}],
        "synthetic": manifest["synthetic"],
        "resources": [_resource(manifest, published, codes) for published in tables],
    }


def dcat(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a version to catalogues: one data set with a distribution for each file."""
    dataset = {
        "@id": "#conjunto",
        "@type": "dcat:Dataset",
        "dct:identifier": NAME,
        "dct:title": _said(_title(manifest)),
        "dct:description": _said(_description(manifest)),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": manifest["publisher"]},
        "dct:issued": _typed("dateTime", manifest["issued_at"]),
        "dct:modified": _typed("dateTime", manifest["created_at"]),
        "dct:language": {"@id": PORTUGUESE},
        "dct:license": {"@id": manifest["licence_url"]},
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _said(manifest["source"]),
        },
        "dcat:theme": {"@id": HEALTH},
        "dcat:keyword": [_said(keyword) for keyword in _keywords(manifest)],
        "dcat:version": manifest["version"],
        "dcat:distribution": list(_distributions(manifest)),
    }
    if manifest["temporal"]:
        first, last = manifest["temporal"]
        dataset["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _typed("date", first),
            "dcat:endDate": _typed("date", last),
        }
    if place := manifest["spatial"]:
        dataset["dct:spatial"] = {
            "@type": "dct:Location",
            "dct:identifier": place["ibge"],
            "rdfs:label": _said(place["name"]),
        }
    return {"@context": CONTEXT, **dataset}


def _title(manifest: Mapping[str, Any]) -> str:
    return f"DADOS SINTÉTICOS — {TITLE}" if manifest["synthetic"] else TITLE


def _description(manifest: Mapping[str, Any]) -> str:
    about = f"{DESCRIPTION} Data de referência: {manifest['data_referencia']}."
    return f"{SYNTHETIC} {about}" if manifest["synthetic"] else about


def _keywords(manifest: Mapping[str, Any]) -> list[str]:
    return [*KEYWORDS, *(["dados sintéticos"] if manifest["synthetic"] else [])]


def _resource(manifest: Mapping[str, Any], published: Published, codes: Codes) -> dict[str, Any]:
    """Describe one CSV."""
    table = published.table
    (about,) = (each for each in manifest["tables"] if each["name"] == table.name)
    (file,) = (each for each in manifest["files"] if each["path"] == about["files"]["csv"])
    data = DATA[manifest["synthetic"]]
    mark = {
        "name": MARK,
        "type": "string",
        "description": "De onde são os números; o mesmo em todas as linhas.",
        "constraints": {"required": True, "enum": [data]},
    }
    fields = [
        _field(column, kind, codes.get((table.name, column.name)))
        for column, kind in zip(table.columns, published.types, strict=True)
    ]
    schema: dict[str, Any] = {"fields": [*fields, mark], "missingValues": [""]}
    if published.keys.primary:
        schema["primaryKey"] = list(published.keys.primary)
    if published.keys.foreign:
        schema["foreignKeys"] = [
            {
                "fields": [key.column],
                "reference": {"resource": key.table, "fields": [key.field]},
            }
            for key in published.keys.foreign
        ]
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": file["path"],
        "title": about["description"],
        "description": table.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file["bytes"],
        "hash": f"sha256:{file['sha256']}",
        "data_referencia": about["data_referencia"],
        "stale": about["stale"],
        "dialect": {
            "delimiter": ";",
            "lineTerminator": "\n",
            "quoteChar": '"',
            "doubleQuote": True,
            "header": True,
        },
        "schema": schema,
    }


def _field(column: Column, kind: str, codes: Sequence[tuple[str, str]] | None) -> dict[str, Any]:
    """Describe one column of a CSV; labels of codes stand beside them, as in v2 of the standard."""
    field: dict[str, Any] = {"name": column.name, "description": column.description}
    if INTEGER.match(kind):
        field["type"] = "integer"
    elif NUMBER.match(kind):
        field |= {"type": "number", "decimalChar": ","}
    else:
        names = {"BOOLEAN": "boolean", "DATE": "date", "TIME": "time", "TIMESTAMP": "datetime"}
        field["type"] = names.get(kind, "string")
    if codes:
        field["constraints"] = {"enum": [code for code, _ in codes]}
        field["categories"] = [{"value": code, "label": label} for code, label in codes]
    return field


def _distributions(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Describe every file of a version but the two descriptions themselves."""
    for file in manifest["files"]:
        name = file["path"].rpartition("/")[2]
        label, media = FORMATS[name.rpartition(".")[2]]
        address = {"@id": file["path"]}
        distribution = {
            "@id": f"#{file['path']}",
            "@type": "dcat:Distribution",
            "dct:title": _said(name),
            "dcat:accessURL": address,
            "dcat:downloadURL": address,
            "dct:license": {"@id": manifest["licence_url"]},
            "dct:format": {"@type": "dct:MediaTypeOrExtent", "rdfs:label": label},
            "dcat:byteSize": _typed("nonNegativeInteger", str(file["bytes"])),
            "spdx:checksum": {
                "@type": "spdx:Checksum",
                "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                "spdx:checksumValue": _typed("hexBinary", file["sha256"]),
            },
        }
        if media:
            distribution["dcat:mediaType"] = {"@id": f"{MEDIA}{media}"}
        yield distribution


def _said(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "pt-BR"}


def _typed(kind: str, value: str) -> dict[str, str]:
    return {"@value": value, "@type": f"xsd:{kind}"}
