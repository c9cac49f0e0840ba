"""The table of the page on the offer: what is listed, how it reads and how it is downloaded."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import pandas as pd

from mapa.panels.data import MEASURES, counted, main_cause, told
from mapa.panels.style import month_label
from mapa.spreadsheets import harmless

HEADINGS = {
    "regiao": "Região de saúde",
    "unidade": "Unidade",
    "procedimento": "Procedimento",
    "causa": "O que mais retirou vagas",
    "qtd_vagas_total": "Total",
    "qtd_vagas_bloqueadas_feriado": "Bloqueada: feriado",
    "qtd_vagas_bloqueadas_afastamento": "Bloqueada: afastamento",
    "qtd_vagas_bloqueadas": "Bloqueada, soma",
    "qtd_vagas_ativas": "Ativa",
    "qtd_vagas_perdidas_teto": "Perdida por teto",
    "qtd_vagas_perdidas_ppi": "Perdida por PPI",
    "qtd_oferta_real": "Oferta real",
    "qtd_vagas_nao_divulgadas": "Não divulgada",
}
KEPT_BACK = "Não divulgada"
UNKNOWN = "Quantidade não informada"
WIDTHS = {"regiao": 120, "unidade": 230, "procedimento": 240, "causa": 220}
LOCALE = {
    "page": "Página",
    "of": "de",
    "to": "a",
    "more": "mais",
    "next": "Próxima",
    "last": "Última",
    "first": "Primeira",
    "previous": "Anterior",
    "loadingOoo": "Carregando…",
    "noRowsToShow": "Nenhuma vaga para esta seleção.",
    "searchOoo": "Procurar…",
    "filterOoo": "Filtrar…",
    "equals": "Igual a",
    "notEqual": "Diferente de",
    "lessThan": "Menor que",
    "greaterThan": "Maior que",
    "lessThanOrEqual": "Menor ou igual a",
    "greaterThanOrEqual": "Maior ou igual a",
    "inRange": "Entre",
    "contains": "Contém",
    "notContains": "Não contém",
    "startsWith": "Começa com",
    "endsWith": "Termina com",
    "blank": "Vazio",
    "notBlank": "Não vazio",
    "andCondition": "E",
    "orCondition": "OU",
    "applyFilter": "Aplicar",
    "resetFilter": "Limpar",
    "pageSizeSelectorLabel": "Linhas por página:",
    "ariaPageSizeSelectorLabel": "Linhas por página",
    "nextPage": "Próxima página",
    "lastPage": "Última página",
    "firstPage": "Primeira página",
    "previousPage": "Página anterior",
}
# Unknown stays an empty cell; it is never shown as zero.
BRAZILIAN = (
    "params.value == null ? (params.data.qtd_vagas_nao_divulgadas > 0 ? 'não divulgada' : '') : "
    "d3.formatLocale({decimal: ',', thousands: '.', "
    "grouping: [3], currency: ['', '']}).format(',d')(params.value)"
)


def build(data_frame: pd.DataFrame) -> dag.AgGrid:
    """Build the grid; its CSV opens with the semicolon that Brazilian spreadsheets expect."""
    rows = summed(data_frame)
    names = rows.select_dtypes(exclude="number").columns
    rows[names] = rows[names].map(harmless)
    return dag.AgGrid(
        className="ag-theme-vizro",
        columnDefs=[_column(name, heading) for name, heading in HEADINGS.items()],
        rowData=rows.astype(object).where(rows.notna(), None).to_dict(orient="records"),
        defaultColDef={
            "resizable": True,
            "sortable": True,
            "filter": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        columnSize=None,
        csvExportParams={"fileName": _file_name(data_frame), "columnSeparator": ";"},
        dashGridOptions={
            "animateRows": False,
            "domLayout": "autoHeight",
            "pagination": True,
            "paginationPageSize": 15,
            "paginationPageSizeSelector": [15, 50, 200],
            "localeText": LOCALE,
            "theme": {"function": "vizroTheme(themeQuartz, agGrid)"},
        },
    )


def summed(data_frame: pd.DataFrame) -> pd.DataFrame:
    """Sum the months by unit and procedure, the greatest losses first; ranked by all causes."""
    keys = ["regiao", "unidade", "procedimento"]
    groups = counted(data_frame).groupby(keys, observed=True)
    rows = groups[list(MEASURES)].sum(min_count=1).reset_index()
    rows["causa"] = [_cause(row) for row in rows.to_dict(orient="records")]
    lost = (told(rows) - rows["qtd_oferta_real"]).rename("perdidas")
    order = pd.concat([lost, rows["qtd_vagas_total"]], axis="columns").sort_values(
        ["perdidas", "qtd_vagas_total"], ascending=False
    )
    return rows.loc[order.index]


def _cause(row: dict[str, Any]) -> str:
    """Name what took most slots of a row, or say why it is not known."""
    if pd.isna(row["qtd_vagas_total"]):
        return UNKNOWN
    return KEPT_BACK if pd.isna(row["qtd_oferta_real"]) else main_cause(row)


def _column(name: str, heading: str) -> dict[str, Any]:
    """Describe one column of the grid."""
    column: dict[str, Any] = {"field": name, "headerName": heading, "width": WIDTHS.get(name, 104)}
    if name in MEASURES:
        column |= {
            "type": "rightAligned",
            "filter": "agNumberColumnFilter",
            "suppressHeaderFilterButton": True,
            "useValueFormatterForExport": False,
            "valueFormatter": {"function": BRAZILIAN},
        }
    else:
        column["tooltipField"] = name
    return column


def _file_name(data_frame: pd.DataFrame) -> str:
    """Name the download by its months and as-of date."""
    if data_frame.empty:
        return "oferta.csv"
    months = counted(data_frame)["competencia"]
    first, last = (month_label(month).replace("/", "") for month in (months.min(), months.max()))
    row = data_frame.iloc[0]
    kind = "dados_sinteticos_" if row["eh_sintetico"] else ""
    return f"{kind}oferta_{first}_a_{last}_dados_ate_{row['data_referencia']}.csv"
