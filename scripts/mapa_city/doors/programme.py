"""The operator's tables of PROADI-SUS for the city's programme, with rows that must be refused.

One file for each layout `proadi_*`, delimiter `;`, days as `dd/mm/aaaa`, money with a comma.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from mapa_city.programme import Programme, Project, Term

Row = dict[str, object]
FAULTS = {
    "termo desconhecido": 1,
    "projeto antes do termo": 1,
    "datas fora de ordem": 1,
    "valor negativo": 2,
    "projeto desconhecido": 1,
}
"""Rows that the loader must refuse, by reason."""


def write(programme: Programme, directory: Path) -> list[Path]:
    """Write the eight files and return their paths."""
    tables: dict[str, Iterable[Row]] = {
        "entidades": _entities(programme),
        "termos": _terms(programme),
        "isencao": _exemptions(programme),
        "projetos": _projects(programme),
        "orcamento": _budgets(programme),
        "metas": _goals(programme),
        "eventos": _events(programme),
        "bens": _goods(programme),
    }
    paths = []
    for name, rows in tables.items():
        path = directory / f"proadi_{name}.csv"
        lines = list(rows)
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(lines[0]), delimiter=";", lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: _text(value) for key, value in row.items()} for row in lines)
        paths.append(path)
    return paths


def _text(value: object) -> str:
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return "S" if value else "N"
    return "" if value is None else str(value)


def _money(cents: int | None) -> str:
    if cents is None:
        return ""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def _each(programme: Programme) -> Iterator[tuple[Term, Project]]:
    for term in programme.terms:
        for project in term.projects:
            yield term, project


def _entities(programme: Programme) -> Iterator[Row]:
    for entity in programme.entities:
        until = entity.recognised.replace(year=entity.recognised.year + 3)
        yield {
            "cnpj": entity.cnpj.lstrip("0"), "cnes": entity.cnes, "nome": entity.name,
            "reconhecimento_em": entity.recognised, "reconhecimento_validade": until,
            "renovacao_protocolada_em": entity.renewed,
        }  # fmt: skip


def _terms(programme: Programme) -> Iterator[Row]:
    for term in programme.terms:
        first, last = date(term.first_year, 1, 1), date(term.first_year + 2, 12, 31)
        row: Row = {
            "termo_numero": term.number, "versao": 0, "instrumento": "original",
            "sei_numero": "", "cnpj": programme.entities[term.entity].cnpj,
            "trienio_inicio": first, "trienio_fim": last, "vigencia_inicio": first,
            "vigencia_fim": last, "prorrogado": False,
            "valor_isencao_estimado": _money(term.estimate), "base_estimativa": "projecao",
            "solicitado_em": term.asked, "assinado_em": term.signed,
            "dou_extrato_em": term.printed, "signatario_cpf": "00000000191",
        }  # fmt: skip
        yield row
        if term.amended:
            asked, signed = term.amended
            yield row | {
                "versao": 1, "instrumento": "aditivo", "prorrogado": True,
                "solicitado_em": asked, "assinado_em": signed, "dou_extrato_em": None,
            }  # fmt: skip


def _exemptions(programme: Programme) -> Iterator[Row]:
    for term in programme.terms:
        for year, used in term.used.items():
            yield {
                "termo_numero": term.number, "exercicio": year,
                "valor_estimado": _money(term.estimate // 3), "valor_usufruido": _money(used),
                "informado_em": date(year + 1, 2, 15) if used is not None else None,
            }  # fmt: skip


def _projects(programme: Programme) -> Iterator[Row]:
    row: Row = {}
    for term, project in _each(programme):
        row = {
            "nup": f"{project.nup[:5]}.{project.nup[5:11]}/{project.nup[11:15]}-{project.nup[15:]}",
            "versao": 0, "termo_numero": term.number, "natureza": project.nature,
            "area": project.area, "titulo": "PROJETO FICTICIO", "secretaria_responsavel": "SE",
            "vigencia_inicio": project.begins, "vigencia_fim": project.ends,
            "demandado": project.demanded, "tem_equipamentos": project.has_equipment,
            "tem_ti": project.has_it, "tem_pesquisa": False,
            "gestor_local_anuencia_em": None, "procedimentos_cnrac": False, "dou_extrato_em": None,
        }  # fmt: skip
        if project.changes:
            # What the first version said of the end and of IT no longer holds.
            yield row | {"vigencia_fim": date(project.ends.year, 11, 30), "tem_ti": True}
            row |= {"versao": 1}
        yield row
    yield row | {"nup": "1", "termo_numero": "999/2020"}
    yield row | {"nup": "2", "vigencia_inicio": date(2009, 1, 1)}
    yield row | {"nup": "3", "vigencia_fim": date(2009, 1, 1)}


def _budgets(programme: Programme) -> Iterator[Row]:
    row: Row = {}
    for _, project in _each(programme):
        for (year, account), (planned, amended, told, audited, approved) in project.money.items():
            row = {
                "nup": project.nup, "exercicio": year, "conta": account,
                "previsto": _money(planned), "aditado": _money(amended),
                "executado_entidade": _money(told), "executado_auditoria": _money(audited),
                "executado_aprovado": _money(approved),
            }  # fmt: skip
            yield row
    yield row | {"conta": "5", "previsto": "-1,00"}
    yield row | {"conta": "6", "executado_aprovado": "-0,01"}


def _goals(programme: Programme) -> Iterator[Row]:
    row: Row = {}
    for _, project in _each(programme):
        for name, year, half, planned, reached in project.goals:
            row = {
                "nup": project.nup, "indicador": name, "semestre": f"{year}-{half}",
                "nivel": "produto", "linha_base": 0, "previsto": planned, "realizado": reached,
            }  # fmt: skip
            yield row
    yield row | {"nup": "9"}


def _events(programme: Programme) -> Iterator[Row]:
    objects = [("termo", term.number, term.events) for term in programme.terms]
    objects += [("projeto", project.nup, project.events) for _, project in _each(programme)]
    for kind, number, events in objects:
        for event in events:
            yield {
                "objeto_tipo": kind, "objeto_numero": number, "documento": event.document,
                "ocorrencia": event.period, "tipo": event.kind, "ocorrido_em": event.day,
                "resultado": event.result, "norma_citada": event.cites,
            }  # fmt: skip
    for committee, days in programme.meetings.items():
        for day in days:
            yield {
                "objeto_tipo": "comite", "objeto_numero": committee, "documento": "reuniao",
                "ocorrencia": "", "tipo": "realizacao", "ocorrido_em": day, "resultado": "",
                "norma_citada": "",
            }  # fmt: skip


def _goods(programme: Programme) -> Iterator[Row]:
    for _, project in _each(programme):
        for item, (amount, price, given) in enumerate(project.goods, start=1):
            yield {
                "nup": project.nup, "item": item, "descricao": "EQUIPAMENTO FICTICIO",
                "quantidade": amount, "valor_unitario": _money(price),
                "valor_total": _money(amount * price), "donatario_cnpj": "", "doacao_em": given,
            }  # fmt: skip
