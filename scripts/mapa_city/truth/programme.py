"""What the register of PROADI-SUS must say: money of terms and projects, and every deadline.

Worked out from the programme as it was drawn, with rules typed in here anew: no table of the
project is read. Money is cents until the last moment. The old text (2014) was in force to 7
December 2017, the new one (2017) and the law of 2021 are; what is not in force is worked out only
with `historic`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from statistics import median
from typing import Any

from mapa_city.city import City
from mapa_city.programme import Event, Programme, Project, Term, programme
from mapa_city.truth.working_days import moved, next_month, working_days

OLD, NEW, LAW = "PRT 2.814/2014", "PRT 3.362/2017", "LC 187/2021"
BEGIN = {OLD: date(2014, 12, 22), NEW: date(2017, 12, 8), LAW: date(2021, 12, 17)}
OLD_ENDS = date(2017, 12, 7)
NEWEST_FIRST = (LAW, NEW, OLD)
NORMS = {"M2": (LAW, NEW, OLD), "M3": (NEW, OLD), "M6": (LAW, OLD)}
"""Norms of the rules of money that not only the old text has."""
FEWEST = 10

DEADLINES = """
    D1 temas M termo termo.trienio_inicio portaria_temas.publicacao on 06-30 -1
    D2 assinatura B termo termo.trienio_inicio termo.assinatura on 08-31 -1
    D3 pedido E termo termo.trienio_inicio termo.solicitacao on 08-31 -1 new
    D3 prorrogacao E termo prorrogacao.trienio_inicio prorrogacao.solicitacao on 08-31 -1 new
    D4 decisao M termo prorrogacao.solicitacao prorrogacao.decisao days 120 new
    D5 extrato M termo termo.assinatura termo.publicacao days 20 both fifth
    D5 extrato_do_aditivo M termo aditivo.assinatura aditivo.publicacao days 20 both fifth
    D6 projetos E projeto termo.publicacao projeto.protocolo days 120 new
    D7 defesa E termo rescisao.notificacao rescisao.defesa days 10 both right
    D8 reconhecimento E entidade reconhecimento.publicacao reconhecimento.renovacao years 3 new still
    D9 gestor M comite reuniao_gestor.fim reuniao_gestor.realizacao days 0 new still
    D9 tecnico M comite reuniao_tecnico.fim reuniao_tecnico.realizacao days 0 new still
    D9 antecedencia M comite conjunta.gestor conjunta.tecnico working -5 new still
    D10 remessa M projeto carta.protocolo carta.remessa days 5
    D11 parecer M projeto carta.recebimento carta.parecer days 15
    D12 ciencia M projeto carta.parecer carta.notificacao days 5
    D13 apoio E projeto carta.notificacao projeto.protocolo days 45 if:apoio
    D13 assistencial E projeto carta.notificacao projeto.protocolo days 60 if:assistencial
    D14 viabilidade E projeto demanda.notificacao demanda.viabilidade days 15 if:demandado
    D14 projeto E projeto demanda.viabilidade projeto.protocolo days 45 if:demandado
    D15 remessa M projeto projeto.protocolo projeto.remessa days 5
    D16 parecer M projeto projeto.recebimento projeto.parecer days 45 stops longer
    D17 projeto E projeto projeto.diligencia projeto.resposta days 15
    D17 alteracao E projeto alteracao.diligencia alteracao.resposta days 10
    D17 relatorio_semestral E projeto relatorio_semestral.diligencia relatorio_semestral.resposta days 15
    D17 relatorio_anual E projeto relatorio_anual.diligencia relatorio_anual.resposta days 15
    D17 relatorio_final E projeto relatorio_final.diligencia relatorio_final.resposta days 15
    D18 remessa M projeto projeto.parecer projeto.remessa_do_parecer days 5
    D18 ciencia M projeto projeto.remessa_do_parecer projeto.notificacao days 5
    D19 datasus M projeto projeto.remessa_ao_datasus projeto.parecer_do_datasus days 15 if:ti
    D20 remessa M projeto alteracao.protocolo alteracao.remessa days 5
    D20 parecer M projeto alteracao.recebimento alteracao.parecer days 45 stops
    D20 ciencia M projeto alteracao.parecer alteracao.notificacao days 5
    D21 entrega E projeto relatorio_semestral.fim relatorio_semestral.protocolo on 08-31 0
    D21 remessa M projeto relatorio_semestral.protocolo relatorio_semestral.remessa days 5
    D21 parecer M projeto relatorio_semestral.recebimento relatorio_semestral.parecer days 30 stops
    D21 ciencia M projeto relatorio_semestral.parecer relatorio_semestral.notificacao days 5
    D22 entrega E projeto relatorio_anual.fim relatorio_anual.protocolo on 04-30 1
    D22 remessa M projeto relatorio_anual.protocolo relatorio_anual.remessa days 5
    D22 parecer M projeto relatorio_anual.recebimento relatorio_anual.parecer days 45 stops
    D22 ciencia M projeto relatorio_anual.parecer relatorio_anual.notificacao days 5
    D23 entrega E projeto relatorio_final.fim relatorio_final.protocolo on 04-30 1
    D23 remessa M projeto relatorio_final.protocolo relatorio_final.remessa days 5
    D23 parecer M projeto relatorio_final.recebimento relatorio_final.parecer days 90 stops
    D23 ciencia M projeto relatorio_final.parecer relatorio_final.notificacao days 5
    D24 emissao M termo certidao.fim certidao.emissao on 10-31 1
    D24 envio M termo certidao.emissao certidao.envio days 5
    D25 pedido E projeto projeto.ends equipamentos.pedido days -90 if:equipamentos right still
    D26 recurso E projeto recurso.decisao recurso.interposicao days 10 right
    D26 reconsideracao M projeto recurso.interposicao recurso.reconsideracao days 10
    D27 conjur M termo minuta.recebimento minuta.parecer days 20
    D28 cartas E projeto carta.protocolo carta.protocolo on 05-15 0 if:last
    D28 cartas_a_criterio E projeto carta.protocolo carta.protocolo on 08-31 0 if:last
    D28 alteracoes E projeto alteracao.protocolo alteracao.protocolo on 05-15 0 if:last
    D28 alteracoes_a_criterio E projeto alteracao.protocolo alteracao.protocolo on 08-31 0 if:last
    D29 deposito E projeto projeto.ends bvs.deposito years 1
    D29 decisao M projeto bvs.justificativa bvs.decisao days 60
    D29 cumprimento E projeto bvs.decisao bvs.cumprimento days 30
    D30 guarda E projeto projeto.ends documentos.descarte years 10 still keep
    D30 resposta M projeto consulta.protocolo consulta.resposta days 90
    D31 certificado E projeto destruicao.realizacao destruicao.certificado working 5
    D31 correcao E projeto vazamento.notificacao vazamento.correcao days 30
