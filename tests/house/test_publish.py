"""Publication: only after a green build, only public values, one step, never half."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conftest import PROJECT, SMALL, House
from mapa import dbt, warehouse
from mapa.cli import cli
from mapa.errors import DiskError, LockedError, PublishError
from mapa.load import exports
from mapa.publish import changes, gate, names, publish, read_manifest, store
from mapa.publish.identifiers import contact_in, identifier_in
from mapa.settings import Settings
from mapa.site import outlines, sources
from mapa_city import past

CPF = "00000000191"
CNS = "700000000000005"
MAPA = Path(sys.executable).with_name("mapa")


def change(settings: Settings, statement: str) -> None:
    """Change the warehouse behind dbt's back."""
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute(statement)


def more_offer(settings: Settings) -> None:
    """Give the warehouse a content that has not been published."""
    change(
        settings,
        "update publicacao.pub_oferta_real_por_mes set qtd_vagas_total = qtd_vagas_total + 1",
    )


def rewrite(path: Path, alter: Callable[[dict[str, Any]], None]) -> None:
    """Alter one of dbt's records."""
    record = json.loads(path.read_bytes())
    alter(record)
    path.write_text(json.dumps(record))


def require_whole(published: Path) -> str:
    """Check that the current version is complete and unaltered; return its name."""
    manifest = read_manifest(published)
    assert manifest is not None
    folder = published / "current"
    for file in manifest["files"]:
        content = (folder / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"], file["path"]
    assert folder.resolve().name == manifest["version"]
    return str(manifest["version"])


def test_the_published_files_hold_what_the_manifest_says(city_house: House) -> None:
    published = city_house.settings.published
    require_whole(published)
    manifest = read_manifest(published)
    assert manifest is not None
    assert manifest["licence"] == "CC BY 4.0"
    assert manifest["data_referencia"] == city_house.truth["data_referencia"]
    assert manifest["synthetic"] is True
    assert manifest["source"].startswith("DADOS SINTÉTICOS")
    with duckdb.connect(str(published / "mapa_publico.duckdb"), read_only=True) as con:
        tables = {
            row[0]: row[1]
            for row in con.execute("select table_name, comment from duckdb_tables()").fetchall()
        }
        views = con.execute("select count(*) from duckdb_views() where not internal").fetchall()
        tags = con.execute(
            "select tags from duckdb_databases() where database_name = 'mapa_publico'"
        ).fetchall()
        assert views == [(0,)]
        assert tags[0][0]["storage_version"].startswith("v1.0.0")
        assert set(tables) == {table["name"] for table in manifest["tables"]}
        for table in manifest["tables"]:
            name = table["name"]
            parquet = published / "parquet" / f"{name}.parquet"
            for source in (name, f"read_parquet('{parquet}')"):
                rows = con.execute(f"select count(*) from {source}").fetchall()
                assert rows == [(table["rows"],)], source
            assert tables[name].startswith(table["description"])
            facts = con.execute(
                f"select decode(key), decode(value) from parquet_kv_metadata('{parquet}')"
            ).fetchall()
            assert dict(facts)["fonte"] == manifest["source"]


def test_every_published_column_carries_its_description(city_house: House) -> None:
    database = city_house.settings.published / "mapa_publico.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        bare = con.execute(
            """
            select table_name, column_name from duckdb_columns()
            where not internal and coalesce(comment, '') = ''
            """
        ).fetchall()
    assert bare == []


