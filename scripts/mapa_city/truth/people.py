"""The right answers on what is published of counts of people, before small counts are hidden."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

CLOSED_AFTER = 30
"""Days after its end from which a month is told."""
TOLD = 13
"""Months before that of the reference day that are told."""
SENSITIVE = ("0202030300", "021401", "030108", "0409060070", "0411020013")
"""Beginnings of SIGTAP codes that say what somebody suffers from."""
REST, EVERYTHING = "demais", "todos"
FLOWS = {
    "qtd_entradas": ("qtd_entradas",),
    "qtd_voltas": (
        "qtd_reenvios",
        "qtd_reaberturas",
        "qtd_reaparecimentos",
        "qtd_reclassificadas_entrada",
    ),
    "qtd_agendamentos": ("qtd_agendamentos",),
    "qtd_saidas_sem_agendamento": (
        "qtd_devolucoes",
        "qtd_cancelamentos",
        "qtd_negativas",
        "qtd_desaparecimentos",
        "qtd_outras_saidas",
        "qtd_reclassificadas_saida",
    ),
}
TIMES = (
    "dias_em_fila_p50",
    "dias_em_fila_p90",
    "dias_espera_media",
    "dias_espera_p50",
    "dias_espera_p90",
)
OUTCOMES = ("qtd_agendamentos_devidos", "qtd_confirmados", "qtd_faltas", "qtd_sem_confirmacao")
SHARES = (
    "pct_falta_desfecho_conhecido",
    "pct_falta_minimo",
    "pct_falta_maximo",
    "pct_sem_confirmacao",
)
BOOKED = (*OUTCOMES, "qtd_canceladas")
NOWHERE = "nao_identificada"
Line = dict[str, Any]


def counts_of_people(until: date, right: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Add up what may be told of the queue, the waits, the use of the offer and the absences.

    Args:
        until: reference day.
        right: right answers by mart, `fila_por_mes`, `fila_por_faixa_por_mes`, `espera_por_mes`,
            `espera_limites_por_mes`, `espera_probabilidade_por_mes`, `absenteismo_por_mes`,
            `oferta_funil_por_mes`, `absenteismo_por_residencia_por_mes`, `dim_estabelecimentos` and
            `pub_dim_procedimentos` among them.
    """
    open_names = {
        line["procedimento_codigo"]
        for line in _lines(right["pub_dim_procedimentos"])
        if not (line["sigtap_codigo"] or "").startswith(SENSITIVE)
    }

    region = {
        line["unidade_cnes"]: line["regiao_saude_codigo"] or NOWHERE
        for line in _lines(right["dim_estabelecimentos"])
    }

    def of_told_months(answer: Mapping[str, Any]) -> list[Line]:
        return [
            line
            for line in _lines(answer)
            if _is_told(date.fromisoformat(line["competencia"]), until)
        ]

    def told(answer: Mapping[str, Any]) -> list[Line]:
        return [
            line
            | {
                "procedimento_codigo": line["procedimento_codigo"]
                if line["procedimento_codigo"] in open_names
                else REST
            }
            for line in of_told_months(answer)
        ]

    def placed(answer: Mapping[str, Any]) -> list[Line]:
        return [
            line
            | {"regiao_atendimento_codigo": region.get(line["unidade_executante_cnes"], NOWHERE)}
            for line in of_told_months(answer)
        ]

    waiting = [
        line
        | {name: sum(line[part] for part in parts) for name, parts in FLOWS.items()}
        | {"qtd_atendidas": 0}
        for line in told(right["fila_por_mes"])
    ]
    served = [
        dict.fromkeys((*FLOWS, "qtd_aguardando"), 0)
        | {name: line[name] for name in ("competencia", "procedimento_codigo", "qtd_atendidas")}
        for line in told(right["espera_por_mes"])
    ]
    times = {
        (line["competencia"], line["procedimento_codigo"]): line
        for line in told(right["espera_por_mes"])
    }
    by_month, by_procedure = ("competencia",), ("competencia", "procedimento_codigo")
    moved = (*FLOWS, "qtd_aguardando")
    queues = _summed([*waiting, *served], by_procedure, (*moved, "qtd_atendidas"))
    for number, line in enumerate(queues):
        own = times.get((line["competencia"], line["procedimento_codigo"]), {})
        known = own if line["procedimento_codigo"] != REST else {}
        queues[number] = {name: known.get(name) for name in TIMES} | line
    at_home = ("competencia", "regiao_residencia_codigo", "regiao_atendimento_codigo")
    in_units = ("competencia", "regiao_atendimento_codigo", "unidade_executante_cnes")
    booked = _summed(
        [_due(line) for line in placed(right["oferta_funil_por_mes"])], in_units, BOOKED
    )
    return {
        "pub_fila_por_mes": _answer(queues, by_procedure),
        "pub_fila_regioes_por_mes": _answer(
            _summed(waiting, (*by_month, "regiao_saude_codigo"), moved),
            (*by_month, "regiao_saude_codigo"),
        ),
        **{
            name: _answer(
                [
                    line
                    for line in _summed(waiting, (*by_procedure, part), ("qtd_aguardando",))
                    if line["qtd_aguardando"]
                ],
                (*by_procedure, part),
            )
            for name, part in (
                ("pub_fila_por_regiao_por_mes", "regiao_saude_codigo"),
                ("pub_fila_por_risco_por_mes", "risco_codigo"),
            )
        },
        "pub_fila_por_faixa_por_mes": _answer(
            _summed(
                of_told_months(right["fila_por_faixa_por_mes"]),
                (*by_month, "faixa_espera"),
                ("qtd_aguardando",),
            ),
            (*by_month, "faixa_espera"),
        ),
        "pub_espera_limites_por_mes": _answer(
            _within_limits(told(right["espera_limites_por_mes"])), by_procedure
        ),
        "pub_espera_probabilidade_por_mes": _answer(
            _chances(told(right["espera_probabilidade_por_mes"])),
            (*by_procedure, "horizonte_dias"),
        ),
        "pub_absenteismo_procedimentos_por_mes": _answer(
            [
                _shares(line)
                for line in _summed(told(right["absenteismo_por_mes"]), by_procedure, OUTCOMES)
            ],
            by_procedure,
        ),
        "pub_oferta_uso_por_mes": _answer(
            [
                _shares(line)
                for line in booked
                if line["qtd_agendamentos_devidos"] or line["qtd_canceladas"]
            ],
            in_units,
        ),
        "pub_absenteismo_por_residencia_por_mes": _answer(
            _summed(
                placed(right["absenteismo_por_residencia_por_mes"]),
                at_home,
                ("qtd_agendamentos_devidos",),
            ),
            at_home,
        ),
    }


