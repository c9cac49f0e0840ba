"""The pages on units, procedures and the territory: every number is the published table's."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import duckdb
import pytest

from conftest import House
from mapa.errors import ConfigError
from mapa.publish import store
from mapa.site import offers, outlines
from mapa.site.page import Page, file_name
from mapa.site.pages import procedures, territory, units
from mapa.site.release import Release, opened
from mapa.site.render import Renderer
from mapa.site.tiles import Mosaic

OFFER, FATES = "pub_oferta_real_por_mes", "pub_oferta_causas_por_mes"
UNTOLD = (
    "sum(case when divulgacao = 'nao_divulgada' "
    "then qtd_vagas_total - qtd_vagas_bloqueadas_feriado else 0 end)"
)
PARTS = (
    f"sum(qtd_vagas_total), {UNTOLD}, sum(qtd_vagas_bloqueadas_feriado), "
    "sum(qtd_vagas_bloqueadas_afastamento), sum(qtd_vagas_perdidas_teto), "
    "sum(qtd_vagas_perdidas_ppi), sum(qtd_oferta_real)"
)
"""The columns of a table of months, as somebody would ask the published table for them."""
CLOSED = (
    f"competencia in (select distinct competencia from {OFFER} "
    "where competencia_situacao = 'encerrada' order by 1 desc limit 12)"
)
UNIT, PROCEDURE = "unidade_executante_cnes", "procedimento_codigo"
KINDS = ((UNIT, "unidades"), (PROCEDURE, "procedimentos"))
MONTHS = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")


@dataclass
class Read(HTMLParser):
    """What a person or a machine finds on a page."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    unexplained: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self._table = self._said = ""
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what opens."""
        found = dict(attrs)
        self.tags.append((tag, found))
        self.links += [str(found["href"])] if tag == "a" else []
        self.ids += [str(found["id"])] if "id" in found else []
        if tag == "table":
            self._table = found.get("id") or str(len(self.tables))
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in {"td", "th"}:
            self.tables[self._table][-1].append("")
            self._title = "title" in found
        elif tag == "p" and "id" in found:
            self._said = str(found["id"])

    def handle_endtag(self, tag: str) -> None:
        """Take what closes."""
        if tag == "table":
            self._table = ""
        elif tag == "p":
            self._said = ""

    def handle_data(self, data: str) -> None:
        """Take a text."""
        if self._said:
            self.texts[self._said] = self.texts.get(self._said, "") + data
        if self._table and self.tables[self._table]:
            row = self.tables[self._table][-1]
            row[-1] += data.strip()
            self.unexplained += data.strip() == "–" and not self._title


def read(path: Path) -> Read:
    """Parse a page."""
    page = Read()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@dataclass
class Site:
    """Pages that were written, and what they are about."""

    folder: Path
    con: duckdb.DuckDBPyConnection
    pages: list[str]

    def page(self, name: str) -> Read:
        """Parse one of them."""
        return read(self.folder / name)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the published file."""
        return self.con.execute(sql, list(values)).fetchall()


@contextmanager
def site(database: Path, folder: Path, drawn: outlines.Outlines | None = None) -> Iterator[Site]:
    """Write the pages of a published file."""
    folder.mkdir(parents=True, exist_ok=True)
    with opened(database, "1", "MPDFT", drawn) as release:
        made = list(every_page(release))
        renderer = Renderer(release, folder, [page.path for page in made])
        for page in made:
            renderer.write(page)
        yield Site(folder, release.con, [page.path for page in made])
    offers.offer.cache_clear()


def every_page(release: Release) -> Iterator[Page]:
    for module in (units, procedures, territory):
        yield from module.pages(release)


@pytest.fixture(scope="module")
def database(city_house: House) -> Path:
    return city_house.settings.published / store.DATABASE