def test_what_breaks_the_contract_is_refused_until_somebody_accepts_it(copied: Settings) -> None:
    publish(copied)
    before = require_whole(copied.published)
    path = copied.published / store.CONTRACT
    promised = yaml.safe_load(path.read_text(encoding="utf-8"))
    with duckdb.connect(str(copied.published / store.DATABASE), read_only=True) as con:
        held = con.execute(
            "select table_name, column_name, data_type from duckdb_columns() where not internal "
            "order by table_name, column_index"
        ).fetchall()
    assert held == [
        (table["name"], column["name"], column["physicalType"])
        for table in promised["schema"]
        for column in table["properties"]
    ]
    tests = "test.mapa.not_null_", "test.mapa.pub_"
    manifest = copied.dbt_target_path / "manifest.json"
    nodes = json.loads(manifest.read_bytes())["nodes"]
    gone = next(
        name
        for name, node in nodes.items()
        if name.startswith(tests)
        and node.get("test_metadata", {}).get("name") == "not_null"
        and nodes[node["attached_node"]]["schema"] == gate.SCHEMA
        and node["column_name"] not in nodes[node["attached_node"]]["config"]["meta"]["grao"]
    )
    lost = f"{nodes[nodes[gone]['attached_node']]['name']}.{nodes[gone]['column_name']}"
    rewrite(manifest, lambda record: record["nodes"].pop(gone) and None)
    result = CliRunner().invoke(cli, ["publish"])
    assert result.exit_code == 9
    assert f"  {lost}: it was never empty and may be now" in result.stderr
    assert "type: mapa publish --accept-breaking" in result.stderr
    assert require_whole(copied.published) == before
    result = CliRunner().invoke(cli, ["publish", "--accept-breaking"])
    assert result.exit_code == 0, result.stderr
    assert require_whole(copied.published) != before
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["version"] == "2.0.0"
    assert not publish(copied).new


def test_the_same_content_makes_no_new_version(copied: Settings) -> None:
    before = require_whole(copied.published)
    outcome = publish(copied)
    assert not outcome.new
    assert outcome.version == before
    assert "Nothing has changed" in str(outcome)
    assert require_whole(copied.published) == before