"""  # noqa: E501 - a table
SIDES = {"M": "ministerio", "E": "entidade", "B": "ambos"}


@dataclass(frozen=True)
class Story:
    """All that happened to one object: days by document, period and kind, in order."""

    kind: str
    number: str
    days: dict[tuple[str, str, str], list[Event]]
    term: Term | None = None
    project: Project | None = None

    def find(self, what: str) -> dict[tuple[str, int], Event]:
        """Return the events of one kind, by period and how many there were before."""
        document, kind = what.split(".")
        return {
            (period, place): event
            for (some, period, other), events in self.days.items()
            if (some, other) == (document, kind)
            for place, event in enumerate(sorted(events, key=lambda one: one.day), start=1)
        }


def answers_of(city: City, real: dict[str, Any], *, historic: bool = False) -> dict[str, Any]:
    """Return the right answer of every mart of the programme.

    Args:
        city: the finished city.
        real: right answer of `oferta_real_por_mes`, for the offer of the units.
        historic: whether what is out of force is worked out too.

    """
    drawn = programme(city)
    deadlines = _deadlines(drawn, historic=historic)
    return {
        "proadi_termos_saldo": _terms(drawn, historic=historic),
        "proadi_projetos_execucao": _projects(drawn, historic=historic),
        "proadi_prazos_por_objeto": deadlines,
        "proadi_prazos_por_responsavel": _per_side(deadlines, drawn.until),
        "proadi_oferta": _offer(drawn, real),
    }


def _norm(rule: str, day: date) -> str | None:
    """Return the norm by which a fact is judged: of those that had begun, the newest in force."""
    begun = [norm for norm in NORMS.get(rule, (OLD,)) if BEGIN[norm] <= day]
    return begun[0] if begun else None


def _in_force(norm: str | None) -> bool:
    return norm in (NEW, LAW)


def _was_in_force(norm: str | None, day: date) -> bool:
    return norm is not None and (norm != OLD or day <= OLD_ENDS)


# --- money -----------------------------------------------------------------------------------


def _all(values: Any) -> int | None:
    """Add up, unknown as soon as one is."""
    known = list(values)
    return None if None in known else sum(known)


def _year(project: Project, year: int | None, column: int) -> int | None:
    """Return one of the five columns of a project's money, of a year or of all."""
    cells = [cell for (some, _), cell in project.money.items() if year in (None, some)]
    return _all(cell[column] for cell in cells) if cells else None


