"""The page on the offer, put together from Vizro's models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

import vizro.models as vm
from dash.development.base_component import Component
from vizro import Vizro
from vizro.managers import data_manager
from vizro.models.types import capture

from mapa.panels import addresses, figures
from mapa.panels.data import between, newest

TITLE = "Mapa Social da Saúde"
DATA = "oferta"
FIGURES = (
    "situacao_figura",
    "cartoes_figura",
    "causas_figura",
    "por_mes",
    "por_regiao",
    "por_procedimento",
    "tabela",
)
DROPDOWN = {
    "placeholder": "Escolha…",
    "maxHeight": 320,
    "labels": {
        "select_all": "Marcar todos",
        "deselect_all": "Desmarcar todos",
        "selected_count": "{num_selected} marcados",
        "search": "Procurar",
        "clear_search": "Limpar a procura",
        "clear_selection": "Limpar",
        "no_options_found": "Nada encontrado",
    },
}
# Vizro's own words, for which it has no setting. (The style sheet hides the button for a dark page:
# the charts' colours are chosen for a light one.)
PORTUGUESE = {
    "Reset all page controls": "Restaurar os filtros",
}
# No tool bar: its words are English and one of its buttons sends the chart to another host.
CHART: dict[str, Any] = {"config": {"displayModeBar": False}}
HOW_TO_READ = """
**Como ler.** A barra de cada mês é a **oferta total**: as vagas de todas as escalas válidas. Dela
saem as vagas **bloqueadas** por feriado ou afastamento; o que resta é a oferta **ativa** (traço
preto). O **teto** limita cada unidade e a **PPI** (programação pactuada entre municípios) limita
a central inteira; a **oferta real** é o que sobra e pode de fato ser marcado. Uma vaga com mais
de uma causa conta uma vez, na primeira desta ordem: feriado, afastamento, teto, PPI. O
afastamento é o da unidade ou o do profissional, somados no mês: por dia ele não é divulgado onde
poucos profissionais atendem, porque diria quem faltou. Onde nem o mês pode ser divulgado, as
vagas aparecem como **não divulgadas**, o que não é zero e não diz que houve afastamento. A faixa
de baixo mostra sob que limite estão as vagas ativas: onde PPI e teto *não foram informados*, a
oferta real é igual à ativa por falta de limite conhecido. As somas contam só **meses
encerrados**; o mês em curso e os que virão são oferta programada, que ainda muda. A região é a da
unidade que atende. As regras completas estão no dicionário de dados, publicado com estes números.
"""


class MonthDropdown(vm.Dropdown):
    """A dropdown of the published months, read anew each time the page is opened."""

    type: Literal["month_dropdown"] = "month_dropdown"
    published: Path
    position: Literal[0, 1]

    def build(self) -> Component:
        """Build the dropdown with the months of the current version."""
        offer = newest(self.published)
        self.options = offer.month_options
        self.value = str(offer.default_months[self.position])
        return super().build()


class PortugueseDashboard(vm.Dashboard):
    """A dashboard whose few built-in words are Portuguese."""

    def _make_page_layout(self, page: vm.Page, **kwargs: Any) -> Component:
        """Translate what Vizro writes by itself."""
        layout: Component = super()._make_page_layout(page, **kwargs)
        for component in layout._traverse():
            for name in ("children", "title", "aria-label"):
                word = getattr(component, name, None)
                if isinstance(word, str) and word in PORTUGUESE:
                    setattr(component, name, PORTUGUESE[word])
        return layout


vm.Parameter.add_type("selector", MonthDropdown)


def build_app(published: Path) -> Vizro:
    """Build the application on a folder of published files.

    Raises:
        PublishError: nothing has been published.
    """
    newest(published)
    data_manager[DATA] = partial(between, published)
    app = Vizro(assets_folder=str(Path(__file__).parent / "assets"))
    app.dash.index_string = app.dash.index_string.replace("<html>", '<html lang="pt-BR">')
    app.build(PortugueseDashboard(title=TITLE, theme="vizro_light", pages=[_offer_page(published)]))
    addresses.guard(app.dash.server)
    return app


@capture("action")
def download() -> bool:
    """Have the browser save the table as it is listed."""
    return True


def _offer_page(published: Path) -> vm.Page:
    """Put the page together: filters, the sum, the months, regions and procedures, the table."""
    return vm.Page(
        id="oferta",
        title="Oferta",
        components=[
            vm.Container(
                id="selecao",
                layout=vm.Flex(gap="24px"),
                controls=_controls(published),
                components=[
                    vm.Figure(id="situacao_figura", figure=figures.situation(data_frame=DATA)),
                    vm.Figure(id="cartoes_figura", figure=figures.cards(data_frame=DATA)),
                    _causes(),
                    _months(),
                    vm.Container(
                        id="lado_a_lado",
                        layout=vm.Flex(direction="row", gap="24px", wrap=True),
                        components=[_regions(), _procedures()],
                    ),
                    _table(),
                    vm.Text(text=HOW_TO_READ),
                ],
            ),
        ],
    )


def _controls(published: Path) -> list[Any]:
    """Return the filters of the page, months first."""
    offer = newest(published)
    months = [
        vm.Parameter(
            id=f"competencia_{name}",
            targets=[f"{figure}.data_frame.{name}" for figure in FIGURES],
            selector=MonthDropdown(
                title=title,
                multi=False,
                options=offer.month_options,
                published=published,
                value=str(offer.default_months[position]),
                position=position,
                extra=DROPDOWN,
            ),
        )
        for position, (name, title) in enumerate(
            [("first", "Competência: de"), ("last", "Competência: até")]
        )
    ]
    filters = [
        vm.Filter(
            id=f"filtro_{column}",
            column=column,
            targets=list(FIGURES),
            selector=vm.Dropdown(id=f"escolha_{column}", title=title, multi=True, extra=DROPDOWN),
        )
        for column, title in [
            ("regiao", "Região de saúde"),
            ("procedimento", "Procedimento"),
            ("unidade", "Unidade que atende"),
        ]
    ]
    return [*months, *filters]


def _causes() -> vm.Container:
    """Return the ranking of what took slots."""
    return vm.Container(
        title="O que retirou as vagas",
        components=[vm.Figure(id="causas_figura", figure=figures.ranking(data_frame=DATA))],
    )


def _months() -> vm.Container:
    """Return the chart of the months."""
    return vm.Container(
        title="Para onde vão as vagas de cada mês",
        components=[vm.Graph(id="por_mes", figure=figures.by_month(data_frame=DATA), extra=CHART)],
    )


def _regions() -> vm.Container:
    """Return the chart of the health regions."""
    return vm.Container(
        title="Por região de saúde",
        description="Região da unidade que atende. O percentual é a oferta real sobre a total.",
        components=[
            vm.Graph(id="por_regiao", figure=figures.by_region(data_frame=DATA), extra=CHART)
        ],
    )


def _procedures() -> vm.Container:
    """Return the chart of the procedures with its two choices."""
    return vm.Container(
        title="Por procedimento",
        description="O percentual é a oferta real sobre a total.",
        controls=[
            vm.Parameter(
                id="ordem",
                targets=["por_procedimento.order"],
                selector=vm.Dropdown(
                    title="Ordem",
                    multi=False,
                    value="qtd_nao_ofertadas",
                    options=[{"label": k, "value": v} for k, v in figures.ORDERS.items()],
                    extra=DROPDOWN,
                ),
            ),
            vm.Parameter(
                id="quantos",
                targets=["por_procedimento.top"],
                selector=vm.Dropdown(
                    title="Quantos", multi=False, value=10, options=[10, 20, 40], extra=DROPDOWN
                ),
            ),
        ],
        components=[
            vm.Graph(
                id="por_procedimento", figure=figures.by_procedure(data_frame=DATA), extra=CHART
            )
        ],
    )


def _table() -> vm.Container:
    """Return the table and its download."""
    return vm.Container(
        title="Unidades e procedimentos",
        description="Soma dos meses encerrados; primeiro onde mais vagas se perdem.",
        layout=vm.Flex(gap="12px"),
        components=[
            vm.Button(
                id="baixar",
                text="Baixar a tabela (CSV)",
                icon="download",
                actions=[vm.Action(function=download(), outputs=["tabela.exportDataAsCsv"])],
            ),
            vm.Table(id="tabela", figure=figures.table(data_frame=DATA)),
        ],
    )
