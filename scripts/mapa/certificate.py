"""The certificate of a destruction as a PDF, in Portuguese: what the JSON says, for a person."""

from __future__ import annotations

import hashlib
from typing import Any

from fpdf import FPDF

FONT, SIZE, LINE = "helvetica", 10, 5.5
SOURCES = {
    "sisreg": "SISREG (API)",
    "arquivo": "SISREG (arquivos)",
    "oferta_api": "SISREG (API de oferta)",
    "relatorio": "SISREG (relatórios)",
    "cadsus": "CadSUS",
    "cnes": "CNES",
    "proadi": "PROADI-SUS",
}


def pdf(content: dict[str, Any], text: bytes) -> bytes:
    """Return the PDF of a certificate.

    Args:
        content: of the certificate.
        text: the JSON file, whose checksum stands in the PDF.

    """
    page = FPDF()
    page.set_title("Certificado de destruição de dados")
    page.set_lang("pt-BR")
    page.add_page()
    page.set_font(FONT, "B", 15)
    page.multi_cell(0, 9, "Certificado de destruição de dados", new_x="LMARGIN", new_y="NEXT")
    page.set_font(FONT, "", SIZE)
    for heading, lines in _sections(content, text):
        page.ln(3)
        page.set_font(FONT, "B", SIZE + 1)
        page.multi_cell(0, LINE, heading, new_x="LMARGIN", new_y="NEXT")
        page.set_font(FONT, "", SIZE)
        for line in lines:
            page.multi_cell(0, LINE, _latin(line), new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _latin(text: str) -> str:
    """Return a text in what the fonts of every reader can show."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _sections(content: dict[str, Any], text: bytes) -> list[tuple[str, list[str]]]:
    term, found = content["prazo"], content["verificacao"]
    key = content["chave_do_armazem"]
    encrypted = (
        f"Armazém e recepção cifrados com a chave de versão {key}."
        if key
        else "Sem cifra em disco."
    )
    return [
        ("Pedido", [
            f"Número: {content['destruicao_id']}",
            f"Pedido por: {content['pedido_por']}",
            f"Recebido em: {_day(content['pedido_recebido_em'])}",
            f"Abrangência: {_scope(content['selecao'])}",
        ]),
        ("O que foi destruído", [
            *(
                f"{SOURCES.get(name, name)}: {one['cargas']} cargas, {one['arquivos']} arquivos, "
                f"{one['bytes']} bytes"
                for name, one in content["fontes"].items()
            ),
            f"Linhas do armazém: {sum(content['linhas'].values())}",
            f"Versões publicadas retiradas: {len(content['versoes_publicadas_removidas'])}",
            "Também: tudo o que foi calculado dos dados, os registros do dbt e os arquivos de "
            "transbordo. O armazém foi reescrito. O histórico guarda só que cada carga existiu.",
        ]),
        ("Verificação", [
            f"Arquivos varridos: {found['arquivos_varridos']}",
            f"Identificadores procurados: {found['identificadores_procurados']}; encontrados: "
            f"{found['identificadores_encontrados']}",
            encrypted,
            "Cópias de segurança e blocos livres do disco não são alcançados por este programa.",
        ]),
        ("Prazo", [
            f"Destruição concluída em {_day(term['destruida_em'])}. Este documento deve ser "
            f"entregue até {_day(term['entregar_ate'])} ({term['dias_uteis']} dias úteis; "
            f"calendário: {term['calendario']}).",
        ]),
        ("Autenticidade", [
            "A relação de cargas e arquivos, com o resumo criptográfico de cada um, está em "
            f"destruicao-{content['destruicao_id']}.json, cujo SHA-256 é "
            f"{hashlib.sha256(text).hexdigest()}.",
            f"Versão do programa: {content['versao_codigo']}. Chave dos pseudônimos: versão "
            f"{content['chave_dos_pseudonimos']}.",
            "",
            "Local, data e assinatura: ______________________________________________",
        ]),
    ]  # fmt: skip


def _day(text: str) -> str:
    year, month, day = text[:10].split("-")
    return f"{day}/{month}/{year}"


def _scope(selection: dict[str, Any]) -> str:
    if selection["tudo"]:
        return "tudo o que a casa recebeu"
    parts = [", ".join(SOURCES.get(name, name) for name in selection["fontes"])]
    if selection["desde"] or selection["ate"]:
        since = _day(selection["desde"]) if selection["desde"] else "o início"
        until = _day(selection["ate"]) if selection["ate"] else "hoje"
        parts.append(f"cargas recebidas de {since} até {until}")
    return "; ".join(part for part in parts if part)
