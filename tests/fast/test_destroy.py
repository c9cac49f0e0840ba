"""`mapa destroy`: what was asked for is gone from every file, what stays stands as if alone."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from conftest import PROJECT, house_environment
from mapa import clocks, destruction, warehouse
from mapa.cli import cli
from mapa.errors import ConfigError
from mapa.load import exports, replay, seen
from mapa.sealing import PIECE
from mapa.settings import Settings
from remains import holding

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
BOOKED = "agendamento_0010456_2026-04.csv"
BY = ("--requested-by", "Ministério da Saúde, ofício 12/2026")
PERSON = "bruto_sisreg.agendamento"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of a house with bookings, schedules and cards, built and published once."""
    for name, value in house_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DBT_PROJECT_DIR", str(PROJECT))
    monkeypatch.chdir(tmp_path)
    settings = Settings.load()
    exports.load(settings, [FIXTURES / BOOKED])
    exports.load(settings, [FIXTURES / "cadsus_pessoa.csv"])
    exports.load(settings, [FIXTURES / "escala.csv"])
    with warehouse.connect(settings.warehouse) as con:
        con.execute("create schema fila")
        con.execute(f"create table fila.t as select cns, nome from {PERSON}")
    numbers = ",".join(sorted(people(settings)))
    for place in (settings.dbt_target_path / "run", settings.dbt_log_path):
        place.mkdir(parents=True, exist_ok=True)
        (place / "x.sql").write_text(f"select '{numbers}'")
    release(settings, "20990101T000000Z-bbbbbbbb", numbers)
    yield tmp_path


def release(settings: Settings, name: str, content: str) -> None:
    folder = settings.published / "versions" / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"version": name, "x": content}))
    (settings.published / "current").unlink(missing_ok=True)
    (settings.published / "current").symlink_to(Path("versions") / name)


def people(settings: Settings, table: str = PERSON) -> set[str]:
    """Return the cards and the names of persons in a raw table."""
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        rows = con.execute(f"select cns, nome, nome_mae from {table}").fetchall()
    return {str(cell) for row in rows for cell in row if cell and len(str(cell)) > 8}


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["destroy", *arguments])
    return done.exit_code, done.output


def certificates(settings: Settings) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_bytes())
        for path in sorted((settings.mapa_dir / "certificados").glob("*.json"))
    ]


def history(settings: Settings) -> list[tuple[Any, ...]]:
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        return con.execute(
            "select carga_id, fonte, resultado, origem, sha256, qtd_recebidas, bytes_recebidos "
            "from controle.cargas order by ordem"
        ).fetchall()


def test_nothing_is_done_without_yes_and_a_request_must_say_what_and_whose(house: Path) -> None:
    settings = Settings.load()
    before = {p: p.read_bytes() for p in house.rglob("*") if p.is_file() and p.suffix != ".lock"}
    code, output = run("--all", *BY)
    assert code == 0
    assert "3 loads with 3 files" in output
    assert "Nothing was changed" in output
    changed = {p for p, body in before.items() if not p.exists() or p.read_bytes() != body}
    assert changed <= {settings.warehouse}
    assert len(history(settings)) == 3
    assert run("--all")[0] == 2
    assert run(*BY)[0] == 2
    assert run("--all", "--source", "arquivo", *BY)[0] == 2
    assert run("--source", "proadi", *BY, "--yes")[0] == 7


@pytest.mark.parametrize("encrypted", [False, True])
def test_after_everything_is_destroyed_no_file_holds_a_person(
    house: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool
) -> None:
    settings = Settings.load()
    needles = people(settings)
    assert len(needles) > 3
    held = holding(house, needles)
    assert {name.split("/")[0] for name in held} == {"data", "target", "logs"}
    assert {name.split("/")[1] for name in held if name.startswith("data")} >= {
        "landing", "mapa.duckdb", "published",
    }  # fmt: skip
    if encrypted:
        file = house / "chave"
        file.write_text("segredo-de-teste-" * 3)
        file.chmod(0o600)
        assert CliRunner().invoke(cli, ["key", "warehouse", "--new-file", str(file)]).exit_code == 0
        monkeypatch.setenv("MAPA_WAREHOUSE_KEY_FILE", str(file))
        settings = Settings.load()
    code, output = run("--all", *BY, "--received-on", "2026-06-01", "--yes")
    assert code == 0, output
    assert holding(house, needles) == set()
    assert [row[2:] for row in history(settings)] == [("destruida", *[None] * 4)] * 3
    assert not list(settings.landing.glob("*/*"))
    (said,) = certificates(settings)
    assert said["pedido_por"] == BY[1]
    assert said["pedido_recebido_em"] == "2026-06-01"
    assert [load["fonte"] for load in said["cargas"]] == ["arquivo", "cadsus", "arquivo"]
    assert sum(said["linhas"].values()) > 10
    assert said["verificacao"]["identificadores_procurados"] > 3
    assert said["versoes_publicadas_removidas"] == ["20990101T000000Z-bbbbbbbb"]
    key = settings.warehouse_key()
    assert said["chave_do_armazem"] == (key.version if key else None)
    pdf = next((settings.mapa_dir / "certificados").glob("*.pdf"))
    assert pdf.read_bytes().startswith(b"%PDF")
    assert all(path.stat().st_mode & 0o077 == 0 for path in (pdf, pdf.parent))
    # The house goes on.
    exports.load(settings, [FIXTURES / BOOKED])
    assert people(settings) == needles


