"""Drift: what a source changes is noted once, named with the load since which, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from mapa.cli import cli
from mapa.errors import LayoutError
from mapa.load import exports, offer_api, sisreg
from mapa.settings import Settings
from mapa_city.doors import offer_api as door
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from test_load_exports import HEADER, ROWS
from test_load_offer_api import EXPORT, map_for, records_of

INDEX = INDICES[0]
TABLE = "bruto_sisreg.solicitacao_ambulatorial"


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve five requests."""
    with mirroring(Mirror({INDEX: [document(n) for n in range(5)]})) as served:
        yield served


@pytest.fixture
def settings(mirror: Mirror, tmp_path: Path) -> Settings:
    """Return settings that point at the mirror, after a first load."""
    pointed = Settings(
        mapa_dir=tmp_path / "data",
        sisreg_url=mirror.url,
        sisreg_user=USER,
        sisreg_password=SecretStr(PASSWORD),
    )
    sisreg.load(pointed, INDEX)
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    return pointed


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def changes(settings: Settings) -> list[tuple[Any, ...]]:
    """Return field, event, details and whether the load was refused, of all but the first load."""
    return query(
        settings,
        "select campo, evento, detalhe, recusada from controle.campos "
        "where evento <> 'conhecido' order by registrado_em, campo",
    )


def newest(settings: Settings) -> str:
    """Return the newest complete load as messages name it."""
    ((name, begun),) = query(
        settings,
        "select carga_id, iniciada_em from controle.cargas where resultado = 'completa' "
        "order by iniciada_em desc limit 1",
    )
    return f"load {name} of {begun:%Y-%m-%d %H:%M} UTC"


def test_the_first_load_notes_all_fields_and_no_change(settings: Settings) -> None:
    assert changes(settings) == []
    found = dict(query(settings, "select campo, tipo from controle.campos"))
    assert {found[n] for n in ("cns_usuario", "data_solicitacao", "laudo")} == {
        "texto", "data", "objeto",
    }  # fmt: skip


def test_a_new_field_is_kept_and_noted_once(mirror: Mirror, settings: Settings) -> None:
    mirror.documents[INDEX][2]["canal"] = "APLICATIVO"
    (summary,) = sisreg.load(settings, INDEX)
    assert "new fields kept in _campos_extras: canal" in summary.notes
    (again,) = sisreg.load(settings, INDEX)
    assert again.notes == ()
    assert changes(settings) == [("canal", "novo", None, False)]
    assert query(settings, f"select _campos_extras from {TABLE} where _campos_extras <> ''") == [
        ('{"canal":"APLICATIVO"}',)
    ]


def test_an_optional_field_that_disappears_is_reported(mirror: Mirror, settings: Settings) -> None:
    mirror.dropped = {"numero_crm"}
    (summary,) = sisreg.load(settings, INDEX)
    assert summary.notes == ("fields gone: numero_crm",)
    (again,) = sisreg.load(settings, INDEX)
    mirror.dropped = set()
    sisreg.load(settings, INDEX)
    assert again.notes == ()
    assert changes(settings) == [
        ("numero_crm", "ausente", None, False),
        ("numero_crm", "novo", None, False),
    ]


def test_a_renamed_mandatory_field_is_named_with_the_load_since_which(
    mirror: Mirror, settings: Settings
) -> None:
    before, rows = newest(settings), query(settings, f"select * from {TABLE}")
    for each in mirror.documents[INDEX]:
        each["data_da_solicitacao"] = each.pop("data_solicitacao")
    for _ in range(2):
        with pytest.raises(LayoutError) as caught:
            sisreg.load(settings, INDEX)
        assert (
            "mandatory field `data_solicitacao` does not exist any more (perhaps renamed to "
            f"`data_da_solicitacao`); nothing was loaded.\nThis changed since {before}."
        ) in caught.value.message
    assert query(settings, f"select * from {TABLE}") == rows
    refused = [
        ("data_da_solicitacao", "novo", None, True),
        ("data_solicitacao", "ausente", "talvez renomeado para data_da_solicitacao", True),
    ]
    assert changes(settings) == refused * 2