@pytest.fixture(scope="module")
def written(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(database, tmp_path_factory.mktemp("site") / "here") as found:
        yield found


@pytest.fixture
def changed(database: Path, tmp_path: Path) -> Path:
    """Return a copy of the published tables without the keys that would hold what they say."""
    copy = tmp_path / "copy.duckdb"
    with duckdb.connect(str(copy)) as con:
        con.execute(f"attach '{database}' as published (read_only)")
        tables = con.execute(
            "select table_name from duckdb_tables() where database_name = 'published'"
        ).fetchall()
        for (name,) in tables:
            con.execute(f"create table {name} as from published.{name}")
    return copy


def number(text: str) -> int | None:
    """Read a count as people do."""
    return None if text == "–" else int(text.replace(".", "").replace("−", "-").replace("+", ""))


def summed(rows: list[list[str]], at: int) -> int:
    """Add a column up as somebody would who copies the table."""
    return sum(number(row[at]) or 0 for row in rows)


def months_of(page: Read, table: str) -> dict[str, tuple[int | None, ...]]:
    """Return the numbers of a table of months; months without a schedule are left out."""
    rows = page.tables[table][1:]
    return {row[0]: tuple(map(number, row[2:])) for row in rows if row[1] != "Sem escala"}


def expected_months(site: Site, column: str, code: str, where: str) -> dict[str, tuple[Any, ...]]:
    rows = site.ask(
        f"select competencia, {PARTS} from {OFFER} where {column} = $1 and {where} group by 1", code
    )
    return {f"{MONTHS[month.month - 1]}/{month:%y}": tuple(found) for month, *found in rows}


def chosen(site: Site, column: str) -> list[str]:
    """Return three codes: with the most not disclosed, with the most losses, and another."""
    order = (
        f"{UNTOLD} desc",
        "sum(qtd_vagas_total) - sum(qtd_oferta_real) desc",
        "sum(qtd_vagas_total)",
    )
    found: list[str] = []
    for by in order:
        rows = site.ask(f"select {column} from {OFFER} where {CLOSED} group by 1 order by {by}, 1")
        found.append(next(code for (code,) in rows if code not in found))
    return found


# --- a page for each ------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "folder"), KINDS)
def test_whatever_has_an_offer_has_a_page(written: Site, column: str, folder: str) -> None:
    codes = {file_name(code) for (code,) in written.ask(f"select distinct {column} from {OFFER}")}
    files = {path.stem for path in (written.folder / folder).glob("*.html")}
    assert files == codes | {"index"}
    listed = {link for link in written.page(f"{folder}/index.html").links if "/" not in link}
    assert listed >= {f"{code}.html" for code in codes}


def test_links_lead_to_what_there_is(written: Site) -> None:
    read_pages = {name: written.page(name) for name in written.pages}
    others = {"oferta.html", "index.html", "dados.html", "sobre.html"}
    others |= {"fila.html", "espera.html", "faltas.html"}
    tables = {name for (name,) in written.ask("select table_name from duckdb_tables()")}
    seen = 0
    for name, page in read_pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            path, anchor = urldefrag(link)
            target = (Path("/") / name).parent.joinpath(path).resolve() if path else Path("/", name)
            there = target.relative_to("/").as_posix()
            if there in others or there.startswith(("dicionario/", "indicadores/")):
                continue
            if there.startswith("csv/"):  # a file of the release, beside the folder of the pages
                assert path.startswith("../csv/") and Path(path).stem in tables, (name, link)
                continue
            assert there in read_pages, (name, link)
            assert not anchor or anchor in read_pages[there].ids, (name, link)
            seen += bool(anchor)
    assert seen > 20


# --- the numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "folder"), KINDS)
def test_each_month_is_the_published_one(written: Site, column: str, folder: str) -> None:
    untold = 0
    for code in chosen(written, column):
        page = written.page(f"{folder}/{file_name(code)}.html")
        found = months_of(page, "meses")
        last = found.pop("Soma")
        assert found == expected_months(written, column, code, CLOSED)
        assert [last] == written.ask(
            f"select {PARTS} from {OFFER} where {column} = $1 and {CLOSED}", code
        )
        untold += sum(None in row for row in found.values())
        assert page.unexplained == 0
        ahead = expected_months(written, column, code, "competencia_situacao <> 'encerrada'")
        assert ("programado" in page.tables) == bool(ahead)
        assert not ahead or months_of(page, "programado") == ahead
        assert not ahead.keys() & found.keys()
    assert untold > 0


@pytest.mark.parametrize(
    ("column", "folder", "other", "table"),
    [
        (UNIT, "unidades", PROCEDURE, "procedimentos"),
        (PROCEDURE, "procedimentos", UNIT, "unidades"),
    ],
)
def test_what_is_done_where_is_the_published_one(
    written: Site, column: str, folder: str, other: str, table: str
) -> None:
    for code in chosen(written, column):
        page = written.page(f"{folder}/{file_name(code)}.html")
        at = page.tables[table][0].index("Oferta total")
        found = {
            (row[0].rsplit("(", 1)[1].rstrip(")"), *map(number, row[at : at + 4]))
            for row in page.tables[table][1:]
        }
        assert found == set(
            written.ask(
                f"select {other}, sum(qtd_vagas_total), {UNTOLD}, sum(qtd_vagas_total) - {UNTOLD} "
                f"- sum(qtd_oferta_real), sum(qtd_oferta_real) from {OFFER} "
                f"where {column} = $1 and {CLOSED} group by 1",
                code,
            )
        )


@pytest.mark.parametrize(("column", "folder"), KINDS)
def test_the_pages_together_are_the_whole(written: Site, column: str, folder: str) -> None:
    sums = [
        months_of(written.page(name), "meses")["Soma"]
        for name in written.pages
        if name.startswith(f"{folder}/") and not name.endswith("index.html")
    ]
    whole = tuple(sum(value or 0 for value in values) for values in zip(*sums, strict=True))
    assert [whole] == written.ask(f"select {PARTS} from {OFFER} where {CLOSED}")
    rows = [
        row
        for table in written.page(f"{folder}/index.html").tables.values()
        for row in table
        if row and row[0].endswith(")")
    ]
    assert [(summed(rows, -2), summed(rows, -1))] == written.ask(
        f"select sum(qtd_vagas_total), sum(qtd_oferta_real) from {OFFER} where {CLOSED}"
    )


def test_all_causes_stand_ranked_together(written: Site) -> None:
    for code in chosen(written, UNIT):
        rows = written.page(f"unidades/{file_name(code)}.html").tables["causas"][1:]
        found = [(row[0], number(row[2])) for row in rows]
        ((*_, holiday, leave, ceiling, quota, _),) = written.ask(
            f"select {PARTS} from {OFFER} where {UNIT} = $1 and {CLOSED}", code
        )
        assert dict(found) == {
            "Feriado": holiday,
            "Afastamento": leave,
            "Teto da unidade": ceiling,
            "PPI da central": quota,
        }
        values = [value for _, value in found if value is not None]
        assert values == sorted(values, reverse=True)


def test_what_changed_is_the_difference_of_two_months(written: Site) -> None:
    (last, before) = (
        month for (month,) in written.ask(
            f"select distinct competencia from {OFFER} where competencia_situacao = 'encerrada' "
            "order by 1 desc limit 2"
        )
    )  # fmt: skip
    known = 0
    for code in chosen(written, UNIT):
        rows = written.page(f"unidades/{file_name(code)}.html").tables["mudancas"]
        row = next(row for row in rows if row[0] == "Oferta real")
        now, then = (
            written.ask(
                f"select sum(qtd_oferta_real) from {OFFER} where {UNIT} = $1 and competencia = $2",
                code, month,
            )[0][0]
            for month in (last, before)
        )  # fmt: skip
        gap = None if now is None or then is None else now - then
        assert [number(cell) for cell in row[1:4]] == [now, then, gap]
        known += gap is not None
    assert known > 0


def test_kinds_of_slots_are_the_published_ones(written: Site) -> None:
    for code in chosen(written, PROCEDURE):
        rows = written.page(f"procedimentos/{file_name(code)}.html").tables["tipos"][1:]
        assert {row[0]: (number(row[2]), number(row[5])) for row in rows} == {
            name: written.ask(
                f"select sum(qtd_vagas_total_{kind}), sum(qtd_oferta_real_{kind}) from {OFFER} "
                f"where {PROCEDURE} = $1 and {CLOSED}",
                code,
            )[0]
            for kind, name in (
                ("primeira_vez", "Primeira vez"),
                ("retorno", "Retorno"),
                ("reserva", "Reserva técnica"),
            )
            if any(row[0] == name for row in rows)
        }
        assert rows


def test_the_finding_says_the_sums_of_its_months(written: Site) -> None:
    code = chosen(written, UNIT)[1]
    said = written.page(f"unidades/{file_name(code)}.html").texts["achado"]
    ((total, real),) = written.ask(
        f"select sum(qtd_vagas_total), sum(qtd_oferta_real) from {OFFER} "
        f"where {UNIT} = $1 and {CLOSED}",
        code,
    )
    found = re.search(r"programadas ([\d.]+) vagas. Das [\d.]+ cujo .*?, ([\d.]+) ", said)
    assert found
    assert found.groups() == (f"{total:,}".replace(",", "."), f"{real:,}".replace(",", "."))


def test_regions_without_the_procedure_are_named(written: Site) -> None:
    for code in chosen(written, PROCEDURE):
        text = (written.folder / f"procedimentos/{file_name(code)}.html").read_text("utf-8")
        said = re.search(r"<dt>Sem vagas nas unidades de</dt><dd>(.*?)</dd>", text)
        missing = written.ask(
            "select distinct r.regiao_saude_nome from pub_dim_territorio "
            "join pub_dim_regioes_saude as r using (regiao_saude_codigo) "
            f"where regiao_saude_codigo not in (select regiao_saude_codigo from {OFFER} "
            f"where {PROCEDURE} = $1 and {CLOSED}) order by 1",
            code,
        )
        assert (said[1].split(", ") if said else []) == [name for (name,) in missing]


# --- the territory --------------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "first"), [("regioes", "regiao"), ("areas", "area")])
def test_the_territory_adds_up_to_the_whole(written: Site, table: str, first: str) -> None:
    rows = written.page("territorio.html").tables[table]
    at = rows[0].index("Oferta total")
    told = [row for row in rows[1:] if len(row) > at]
    assert [(summed(told, at), summed(told, at + 3))] == written.ask(
        f"select sum(qtd_vagas_total), sum(qtd_oferta_real) from {OFFER} where {CLOSED}"
    )
    assert len(rows) - 1 >= written.ask(
        f"select count(distinct {'regiao_saude_codigo' if first == 'regiao' else 'area_numero'}) "
        "from pub_dim_territorio"
    )[0][0]  # fmt: skip


def test_rates_divide_by_the_people_of_the_region(written: Site) -> None:
    rows = {row[0]: row for row in written.page("territorio.html").tables["regioes"][1:]}
    people = written.ask(
        "select regiao_saude_codigo, regiao_saude_nome, populacao_regiao_saude "
        "from pub_dim_regioes_saude "
        "where regiao_saude_codigo in (select regiao_saude_codigo from pub_dim_territorio)"
    )
    for code, name, inhabitants in people:
        ((real,),) = written.ask(
            f"select sum(qtd_oferta_real) from {OFFER} where regiao_saude_codigo = $1 and {CLOSED}",
            code,
        )
        assert real is not None
        assert abs(float(rows[name][2].replace(",", ".")) - 1000 * real / inhabitants) <= 0.0501


def test_the_mosaic_shows_the_numbers_of_its_table(written: Site) -> None:
    text = (written.folder / "territorio.html").read_text(encoding="utf-8")
    tiles = dict(re.findall(r'<a href="#area-(\w+)"><title>[^<]*: ([^<]*)</title>', text))
    real = dict(
        written.ask(
            f"select cast(area_numero as varchar), sum(qtd_oferta_real) from {OFFER} "
            f"join pub_dim_estabelecimentos on {UNIT} = unidade_cnes where {CLOSED} group by 1"
        )
    )
    placed = written.ask(
        "select cast(area_numero as varchar) from pub_dim_territorio "
        "where mosaico_linha is not null"
    )
    assert tiles.keys() == {area for (area,) in placed}
    assert len(tiles) == 35
    assert {area: number(value) for area, value in tiles.items() if value[0] != "s"} == {
        area: value for area, value in real.items() if area in tiles
    }


def test_shades_keep_the_order_and_the_legend_says_each() -> None:
    def areas(*places: int | None) -> list[dict[str, Any]]:
        return [
            {"area": str(at), "area_nome": f"Área {at}", "linha": place, "coluna": place}
            for at, place in enumerate(places)
        ]

    assert Mosaic(areas(None, None), {"0": 3}).tiles == []
    mosaic = Mosaic(areas(1, 2, 3, 4, 5, None), {"0": 0, "1": None, "2": 7, "3": 90, "5": 1000})
    assert [tile.value for tile in mosaic.tiles] == ["0", "–", "7", "90", ""]
    assert [meaning for _, meaning in mosaic.legend()] == [
        "0 vagas", "1 a 7 vagas", "8 a 90 vagas", "não divulgada", "sem escala conhecida"
    ]  # fmt: skip
    assert len({tile.fill for tile in mosaic.tiles}) == 5
    # The legend's fills are those of the tiles, in its own order.
    assert {fill for fill, _ in mosaic.legend()} == {tile.fill for tile in mosaic.tiles}


def test_an_area_without_a_place_is_named_under_the_drawing(changed: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(changed)) as con:
        con.execute("update pub_dim_territorio set mosaico_linha = null where area_numero = 9")
    with site(changed, tmp_path / "site") as found:
        text = (found.folder / "territorio.html").read_text(encoding="utf-8")
    assert "Sem lugar no desenho: Ceilândia." in text
    assert text.count('<a href="#area-') == 34


def test_without_any_place_there_is_no_drawing_and_every_area_stays_in_the_table(
    changed: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(changed)) as con:
        con.execute("update pub_dim_territorio set mosaico_linha = null, mosaico_coluna = null")
    with site(changed, tmp_path / "site") as found:
        page = found.page("territorio.html")
        assert "mosaico" not in page.ids
        assert {f"area-{number}" for number in range(1, 36)} <= set(page.ids)


SQUARE = [[-48, -16], [-47, -16], [-47, -15], [-48, -15], [-48, -16]]
EAST = [[x + 1, y] for x, y in SQUARE]


def feature(number: object, kind: str, coordinates: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"area_numero": number},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def test_outlines_of_an_operator_take_the_place_of_tiles(
    written: Site, database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "territorio.geojson"
    hole = [[x / 2 - 23.7, y / 2 - 7.7] for x, y in SQUARE]
    shapes = [feature(9, "Polygon", [SQUARE, hole]), feature(2, "MultiPolygon", [[EAST]])]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))
    drawn = outlines.read(file)
    assert drawn is not None
    # Two degrees from west to east; one from north to south is longer, by the cosine of 15.5.
    assert (drawn.width, drawn.height) == (1000, round(500 / math.cos(math.radians(15.5))))
    assert drawn.areas["2"].path == "M500 519L1000 519L1000 0L500 0Z"
    assert drawn.areas["9"].path.count("Z") == 2
    with site(database, tmp_path / "site", drawn) as found:
        text = (found.folder / "territorio.html").read_text(encoding="utf-8")
        assert text.count('<a href="#area-') == 2
        assert drawn.areas["9"].path in text
        assert "Sem lugar no desenho: Plano Piloto, Taguatinga," in text
        assert found.page("territorio.html").tables == written.page("territorio.html").tables


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"features": [1]}',
        json.dumps({"features": [feature("<b>", "Polygon", [SQUARE])]}),
        json.dumps({"features": [feature(9, "Point", [1, 2])]}),
        json.dumps({"features": [feature(9, "Polygon", [SQUARE[:3]])]}),
        json.dumps({"features": [feature(9, "Polygon", [[[187000, 8250000]] * 5])]}),
        json.dumps({"features": [feature(9, "Polygon", [[[math.nan, 1]] * 5])]}),
        json.dumps({"features": [feature(9, "Polygon", [SQUARE])] * 2}),
    ],
)
def test_outlines_that_cannot_be_drawn_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "territorio.geojson"
    assert outlines.read(file) is None
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"seeds/territorio\.geojson is no GeoJSON"):
        outlines.read(file)