def test_a_source_goes_and_the_others_stay_as_they_were(house: Path) -> None:
    settings = Settings.load()
    release(settings, "20200101T000000Z-aaaaaaaa", "de antes")
    release(settings, "20990102T000000Z-cccccccc", "de depois")
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        cards = con.execute("select * from bruto_cadsus.pessoa order by all").fetchall()
        numbers = {row[0] for row in con.execute("select cpf from bruto_cadsus.pessoa").fetchall()}
    code, output = run("--source", "arquivo", *BY, "--yes")
    assert code == 0, output
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        assert con.execute("select * from bruto_cadsus.pessoa order by all").fetchall() == cards
        assert con.execute(f"select count(*) from {PERSON}").fetchall() == [(0,)]
    assert [row[2] for row in history(settings)] == ["destruida", "completa", "destruida"]
    assert numbers
    assert [path.name for path in settings.landing.iterdir()] == ["cadsus"] or not list(
        settings.landing.glob("arquivo/*")
    )
    assert [p.name for p in (settings.published / "versions").iterdir()] == [
        "20200101T000000Z-aaaaaaaa"
    ]
    assert (settings.published / "current").resolve().name == "20200101T000000Z-aaaaaaaa"
    assert certificates(settings)[0]["selecao"]["fontes"] == ["arquivo"]
    replay.replay(settings, "cadsus")


