"""Encryption at rest: what is written is closed, what is closed opens with its key and no other."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import PROJECT, house_environment
from mapa import landing, pseudonyms, rotation, sealing, warehouse
from mapa.cli import cli
from mapa.errors import ConfigError, FormatError, LockedError
from mapa.load import exports, hits, inbox, replay
from mapa.sealing import Key
from mapa.settings import Settings
from mapa.synthetic import OPERATOR
from remains import holding

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
SECRET, OTHER = "segredo-um-" * 4, "segredo-dois-" * 4
BOOKED = "agendamento_0010456_2026-04.csv"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of an encrypted house with nothing in it."""
    for name, value in house_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY_FILE", raising=False)
    monkeypatch.setenv("MAPA_WAREHOUSE_KEY", SECRET)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def key_file(folder: Path, secret: str = OTHER) -> Path:
    path = folder / "keys" / "chave"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{secret}\n")
    path.chmod(0o600)
    return path


def real(folder: Path) -> str:
    """Return a file that nothing says is simulated."""
    file = folder / BOOKED
    file.write_bytes((FIXTURES / BOOKED).read_bytes().replace(OPERATOR.encode(), b"OPERADOR"))
    return str(file)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(arguments))
    return done.exit_code, done.output


def rows(table: str = "bruto_sisreg.agendamento") -> list[tuple[object, ...]]:
    with warehouse.connect(Settings.load().warehouse, read_only=True) as con:
        return con.execute(f"select * from {table} order by all").fetchall()


@pytest.mark.parametrize(
    "size", [0, 1, sealing.PIECE - 1, sealing.PIECE, sealing.PIECE + 1, 3 * sealing.PIECE]
)
def test_what_is_sealed_comes_back_and_no_other_key_opens_it(tmp_path: Path, size: int) -> None:
    key, file = Key(SECRET.encode()), tmp_path / "f"
    content = os.urandom(size)
    chunks = [content[at : at + 1000] for at in range(0, size, 1000)]
    file.write_bytes(b"".join(sealing.sealed(key, chunks)))
    assert b"".join(sealing.pieces(file, key)) == content
    assert sealing.version_of(file) == key.version
    assert size < 50 or content[:50] not in file.read_bytes()
    for wrong, said in ((None, "no key is set"), (Key(OTHER.encode()), "Set the right one")):
        with pytest.raises(ConfigError, match=said):
            list(sealing.pieces(file, wrong))


@pytest.mark.parametrize("spoilt", ["flipped", "cut", "last piece", "swapped", "head", "added"])
def test_a_sealed_file_that_was_touched_is_refused(tmp_path: Path, spoilt: str) -> None:
    key, file = Key(SECRET.encode()), tmp_path / "f"
    body = b"".join(sealing.sealed(key, [os.urandom(3 * sealing.PIECE)]))
    piece, head = sealing.PIECE + sealing.TAG, sealing.HEAD
    first, second, third = (body[head + n * piece : head + (n + 1) * piece] for n in range(3))
    file.write_bytes(
        {
            "flipped": body[:500] + bytes([body[500] ^ 1]) + body[501:],
            "cut": body[:-1],
            "last piece": body[:head] + first + second,
            "swapped": body[:head] + second + first + third,
            "head": body[: head - 1] + bytes([body[head - 1] ^ 1]) + body[head:],
            "added": body + b"x",
        }[spoilt]
    )
    with pytest.raises(FormatError, match="not what was written"):
        list(sealing.pieces(file, key))


def test_two_files_of_one_content_share_nothing(tmp_path: Path) -> None:
    key = Key(SECRET.encode())
    one, two = (b"".join(sealing.sealed(key, [b"x" * 100])) for _ in range(2))
    assert one[sealing.HEAD :] != two[sealing.HEAD :]
    assert len({key.database, Key(OTHER.encode()).database, SECRET, key.version}) == 4
    assert SECRET not in repr(key)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "quotes"])