def test_what_only_the_site_shows_renews_the_site_and_keeps_the_data(
    copied: Settings, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "seeds").mkdir(parents=True)
    for name in sources.OF_PROJECT:
        if (PROJECT / name).exists():
            (project / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(PROJECT / name, project / name)
    settings = copied.model_copy(update={"dbt_project_dir": project, "mapa_site": True})
    before = require_whole(copied.published)
    assert not publish(settings).new
    first = read_manifest(copied.published)
    square = [[-48.0, -15.8], [-47.9, -15.8], [-47.9, -15.7], [-48.0, -15.8]]
    outline = {"type": "Polygon", "coordinates": [square]}
    areas = [{"type": "Feature", "properties": {"area_numero": 1}, "geometry": outline}]
    (project / "seeds" / outlines.NAME).write_text(
        json.dumps({"type": "FeatureCollection", "features": areas})
    )
    outcome = publish(settings)
    assert outcome.new
    assert f"data as in {before}, the site anew" in str(outcome)
    second = read_manifest(copied.published)
    assert first is not None and second is not None
    assert second["content_sha256"] == first["content_sha256"]
    assert second["site_sha256"] != first["site_sha256"]
    # The digits of a version are those of its data; its time is another.
    assert second["version"].rpartition("-")[2] == before.rpartition("-")[2]
    assert [table["sha256"] for table in second["tables"]] == [
        table["sha256"] for table in first["tables"]
    ]
    assert require_whole(copied.published) == outcome.version
    page = copied.published / store.SITE / "territorio.html"
    assert "Cada região administrativa tem" in page.read_text(encoding="utf-8")
    # A house that does without pages is not made to publish for their sake.
    assert not publish(copied).new


DELIVERY = """
    insert into controle.cargas by name
    select c.* replace ('entrega-nova' as carga_id, g.ultima + 1 as ordem)
    from controle.cargas as c, (select max(ordem) as ultima from controle.cargas) as g
    where c.entidade = 'escala' order by c.ordem desc limit 1;
    insert into bruto_sisreg.escala_ambulatorial by name
    select e.* replace ('entrega-nova' as _carga_id)
    from bruto_sisreg.escala_ambulatorial as e limit 2;
    update controle.construcoes set carga_ordem = carga_ordem + 1
"""
"""A load of schedules, as the build that came after it knows it."""


def test_exactly_the_numbers_that_a_delivery_changed_are_named_with_it(copied: Settings) -> None:
    publish(copied)
    older = require_whole(copied.published)
    change(copied, DELIVERY)
    key = ("data", "unidade_executante_cnes", "procedimento_codigo", "vaga_tipo")
    with duckdb.connect(str(copied.warehouse)) as con:
        table = "publicacao.pub_oferta_por_dia"
        columns = [row[0] for row in con.execute(f"describe {table}").fetchall()]
        rows = con.execute(
            f"select * from {table} where qtd_vagas_total > 3 order by {', '.join(key)} limit 3"
        ).fetchall()
        expected = set()
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        for row, more in zip(named[:2], (1, -2), strict=True):
            where = " and ".join(f"{name} = '{row[name]}'" for name in key)
            con.execute(
                f"update {table} set qtd_vagas_total = qtd_vagas_total + {more} where {where}"
            )
            before, after = row["qtd_vagas_total"], row["qtd_vagas_total"] + more
            expected.add((_key(row, key), "qtd_vagas_total", str(before), str(after), str(more)))
        where = " and ".join(f"{name} = '{named[2][name]}'" for name in key)
        con.execute(f"delete from {table} where {where}")
        for name, value in named[2].items():
            if name not in {*key, "construcao_id"} and value is not None:
                said = str(value).lower() if isinstance(value, bool) else str(value)
                expected.add((_key(named[2], key), name, said, "", ""))
        con.execute(
            "update publicacao.pub_dim_territorio set area_nome = 'OUTRA' where area_numero = "
            "(select min(area_numero) from publicacao.pub_dim_territorio)"
        )
    assert publish(copied).new
    result = CliRunner().invoke(cli, ["publish", "--diff"])
    assert result.exit_code == 0, result.stderr
    found = list(csv.DictReader(io.StringIO(result.stdout)))
    offer = [row for row in found if row["tabela"] == "pub_oferta_por_dia"]
    told = [tuple(row[name] for name in changes.HEADER[1:6]) for row in offer]
    assert sorted(told) == sorted(expected)
    assert {row["cargas"] for row in offer} == {"entrega-nova"}
    # Areas come from a seed: no load has changed them.
    ((area,),) = [[row for row in found if row not in offer]]
    assert (area["coluna"], area["depois"], area["cargas"]) == ("area_nome", "OUTRA", "")
    assert "by load entrega-nova (arquivo escala, seen " in result.stderr
    assert "not known" not in result.stderr
    log = json.loads((copied.published / store.LOG).read_bytes())["versoes"]
    assert (log[0]["anterior"], log[1]["versao"]) == (older, older)
    assert {t["tabela"]: t["mudancas"] for t in log[0]["tabelas"]} == {
        "pub_oferta_por_dia": len(expected),
        "pub_dim_territorio": 1,
    }
    (load,) = next(t["cargas"] for t in log[0]["tabelas"] if t["tabela"] == "pub_oferta_por_dia")
    assert (load["carga"], load["linhas"]) == ("entrega-nova", 2)
    kept = (copied.published / store.CHANGES).read_text(encoding="utf-8-sig").splitlines()
    assert len(kept) == 1 + len(found)


def _key(row: dict[str, Any], key: tuple[str, ...]) -> str:
    return "; ".join(f"{name}={row[name]}" for name in key)


MORE = {
    "COD. ESCALA AMBULATORIAL": "5999999",
    "SIGLA DIA SEMANA": "SEG",
    "DATA DE VIGENCIA INICIAL": "03/08/2026",
    "DATA DE VIGENCIA FINAL": "10/08/2026",
    "QTD VAGAS PRIM. VEZ": "4",
    "QTD. MINUTOS PRIM. VEZ": "15",
    "QTD. VAGAS RETORNO": "0",
    "QTD. VAGAS RESERVA": "0",
}
"""A schedule on two Mondays of August; all else is that of one that is in force."""


def one_schedule_more(house: House, folder: Path) -> tuple[Path, dict[str, str]]:
    """Write what SISREG exports a moment after the city's last delivery: one schedule more."""
    (file,) = (house.directory / "city" / "files").glob("SISREG_ESCALAS*.csv")
    rows = csv.DictReader(io.StringIO(file.read_text("utf-8"), newline=""), delimiter=";")
    row = next(row for row in rows if row["STATUS"] == "ATIVA") | MORE
    written = io.StringIO()
    delivery = csv.DictWriter(written, row, delimiter=";", lineterminator="\r\n")
    delivery.writeheader()
    delivery.writerow(row)
    later = folder / file.name.replace("_0005", "_0006")
    later.write_text(written.getvalue(), "utf-8")
    return later, row


def told_otherwise(old: Path, new: Path, tables: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """Compare two published databases cell by cell; return table, key and column of each."""
    found = set[tuple[str, ...]]()
    for table in tables:
        sides = []
        for database in (old, new):
            with duckdb.connect(str(database), read_only=True) as con:
                cursor = con.execute(f"select * from {table['name']}")
                columns = [column[0] for column in cursor.description or ()]
                rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
            sides.append({_key(row, tuple(table["primary_key"])): row for row in rows})
        before, after = sides
        found |= {
            (table["name"], key, column)
            for key in before.keys() | after.keys()
            for column in columns
            if column not in {*table["primary_key"], "construcao_id"}
            and before.get(key, {}).get(column) != after.get(key, {}).get(column)
        }
    return found


@pytest.mark.long
def test_what_a_delivery_changed_is_named_from_the_file_to_the_number(
    city_house: House, copied: Settings, tmp_path: Path
) -> None:
    older = (copied.published / "current").resolve()
    file, row = one_schedule_more(city_house, tmp_path)
    (seen,) = past.seen_on([SMALL.until])
    exports.load(copied, [file], exports.Completeness(partial=True), seen_on=seen)
    with warehouse.connect(copied.warehouse, read_only=True) as con:
        ((load,),) = con.execute("select max_by(carga_id, ordem) from controle.cargas").fetchall()
    dbt.build(copied)
    outcome = publish(copied)
    manifest = read_manifest(copied.published)
    assert manifest is not None
    result = CliRunner().invoke(cli, ["publish", "--diff"])
    assert result.exit_code == 0, result.stderr
    found = list(csv.DictReader(io.StringIO(result.stdout)))
    told = {(change["tabela"], change["chave"], change["coluna"]) for change in found}
    assert len(told) == len(found)
    databases = (older / store.DATABASE, outcome.folder / store.DATABASE)
    assert told == told_otherwise(*databases, manifest["tables"])
    place = (row["COD CNES EXEC."], row["COD. PROCEDIMENTO INTERNO"])
    slots = {
        change["chave"]: change["diferenca"] or change["depois"]
        for change in found
        if (change["tabela"], change["coluna"]) == ("pub_oferta_por_dia", "qtd_vagas_total")
    }
    grain = ("data", "unidade_executante_cnes", "procedimento_codigo", "vaga_tipo")
    keys = [
        _key(dict(zip(grain, (day, *place, "primeira_vez"), strict=True)), grain)
        for day in ("2026-08-03", "2026-08-10")
    ]
    assert slots == dict.fromkeys(keys, "4")
    # Nothing else is named: no other unit or procedure, no other month, no people, no other load.
    for change in found:
        assert all(f"={part}" in change["chave"] for part in (*place, "2026-08")), change
        assert change["tabela"].startswith("pub_oferta_"), change
    assert {c["cargas"] for c in found} == {load}


def test_new_content_replaces_the_old_under_the_readers(copied: Settings) -> None:
    question = "select sum(qtd_vagas_total), count(*) from pub_oferta_real_por_mes"
    database = copied.published / store.DATABASE
    old_version = require_whole(copied.published)
    with duckdb.connect(str(database.resolve()), read_only=True) as reader:
        ((old, rows),) = reader.execute(question).fetchall()
        more_offer(copied)
        outcome = publish(copied, keep=1)
        assert outcome.new
        assert old_version in outcome.removed
        assert reader.execute(question).fetchall() == [(old, rows)]
    with duckdb.connect(str(database.resolve()), read_only=True) as reader:
        known = reader.execute(
            "select count(qtd_vagas_total) from pub_oferta_real_por_mes"
        ).fetchall()[0][0]
        assert reader.execute(question).fetchall() == [(old + known, rows)]
    assert require_whole(copied.published) == outcome.version
    assert [path.name for path in store.versions(copied.published)] == [outcome.version]


def test_a_reader_at_the_stable_path_keeps_its_release_and_the_next_one_sees_the_new(
    copied: Settings,
) -> None:
    question = "select sum(qtd_vagas_total) from pub_oferta_real_por_mes"
    path = str(copied.published / store.DATABASE)
    with duckdb.connect(path, read_only=True) as pooled:
        old = pooled.execute(question).fetchall()
        more_offer(copied)
        publish(copied)
        with duckdb.connect(path, read_only=True) as later:
            assert later.execute(question).fetchall() != old
            assert pooled.execute(question).fetchall() == old


def test_real_data_are_published_as_real(copied: Settings) -> None:
    change(copied, "update controle.cargas set eh_sintetica = false")
    change(
        copied,
        "update publicacao.pub_atualizacao set eh_sintetico = false, fonte = 'SISREG e CNES'",
    )
    assert publish(copied).new
    manifest = read_manifest(copied.published)
    assert manifest is not None
    assert (manifest["synthetic"], manifest["source"]) == (False, "SISREG e CNES")
    package = json.loads((copied.published / store.DATAPACKAGE).read_bytes())
    assert package["synthetic"] is False
    assert not {"DADOS", "dados sintéticos"} & {package["title"][:5], *package["keywords"]}
    assert not package["description"].startswith("DADOS SINTÉTICOS")
    said = (copied.published / "dicionario.csv").read_bytes().decode("utf-8-sig")
    assert ";das fontes\r\n" in said
    assert ";sintéticos\r\n" not in said


def _which_test(results: dict[str, Any]) -> None:
    results["args"]["which"] = "test"


def _empty(results: dict[str, Any]) -> None:
    results["args"]["empty"] = True


def _as_known(results: dict[str, Any]) -> None:
    results["args"]["vars"] = {"conhecido_em": "2026-06-01"}


def _without(prefix: str) -> Callable[[dict[str, Any]], None]:
    def alter(results: dict[str, Any]) -> None:
        found = next(r for r in results["results"] if r["unique_id"].startswith(prefix))
        results["results"].remove(found)

    return alter


def _another_run(results: dict[str, Any]) -> None:
    results["metadata"]["invocation_id"] = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (_which_test, "only a build"),
        (_empty, "part of the rows"),
        (_as_known, "known on a past day"),
        (_without("model.mapa.pub_oferta_por_dia"), "partial"),
        (_without("test.mapa.oferta_real_por_mes__grao"), "partial"),
        (_another_run, "records are of two runs, and in the newer one"),
    ],
)
def test_only_a_complete_build_is_published(
    copied: Settings, alter: Callable[[dict[str, Any]], None], said: str
) -> None:
    before = require_whole(copied.published)
    rewrite(copied.dbt_target_path / "run_results.json", alter)
    with pytest.raises(PublishError, match=said) as refusal:
        publish(copied)
    assert "dbt build" in refusal.value.message
    assert require_whole(copied.published) == before