def test_a_row_that_two_loads_brought_stays_with_the_one_that_stays(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load()
    text = (FIXTURES / BOOKED).read_bytes()
    lines = text.splitlines(keepends=True)
    later = house / BOOKED
    later.write_bytes(b"".join(lines[:2]))
    exports.load(settings, [later])
    day = seen.local_clock(clocks.now()).date()
    first = history(settings)[0][0]
    # As if the first load had come the day before.
    yesterday = day - timedelta(days=1)
    old = f"{yesterday:%Y%m%d}T150000{first[15:]}"
    with warehouse.connect(settings.warehouse) as con:
        for table in destruction._tables():
            column = destruction._load_column(table)
            con.execute(f"update {table} set {column} = $1 where {column} = $2", [old, first])
        con.execute(
            "update controle.cargas set carga_id = $1, iniciada_em = $2 where carga_id = $3",
            [old, f"{yesterday} 15:00:00", first],
        )
    folder = (settings.landing / "arquivo" / first).rename(settings.landing / "arquivo" / old)
    note = folder / "carga.json"
    note.write_bytes(note.read_bytes().replace(first.encode(), old.encode()))
    gone = {cell for cell in people(settings) if cell.encode() not in b"".join(lines[:2])}
    stays = people(settings) - gone
    assert gone
    code, output = run("--until", str(yesterday), *BY, "--yes")
    assert code == 0, output
    assert people(settings) == stays
    assert not holding(house / "data", gone)
    assert [row[2] for row in history(settings)] == ["destruida", *["completa"] * 3]
    assert certificates(settings)[0]["partes_refeitas_de_landing"] == ["export"]


def test_what_could_not_be_rebuilt_is_said_before_anything_is_gone(house: Path) -> None:
    settings = Settings.load()
    gone = next(settings.landing.glob("arquivo/*-escala-*"))
    aside = gone.rename(house / gone.name)
    with warehouse.connect(settings.warehouse) as con:
        con.execute("update controle.cargas set iniciada_em = '2020-01-02' where ordem = 1")
    before = history(settings)
    code, output = run("--until", "2020-01-10", *BY, "--yes")
    assert code == 7
    assert "bring the missing folders back" in output
    assert history(settings) == before
    assert not destruction.pending(settings)
    aside.rename(gone)
    code, output = run("--until", "2020-01-10", *BY, "--yes")
    assert code == 0, output
    assert [row[2] for row in history(settings)] == ["destruida", "completa", "completa"]


STOPPED = """
import os, signal, sys
from datetime import date
from mapa import clocks, destruction
from mapa.settings import Settings
left = int(sys.argv[1])
def counting(owner, name):
    what = getattr(owner, name)
    def call(*a, **k):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return what(*a, **k)
    setattr(owner, name, call)
for name in ("replace", "unlink", "rmdir", "fsync"):
    counting(os, name)
for name in ("_forget", "_remove_files", "_remove_releases", "_remove_remnants", "_verify"):
    counting(destruction, name)
destruction.destroy(
    Settings.load(), destruction.Selection(), destruction.Request("teste", date(2026, 6, 1))
)
print("done")
"""


def test_an_interrupted_destruction_is_finished_by_the_next_call_and_nothing_comes_before(
    house: Path,
) -> None:
    settings = Settings.load()
    needles = people(settings)
    fresh = house.parent / f"{house.name}-fresh"
    shutil.copytree(house, fresh, symlinks=True)
    killed = finished = 0
    for moment in range(0, 200, 9):
        for part in ("data", "target", "logs"):
            shutil.rmtree(house / part)
            shutil.copytree(fresh / part, house / part, symlinks=True)
        done = subprocess.run(
            [sys.executable, "-c", STOPPED, str(moment)], capture_output=True, check=False
        )
        if b"done" in done.stdout:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
        if destruction.pending(settings):
            finished += 1
            with pytest.raises(ConfigError, match="mapa destroy --yes"):
                exports.load(settings, [FIXTURES / BOOKED])
            with pytest.raises(ConfigError, match="mapa destroy --yes"):
                replay.replay(settings, "export")
            assert run("--source", "cadsus", *BY, "--yes")[0] == 7
            code, output = run("--yes")
        else:
            code, output = run("--all", *BY, "--yes")
        assert code == 0, output
        assert holding(house / "data", needles) == set()
        assert len(certificates(settings)) == 1
        assert not destruction.pending(settings)
    assert killed > 2
    assert finished > 1


def test_what_remains_is_found_however_it_is_packed_and_no_certificate_is_written(
    house: Path,
) -> None:
    settings = Settings.load()
    numbers = [n for n in sorted(people(settings)) if re.fullmatch("[0-9]{15}", n)]
    first = numbers[0]
    spaced = f"{first[:3]} {first[3:7]} {first[7:11]} {first[11:]}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", f"x {first} y")
    zstd = pa.BufferOutputStream()
    with pa.CompressedOutputStream(zstd, "zstd") as out:
        out.write(f"a {first}".encode())
    left = {
        "texto.txt": first.encode(),
        "pontuado.txt": f"({spaced})".encode(),
        "gz.bin": gzip.compress(first.encode()),
        "zip.bin": packed.getvalue(),
        "zstd.bin": zstd.getvalue().to_pybytes(),
        "borda.bin": b"." * (PIECE - 7) + first.encode() + b".",
    }
    for name, body in left.items():
        (settings.mapa_dir / name).write_bytes(body)
    code, output = run("--all", *BY, "--yes")
    assert code == 13, output
    assert {name for name in left if name in output} == set(left)
    assert first not in output
    assert not certificates(settings)
    for name in left:
        (settings.mapa_dir / name).unlink()
    assert run("--yes")[0] == 0
    assert len(certificates(settings)) == 1


@pytest.mark.parametrize(
    ("done", "working", "expected", "known"),
    [
        # Friday 2026-12-18; Christmas is a Friday: the fifth working day is Monday the 28th.
        ("2026-12-18", ["2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24", "2026-12-28"],
         "2026-12-28", True),
        # Without a calendar holidays are not known, weekends are.
        ("2026-12-18", [], "2026-12-25", False),
        ("2026-12-19", [], "2026-12-25", False),
        # What the calendar has before the day does not count, and too few days are none.
        ("2026-12-18", ["2026-12-17", "2026-12-18", "2026-12-21", "2026-12-22"], "2026-12-25",
         False),
    ],
)  # fmt: skip
def test_the_certificate_is_due_on_the_fifth_working_day(
    done: str, working: list[str], expected: str, known: bool
) -> None:
    found = destruction.due(date.fromisoformat(done), {"uteis": working, "ate": None})
    assert found == (date.fromisoformat(expected), known)


def test_the_pdf_says_what_the_json_says(house: Path) -> None:
    settings = Settings.load()
    assert run("--source", "cadsus", *BY, "--yes")[0] == 0
    folder = settings.mapa_dir / "certificados"
    said = certificates(settings)[0]
    body = next(folder.glob("*.pdf")).read_bytes()
    text = b"".join(
        zlib.decompress(stream)
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", body, re.DOTALL)
        if stream.startswith(b"x")
    ).decode("latin-1")
    text = text.replace("\\(", "(").replace("\\)", ")")
    day = said["prazo"]["entregar_ate"]
    for part in (said["destruicao_id"], f"{day[8:]}/{day[5:7]}/{day[:4]}", "CadSUS: 1 cargas"):
        assert part in text