# --- what is hostile or missing -------------------------------------------------------------------


def test_hostile_names_and_codes_stay_text(changed: Path, tmp_path: Path) -> None:
    name = '"><script>alert(1)</script>{somado.qtd_oferta_real|n}'
    code = "../../fora'$&"
    with duckdb.connect(str(changed)) as con:
        ((unit,),) = con.execute(f"select min({UNIT}) from {OFFER} where {CLOSED}").fetchall()
        ((procedure,),) = con.execute(
            f"select min({PROCEDURE}) from {OFFER} where {UNIT} = $1", [unit]
        ).fetchall()
        for table, key, label, column, old in (
            ("pub_dim_estabelecimentos", "unidade_cnes", "unidade_nome", UNIT, unit),
            ("pub_dim_procedimentos", PROCEDURE, "procedimento_nome", PROCEDURE, procedure),
        ):
            con.execute(
                f"update {table} set {key} = $1, {label} = $2 where {key} = $3", [code, name, old]
            )
            for offer in (OFFER, FATES):
                con.execute(f"update {offer} set {column} = $1 where {column} = $2", [code, old])
    with site(changed, tmp_path / "deep" / "er" / "site") as found:
        files = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
        assert files == {"copy.duckdb", *(f"deep/er/site/{page}" for page in found.pages)}
        assert all(re.fullmatch(r"[0-9A-Za-z_/-]+\.html", page) for page in found.pages)
        for folder in ("unidades", "procedimentos"):
            for file in (f"{folder}/{file_name(code)}.html", f"{folder}/index.html"):
                text = (found.folder / file).read_text(encoding="utf-8")
                assert "<script>alert" not in text
                assert "{somado.qtd_oferta_real|n}" in text
            page = found.page(f"{folder}/{file_name(code)}.html")
            assert months_of(page, "meses").pop("Soma")[0] is not None


