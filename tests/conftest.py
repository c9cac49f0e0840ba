"""One small city, built as a user would, for all tests that look at the finished house."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest

import parsed_dbt
import under_key
from mapa import dbt
from mapa.settings import Settings
from mapa_city.demo import CitySize, build_house, fresh_directory

# A test that holds the warehouse against another process does not want to wait for itself.
os.environ.setdefault("MAPA_WAIT_LOCK_SECONDS", "0")
PROJECT = Path(__file__).parents[1]
TEST_KEY = "only-for-tests-" * 4
# Servers of tests live on days of their own. `test_clocks.py` sets what an operator has, and so
# does the house of a city, for a simulated one must need no such thing.
os.environ["MAPA_MAX_CLOCK_HOURS"] = "1e6"
SMALL = CitySize(people=3000, days=150, seed=1, until=date(2026, 6, 30))


SERVER = pytest.StashKey[parsed_dbt.Process]()
ALONE = dbt.CHILD


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all houses of a run be encrypted."""
    parser.addoption("--encrypted", action="store_true", help="encrypt warehouse and landing")


def pytest_configure(config: pytest.Config) -> None:
    """Let every dbt that `mapa` begins be one that has read the project already."""
    if config.getoption("--encrypted"):
        under_key.begin()
    if parsed_dbt.ASKED not in os.environ:  # else a worker, whose parent has started it
        config.stash[SERVER] = parsed_dbt.start(PROJECT)
    dbt.CHILD = parsed_dbt.command(PROJECT) or dbt.CHILD


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server, and with it every dbt that still runs."""
    if process := config.stash.get(SERVER, None):
        process.communicate()
        del os.environ[parsed_dbt.ASKED]
        dbt.CHILD = ALONE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let what takes long begin first: files with houses, every second one the city's.

    While one process builds the city's house, the other has a house of its own to build. What is
    about a plain house is left out where all are encrypted.
    """
    for item in items if config.getoption("--encrypted") else ():
        if plain := item.get_closest_marker("plain"):
            item.add_marker(pytest.mark.skip(reason=f"plain house: {plain.args[0]}"))
    files = dict.fromkeys(item.path for item in items)
    houses = [path for path in files if path.parent.name != "fast"]
    city = [path for path in houses if "city_house" in path.read_text()]
    others = [path for path in houses if path not in city]
    turns = chain.from_iterable(zip_longest(city, others))
    order = {path: place for place, path in enumerate(path for path in turns if path)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their place: what is packed holds the time, and workers must agree on names."""
    return argname if isinstance(val, bytes) else None


@dataclass(frozen=True)
class House:
    """A built and published city."""

    directory: Path
    project: Path
    truth: dict[str, Any]
    env: dict[str, str]
    settings: Settings


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def house_environment(directory: Path) -> dict[str, str]:
    """Return an environment in which nothing of the checkout's own data is touched."""
    profiles = directory / "profiles"
    profiles.mkdir(parents=True, exist_ok=True)
    profile = profiles / "profiles.yml"
    if not profile.exists():  # another process may read it just now
        shutil.copyfile(PROJECT / "profiles.yml.example", profile)
    return {
        "MAPA_DIR": str(directory / "data"),
        "MAPA_PSEUDONYM_KEY": TEST_KEY,
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(profiles),
        "DBT_TARGET_PATH": str(directory / "target"),
        "DBT_LOG_PATH": str(directory / "logs"),
        "MAPA_WAIT_LOCK_SECONDS": "0",
        # The pages cost more than most of what is tested; those of the city are written.
        "MAPA_SITE": "false",
    }


def house_at(directory: Path) -> House:
    """Return the house of a city that stands in a folder."""
    env = house_environment(directory) | {"MAPA_MAX_CLOCK_HOURS": "6"}
    with environment(env | {"MAPA_SITE": "true"}):
        settings = Settings.load()
    truth = json.loads((settings.mapa_dir / "city" / "truth.json").read_bytes())
    return House(settings.mapa_dir, PROJECT, truth, env, settings)


def make_house(directory: Path, size: CitySize) -> House:
    """Build a house as `mapa demo` does."""
    env = house_environment(directory) | {"MAPA_MAX_CLOCK_HOURS": "6"}
    with environment(env | {"MAPA_SITE": "true"}):
        settings = Settings.load()
        fresh_directory(settings)
        build_house(settings, size)
    return house_at(directory)


@pytest.fixture(scope="session")
def city_house(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> House:
    """Return the small city of the first seed, loaded, built, verified and published.

    All processes look at one house: who comes first builds it, and nobody writes into it.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "city"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = folder / "built"
        if built.exists():
            return house_at(folder)
        house = make_house(folder, SMALL)
        built.touch()
        return house


@pytest.fixture
def copied(city_house: House, tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of a copy of the house that a test may spoil."""
    data, target = tmp_path / "data", tmp_path / "target"
    data.mkdir()
    target.mkdir()
    shutil.copyfile(city_house.settings.warehouse, data / "mapa.duckdb")
    shutil.copytree(city_house.settings.published, data / "published", symlinks=True)
    for name in ("run_results.json", "manifest.json"):
        shutil.copyfile(city_house.settings.dbt_target_path / name, target / name)
    with environment(
        city_house.env
        | {
            "MAPA_DIR": str(data),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        }
    ):
        yield Settings.load()