@pytest.mark.parametrize("name", ["run_results.json", "manifest.json"])
def test_without_dbts_records_nothing_is_published(copied: Settings, name: str) -> None:
    (copied.dbt_target_path / name).unlink()
    with pytest.raises(PublishError, match="nothing has been built yet"):
        publish(copied)


@pytest.mark.parametrize(
    "value",
    [
        "'POSTO 000.000.001-91'",
        f"'{CPF}'",
        f"'A{CPF}B'",
        f"'SALA 12 {CPF}'",
        f"'CNS: {CNS}'",
        "'700 0000 0000 0005'",
    ],
)
def test_a_persons_number_in_text_is_refused(copied: Settings, value: str) -> None:
    before = require_whole(copied.published)
    change(
        copied,
        "update publicacao.pub_dim_estabelecimentos set unidade_nome = "
        f"{value} where unidade_cnes = "
        "(select min(unidade_cnes) from publicacao.pub_dim_estabelecimentos)",
    )
    with pytest.raises(PublishError, match=r"unidade_nome: a value holds a valid") as refusal:
        publish(copied)
    assert "191" not in refusal.value.message
    assert "0005" not in refusal.value.message
    assert require_whole(copied.published) == before
    assert list((copied.published / "versions").glob(".*")) == []


def test_the_name_of_a_person_is_refused_and_that_of_a_unit_is_not(copied: Settings) -> None:
    with duckdb.connect(str(copied.warehouse)) as con:
        ((name,),) = con.execute(
            "select nome_mae from bruto_cadsus.pessoa where nome_mae like '% % %' "
            "order by nome_mae limit 1"
        ).fetchall()
        unit = "where unidade_cnes = (select min(unidade_cnes) from publicacao.{})"
        table = "publicacao.pub_dim_estabelecimentos"
        said = f"Unidade {name.lower().replace(' ', '  ')} - Sul"
        con.execute(
            f"update {table} set unidade_nome = $1 {unit.format('pub_dim_estabelecimentos')}",
            [said],
        )
    before = require_whole(copied.published)
    with pytest.raises(PublishError, match="unidade_nome: a value holds the name of a person") as e:
        publish(copied)
    assert name.split()[0].lower() not in e.value.message.lower()
    assert require_whole(copied.published) == before
    # CNES itself calls a unit so.
    with duckdb.connect(str(copied.warehouse)) as con:
        con.execute(
            "update bruto_cnes.estabelecimento set no_fantasia = upper($1) where co_cnes = "
            "(select min(co_cnes) from bruto_cnes.estabelecimento)",
            [said],
        )
    assert publish(copied).new