def test_another_type_is_refused_until_it_is_accepted_once(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.kinds = {"cns_usuario": {"type": "long"}}
    with pytest.raises(LayoutError) as caught:
        sisreg.load(settings, INDEX)
    assert "field `cns_usuario` has another type (texto -> inteiro)" in caught.value.message
    assert f"since {newest(settings)}" in caught.value.message
    assert "mapa load sisreg --accept-types" in caught.value.message
    for name in ("sisreg_url", "sisreg_user"):
        monkeypatch.setenv(name.upper(), str(getattr(settings, name)))
    monkeypatch.setenv("SISREG_PASSWORD", PASSWORD)
    monkeypatch.setenv("MAPA_DIR", str(settings.mapa_dir))
    command = ["load", "sisreg", "--index", INDEX]
    assert CliRunner().invoke(cli, command).exit_code == 3
    accepted = CliRunner().invoke(cli, [*command, "--accept-types"])
    assert accepted.exit_code == 0
    assert "type of `cns_usuario` changed (texto -> inteiro)" in accepted.output
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert [row[1:] for row in changes(settings)] == [
        ("tipo", "texto -> inteiro", True),
        ("tipo", "texto -> inteiro", True),
        ("tipo", "texto -> inteiro", False),
    ]


@pytest.mark.parametrize(
    "kinds",
    [
        {"cns_usuario": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}},
        {"laudo": {"type": "object"}},
        {"carga_epoch": {"type": "long"}},
    ],
)
def test_types_of_one_family_and_volatile_fields_are_no_reason_to_stop(
    mirror: Mirror, settings: Settings, kinds: dict[str, dict[str, Any]]
) -> None:
    mirror.kinds = kinds
    assert sisreg.load(settings, INDEX)


def test_a_type_that_the_indices_of_an_alias_do_not_agree_on_is_unknown(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.older = {"cns_usuario": {"type": "long"}}
    assert sisreg.load(settings, INDEX)
    mirror.older = {}
    assert sisreg.load(settings, INDEX)
    assert changes(settings) == []


def test_a_list_of_objects_that_is_none_cannot_be_accepted(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.kinds = {"laudo": {"type": "keyword"}}
    for accepted in (False, True):
        with pytest.raises(LayoutError, match="`laudo` is no longer a list of objects"):
            sisreg.load(settings, INDEX, accept_types=accepted)


def write(path: Path, header: str, cell: str = "") -> Path:
    """Write an export of schedules that is like no other."""
    rows = [row + (f";{cell}" if cell else "") for row in ROWS]
    path.write_text("\n".join([header, *rows, "", "" * len(path.name)]) + "\n" * len(path.name))
    return path


def test_columns_of_a_file_that_come_and_go(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, [write(tmp_path / "a.csv", HEADER)])
    (came,) = exports.load(settings, [write(tmp_path / "bb.csv", f"{HEADER};SALA", "12")])
    (went,) = exports.load(settings, [write(tmp_path / "ccc.csv", HEADER)])
    assert came.notes == ("new fields kept in _campos_extras: sala",)
    assert went.notes == ("fields gone: sala",)
    assert changes(settings) == [("sala", "novo", None, False), ("sala", "ausente", None, False)]


def test_the_order_of_columns_means_nothing(settings: Settings, tmp_path: Path) -> None:
    exports.load(settings, [write(tmp_path / "a.csv", HEADER)])
    turned = [";".join(reversed(row.split(";"))) for row in (HEADER, *ROWS)]
    (tmp_path / "b.csv").write_text("\n".join([*turned, ""]))
    (summary,) = exports.load(settings, [tmp_path / "b.csv"])
    assert (summary.notes, summary.tally.identical) == ((), 4)
    assert changes(settings) == []


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (HEADER.replace("COD CNES EXEC.", "UNIDADE"), "unidade"),
        (HEADER.replace("COD CNES EXEC.;", "") + ";CNES EXEC", "cnes_exec"),
    ],
    ids=["same place", "like name"],
)
def test_a_renamed_column_is_named_with_the_load_since_which(
    settings: Settings, tmp_path: Path, header: str, found: str
) -> None:
    exports.load(settings, [write(tmp_path / "a.csv", HEADER)])
    before = newest(settings)
    path = write(tmp_path / "bb.csv", header)
    with pytest.raises(LayoutError) as caught:
        exports.load(settings, [path])
    message = caught.value.message
    assert "bb.csv: column `cod_cnes_exec` is missing (line 1)." in message
    assert f"`cod_cnes_exec` is perhaps called `{found}` now." in message
    assert f"The last complete one was {before}." in message
    assert sorted(changes(settings)) == sorted(
        [
            ("cod_cnes_exec", "ausente", f"talvez renomeado para {found}", True),
            (found, "novo", None, True),
        ]
    )
    rows = query(
        settings, "select entidade, origem, resultado from controle.cargas order by iniciada_em"
    )
    assert rows[1:] == [("escala", "a.csv", "completa"), ("escala", "bb.csv", "recusada")]


