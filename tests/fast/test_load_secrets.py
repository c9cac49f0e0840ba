"""What must never be seen: credentials anywhere, values in messages, secrets in open files.

Each loader runs as a person starts it, in a process of its own, through success, a refusal of the
credential and an error that nobody expects, with --debug.
"""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from conftest import PROJECT, environment
from mapa import landing, warehouse
from mapa.cli import cli
from mapa.errors import ConfigError, SourceError, where
from mapa.load import exports
from mapa.settings import Settings
from mapa_city import demo
from mapa_city.doors import offer_api as door
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from test_load_cadsus import ANSWERS, serving_answers
from test_load_offer_api import EXPORT, map_for, records_of

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
MAPA = (sys.executable, "-c", "from mapa.cli import main; main()")
INDEX = INDICES[0]
CANARY = "VALOR-DE-CELULA"
WRONG = "senha-errada-e-secreta"
KEY = "chave-dos-pseudonimos-secreta-0123456789"
CADSUS_TOKEN = "ficha-secreta"
HELD = {
    "SISREG_PASSWORD": PASSWORD,
    "OFERTA_API_TOKEN": door.TOKEN,
    "MAPA_PSEUDONYM_KEY": KEY,
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a client certificate and its key, made for this run."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=teste", "-keyout", key, "-out", cert,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    return cert, key


@pytest.fixture
def env(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[dict[str, str]]:
    """Serve the three sources and return an environment with every credential there is."""
    documents = [document(n, no_usuario=CANARY) for n in range(3)]
    with (
        mirroring(Mirror({INDEX: documents})) as mirror,
        door.serving([r | {"sala": CANARY} for r in records_of(EXPORT)]) as url,
        serving_answers() as service,
    ):
        map_for(url, tmp_path)
        service.answers = dict.fromkeys(
            [*ANSWERS, documents[0]["cns_usuario"]], (200, "pdq_ok.xml")
        )
        yield (
            os.environ
            | HELD
            | {
                "MAPA_DIR": str(tmp_path / "data"),
                "MAPA_ATTEMPTS": "1",
                "SISREG_URL": mirror.url,
                "SISREG_USER": USER,
                "CADSUS_URL": f"{service.url}/pdq",
                "CADSUS_TOKEN_URL": f"{service.url}/token",
                "CADSUS_CERT": str(certificate[0]),
                "CADSUS_KEY": str(certificate[1]),
            }
        )


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the arguments of every loader that has a credential."""
    return {
        "bruto_sisreg.solicitacao_ambulatorial": ["load", "sisreg", "--index", INDEX],
        "bruto_sisreg.escala_ambulatorial": [
            "load", "offer-api", "--complete", "--map", str(folder / "oferta.toml"),
        ],
        "bruto_cadsus.pessoa": ["load", "cadsus"],
    }  # fmt: skip


def run(env: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `mapa --debug` and return all that it said."""
    return subprocess.run(
        [*MAPA, "--debug", *arguments],
        env=env, cwd=folder, text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


def secrets_of(env: dict[str, str]) -> list[str]:
    """Return all that must not be found, as it is and as it is sent."""
    basic = [
        base64.b64encode(f"{USER}:{password}".encode()).decode() for password in (PASSWORD, WRONG)
    ]
    key = Path(env["CADSUS_KEY"]).read_text().splitlines()[1:4]
    return [*HELD.values(), *basic, *key, WRONG, CADSUS_TOKEN]


def everything_kept(folder: Path) -> bytes:
    """Return the bytes of all files of the data folder, and the rows of the audit as text."""
    kept = b""
    for path in (folder / "data").rglob("*"):
        if path.is_file():
            content = landing.read(path)
            kept += content + (gzip.decompress(content) if path.suffix == ".gz" else b"")
    with duckdb.connect(str(folder / "data" / "mapa.duckdb"), read_only=True) as con:
        tables = con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in tables:
            kept += str(con.execute(f"select * from {schema}.{table}").fetchall()).encode()
    return kept


def break_warehouse(folder: Path) -> None:
    """Give columns a type that no cell fits, so that DuckDB's error quotes one."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    with warehouse.connect(folder / "data" / "mapa.duckdb") as con:
        for table, column in (
            ("bruto_sisreg.solicitacao_ambulatorial", "no_usuario"),
            ("bruto_sisreg.escala_ambulatorial", "desc_cnes_exec"),
            ("bruto_cadsus.pessoa", "nome"),
        ):
            con.execute(f"alter table {table} alter {column} type integer")
        con.execute(
            "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario) "
            "values ('700000000000102')"
        )


def test_no_credential_is_kept_or_said_whatever_happens(
    env: dict[str, str], tmp_path: Path
) -> None:
    said, kept = "", b""
    for table, arguments in commands(tmp_path).items():
        done = run(env, tmp_path, *arguments)
        assert done.returncode == 0, (table, done.stdout)
        said += done.stdout
    kept += everything_kept(tmp_path)
    wrong = env | {
        "SISREG_PASSWORD": WRONG,
        "OFERTA_API_TOKEN": WRONG,
        "OFERTA_API_USER": USER,
        "OFERTA_API_PASSWORD": WRONG,
    }
    for arguments in [*commands(tmp_path).values()][:2]:
        refused = run(wrong, tmp_path, *arguments)
        assert (refused.returncode, "refuses the credentials" in refused.stdout) == (5, True)
        said += refused.stdout
    kept += everything_kept(tmp_path)
    break_warehouse(tmp_path)
    for arguments in commands(tmp_path).values():
        failed = run(env, tmp_path, *arguments)
        assert (failed.returncode, "ConversionException" in failed.stdout) == (1, True)
        said += failed.stdout
    kept += everything_kept(tmp_path)
    for secret in secrets_of(env):
        assert secret not in said
        assert secret.encode() not in kept


def test_an_unexpected_error_says_where_and_never_what(env: dict[str, str], tmp_path: Path) -> None:
    cells = (CANARY, "HOSPITAL", "PACIENTE FICTICIA")
    break_warehouse(tmp_path)
    for arguments in commands(tmp_path).values():
        failed = run(env, tmp_path, *arguments)
        assert failed.returncode == 1
        assert "Traceback" in failed.stdout
        assert "scripts/mapa/load/intake.py" in failed.stdout
        assert not [cell for cell in cells if cell in failed.stdout]
        plain = CliRunner().invoke(cli, arguments, env=env)
        assert isinstance(plain.exception, duckdb.ConversionException)
        # What would have been shown: the test can fail.
        assert [cell for cell in cells if cell in str(plain.exception)]
    assert not [cell for cell in cells if cell.encode() in _audit(tmp_path)]


def _audit(folder: Path) -> bytes:
    with duckdb.connect(str(folder / "data" / "mapa.duckdb"), read_only=True) as con:
        rows = con.execute("select * from controle.cargas").fetchall()
        outcomes = con.execute("select distinct resultado from controle.cargas").fetchall()
    assert outcomes == [("falhou",)]
    return str(rows).encode()


def test_without_debug_an_unexpected_error_is_one_line(env: dict[str, str], tmp_path: Path) -> None:
    break_warehouse(tmp_path)
    arguments = commands(tmp_path)["bruto_sisreg.solicitacao_ambulatorial"]
    failed = subprocess.run(
        [*MAPA, *arguments], env=env, cwd=tmp_path, text=True, check=False, capture_output=True
    )
    assert failed.returncode == 1
    assert failed.stderr.strip().splitlines() == [
        "Error: Unexpected error (ConversionException). "
        f"Run `mapa --debug {' '.join(arguments)}` to see where."
    ]


def test_a_chain_of_errors_says_all_places_and_only_our_own_words() -> None:
    def convert() -> None:
        duckdb.sql(f"select cast('{CANARY}' as integer)").fetchall()

    def fail() -> None:
        try:
            convert()
        except duckdb.Error:
            raise ValueError(CANARY) from SourceError("the host did not answer")

    try:
        fail()
    except ValueError as error:
        text = where(error)
    assert CANARY not in text
    assert "SourceError: the host did not answer" in text
    assert text.index("in fail") < text.index("ValueError")


def write_env(folder: Path, text: str, mode: int) -> Path:
    """Write `.env`."""
    path = folder / ".env"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("name", sorted({*HELD, "OFERTA_API_PASSWORD"}))
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_an_env_file_with_a_secret_is_refused_when_others_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mode: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_env(tmp_path, f"MAPA_DIR=x\n{name.lower()}={WRONG * 2}\n", mode)
    with pytest.raises(ConfigError) as caught:
        Settings.load()
    assert f"its mode is {mode:04o}, expected 0600" in caught.value.message
    assert "chmod 600 .env" in caught.value.message
    assert WRONG not in caught.value.message
    result = CliRunner().invoke(cli, ["load", "export", str(FIXTURES / "ppi.csv")])
    assert (result.exit_code, (tmp_path / "x").exists()) == (7, False)
    path.chmod(0o600)
    assert Settings.load().mapa_dir == Path("x")


@pytest.mark.parametrize("text", ["MAPA_DIR=x\n", "MAPA_DIR=x\nSISREG_PASSWORD=\n"])
def test_an_env_file_without_a_secret_may_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_env(tmp_path, text, 0o644)
    assert Settings.load().mapa_dir == Path("x")


def test_a_platform_without_modes_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_env(tmp_path, f"SISREG_PASSWORD={WRONG}\n", 0o666)
    monkeypatch.setattr("mapa.settings.HAS_MODES", False)
    assert Settings.load().sisreg_password


def test_the_demo_s_own_env_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAPA_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    path = write_env(tmp_path, "MAPA_DIR=x\n", 0o644)
    demo.prepare_checkout(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(Settings.load().pseudonym_key()) == 64


def test_an_open_private_key_is_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    shutil.copyfile(certificate[1], key)
    key.chmod(0o640)
    values = {
        "MAPA_DIR": str(tmp_path / "data"),
        "CADSUS_CERT": str(certificate[0]),
        "CADSUS_KEY": str(key),
    }
    with environment(values):
        result = CliRunner().invoke(cli, ["load", "cadsus"])
    assert (result.exit_code, f"chmod 600 {key}" in result.output) == (7, True)


def test_a_value_that_breaks_a_file_is_in_no_traceback(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data")
    path = tmp_path / "ppi.csv"
    path.write_text((FIXTURES / "ppi.csv").read_text().replace("0701234", CANARY))
    with warehouse.connect(settings.warehouse) as con:
        con.execute("alter table bruto_sisreg.ppi alter cod_procedimento_interno type integer")
    with pytest.raises(duckdb.ConversionException, match=CANARY) as caught:
        exports.load(settings, [path])
    assert CANARY not in where(caught.value)