def test_each_column_of_raw_that_could_hold_a_name_was_looked_at(city_house: House) -> None:
    manifest = json.loads((city_house.settings.dbt_target_path / "manifest.json").read_bytes())
    searched = set(names.columns(manifest, names.OF_PERSONS, public=False))
    named = {
        place
        for place in names.columns(manifest, re.compile(".*nome"), public=False)
        if not re.search("grupo|municipio|leito|clinica|unidade|central", place[1])
    }
    assert len(searched) > 30
    assert searched == named


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("avisar maria@exemplo.com.br", "e-mail address"),
        ("ＭＡＲＩＡ＠ＥＸＥＭＰＬＯ．ＣＯＭ", "e-mail address"),
        ("(61) 3333-4444", "telephone number"),
        ("mãe: (61)99999-0000", "telephone number"),
        ("+55 61 3333 4444", "telephone number"),
        ("61 9 9999-0000", "telephone number"),
        ("61999990000", "telephone number"),
        ("3333-4444", None),
        ("de 2025-2026", None),
        ("31/12 2025-2026", None),
        ("PRT 2.814/2014, art. 17", None),
        ("0301010072", None),
        ("2026-06-30 12:00:00", None),
        ("8fde315d-d4cf-474e-a71e-619999900001", None),
        ("a 3 @ 4", None),
    ],
)
def test_the_search_for_ways_to_reach_a_person(text: str, kind: str | None) -> None:
    assert contact_in(text) == kind


