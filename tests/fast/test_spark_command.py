"""What `mapa spark` says before anything of Spark is started."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from conftest import TEST_KEY
from mapa import export, pseudonyms
from mapa.cli import cli
from mapa.commands import spark as command


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAPA_PSEUDONYM_KEY", TEST_KEY)
    folder = tmp_path / "bruto"
    folder.mkdir()
    said = {"formato": export.FORMAT, "chave": pseudonyms.version(TEST_KEY.encode()), "tabelas": []}
    (folder / export.MANIFEST).write_bytes(orjson.dumps(said))
    return folder


def refused(raw: Path) -> str:
    done: Result = CliRunner().invoke(cli, ["spark", str(raw)])
    assert done.exit_code == 7, done.output
    return done.output


def test_a_folder_that_is_no_export_is_refused(raw: Path) -> None:
    (raw / export.MANIFEST).unlink()
    assert "mapa export raw" in refused(raw)


def test_another_key_is_refused(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPA_PSEUDONYM_KEY", TEST_KEY + "x")
    assert "Set the key of that house" in refused(raw)


def test_without_spark_it_says_what_to_install(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert "mapa-social-da-saude[spark]" in refused(raw)


@pytest.mark.parametrize("home", ["", "nowhere"])
def test_without_java_it_says_what_to_install(
    raw: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: name)
    monkeypatch.setenv("PATH", str(raw))
    monkeypatch.setenv("JAVA_HOME", home)
    assert "openjdk-17-jre-headless" in refused(raw)