def _approved(project: Project, account: str = "") -> int:
    return sum(
        planned + (amended or 0)
        for (_, some), (planned, amended, *_) in project.money.items()
        if account in ("", some)
    )


def _rejected(project: Project) -> tuple[date, date] | None:
    """Return when an annual report was rejected and when that was first told."""
    told = [e.day for e in project.events if e.result == "reprovado" and e.kind == "notificacao"]
    said = [e.day for e in project.events if e.result == "reprovado" and e.kind == "decisao"]
    return (min(said), min([*told, *([] if told else said)])) if said else None


def _counts(project: Project, year: int, *, historic: bool) -> bool:
    rejected = _rejected(project)
    return not (historic and rejected) or date(year, 12, 31) <= rejected[1]


def _spent(term: Term, year: int, nature: str, *, historic: bool) -> int | None:
    """Return what was spent and approved of a nature in a year; unknown without any project."""
    there = [
        p
        for p in term.projects
        if any(some == year for some, _ in p.money) and _counts(p, year, historic=historic)
    ]
    if not there:
        return None
    return _all(_year(p, year, 4) for p in there if p.nature == nature)


def _judged(rule: str, day: date, kind: str, pair: tuple[Any, Any], *, historic: bool) -> list[Any]:
    """Return measure, limit, distance, unit, situation, norm, in force, in force then.

    Args:
        rule: of money.
        day: of the fact.
        kind: `most`, `least` or `told`, with the unit after a blank.
        pair: measure and limit.
        historic: whether what is out of force is worked out.

    """
    sense, unit = kind.split()
    norm = _norm(rule, day)
    tail = [norm, _in_force(norm), _was_in_force(norm, day)]
    unit_told = unit if norm else None
    if not (_in_force(norm) or (historic and norm)):
        return [None, None, None, unit_told, "fora_de_vigor", *tail]
    measure, limit = pair
    scale = 100 if unit == "reais" else 1
    shown = [
        None if value is None else float(Fraction(value) / scale) for value in (measure, limit)
    ]
    distance, situation = None, "sem_dado"
    if measure is not None and sense == "told":
        situation = "informativo"
    elif measure is not None and limit is not None:
        gap = Fraction(limit) - Fraction(measure)
        gap = gap if sense == "most" else -gap
        distance, situation = float(gap / scale), "dentro" if gap >= 0 else "fora"
    return [shown[0], None if sense == "told" else shown[1], distance, unit_told, situation, *tail]


RULE_COLUMNS = [
    "valor_medido", "valor_limite", "valor_distancia", "unidade_codigo", "regra_situacao_codigo",
    "norma", "base_legal_em_vigor", "foi_vigente_no_fato",
]  # fmt: skip


