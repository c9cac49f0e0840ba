"""The figures of the page on the offer: each takes the selected rows and returns what is drawn."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import pandas as pd
import plotly.graph_objects as go
from dash import html
from plotly.subplots import make_subplots
from vizro.models.types import capture

from mapa.panels import grid
from mapa.panels.data import MEASURES, causes, closed, counted, planned, told
from mapa.panels.style import (
    LIMITS,
    PARTS,
    Part,
    day,
    month_label,
    number,
    percent,
    period,
    shortened,
)

ORDERS = {
    "Mais vagas perdidas ou bloqueadas": "qtd_nao_ofertadas",
    "Maior oferta total": "qtd_vagas_total",
}
SYNTHETIC = (
    "DADOS SINTÉTICOS: os números vêm, no todo ou em parte, de uma cidade simulada e não descrevem "
    "nenhum serviço real."
)
STALE = (
    "DESATUALIZADO: a atualização mais recente falhou. Os números são os da última publicação boa, "
    "até o dia indicado; o que mudou depois dele não está aqui."
)
UNNOTED = "A origem de parte dos dados não foi anotada."
EMPTY = "Nenhuma vaga para esta seleção. Altere os filtros acima."
FONT = "Inter, Segoe UI, Roboto, sans-serif"


@capture("figure")
def situation(data_frame: pd.DataFrame) -> html.Div:
    """Say until when the data go, where they come from and how they may be used."""
    if data_frame.empty:
        return html.Div(EMPTY, className="situacao", id="situacao")
    row = data_frame.iloc[0]
    return html.Div(
        [
            html.Strong(SYNTHETIC, className="sinteticos", id="sinteticos")
            if row["eh_sintetico"]
            else None,
            html.Strong(STALE, className="sinteticos", id="desatualizado")
            if row["eh_desatualizado"]
            else None,
            html.Span(
                [
                    "Dados até ",
                    html.Strong(day(row["data_referencia"])),
                    ". O que vem depois é programação já conhecida e nunca entra nas somas do que "
                    "já ocorreu.",
                ]
            ),
            html.Span(f"Fonte: {row['fonte']}. Licença {row['licenca']}."),
            html.Span(UNNOTED) if row["eh_sintetico"] is None else None,
            html.Span(f"Versão {row['versao']}."),
        ],
        className="situacao",
        id="situacao",
    )


@capture("figure")
def cards(data_frame: pd.DataFrame) -> html.Div:
    """Show the offer as a sum: total − blocked = active; active − what limits take = real."""
    over, ahead = closed(data_frame), planned(data_frame)
    return html.Div(
        [
            *([] if over.empty and not ahead.empty else _past(over)),
            *([] if ahead.empty else _ahead(ahead)),
        ]
    )


def _past(rows: pd.DataFrame) -> list[Any]:
    """Build the sum of the months that are over, and what it leaves out."""
    sums = rows[list(MEASURES)].sum()
    total, active, real, kept = (
        sums[f"qtd_{name}"]
        for name in ("vagas_total", "vagas_ativas", "oferta_real", "vagas_nao_divulgadas")
    )
    ceiling, ppi = (sums[f"qtd_vagas_perdidas_{name}"] for name in ("teto", "ppi"))
    # The holidays of what is kept back are told.
    blocked = sums["qtd_vagas_bloqueadas_feriado"] + sums["qtd_vagas_bloqueadas_afastamento"]
    known = told(sums)
    unknown = int(rows["qtd_vagas_total"].isna().sum())
    months = f": {period(rows['competencia'])}" if len(rows) else ""
    content: list[Any] = [
        _card("qtd_vagas_total", "Oferta total", total, "vagas programadas nas escalas"),
        _sign("−"),
        _card(
            "qtd_vagas_bloqueadas",
            "Bloqueada",
            blocked,
            f"{percent(blocked, total)} do total: feriados e afastamentos",
        ),
        *(
            [
                _sign("−"),
                _card(
                    "qtd_vagas_nao_divulgadas",
                    "Não divulgada",
                    kept,
                    f"{percent(kept, total)} do total: diria quem faltou",
                ),
            ]
            if kept
            else []
        ),
        _sign("="),
        _card("qtd_vagas_ativas", "Ativa", active, f"{percent(active, known)} do divulgado"),
        _sign("−"),
        _card(
            "qtd_vagas_perdidas_teto",
            "Perdida por teto",
            ceiling,
            f"{percent(ceiling, active)} da ativa: limite da unidade",
        ),
        _sign("−"),
        _card(
            "qtd_vagas_perdidas_ppi",
            "Perdida por PPI",
            ppi,
            f"{percent(ppi, active)} da ativa: limite da central",
        ),
        _sign("="),
        _card("qtd_oferta_real", "Oferta real", real, f"{percent(real, known)} do divulgado"),
    ]
    note = (
        html.P(
            f"{number(unknown)} linhas de unidade, procedimento e mês não informam a quantidade de "
            "vagas e não entram nas somas.",
            className="nota",
        )
        if unknown
        else None
    )
    heading = html.Div(f"Meses encerrados{months}", className="periodo", id="periodo")
    return [heading, html.Div(content, className="cartoes"), note]


def _ahead(rows: pd.DataFrame) -> list[Any]:
    """Say apart what the months under way and to come offer, as far as it is known."""
    sums = rows[list(MEASURES)].sum()
    total, active, real = (
        number(sums[f"qtd_{name}"]) for name in ("vagas_total", "vagas_ativas", "oferta_real")
    )
    blocked = number(
        sums["qtd_vagas_bloqueadas_feriado"] + sums["qtd_vagas_bloqueadas_afastamento"]
    )
    kept = sums["qtd_vagas_nao_divulgadas"]
    untold = f"− {number(kept)} não divulgadas " if kept else ""
    return [
        html.P(
            [
                html.Strong(f"Oferta programada, {period(rows['competencia'])}"),
                " (meses em curso ou por vir, fora das somas): ",
                f"{total} vagas nas escalas − {blocked} já bloqueadas {untold}= {active} ativas; "
                f"{real} de oferta real com os limites já informados.",
            ],
            className="nota",
            id="programada",
        )
    ]


@capture("figure")
def ranking(data_frame: pd.DataFrame) -> html.Div:
    """Rank what took slots, every cause with its slots; they add up to what is told as lost."""
    rows = counted(data_frame)
    if rows.empty:
        return html.Div(EMPTY, id="causas")
    sums = rows[list(MEASURES)].sum()
    # Of what is kept back only the holidays are told.
    lost = told(sums) - sums["qtd_oferta_real"]
    kept = sums["qtd_vagas_nao_divulgadas"]
    found = causes(sums)
    places = [cause.place for cause in found]
    lines = [
        html.Tr(
            [
                html.Td(f"{c.place}º" + (" (empate)" if places.count(c.place) > 1 else "")),
                html.Td(c.name),
                html.Td(number(c.slots), className="numero"),
                html.Td(percent(c.slots, lost), className="numero"),
            ]
        )
        for c in found
    ]
    heading = html.Tr([html.Th(t) for t in ("Lugar", "Causa", "Vagas", "Parte do que se perdeu")])
    sum_line = html.Tr(
        [
            html.Td(""),
            html.Td("Total menos oferta real" + (" e não divulgada" if kept else "")),
            html.Td(number(lost), className="numero", id="causas-soma"),
            html.Td(percent(lost, lost), className="numero"),
        ]
    )
    return html.Div(
        [
            html.P(_summed(rows), className="nota"),
            html.Table([html.Thead(heading), html.Tbody([*lines, sum_line])], className="causas"),
            html.P(f"Fora desta conta: {number(kept)} vagas não divulgadas.", className="nota")
            if kept
            else None,
        ],
        id="causas",
    )


def _summed(rows: pd.DataFrame) -> str:
    """Say which months a sum covers, and that they are planned when none of them is over."""
    over = not closed(rows).empty
    kind = "meses encerrados" if over else "oferta programada, de meses em curso ou por vir"
    return f"{period(rows['competencia'])} ({kind})"


@capture("graph")
def by_month(data_frame: pd.DataFrame) -> go.Figure:
    """Draw where each month's slots go, and below it which limit rules the active ones."""
    if data_frame.empty:
        return _empty()
    months = data_frame.groupby("competencia", sort=True)[list(MEASURES)].sum()
    labels = [month_label(month) for month in months.index]
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.74, 0.26],
        vertical_spacing=0.09,
        subplot_titles=("", "Limite que prevalece sobre as vagas ativas de cada mês"),
    )
    for part in PARTS:
        figure.add_trace(_bar(part, labels, months[part.measure]), row=1, col=1)
    figure.add_trace(_active_line(labels, months["qtd_vagas_ativas"]), row=1, col=1)
    for trace in _limit_bars(data_frame, list(months.index), labels):
        figure.add_trace(trace, row=2, col=1)
    _dress(figure, height=620)
    figure.update_layout(
        # At the bottom of the frame, clear of the months even where a phone turns these upright.
        legend2={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "x": 0,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        margin={"l": 8, "r": 8, "t": 40, "b": 120},
    )
    top = 1.05 * months["qtd_vagas_total"].max()
    figure.update_yaxes(tickformat=",d", range=[0, top], row=1, col=1)
    figure.update_yaxes(ticksuffix="%", range=[0, 100], dtick=50, row=2, col=1)
    figure.update_annotations(font_size=13, x=0, xanchor="left")
    _mark_as_of(figure, data_frame, list(months.index), labels)
    return figure


@capture("graph")
def by_region(data_frame: pd.DataFrame) -> go.Figure:
    """Draw the parts of the offer by health region of the executing unit."""
    if data_frame.empty:
        return _empty()
    rows = counted(data_frame)
    regions = rows.groupby("regiao")[list(MEASURES)].sum().sort_values("qtd_vagas_total")
    height = max(360, 150 + 38 * len(regions))
    return _parts_by_row(regions, list(regions.index), height, _summed(rows))


@capture("graph")
def by_procedure(
    data_frame: pd.DataFrame, top: int = 10, order: str = "qtd_nao_ofertadas"
) -> go.Figure:
    """Draw the parts of the offer of the procedures that come first in the chosen order."""
    if data_frame.empty:
        return _empty()
    rows = counted(data_frame)
    procedures = rows.groupby("procedimento")[list(MEASURES)].sum()
    procedures["qtd_nao_ofertadas"] = told(procedures) - procedures["qtd_oferta_real"]
    # The name settles a tie, so that the same data always give the same chart.
    by = [order, "qtd_vagas_total", procedures.index.name]
    first = procedures.sort_values(by).tail(int(top))
    names = [shortened(name.rpartition(" (")[0], 32) for name in first.index]
    return _parts_by_row(first, names, 150 + 34 * len(first), _summed(rows))


@capture("ag_grid")
def table(data_frame: pd.DataFrame) -> dag.AgGrid:
    """List unit by procedure, the greatest losses first; the download is what is listed."""
    return grid.build(data_frame)


def _card(measure: str, title: str, value: float, note: str) -> html.Div:
    """Build one card; its id carries the measure so that tests read what people read."""
    return html.Div(
        [
            html.Div(title, className="cartao-titulo"),
            html.Div(number(value), className="cartao-valor", id=f"cartao-{measure}"),
            html.Div(note, className="cartao-nota"),
        ],
        className=f"cartao {measure}",
    )


def _sign(text: str) -> html.Div:
    """Build a sign between two cards."""
    return html.Div(text, className="sinal")


def _bar(part: Part, labels: list[str], values: pd.Series) -> go.Bar:
    """Build one part of the stacked bars of the months."""
    return go.Bar(
        x=labels,
        y=values,
        name=part.name,
        marker=_marker(part),
        hovertemplate="%{y:,d}",
    )


def _active_line(labels: list[str], values: pd.Series) -> go.Scatter:
    """Mark the active offer: what blocks leave, before any limit."""
    return go.Scatter(
        x=labels,
        y=values,
        name="Ativa (antes dos limites)",
        mode="markers",
        marker={"symbol": "line-ew", "size": 22, "line": {"width": 3, "color": "#1A1A1A"}},
        hovertemplate="%{y:,d}",
    )


def _limit_bars(data_frame: pd.DataFrame, months: list[Any], labels: list[str]) -> list[go.Bar]:
    """Build the share of active slots under each limit, month by month."""
    active = (
        data_frame.pivot_table(
            index="competencia",
            columns="limite_vinculante",
            values="qtd_vagas_ativas",
            aggfunc="sum",
            observed=True,
        )
        .reindex(index=months, columns=list(LIMITS))
        .fillna(0)
    )
    total = active.sum(axis="columns")
    return [
        go.Bar(
            x=labels,
            y=(100 * active[limit] / total.where(total > 0)).fillna(0),
            customdata=active[limit],
            name=name,
            legend="legend2",
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{y:.1f}% (%{customdata:,d} vagas)",
        )
        for limit, (name, colour) in LIMITS.items()
    ]


def _mark_as_of(
    figure: go.Figure, data_frame: pd.DataFrame, months: list[Any], labels: list[str]
) -> None:
    """Divide the months that are over from those under way and to come."""
    over = closed(data_frame)["competencia"].unique()
    past = sum(month in over for month in months)
    if 0 < past < len(labels):
        figure.add_vline(x=past - 0.5, line={"dash": "dot", "color": "#555555", "width": 1.5})
        figure.add_annotation(
            x=past - 0.45,
            y=1.0,
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            text="em curso e programado →",
            showarrow=False,
            font={"size": 12, "color": "#555555"},
        )


def _parts_by_row(rows: pd.DataFrame, names: list[str], height: int, summed: str) -> go.Figure:
    """Draw one horizontal bar per row, with the share that becomes real offer at its end."""
    figure = go.Figure(
        [
            go.Bar(
                x=rows[part.measure],
                y=list(range(len(rows))),
                customdata=list(rows.index),
                orientation="h",
                name=part.name,
                marker=_marker(part),
                hovertemplate="%{customdata}: %{x:,d}",
            )
            for part in PARTS
        ]
    )
    shares = [
        " " + percent(real, total)
        for real, total in zip(rows["qtd_oferta_real"], told(rows), strict=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=rows["qtd_vagas_total"],
            y=list(range(len(rows))),
            mode="text",
            text=shares,
            textposition="middle right",
            hoverinfo="skip",
            showlegend=False,
            cliponaxis=False,
        )
    )
    _dress(figure, height=height)
    figure.update_layout(hovermode="closest", margin={"l": 8, "r": 56, "t": 56, "b": 24})
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(rows))),
        ticktext=names,
        showgrid=False,
        automargin=True,
    )
    figure.update_xaxes(tickformat=",d", showgrid=True, title={"text": summed, "font_size": 12})
    return figure


def _marker(part: Part) -> dict[str, Any]:
    """Return fill and pattern of a part."""
    return {
        "color": part.colour,
        "line": {"width": 0},
        "pattern": {
            "shape": part.pattern,
            "fillmode": "overlay",
            "fgcolor": "rgba(255,255,255,0.7)",
            "size": 8,
            "solidity": 0.25,
        },
    }


def _dress(figure: go.Figure, height: int) -> None:
    """Give a figure the page's look and the Brazilian marks of thousands and decimals."""
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        height=height,
        separators=",.",
        hovermode="x unified",
        font={"family": FONT, "size": 13},
        legend={
            "orientation": "h",
            "y": 1.0,
            "x": 0,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
    )


def _empty() -> go.Figure:
    """Say that the selection holds nothing, instead of an empty frame."""
    figure = go.Figure()
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=EMPTY, showarrow=False, font={"size": 15})
    figure.update_layout(height=260)
    return figure
