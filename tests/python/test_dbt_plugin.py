"""The plugin that gives dbt its keys and extensions."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import PROJECT, environment, house_environment
from mapa.dbt_plugin import Plugin, extension_file
from mapa.errors import ConfigError


@pytest.mark.parametrize("length", [32, 64, 65, 200])
def test_the_pseudonym_is_the_hmac_of_the_standard_library(tmp_path: Path, length: int) -> None:
    key = ("chave-de-teste-" * 20)[:length]
    with environment(house_environment(tmp_path) | {"MAPA_PSEUDONYM_KEY": key}):
        plugin: Any = Plugin.create("mapa.dbt_plugin", config={})
    with duckdb.connect() as con:
        plugin.configure_cursor(con)
        for text in ("cns:700000000000102", "ação"):
            row = con.execute("select mapa_hmac_sha256($1)", [text]).fetchone()
            expected = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
            assert row == (expected,)


def test_dbt_loads_an_extension_from_its_wheel(tmp_path: Path) -> None:
    env = house_environment(tmp_path)
    profile = Path(env["DBT_PROFILES_DIR"]) / "profiles.yml"
    profile.write_text(profile.read_text().replace("extensions: []", "extensions: [httpfs]"))
    query = "select loaded from duckdb_extensions() where extension_name = 'httpfs'"
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), "show", "--inline", query],
        env=env | {"PATH": "", "HOME": str(tmp_path)},
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:]
    assert "True" in done.stdout


def test_an_extension_without_its_wheel_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match="pip install duckdb-extension-inexistente=="):
        extension_file("inexistente")
