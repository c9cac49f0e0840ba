"""How the project runs dbt, and the plugin that gives it keys and extensions."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import PROJECT, environment, house_environment
from mapa import dbt, warehouse
from mapa.dbt_plugin import Plugin
from mapa.errors import BuildError, ConfigError, LockedError
from mapa.settings import Settings
from mapa.warehouse import extension_file


@pytest.mark.parametrize("length", [32, 64, 65, 200])
def test_the_pseudonym_is_the_hmac_of_the_standard_library(tmp_path: Path, length: int) -> None:
    key = ("chave-de-teste-" * 20)[:length]
    with environment(house_environment(tmp_path) | {"MAPA_PSEUDONYM_KEY": key}):
        plugin: Any = Plugin.create("mapa.dbt_plugin", config={})
    with duckdb.connect() as con:
        plugin.configure_connection(con)
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


def test_a_failing_build_says_why_and_not_what_failed_earlier(tmp_path: Path) -> None:
    env = house_environment(tmp_path)
    earlier = Path(env["DBT_TARGET_PATH"]) / "run_results.json"
    earlier.parent.mkdir()
    with environment(env):
        settings = Settings.load()
        with pytest.raises(BuildError, match="Nothing has been loaded"):
            dbt.build(settings)
        # Another process holds the warehouse: dbt runs as one, this test as the other.
        with warehouse.connect(settings.warehouse), pytest.raises(LockedError):
            dbt.build(settings)
        earlier.write_text('{"results": [{"unique_id": "model.de_antes", "status": "error"}]}')
        os.utime(earlier, (0, 0))
        with pytest.raises(BuildError) as caught:
            dbt.run_dbt(settings, "build", "--selector", "inexistente", title="broken")
    assert "de_antes" not in caught.value.message


def test_a_build_without_a_key_is_a_setting_to_correct(tmp_path: Path) -> None:
    with (
        environment(house_environment(tmp_path) | {"MAPA_PSEUDONYM_KEY": "curta"}),
        pytest.raises(ConfigError, match="MAPA_PSEUDONYM_KEY"),
    ):
        dbt.build(Settings.load())