def test_a_load_leaves_no_plain_text_and_reads_what_a_plain_house_reads(
    house: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    file = house / BOOKED
    text = (FIXTURES / BOOKED).read_text()
    if encoding == "quotes":
        header, first, *rest = text.splitlines()
        cell = next(c for c in first.split(";") if len(c) > 5 and c.isalpha())
        text = "\n".join([header, first.replace(cell, f'"{cell}" X'), *rest]) + "\n"
    file.write_text(text, encoding="utf-8" if encoding == "quotes" else encoding)
    settings = Settings.load()
    exports.load(settings, [file])
    encrypted = [row[:-7] for row in rows()]
    needles = {str(v) for row in encrypted for v in row if v and len(str(v)) >= 9}
    assert len(needles) > 5
    assert sum(path.is_file() for path in settings.mapa_dir.rglob("*")) >= 3
    assert not holding(settings.mapa_dir, needles)
    assert warehouse.is_encrypted(settings.warehouse)
    before = rows()
    replay.replay(settings, "export")
    assert rows() == before
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
    monkeypatch.setenv("MAPA_DIR", str(house / "plain"))
    exports.load(Settings.load(), [file])
    assert [row[:-7] for row in rows()] == encrypted
    assert holding(house / "plain", needles) > {"mapa.duckdb"}
    assert not warehouse.is_encrypted(Settings.load().warehouse)


def test_where_no_file_can_be_in_memory_only_a_page_that_lies_plain_is_read(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Settings.load().make_directory()
    answer = b'{"timed_out": false, "_shards": {"failed": 0}, "hits": {"hits": []}}'
    sealed = landing.Folder(Settings.load().landing, "sisreg", "carga").write("pagina", answer).path
    plain = sealed.with_name("pagina-de-antes")
    plain.write_bytes(answer)
    with hits.opened(sealed) as opened:
        assert Path(opened.file).parent != sealed.parent
    monkeypatch.delattr(os, "memfd_create")
    with hits.opened(plain) as opened:
        assert Path(opened.file).parent == plain.parent
    with pytest.raises(ConfigError, match="needs files in memory"), hits.opened(sealed):
        pass
    assert {path.name for path in sealed.parent.iterdir()} == {sealed.name, plain.name}


def test_a_landed_file_is_given_back_as_it_came(house: Path) -> None:
    exports.load(Settings.load(), [FIXTURES / BOOKED])
    (landed,) = Settings.load().landing.glob("arquivo/*/*.gz")
    assert sealing.is_sealed(landed)
    done = subprocess.run(
        [str(Path(sys.executable).parent / "mapa"), "key", "cat", str(landed)],
        capture_output=True,
        check=True,
    )
    assert gzip.decompress(done.stdout) == (FIXTURES / BOOKED).read_bytes()


def test_without_the_key_or_with_another_one_each_command_says_what_to_set(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports.load(Settings.load(), [FIXTURES / BOOKED])
    file = str(FIXTURES / BOOKED)
    for secret, said in (("", "no key is set"), (OTHER, "another key")):
        monkeypatch.setenv("MAPA_WAREHOUSE_KEY", secret)
        if not secret:
            monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
        for command in (("load", "export", file), ("load", "export", "--replay"), ("run",)):
            (Settings.load().mapa_dir / "inbox").mkdir(exist_ok=True)
            code, output = run(*command)
            assert code == 7, (command, output)
            assert said in output
            assert "MAPA_WAREHOUSE_KEY" in output
            assert SECRET not in output
            assert Key(SECRET.encode()).database not in output
        assert run("doctor")[0] == 13
        assert said in run("status")[1]


def test_another_process_is_waited_for_and_one_process_may_open_it_twice(house: Path) -> None:
    path = Settings.load().warehouse
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom mapa import warehouse\n"
        "with warehouse.connect(Path(sys.argv[1])):\n    print('open', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with warehouse.connect(path) as one, warehouse.connect(path) as two:
        one.execute("create table main.t as select 1 as x")
        assert two.execute("select x from main.t").fetchall() == [(1,)]
        assert warehouse.cursor(two).execute("select x from main.t").fetchall() == [(1,)]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        with pytest.raises(LockedError), warehouse.connect(path):
            pass
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    with warehouse.connect(path, read_only=True) as con:
        assert con.execute("select x from main.t").fetchall() == [(1,)]


def test_what_is_spilled_is_encrypted(house: Path) -> None:
    path = Settings.load().warehouse
    seen: dict[bool, bool] = {}
    # Digits of a hash do not pack, so that a file in plain text has them as they are.
    query = "create temp table big as select sha256(i::varchar) as s from range(400000) as r(i)"
    for encrypted in (False, True):
        with warehouse.connect(path) as con:
            con.execute(f"set temp_file_encryption = {str(encrypted).lower()}")
            con.execute("set memory_limit = '24MB'")
            con.execute("set threads = 1")
            con.execute(query)
            spilled = [p.read_bytes() for p in Path(f"{path}.tmp").iterdir()]
            # Some of the first rows are no longer in memory.
            signs = con.execute("select s[1:32] from big limit 2000").fetchall()
            assert spilled
            seen[encrypted] = any(sign.encode() in b for (sign,) in signs for b in spilled)
    assert seen == {False: True, True: False}


def test_a_key_is_long_closed_to_others_and_set_once(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = key_file(house)
    monkeypatch.setenv("MAPA_WAREHOUSE_KEY_FILE", str(file))
    assert "both set" in run("load", "export", "--replay")[1]
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
    assert Settings.load().warehouse_key() == Key(OTHER.encode())
    file.chmod(0o640)
    code, output = run("load", "export", "--replay")
    assert code == 7
    assert "0600" in output
    file.chmod(0o600)
    file.write_text("curta")
    code, output = run("load", "export", "--replay")
    assert code == 7
    assert "fewer than 32" in output
    assert "curta" not in output
    file.unlink()
    assert "cannot be read" in run("load", "export", "--replay")[1]


def test_real_data_in_one_folder_with_a_key_are_refused_and_simulated_ones_are_not(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load()
    settings.make_directory()
    file = settings.mapa_dir / "chave"
    key_file(house, SECRET).rename(file)
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
    monkeypatch.setenv("MAPA_WAREHOUSE_KEY_FILE", str(file))
    code, output = run("load", "export", real(house))
    assert code == 7
    assert "stands in the folder of the data" in output
    assert not rows()
    assert "warn  keys apart" in run("doctor")[1]
    with warehouse.connect(settings.warehouse) as con:
        warehouse.refuse_keys_beside(con, real=False)
    apart = house / "fora"
    file.rename(apart)
    monkeypatch.setenv("MAPA_WAREHOUSE_KEY_FILE", str(apart))
    assert run("load", "export", real(house))[0] == 0
    # A link is no other place.
    shutil.copy(apart, file)
    file.chmod(0o600)
    apart.unlink()
    apart.symlink_to(file)
    code, output = run("status", "--check")
    assert "stands in the folder of the data" in output
    assert "fail  keys apart" in run("doctor")[1]


def test_doctor_says_whether_the_house_is_encrypted(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.connect(Settings.load().warehouse):
        pass
    version = Key(SECRET.encode()).version
    assert f"ok    encryption: encrypted with the key of version {version}" in run("doctor")[1]
    assert f"Encryption: key of version {version}" in run("status")[1]
    monkeypatch.setenv("MAPA_DIR", str(house / "plain"))
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
    assert run("load", "export", real(house))[0] == 0
    assert "warn  encryption: not encrypted" in run("doctor")[1]
    assert "Encryption: not encrypted" in run("status")[1]
    monkeypatch.setenv("MAPA_WAREHOUSE_KEY", SECRET)
    code, output = run("load", "export", str(FIXTURES / BOOKED))
    assert code == 7
    assert "mapa key warehouse --new-file" in output


def test_an_inbox_keeps_nothing_in_plain_text_once_it_was_read(house: Path) -> None:
    settings = Settings.load()
    folder = inbox.folder(settings)
    folder.mkdir(parents=True)
    shutil.copy(FIXTURES / "escala.csv", folder / "a.csv")
    (folder / "b.csv").write_text("isto;nao\n700000000000102;MARIA\n")
    inbox.load(settings, inbox.Delivery(), lambda _: None)
    kept = {path.parent.parent.name: path for path in folder.rglob("*.csv")}
    assert set(kept) == {"carregados", "recusados"}
    assert all(sealing.is_sealed(path) for path in kept.values())
    assert landing.read(kept["carregados"]) == (FIXTURES / "escala.csv").read_bytes()
    # What is moved back is read as it was.
    again = kept["carregados"].rename(folder / "outra.csv")
    assert run("load", "export", str(again))[0] == 0


# --- rotation -------------------------------------------------------------------------------------


def test_a_plain_house_is_encrypted_gets_another_key_and_is_decrypted(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
    settings = Settings.load()
    exports.load(settings, [FIXTURES / BOOKED, FIXTURES / "escala.csv"])
    before = rows()
    first = key_file(house, SECRET).rename(house / "um")
    second = key_file(house).rename(house / "dois")
    for options, then in (
        (("--new-file", str(first)), first),
        (("--new-file", str(second)), second),
        (("--decrypt",), None),
    ):
        code, output = run("key", "warehouse", *options)
        assert code == 0, output
        monkeypatch.delenv("MAPA_WAREHOUSE_KEY_FILE", raising=False)
        if then:
            monkeypatch.setenv("MAPA_WAREHOUSE_KEY_FILE", str(then))
        assert rows() == before
        replay.replay(Settings.load(), "export")
        assert rows() == before
        assert not rotation.unfinished(settings)
        assert sorted(p.name for p in settings.mapa_dir.iterdir()) == ["landing", "mapa.duckdb"]
        versions = {sealing.version_of(p) for p in settings.landing.rglob("*") if p.is_file()}
        key = Settings.load().warehouse_key()
        assert versions == {key.version if key else None}
        assert warehouse.is_encrypted(settings.warehouse) == (then is not None)


KILLED = """
import os, signal, sys
from mapa import landing, rotation
from mapa.sealing import Key
from mapa.settings import Settings, read_key_file
from pathlib import Path
left = int(sys.argv[2])
def counting(name):
    what = getattr(os, name)
    def call(*a, **k):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return what(*a, **k)
    setattr(os, name, call)
for name in ("replace", "fsync", "unlink", "open"):
    counting(name)
rotation.rotate(Settings.load(), read_key_file(Path(sys.argv[1])))
print("done")
"""


def test_a_killed_rotation_loses_nothing_and_the_next_one_ends_it(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load()
    exports.load(settings, [FIXTURES / BOOKED])
    before, new = rows(), key_file(house)
    fresh = house / "fresh"
    shutil.copytree(settings.mapa_dir, fresh)
    killed = 0
    for moment in range(0, 200, 4):
        shutil.rmtree(settings.mapa_dir)
        shutil.copytree(fresh, settings.mapa_dir)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(new), str(moment)], capture_output=True, check=False
        )
        if b"done" in done.stdout:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
        for path in settings.landing.rglob("*"):
            if path.is_file() and not path.name.endswith(landing.PART):
                held = sealing.version_of(path)
                key = next(k for k in (SECRET, OTHER) if Key(k.encode()).version == held)
                list(sealing.pieces(path, Key(key.encode())))
        # It has not begun, or there is only the folder to be synchronised.
        assert (
            rotation.unfinished(settings)
            or moment < 4
            or warehouse.fits(settings.warehouse, Key(OTHER.encode()))
        )
        assert run("key", "warehouse", "--new-file", str(new))[0] == 0
        with monkeypatch.context() as changed:
            changed.setenv("MAPA_WAREHOUSE_KEY", OTHER)
            assert rows() == before
            replay.replay(Settings.load(), "export")
            assert rows() == before
        assert not rotation.unfinished(settings)
        assert not list(settings.mapa_dir.rglob("*.part"))
        assert not list(settings.mapa_dir.glob("*.nova*"))
    assert killed > 4


def test_a_rotation_waits_for_who_has_the_warehouse(house: Path) -> None:
    settings = Settings.load()
    exports.load(settings, [FIXTURES / BOOKED])
    script = (
        "import sys, time\nfrom mapa import warehouse\nfrom mapa.settings import Settings\n"
        "with warehouse.connect(Settings.load().warehouse):\n    print('open', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        process.stdout.readline()
        assert run("key", "warehouse", "--new-file", str(key_file(house)))[0] == 6
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    assert len(rows()) > 0


def test_pseudonyms_of_two_keys_are_never_mixed(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load()
    one, two = b"chave-um-" * 4, b"chave-dois-" * 4
    with warehouse.connect(settings.warehouse) as con:
        pseudonyms.require(con, one)
        pseudonyms.require(con, one)
        con.execute("create schema marts")
        con.execute("create table marts.t as select 'PSEUDONIMO-DE-ANTES' as pessoa_id")
        with pytest.raises(ConfigError, match="mapa key pseudonym"):
            pseudonyms.require(con, two)
    monkeypatch.setenv("MAPA_PSEUDONYM_KEY", two.decode())
    code, output = run("key", "pseudonym")
    assert code == 0, output
    assert "Deleted 1 built" in output
    with warehouse.connect(settings.warehouse) as con:
        pseudonyms.require(con, two)
        with pytest.raises(ConfigError):
            pseudonyms.require(con, one)
        assert not con.execute(
            "select 1 from duckdb_schemas() where schema_name = 'marts'"
        ).fetchall()


def test_an_interrupted_change_of_pseudonyms_is_told_and_repeated(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAPA_WAREHOUSE_KEY")
    settings = Settings.load()
    sign = "PSEUDONIMO-DE-ANTES" * 3
    with warehouse.connect(settings.warehouse) as con:
        pseudonyms.require(con, b"chave-um-" * 4)
        con.execute("create schema marts")
        con.execute(f"create table marts.t as select '{sign}' as pessoa_id")
    assert sign.encode() in settings.warehouse.read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(rotation, "rewrite", stop)
        with pytest.raises(KeyboardInterrupt):
            pseudonyms.rotate(settings)
    assert "fail  rotation" in run("doctor")[1]
    assert run("key", "pseudonym")[0] == 0
    assert sign.encode() not in settings.warehouse.read_bytes()
    assert not rotation.unfinished(settings)
