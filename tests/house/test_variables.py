"""The variables of dbt_project.yml: each has its rule, and none reaches SQL unread.

Which values a rule takes is tested by `tests/singular/macros/settings.sql` in every build.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import PROJECT, environment, house_environment
from mapa import dbt
from mapa.errors import BuildError
from mapa.settings import Settings

RULES = (PROJECT / "macros" / "settings.sql").read_text()
INJECTED = "2026-06-30' or 1=1 --"


def ruled() -> list[str]:
    """Return the variables that have a rule, in order."""
    return re.findall(r"^        '(\w+)': \{'form'", RULES, re.MULTILINE)


def test_every_variable_has_a_rule_and_every_rule_a_variable() -> None:
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    assert ruled() == list(declared)


def test_sql_asks_for_variables_in_one_way_only() -> None:
    folders = ("models", "macros", "tests/singular", "tests/generic")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*.sql")]
    asking = [path.name for path in files if re.search(r"\bvar\(", path.read_text())]
    assert (len(files) > 100, asking) == (True, ["settings.sql"])


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a house in which nothing is loaded yet."""
    return house_environment(tmp_path_factory.mktemp("variables"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data_refrencia": "2026-06-30"}, "There is no variable of the name given"),
        # Last, so that the query by hand finds the project parsed with the same variables.
        ({"data_referencia": INJECTED}, "`data_referencia` cannot be used: expected is a day as"),
    ],
)  # fmt: skip
def test_a_build_says_in_one_line_which_variable_is_wrong(
    env: dict[str, str], given: dict[str, object], said: str
) -> None:
    with environment(env), pytest.raises(BuildError) as caught:
        dbt.run_dbt(Settings.load(), "build", "--vars", json.dumps(given), title="dbt build")
    assert said in caught.value.message
    assert len(caught.value.message.splitlines()) == 1
    assert "1=1" not in caught.value.message


def test_a_query_by_hand_is_refused_before_it_reaches_the_database(env: dict[str, str]) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"), "show", "--inline",
            "select {{ data_referencia() }} as dia", "--vars",
            json.dumps({"data_referencia": INJECTED}),
        ],
        env=os.environ | env, cwd=PROJECT, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Variable `data_referencia` cannot be used" in done.stdout
    assert "1=1" not in done.stdout
