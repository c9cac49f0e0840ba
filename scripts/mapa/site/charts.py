"""Charts: authored in Altair, compiled to Vega, drawn here as SVG and in the browser as it is used.

Colours are Okabe and Ito's, told apart with any colour vision; what is lost also bears a pattern,
which the page defines (`templates/patterns.svg`). Text takes the colour of the page, so that one
drawing serves light, dark and paper.
"""

from __future__ import annotations

import copy
import re
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import altair as alt
import vl_convert as vlc

from mapa.site.blocks import Chart

WIDE, NARROW = 880, 340
"""Widths in pixels at which a chart is drawn beforehand; a phone shows the narrow one."""
DATA = "rows"
INK = "currentColor"
LABELS = {WIDE: 260, NARROW: 150}
"""How long the names of bars may be, in pixels."""
NUMBERS: Final = "pt-BR"
HEIGHT = 280
SAID = "isValid(datum.value) ? format(datum.value, ',d') : '–'"
"""What is not known or not disclosed bears a dash, never a zero."""
BAR = 26
FINE = re.compile(r"(\d\.\d)\d+")
"""Lengths finer than a tenth of a pixel, which nobody sees and every visitor loads."""
TAG = re.compile(r"<[^<>]*>")
LIBRARY = f"vega-{version('vl-convert-python')}.js"
"""What the file of the chart library is called: another wheel gives another file."""


def compiled(chart: Chart, width: int) -> dict[str, Any]:
    """Return the Vega specification of a chart, without its rows."""
    fills = tuple((part.name, part.fill) for part in chart.parts)
    return copy.deepcopy(_compiled(chart.shape, fills, width, chart.unit))


def drawn(chart: Chart, rows: list[dict[str, Any]], width: int) -> str:
    """Draw a chart as SVG."""
    spec = compiled(chart, width)
    for table in spec["data"]:
        if table["name"] == DATA:
            table["values"] = rows
    svg: str = vlc.vega_to_svg(spec, format_locale=NUMBERS)
    # Within tags alone: what is read may be a number such as 1.234.
    return TAG.sub(lambda tag: FINE.sub(r"\1", tag[0]), svg)


@cache
def number_format() -> dict[str, Any]:
    """Return how numbers are written, for the browser's charts."""
    return dict(vlc.get_format_locale(NUMBERS))


@cache
def library() -> str:
    """Return Vega and what draws it under a strict policy, as one classic script."""
    return vlc.javascript_bundle("window.vegaEmbed = vegaEmbed; window.vega = vega;")


@cache
def _compiled(
    shape: str, fills: tuple[tuple[str, str], ...], width: int, unit: str
) -> dict[str, Any]:
    told = (
        alt.Tooltip("bar:N", title="Barra"),
        alt.Tooltip("part:N", title="Parte"),
        alt.Tooltip("value:Q", title=unit, format=",d"),
    )
    names, colours = zip(*fills, strict=True)
    scale = alt.Scale(domain=names, range=colours)
    # Beside the names of bars there is room for one column on a phone.
    columns = 4 if width == WIDE else 1 if shape == "bars" else 2
    legend = alt.Legend(title=None, orient="top", columns=columns, labelLimit=220)
    base = alt.Chart(alt.NamedData(DATA))
    value = alt.Axis(title=None, format=",d", tickCount=4 if width == NARROW else 8)
    bar = alt.Axis(title=None, labelLimit=LABELS[width], grid=False)
    made: Any
    if shape == "columns":
        made = base.mark_bar().encode(
            x=alt.X("bar:N", sort=None, axis=alt.Axis(title=None, labelAngle=-45)),
            y=alt.Y("sum(value):Q", axis=value, stack=True),
            fill=alt.Fill("part:N", scale=scale, legend=legend),
            order=alt.Order("order:Q"),
            tooltip=list(told),
        )
        made = made.properties(height=HEIGHT)
    elif shape == "bars":
        made = base.mark_bar().encode(
            y=alt.Y("bar:N", sort=None, axis=bar),
            x=alt.X("sum(value):Q", axis=value, stack=True),
            fill=alt.Fill("part:N", scale=scale, legend=legend),
            order=alt.Order("order:Q"),
            tooltip=list(told),
        )
        made = made.properties(height=alt.Step(BAR))
    else:
        made = _told(base, shape, (bar, value), scale, [told[0], told[2]])
    spec = (
        made.properties(width=width, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
        .configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, domainColor=INK, tickColor=INK, gridColor="#8885",
            labelFontSize=12, labelFont=FONT,
        )
        .configure_legend(labelColor=INK, labelFontSize=12, labelFont=FONT, symbolSize=160)
        .configure_bar(stroke=INK, strokeWidth=0.4)
        .to_dict()
    )  # fmt: skip
    return _silent(dict(vlc.vegalite_to_vega(spec)))


def _silent(part: dict[str, Any]) -> dict[str, Any]:
    """Take the roles of a drawing's parts away: the whole is one picture, a table has its numbers.

    Vega-Lite does not hand its setting for that on to Vega.
    """
    for kind in ("marks", "axes", "legends"):
        for one in part.get(kind, ()):
            one["aria"] = False
            _silent(one)
    return part


def _told(base: Any, shape: str, axes: tuple[Any, Any], scale: Any, told: list[Any]) -> Any:
    """Draw bars that bear their number: steps of a waterfall, or a ranking."""
    bar, value = axes
    y = alt.Y("bar:N", sort=None, axis=bar)
    fill = alt.Fill("part:N", scale=scale, legend=None)
    ends = (
        {"x": alt.X("from:Q", axis=value), "x2": "to:Q"}
        if shape == "waterfall"
        else {"x": alt.X("value:Q", axis=value)}
    )
    bars = base.mark_bar().encode(y=y, fill=fill, tooltip=told, **ends)
    right = "max(datum.from, datum.to)" if shape == "waterfall" else "datum.value || 0"
    numbers = (
        base.transform_calculate(right=right, said=SAID)
        .mark_text(align="left", dx=4, color=INK, font=FONT)
        .encode(y=y, x=alt.X("right:Q", axis=value), text="said:N")
    )
    return (bars + numbers).properties(height=alt.Step(BAR))


FONT = "Rawline, Inter, Segoe UI, Roboto, sans-serif"
