"""The city is a guest: the product neither imports it nor needs what only it needs."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from mapa.cli import CITY, COMMANDS

PROJECT = Path(__file__).parents[2]
SCRIPTS = PROJECT / "scripts"
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
GUESTS = ("numpy", "starlette", "uvicorn", "mapa_city")
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in GUESTS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from mapa.cli import main
main(sys.argv[1:])
"""


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def names(requirements: list[str]) -> set[str]:
    return {text.split("==")[0].split("[")[0].lower() for text in requirements}


def undeclared(folder: Path, declared: set[str]) -> set[str]:
    """Return the distributions that a folder imports and does not declare."""
    owners = packages_distributions()
    found = {package for path in folder.rglob("*.py") for package in imported(path)}
    found -= {"mapa", "mapa_city"} | set(sys.stdlib_module_names)
    return {
        package
        for package in found
        # An extra that is not installed, as that of Spark, has the name of its package.
        if not {name.lower().replace("_", "-") for name in owners.get(package, [package])}
        & declared
    }


def test_no_module_of_the_product_imports_the_city() -> None:
    assert not [
        path for path in (SCRIPTS / "mapa").rglob("*.py") if "mapa_city" in set(imported(path))
    ]


def test_every_package_that_is_imported_is_declared() -> None:
    extras = DECLARED["optional-dependencies"]
    base = names(DECLARED["dependencies"])
    # The bench compares with what a user of the official client would write, in pandas, and lets
    # the tests judge slips.
    city = base | names(extras["demo"]) | {"elasticsearch", "pandas", "pytest"}
    tests = {path.stem for path in (PROJECT / "tests").rglob("*.py")}
    optional = {*names(extras["postgres"]), *names(extras["identidade"]), *names(extras["spark"])}
    everything = city | optional | names(extras["dev"])
    product = SCRIPTS / "mapa"
    assert not undeclared(product, base | optional)
    assert undeclared(product, base) == {"psycopg", "pyspark", "splink", "sqlglot"}
    assert undeclared(product / "publish", base) == {"psycopg"}
    assert not undeclared(SCRIPTS / "mapa_city", city) - tests
    assert not undeclared(PROJECT / "tests", everything) - tests


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in CITY])
def test_the_product_does_without_what_only_the_city_needs(command: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT.replace("GUESTS", repr(GUESTS)), command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("command", sorted(CITY))
def test_a_command_of_the_city_says_what_to_install(command: str) -> None:
    absent = WITHOUT.replace("GUESTS", repr(GUESTS[:3]))
    run = subprocess.run(
        [sys.executable, "-c", absent, command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode not in (0, 1), run.stderr
    assert "pip install -e '.[demo]'" in run.stderr
    assert "Traceback" not in run.stderr


def test_every_test_stands_in_a_tier_that_a_command_runs() -> None:
    said = (PROJECT / "Makefile").read_text()
    tiers = {"fast", "house", "slow"}
    assert {path.parent.name for path in (PROJECT / "tests").rglob("test_*.py")} == tiers
    tool = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]
    assert set(tool["pytest"]["ini_options"]["testpaths"]) == {f"tests/{name}" for name in tiers}
    assert '-m "not long" tests/fast tests/house\n' in said