@pytest.mark.parametrize("value", ["fale com x@exemplo.org", "(61) 99999-0000"])
def test_a_way_to_reach_a_person_is_refused(copied: Settings, value: str) -> None:
    change(copied, f"update publicacao.pub_acordo_acoes set acao_descricao = '{value}'")
    with pytest.raises(PublishError, match=r"acao_descricao: a value holds a (e-mail|tele)"):
        publish(copied)


@pytest.mark.parametrize("number", ["52998224725", "1234567890", CNS])
def test_a_persons_number_in_a_count_is_refused(copied: Settings, number: str) -> None:
    change(
        copied,
        f"update publicacao.pub_oferta_por_dia set qtd_vagas_total = {number} where rowid = 0",
    )
    with pytest.raises(PublishError, match="qtd_vagas_total: a value holds a valid"):
        publish(copied)


@pytest.mark.parametrize("lgpd", ["pessoal", "sensivel", "pseudonimo", None])
def test_a_column_that_is_not_public_is_refused(copied: Settings, lgpd: str | None) -> None:
    def alter(manifest: dict[str, Any]) -> None:
        node = manifest["nodes"]["model.mapa.pub_dim_estabelecimentos"]
        node["columns"]["unidade_nome"]["config"]["meta"]["lgpd"] = lgpd

    rewrite(copied.dbt_target_path / "manifest.json", alter)
    with pytest.raises(PublishError, match="only `publico` may be published"):
        publish(copied)