def test_no_two_codes_share_a_file() -> None:
    codes = ["a/b", "a_b", "a_2f_b", "a-b", "", "_", "..", "\\", "é", "A B", "0000001"]
    names = {file_name(code) for code in codes}
    assert len(names) == len(codes)
    assert all(re.fullmatch(r"[0-9A-Za-z_-]+", name) for name in names)
    assert file_name("0000001") == "0000001"


def test_a_unit_that_stopped_says_so_and_when_it_last_offered(
    changed: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(changed)) as con:
        ((unit,),) = con.execute(f"select max({UNIT}) from {OFFER} where {CLOSED}").fetchall()
        for offer in (FATES, OFFER):
            con.execute(
                f"delete from {offer} where {UNIT} = $1 and competencia <> "
                f"(select min(competencia) from {OFFER} where {UNIT} = $1 and {CLOSED})",
                [unit],
            )
            con.execute(
                f"update {offer} set competencia = '2019-03-01' where {UNIT} = $1", [unit]
            )  # fmt: skip
    with site(changed, tmp_path / "site") as found:
        page = found.page(f"unidades/{file_name(unit)}.html")
        assert "não há vagas programadas conhecidas" in page.texts["achado"]
        assert f"oferta.html#unidade={unit}&de=2019-03" in " ".join(page.links)
        assert months_of(page, "meses") == {"Soma": (None,) * 7}
        assert "programado" not in page.tables


def test_pages_hold_nothing_that_a_strict_policy_forbids(written: Site) -> None:
    for name in written.pages:
        for tag, attributes in written.page(name).tags:
            assert tag != "style"
            assert not [key for key in attributes if key == "style" or key.startswith("on")]
            root = "../" * name.count("/")
            assert tag != "script" or attributes["src"] in {
                f"{root}recursos/site.js",
                f"{root}dados/versao.js",
            }


def test_a_page_costs_ten_milliseconds_at_most(database: Path, tmp_path: Path) -> None:
    with opened(database, "1", "MPDFT") as release:
        made = [page for page in every_page(release) if page.path != "territorio.html"]
        renderer = Renderer(release, tmp_path, [])
        costs = []
        for _ in range(3):
            start = time.process_time()
            for page in made:
                renderer.write(page)
            costs.append((time.process_time() - start) / len(made))
    assert min(costs) < 0.010
    assert max(path.stat().st_size for path in tmp_path.rglob("*.html")) < 60_000