def _reais(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


def _share(part: Any, percent: int) -> Any:
    return None if part is None else Fraction(part) * percent / 100


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _is_low(support: int | None, used: int | None) -> int | None:
    """Say, as 1 or 0, whether support stays below 70 % of what was used."""
    return None if support is None or used is None else int(support * 100 < 70 * used)


def _terms(drawn: Programme, *, historic: bool) -> dict[str, Any]:
    lines: list[tuple[Any, ...]] = []
    for term in drawn.terms:
        entity = drawn.entities[term.entity]
        spent = {
            (year, nature): _spent(term, year, nature, historic=historic)
            for year in term.years
            for nature in ("apoio", "assistencial")
        }
        over = [year for year in term.years if date(year, 12, 31) <= drawn.until]
        for year in [*term.years, None]:
            within = over if year is None else [year]
            support, care = (
                _all(spent[some, nature] for some in within) if within else None
                for nature in ("apoio", "assistencial")
            )
            used = _all(term.used[some] for some in within) if within else None
            both = _plus(support, care)
            day = date(year or term.years[-1], 12, 31)
            kept = [p for p in term.projects if not (historic and _rejected(p))]
            planned = sum(_approved(p) for p in kept)
            told: dict[str, tuple[str, Any]] = {"M6": ("most reais", (care, _share(used, 30)))}
            if year is None:
                low = [_is_low(spent[y, "apoio"], term.used[y]) for y in over]
                more = None if both is None or used is None else max(0, both - used)
                outside = sum(
                    cell[2] or 0
                    for p in term.projects
                    for (y, _), cell in p.money.items()
                    if y not in term.years
                )
                told |= {
                    "M1": ("most reais", (planned, term.estimate)),
                    "M2": ("least reais", (both, used)),
                    "M3": ("told reais", (more, None)),
                    "M8": ("most exercicios", (_all(low) if low else None, 0)),
                    "M13": ("most reais", (outside, 0)),
                }
            else:
                told["M8"] = ("least reais", (support, _share(used, 70)))
                if year < term.years[-1]:
                    told["M7"] = ("least reais", (both, _share(used, 90)))
            if year is not None and year not in over:
                told = {rule: (kind, (None, pair[1])) for rule, (kind, pair) in told.items()}
            for rule, (kind, pair) in told.items():
                lines.append((
                    term.number, str(year or "total"), rule, entity.cnpj, entity.name, year,
                    _reais(term.estimate if year is None else term.estimate // 3), _reais(used),
                    _reais(planned) if year is None else None,
                    _reais(support), _reais(care), _reais(both),
                    len(over) if year is None else 1,
                    *_judged(rule, day, kind, pair, historic=historic), drawn.until.isoformat(),
                ))  # fmt: skip
    return {
        "chave": ["termo_numero", "periodo", "proadi_regra_codigo"],
        "colunas": [
            "entidade_cnpj", "entidade_nome", "exercicio", "valor_isencao_estimada",
            "valor_isencao_usufruida", "valor_aprovado", "valor_executado_apoio",
            "valor_executado_assistencial", "valor_executado", "qtd_exercicios_encerrados",
            *RULE_COLUMNS, "data_referencia",
        ],
        "linhas": lines,
    }  # fmt: skip


def _projects(drawn: Programme, *, historic: bool) -> dict[str, Any]:
    lines: list[tuple[Any, ...]] = []
    for term in drawn.terms:
        for project in term.projects:
            years = sorted({y for y, _ in project.money} | {goal[1] for goal in project.goals})
            for year in [*years, None]:
                lines += _periods(drawn, term, project, (year, historic))
    return {
        "chave": ["projeto_nup", "periodo", "proadi_regra_codigo"],
        "colunas": [
            "termo_numero", "exercicio", "natureza_codigo", "area_codigo",
            "secretaria_responsavel", "valor_previsto", "valor_aditado", "valor_aprovado",
            "valor_executado_entidade", "valor_executado_auditoria", "valor_executado_aprovado",
            "valor_a_executar", "qtd_metas", "qtd_metas_cumpridas", "qtd_metas_sem_dado",
            "pct_fisico", "pct_financeiro", "pct_diferenca", "valor_bens", "valor_bens_doados",
            "foi_excluido", *RULE_COLUMNS, "data_referencia",
        ],
        "linhas": lines,
    }  # fmt: skip


def _periods(
    drawn: Programme, term: Term, project: Project, of: tuple[int | None, bool]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one period of a project; `of` is the year, or none, and `historic`."""
    year, historic = of
    cells = {key: cell for key, cell in project.money.items() if year in (None, key[0])}
    planned = sum(cell[0] for cell in cells.values())
    amended = sum(cell[1] or 0 for cell in cells.values())
    approved, indirect = (
        planned + amended,
        sum(cell[0] + (cell[1] or 0) for (_, account), cell in cells.items() if account == "3"),
    )
    told, audited, accepted = (_year(project, year, column) for column in (2, 3, 4))
    goals = [goal for goal in project.goals if year in (None, goal[1])]
    known = [(wanted, reached) for *_, wanted, reached in goals if reached is not None]
    met = sum(reached >= wanted for wanted, reached in known)
    physical = 100 * met / len(known) if known else None
    financial = 100 * told / approved if told is not None and approved else None
    gap = None if physical is None or financial is None else financial - physical
    goods = project.goods if year is None and project.goods else None
    given = None if goods is None else [g for g in goods if g[2] and g[2] <= drawn.until]
    rejected = _rejected(project)
    day = date(year, 12, 31) if year else project.ends
    three = [value for value in (told, audited, accepted) if value is not None]
    spread = max(three) - min(three) if len(three) == 3 else None
    spent = None if told is None or not approved else round(Fraction(100 * told, approved), 4)
    percent = "told pct"
    rules: dict[str, tuple[str, Any, date]] = {
        "M9": (
            percent,
            (round(Fraction(100 * indirect, approved), 4) if approved else None, None),
            day,
        ),
        "M10": (
            percent,
            (spent, None),
            day,
        ),
        "M11": ("most reais", (spread, 0), day),
    }
    if project.nature == "assistencial":
        rules["M14"] = ("most reais", (accepted, audited), day)
    if year is None:
        final = accepted if project.ends <= drawn.until else None
        off = None if final is None else abs(final - approved)
        rest = None if final is None else max(0, approved - final)
        rules["M4"] = ("most reais", (off, _share(approved, 10)), day)
        rules["M5"] = ("told reais", (rest, None), day)
        if rejected:
            lost = [c[4] for (y, _), c in cells.items() if date(y, 12, 31) > rejected[1]]
            rules["M12"] = ("told reais", (_all(lost), None), rejected[0])
    for rule, (kind, pair, fact) in rules.items():
        yield (
            project.nup, str(year or "total"), rule, term.number, year, project.nature,
            None if project.area is None else str(project.area), "SE", _reais(planned),
            _reais(amended), _reais(approved), _reais(told), _reais(audited), _reais(accepted),
            _reais(None if told is None else approved - told), len(goals), met,
            len(goals) - len(known), physical, financial, gap,
            None if goods is None else sum(a * price for a, price, _ in goods) / 100,
            None if given is None else sum(a * price for a, price, _ in given) / 100,
            bool(historic and rejected), *_judged(rule, fact, kind, pair, historic=historic),
            drawn.until.isoformat(),
        )  # fmt: skip


# --- deadlines -------------------------------------------------------------------------------


def _stories(drawn: Programme) -> Iterator[Story]:
    """Yield what happened to each object, with what follows from the register."""
    for term in drawn.terms:
        first = date(term.first_year, 1, 1)
        facts = [
            Event("termo", "", "trienio_inicio", first),
            Event("termo", "", "solicitacao", term.asked),
            Event("termo", "", "assinatura", term.signed),
            *(Event("certidao", str(y), "fim", date(y, 12, 31)) for y in term.years),
            *term.events,
        ]
        if term.printed:
            facts.append(Event("termo", "", "publicacao", term.printed))
        if term.amended:
            asked, signed = term.amended
            facts += [
                Event("prorrogacao", "", "trienio_inicio", first),
                Event("prorrogacao", "", "solicitacao", asked),
                Event("aditivo", "1", "assinatura", signed),
            ]
        yield _story("termo", term.number, facts, term)
        for project in term.projects:
            facts = [*project.events, Event("projeto", "", "ends", project.ends)]
            if term.printed:
                facts.append(Event("termo", "", "publicacao", term.printed))
            for year in range(project.begins.year, project.ends.year + 1):
                half = date(year, 6, 30)
                if project.begins <= half:
                    facts.append(Event("relatorio_semestral", str(year), "fim", half))
                facts.append(Event("relatorio_anual", str(year), "fim", date(year, 12, 31)))
            facts.append(Event("relatorio_final", "", "fim", date(project.ends.year, 12, 31)))
            yield _story("projeto", project.nup, facts, term, project)
    yield from _stories_beside(drawn)


def _stories_beside(drawn: Programme) -> Iterator[Story]:
    """Yield what happened to entities and committees."""
    for entity in drawn.entities:
        facts = [Event("reconhecimento", "", "publicacao", entity.recognised)]
        if entity.renewed:
            facts.append(Event("reconhecimento", "", "renovacao", entity.renewed))
        yield _story("entidade", entity.cnpj, facts)
    for committee, days in drawn.meetings.items():
        facts = []
        year, quarter = days[0].year, (days[0].month - 1) // 3
        while date(year, 3 * quarter + 1, 1) <= drawn.until:
            name = f"{year}-T{quarter + 1}"
            last = next_month(date(year, 3 * quarter + 3, 1)) - timedelta(days=1)
            facts.append(Event(f"reuniao_{committee}", name, "fim", last))
            year, quarter = (year, quarter + 1) if quarter < 3 else (year + 1, 0)
        for day in days:
            name = f"{day.year}-T{(day.month - 1) // 3 + 1}"
            facts.append(Event(f"reuniao_{committee}", name, "realizacao", day))
            before = [one for one in drawn.meetings["tecnico"] if one <= day]
            if committee == "gestor":
                facts.append(Event("conjunta", day.isoformat(), "gestor", day))
                facts.append(Event("conjunta", day.isoformat(), "tecnico", max(before)))
        yield _story("comite", committee, facts)


def _story(
    kind: str, number: str, facts: list[Event], term: Term | None = None,
    project: Project | None = None,
) -> Story:  # fmt: skip
    days: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event in facts:
        days[event.document, event.period, event.kind].append(event)
    return Story(kind, number, days, term, project)


def _applies(word: str, story: Story, start: date | None) -> bool:
    """Say whether a condition of the table holds."""
    term, project = story.term, story.project
    if term is None or project is None:
        return False
    return {
        "apoio": project.nature == "apoio" and not project.demanded,
        "assistencial": project.nature == "assistencial" and not project.demanded,
        "demandado": project.demanded,
        "ti": project.has_it,
        "equipamentos": project.has_equipment,
        "last": start is not None and start.year == term.years[-1],
    }[word]


def _deadlines(drawn: Programme, *, historic: bool) -> dict[str, Any]:
    rows = [line.split() for line in DEADLINES.strip().splitlines()]
    lines: list[tuple[Any, ...]] = []
    for story in _stories(drawn):
        for row in rows:
            if row[3] == story.kind:
                lines += _of_deadline(row, story, (drawn.until, historic))
    return {
        "chave": [
            "objeto_tipo", "objeto_numero", "prazo_codigo", "prazo_etapa", "ocorrencia",
            "evento_ordem",
        ],
        "colunas": [
            "termo_numero", "responsavel_codigo", "data_inicio", "data_limite",
            "data_limite_outra", "data_cumprimento", "dias_prazo", "dias_suspensos",
            "dias_atraso", "prazo_situacao_codigo", "foi_prorrogado", "foi_reduzido",
            "norma_citada", "foi_citada_norma_revogada", "norma", "base_legal_em_vigor",
            "foi_vigente_no_fato", "data_referencia",
        ],
        "linhas": lines,
    }  # fmt: skip


def _of_deadline(
    row: list[str], story: Story, when: tuple[date, bool]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one deadline of one object."""
    until, historic = when
    code, step, side, _, begin, end, kind, amount, *words = row
    starts, ends = story.find(begin), story.find(end)
    if begin.split(".")[0] != end.split(".")[0]:
        starts, ends = (
            {("", 1): min(found.values(), key=lambda one: one.day)} if found else {}
            for found in (starts, ends)
        )
    conditions = [word[3:] for word in words if word.startswith("if:")]
    for key in sorted(starts.keys() | ends.keys()):
        start, done = starts.get(key), ends.get(key)
        first = start.day if start else None
        last = done.day if done else None
        if not all(_applies(word, story, first) for word in conditions):
            continue
        years = int(words[0]) if kind == "on" else 0
        is_past = any(day is not None and day <= until for day in (first, last))
        if (last is None and "right" in words) or not (is_past or years < 0):
            continue
        fact = first or last
        likely = (NEW, OLD) if "both" in words else (NEW,) if "new" in words else (OLD,)
        norms = [norm for norm in likely if fact is not None and BEGIN[norm] <= fact]
        if not norms or fact is None:
            continue
        norm = norms[0]
        is_told = _in_force(norm) or historic
        is_short = _is_short(story, begin, side, first)
        due, other, days, stopped, longer = None, None, None, None, None
        if is_told:
            longer = (
                "longer" in words
                and first is not None
                and any(
                    first <= event.day
                    for event in story.find(f"{begin.split('.')[0]}.prorrogacao").values()
                )
            )
            days = int(amount) if kind in ("days", "working") else None
            if days is not None and is_short:
                days = -(-days // 2)
            if days is not None and longer:
                days += 8 if is_short else 15
            if "stops" in words:
                stopped = 0
                if first is not None and days is not None:
                    stopped = _stopped(story, begin, (first, days, key[0]), (last, until))
            if first is not None:
                due = _due(kind, amount, first, (days, stopped or 0, years))
                due = due if "still" in words else moved(due)
                if "fifth" in words and norm == NEW:
                    fifth = working_days(next_month(first) - timedelta(days=1), 5)
                    due, other = min(due, fifth), max(due, fifth)
        situation = _situation(is_told, "keep" in words, (first, due, last), until)
        late = {
            "cumprida": 0, "no_prazo": 0,
            "cumprida_com_atraso": (last - due).days if last and due else None,
            "em_atraso": (until - due).days if due else None,
        }.get(situation)  # fmt: skip
        cites = done.cites or None if done else None
        yield (
            story.kind, story.number, code, step, key[0] or "unica", str(key[1]),
            story.term.number if story.term else None, SIDES[side], _iso(first), _iso(due),
            _iso(other), _iso(last), days, stopped, late, situation,
            longer, is_short and norm == OLD, cites,
            None if cites is None or last is None else cites == OLD and last > OLD_ENDS,
            norm, _in_force(norm), _was_in_force(norm, fact), until.isoformat(),
        )  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _is_short(story: Story, begin: str, side: str, first: date | None) -> bool:
    """Say whether the ministry's days are halved: letters and changes late in the last year."""
    if (
        side != "M"
        or begin.split(".", maxsplit=1)[0] not in ("carta", "alteracao")
        or first is None
    ):
        return False
    last = story.term.years[-1] if story.term else 0
    return date(last, 5, 16) <= first <= date(last, 8, 31)


def _due(kind: str, amount: str, first: date, of: tuple[int | None, int, int]) -> date:
    """Return the last day before it moves to a working one."""
    days, stopped, years = of
    if kind == "on":
        month, day = map(int, amount.split("-"))
        return date(first.year + years, month, day)
    if kind == "years":
        return first.replace(year=first.year + int(amount))
    if kind == "working":
        return working_days(first, int(amount))
    return first + timedelta(days=(days or 0) + stopped)


def _stopped(
    story: Story, begin: str, term: tuple[date, int, str], ends: tuple[date | None, date]
) -> int:
    """Walk the clock day by day: it stands still after a question until the answer."""
    first, days, period = term
    done, until = ends
    document = begin.split(".", maxsplit=1)[0]
    asked = sorted(e.day for e in story.days.get((document, period, "diligencia"), []))
    told = sorted(e.day for e in story.days.get((document, period, "resposta"), []))
    spans = [(day, told[place] if place < len(told) else until) for place, day in enumerate(asked)]
    left, still, day = days, 0, first
    while left > 0 and day < (done or until):
        day += timedelta(days=1)
        if any(first <= begun < day <= answered for begun, answered in spans):
            still += 1
        else:
            left -= 1
    return still


def _situation(
    is_told: bool, is_kept: bool, days: tuple[date | None, date | None, date | None], until: date
) -> str:
    first, due, last = days
    if not is_told:
        return "fora_de_vigor"
    if first is None or due is None:
        return "sem_evento_inicial"
    if is_kept and last is not None and last < due:
        return "antecipada"
    if last is not None and (last <= due or is_kept):
        return "cumprida"
    if last is not None:
        return "cumprida_com_atraso"
    return "no_prazo" if until <= due else "em_atraso"


def _per_side(deadlines: dict[str, Any], until: date) -> dict[str, Any]:
    """Count the deadlines that ended in each month, by side."""
    names = [*deadlines["chave"], *deadlines["colunas"]]
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in deadlines["linhas"]:
        row = dict(zip(names, line, strict=True))
        due = row["data_limite"]
        if due and due <= until.isoformat() and row["dias_atraso"] is not None:
            key = (due[:8] + "01", row["responsavel_codigo"], row["prazo_codigo"])
            found[(*key, row["prazo_etapa"], row["norma"])].append(row)
    lines = []
    for key, rows in found.items():
        late = sorted(row["dias_atraso"] for row in rows)
        good = sum(row["prazo_situacao_codigo"] == "cumprida" for row in rows)
        enough = len(rows) >= FEWEST
        place = Fraction(9, 10) * (len(late) - 1)
        low = int(place)
        high = late[min(low + 1, len(late) - 1)]
        ninth = float(late[low] + (place - low) * (high - late[low]))
        lines.append((
            *key, len(rows), good, 100 * good / len(rows),
            float(median(late)) if enough else None, ninth if enough else None,
            rows[0]["base_legal_em_vigor"], until.isoformat(),
        ))  # fmt: skip
    return {
        "chave": ["competencia", "responsavel_codigo", "prazo_codigo", "prazo_etapa", "norma"],
        "colunas": [
            "qtd_prazos", "qtd_prazos_no_tempo", "pct_no_tempo", "mediana_dias_atraso",
            "p90_dias_atraso", "base_legal_em_vigor", "data_referencia",
        ],
        "linhas": lines,
    }  # fmt: skip


def _offer(drawn: Programme, real: dict[str, Any]) -> dict[str, Any]:
    """Return the slots of the units of entities with a live assistance project."""
    column = 4 + real["colunas"].index("qtd_vagas_total")
    slots: dict[tuple[str, str, str], int | None] = {}
    for line in real["linhas"]:
        key, more = (line[0], line[2], line[3]), line[column]
        before = slots.get(key)
        # What is not known adds nothing; where nothing is known, there is no number.
        slots[key] = more if before is None else before + (more or 0)
    lines = []
    for (month, cnes, procedure), total in slots.items():
        first = date.fromisoformat(month)
        live = sum(
            p.begins < next_month(first) and p.ends >= first
            for term in drawn.terms
            if drawn.entities[term.entity].cnes == cnes
            for p in term.projects
            if p.nature == "assistencial"
        )
        if live:
            lines.append((month, cnes, procedure, None, total, live, drawn.until.isoformat()))
    return {
        "chave": ["competencia", "unidade_executante_cnes", "procedimento_codigo"],
        "colunas": [
            "eh_cnrac", "qtd_vagas_total", "qtd_projetos_assistenciais", "data_referencia",
        ],
        "linhas": lines,
    }  # fmt: skip