def test_a_file_without_as_of_date_is_refused(copied: Settings) -> None:
    change(copied, f"update publicacao.{gate.AS_OF_TABLE} set data_referencia = null")
    with pytest.raises(PublishError, match="data_referencia"):
        publish(copied)


@pytest.mark.parametrize("reached", ["", store.DATABASE, store.PARQUET, store.MANIFEST])
def test_a_killed_publication_leaves_the_version_before(copied: Settings, reached: str) -> None:
    before = require_whole(copied.published)
    more_offer(copied)
    process = subprocess.Popen([MAPA, "publish"], stderr=subprocess.PIPE)
    point = copied.published / "versions" / ".preparing" / reached
    while not point.exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    after = require_whole(copied.published)
    assert after == before or reached == store.MANIFEST
    visible = [path.name for path in store.versions(copied.published)]
    assert after in visible
    with store.locked(copied.published), store.preparing(copied.published) as folder:
        assert list(folder.iterdir()) == []


def test_a_second_publication_waits_outside(copied: Settings) -> None:
    with store.locked(copied.published), pytest.raises(LockedError, match="Another"):
        publish(copied)


def test_a_full_disk_is_said_and_leaves_the_version_before(copied: Settings) -> None:
    before = require_whole(copied.published)
    more_offer(copied)
    limited = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from mapa.cli import main\n"
        "main(['publish'])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, check=False
    )
    assert run.returncode == DiskError.exit_code, run.stderr
    assert "Traceback" not in run.stderr
    assert require_whole(copied.published) == before


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (CPF, "CPF"),
        ("000.000.001-91", "CPF"),
        ("cpf=000 000 001 91;", "CPF"),
        ("12 00000000191", "CPF"),
        ("00000000192", None),
        ("00000000000", None),
        ("11111111111", None),
        (CNS, "CNS"),
        ("700000000000006", None),
        ("0301010072", None),
        ("0701234", None),
        ("2026-06-30 23:59:59.000000", None),
        (191, None),
        (99_999_999, None),
        (12345678909, "CPF"),
        (700000000000005, "CNS"),
        (0.1234567890912, None),
        (float("nan"), None),
        (True, None),
        (None, None),
    ],
)
def test_the_search_for_persons_numbers(value: object, kind: str | None) -> None:
    assert identifier_in(value) == kind


def cpf_of(serial: int) -> str:
    """Return a valid CPF by the rule of its check digits, written out here once more."""
    digits = [int(d) for d in f"{serial:09d}"]
    for length in (9, 10):
        total = sum(d * (length + 1 - i) for i, d in enumerate(digits))
        digits.append(0 if total % 11 < 2 else 11 - total % 11)
    return "".join(map(str, digits))


@given(serial=st.integers(1, 10**6), mark=st.sampled_from(["", ".", " ", "-", "/", "··"]))
def test_every_valid_cpf_is_found_however_it_is_punctuated(serial: int, mark: str) -> None:
    cpf = cpf_of(serial)
    text = f"texto {mark.join([cpf[:3], cpf[3:6], cpf[6:9], cpf[9:]])} texto"
    assert identifier_in(text) == "CPF"


@given(st.integers(0, 10**8 - 1))
def test_no_count_is_taken_for_a_person(count: int) -> None:
    assert identifier_in(count) is None