def _is_told(month: date, until: date) -> bool:
    """Tell whether a month ended long enough ago, and not too long."""
    after = (month + timedelta(days=31)).replace(day=1)
    back = 12 * (until.year - month.year) + until.month - month.month
    return after + timedelta(days=CLOSED_AFTER - 1) <= until and back <= TOLD


def _lines(answer: Mapping[str, Any]) -> list[Line]:
    names = [*answer["chave"], *answer["colunas"]]
    return [dict(zip(names, map(_plain, line), strict=True)) for line in answer["linhas"]]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _summed(lines: Iterable[Line], key: tuple[str, ...], measures: tuple[str, ...]) -> list[Line]:
    sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(measures, 0))
    for line in lines:
        found = sums[tuple(line[name] for name in key)]
        for name in measures:
            found[name] += line[name]
    return [dict(zip(key, place, strict=True)) | values for place, values in sums.items()]


def _due(line: Line) -> Line:
    """Name what came of a slot as what came of the booking that held it."""
    outcomes = ("qtd_atendidas", "qtd_faltas", "qtd_sem_confirmacao")
    return line | {
        "qtd_confirmados": line["qtd_atendidas"],
        "qtd_agendamentos_devidos": sum(line[name] for name in outcomes),
        "qtd_canceladas": line["qtd_canceladas_tarde"] + line["qtd_liberadas"],
    }


def _shares(line: Line) -> Line:
    due, came, missed, silent = (line[name] for name in OUTCOMES)
    parts = ((missed, missed + came), (missed, due), (missed + silent, due), (silent, due))
    shares = (100 * part / whole if whole else None for part, whole in parts)
    return line | dict(zip(SHARES, shares, strict=True))


def _within_limits(lines: list[Line]) -> list[Line]:
    """Say which part of those with a limit is within it, by procedure and of all."""
    limits, judged = defaultdict[tuple[str, str], set[int]](set), list[Line]()
    for line in lines:
        if line["limite_dias"] is None:
            continue
        for procedure in (line["procedimento_codigo"], EVERYTHING):
            limits[line["competencia"], procedure].add(line["limite_dias"])
            judged.append(line | {"procedimento_codigo": procedure})
    names = [f"qtd_{who}{end}" for who in ("aguardando", "atendidas") for end in ("", "_no_limite")]
    key, said = ("competencia", "procedimento_codigo"), list[Line]()
    for line in _summed(judged, key, tuple(names)):
        own = limits[line["competencia"], line["procedimento_codigo"]]
        told = {name: line[name] for name in key}
        told["limite_dias"] = own.pop() if len(own) == 1 else None
        for whole, part in (names[:2], names[2:]):
            share = 100 * line[part] / line[whole] if line[whole] else None
            told |= _both(part.replace("qtd", "pct"), share)
        said.append(told)
    return said


def _chances(lines: list[Line]) -> list[Line]:
    """Say the chance of those who entered in twelve months, where it is known."""
    said = list[Line]()
    for line in lines:
        if line["coorte_meses"] != "12" or line["procedimento_codigo"] == REST:
            continue
        seen, perhaps, still = (
            line[f"pct_pedidos_{name}"] for name in ("atendidos", "sem_confirmacao", "em_aberto")
        )
        said.append(
            {name: line[name] for name in ("competencia", "procedimento_codigo", "horizonte_dias")}
            | {
                "pct_pedidos_atendidos_minimo": seen,
                "pct_pedidos_atendidos_maximo": None if seen is None else seen + perhaps,
            }
            | _both("pct_pedidos_encerrados", None if seen is None else 100 - still)
        )
    return said


def _both(name: str, share: float | None) -> Line:
    """Say a share twice: before it is published, both ends are the share itself."""
    return {f"{name}_minimo": share, f"{name}_maximo": share}


def _answer(lines: list[Line], key: tuple[str, ...]) -> dict[str, Any]:
    columns = [name for name in lines[0] if name not in key] if lines else []
    return {
        "chave": list(key),
        "colunas": columns,
        "linhas": [tuple(line[name] for name in (*key, *columns)) for line in lines],
    }
