"""Dados: every file of the version, its licence, and how each tool opens it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from mapa.site.page import Page
from mapa.site.release import Release

WHOLE = {
    "mapa_publico.duckdb": "todas as tabelas em um só banco, com descrições",
    "datapackage.json": "descrição para programas, com tipos, chaves e códigos (Frictionless)",
    "dcat.jsonld": "descrição para portais de dados abertos (DCAT)",
    "contrato.odcs.yaml": "o que se promete a quem usa os dados: tipos, chaves, conferências "
    "(ODCS)",
    "divulgacao.json": "o que está oculto das contagens de pessoas, e a prova disso",
    "mudancas.csv": "cada número que mudou desde a versão anterior, quanto, e por quais cargas",
    "mudancas.json": "o que mudou de versão a versão, por tabela, e as cargas que chegaram",
    "dicionario.xlsx": "o dicionário em planilha",
    "dicionario.csv": "o dicionário para programas",
    "espelho_variaveis.xlsx": "o espelho das variáveis das fontes em planilha",
    "espelho_variaveis.csv": "o espelho das variáveis para programas",
}
"""Files that are no single table, in order, as far as a version has them."""
KINDS = {"csv": "CSV", "xlsx": "XLSX", "parquet": "Parquet"}
"""Formats of a single table, the ones that most people can open first."""
RECIPES = {
    "Excel, LibreOffice": "Abra o XLSX ou o CSV com dois cliques. No CSV, importe os códigos "
    "como texto, para não perder os zeros à esquerda.",
    "DuckDB": "`duckdb mapa_publico.duckdb`, depois `from pub_oferta_real_por_mes;`",
    "Python com pandas": '`pandas.read_parquet("parquet/pub_oferta_real_por_mes.parquet")`',
    "Python com Polars": '`polars.read_parquet("parquet/pub_oferta_real_por_mes.parquet")`',
    "R": '`arrow::read_parquet("parquet/pub_oferta_real_por_mes.parquet")`',
    "Power BI": "*Obter dados* › *Parquet*, um arquivo por tabela. Ligue as tabelas pelos códigos, "
    "como o dicionário diz em *Valores*.",
    "Tableau": "Ligue-se aos CSV (ou ao DuckDB, com o conector JDBC) e relacione as tabelas "
    "pelos códigos.",
    "Metabase": "Com o *driver* de DuckDB, aponte para `mapa_publico.duckdb`, só para leitura.",
    "Superset": "Instale `duckdb-engine` e ligue-se a `duckdb:////pasta/mapa_publico.duckdb`.",
}
"""How each tool opens a version, in Markdown."""
CARE = """
* Some vagas; nunca some percentuais nem limites que se repetem (`qtd_ppi`, população da região).
* Some só meses encerrados: `competencia_situacao = 'encerrada'`.
* Vazio é desconhecido ou não divulgado. Não o troque por zero.
* Cite a coluna `fonte` de `pub_atualizacao` e a data de referência.
"""


def pages(release: Release, version: Mapping[str, Any]) -> Iterator[Page]:
    """Yield the page of the data.

    Args:
        release: that the site shows.
        version: its `manifest.json`, with `tables` and the `files` that stand beside the site.

    """
    files = {file["path"]: file for file in version["files"]}
    yield Page(
        "dados.html",
        "Dados",
        template="data.html",
        content={
            "whole": [
                {"path": path, "what": what, "address": f"../{path}", "size": _size(files[path])}
                for path, what in WHOLE.items()
                if path in files
            ],
            "profiles": [
                profile | {"address": f"../{path}", "path": path, "size": _size(files[path])}
                for profile in version.get("transparency", ())
                for path in [f"transparencia/{profile['perfil']}.csv"]
                if path in files
            ],
            "tables": [
                table | {"files": _files(table["name"], files)} for table in version["tables"]
            ],
            "recipes": RECIPES,
            "care": CARE,
            "code_version": version["code_version"],
            "digest": version["content_sha256"],
        },
    )


def _files(table: str, files: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the files of one table, wherever in the version they stand."""
    return [
        {"kind": name, "address": f"../{path}", "size": _size(file)}
        for ending, name in KINDS.items()
        for path, file in files.items()
        if PurePosixPath(path).name == f"{table}.{ending}"
    ]


def _size(file: Mapping[str, Any]) -> str:
    """Write the size of a file for people.

    Example:
        >>> _size({"bytes": 1_540_000}), _size({"bytes": 900})
        ('1,5 MB', '1 kB')
    """
    if file["bytes"] < 1_000_000:
        return f"{max(1, round(file['bytes'] / 1000))} kB"
    return f"{file['bytes'] / 1e6:.1f} MB".replace(".", ",")