def test_a_column_that_is_empty_now_is_named_with_the_load_before(
    settings: Settings, tmp_path: Path
) -> None:
    exports.load(settings, [write(tmp_path / "a.csv", HEADER)])
    before = newest(settings)
    rows = [row.replace("ATIVA", "").replace("EXPIRADA", "") for row in ROWS]
    cells = [row.split(";") for row in rows]
    place = HEADER.split(";").index("STATUS")
    rows = [";".join([*c[:place], "", *c[place + 1 :]]) for c in cells]
    (tmp_path / "b.csv").write_text("\n".join([HEADER, *rows, ""]))
    with pytest.raises(LayoutError, match="`status` is missing or empty in all 4") as caught:
        exports.load(settings, [tmp_path / "b.csv"])
    assert f"That was not so in {before}." in caught.value.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r | {"situacao": 1}, r"`status` has another type \(texto -> numero\)"),
        (lambda r: {k: v for k, v in r.items() if k != "situacao"}, "`status` is missing or empty"),
    ],
)
def test_fields_of_the_offer_api_have_types_too(
    settings: Settings, tmp_path: Path, change: Callable[..., Any], words: str
) -> None:
    offer = records_of(EXPORT)
    with door.serving(offer) as url:
        pointed = settings.model_copy(update={"oferta_api_token": SecretStr(door.TOKEN)})
        offer_api.load(pointed, map_for(url, tmp_path), exports.WHOLE)
    before = newest(settings)
    with door.serving([change(record) for record in offer]) as url:
        with pytest.raises(LayoutError, match=words) as caught:
            offer_api.load(pointed, map_for(url, tmp_path), exports.WHOLE)
        assert before in caught.value.message
        if "type" in words:
            assert "mapa load offer-api --map FILE --accept-types" in caught.value.message
            offer_api.load(pointed, map_for(url, tmp_path), exports.WHOLE, accept_types=True)


def test_a_field_of_the_offer_api_that_no_column_takes_is_kept(
    settings: Settings, tmp_path: Path
) -> None:
    offer = [record | {"extra": {"sala": "12", "vazio": None}} for record in records_of(EXPORT)]
    pointed = settings.model_copy(update={"oferta_api_token": SecretStr(door.TOKEN)})
    with door.serving(offer) as url:
        summary = offer_api.load(pointed, map_for(url, tmp_path), exports.WHOLE)
    assert summary.notes == ("new fields kept in _campos_extras: extra.sala, extra.vazio",)
    assert query(
        settings, "select distinct _campos_extras from bruto_sisreg.escala_ambulatorial"
    ) == [('{"extra.sala":"12"}',)]


def test_the_status_shows_the_history_refused_loads_included(
    mirror: Mirror, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.documents[INDEX][2]["canal"] = "APLICATIVO"
    sisreg.load(settings, INDEX)
    mirror.kinds = {"cns_usuario": {"type": "long"}}
    with pytest.raises(LayoutError):
        sisreg.load(settings, INDEX)
    monkeypatch.setenv("MAPA_DIR", str(settings.mapa_dir))
    text = CliRunner().invoke(cli, ["status"]).output
    assert "Drift" in text
    assert "texto -> inteiro" in text
    rows = json.loads(CliRunner().invoke(cli, ["status", "--json"]).output)["drift"]
    assert [(r["entity"], r["field"], r["change"], r["refused"]) for r in rows] == [
        (INDEX, "canal", "novo", False),
        (INDEX, "cns_usuario", "tipo", True),
    ]
    assert all(row["when"] and row["load"] for row in rows)
