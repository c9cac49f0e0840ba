"""What makes a site another one: its own files, the project's that it shows, dbt's records."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mapa.site import sources
from mapa.site.dictionary import Dictionary

MODEL = "model.mapa.pub_dim_territorio"
MANIFEST = {"nodes": {MODEL: {"checksum": {"checksum": "a"}}}}
RESULTS = {"results": [{"unique_id": MODEL, "status": "success"}]}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(sources.HERE, tmp_path / "site"))


@pytest.fixture
def described(tmp_path: Path) -> Dictionary:
    project = tmp_path / "project"
    for name in sources.OF_PROJECT:
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}", encoding="utf-8")
    return Dictionary(MANIFEST, {}, project, RESULTS)


def test_the_same_sources_are_the_same_site(described: Dictionary, package: Path) -> None:
    first = sources.digest(described, "MPDFT", package)
    cache = package / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "page.cpython-311.pyc").write_bytes(b"compiled")
    assert sources.digest(replace(described), "MPDFT", package) == first
    assert sources.digest(replace(described), "SES", package) != first


@pytest.mark.parametrize(
    "name",
    ["templates/base.html", "assets/site.css", "assets/site.js", "pages/about.py", "charts.py"],
)
def test_a_file_of_ours_is_part_of_the_site(
    described: Dictionary, package: Path, name: str
) -> None:
    first = sources.digest(described, "MPDFT", package)
    with (package / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert sources.digest(described, "MPDFT", package) != first


@pytest.mark.parametrize("name", sources.OF_PROJECT)
def test_a_file_of_the_project_is_too_and_so_is_its_absence(
    described: Dictionary, name: str
) -> None:
    digests = {sources.digest(described, "MPDFT")}
    (described.project / name).write_text("{ }", encoding="utf-8")
    digests.add(sources.digest(described, "MPDFT"))
    (described.project / name).unlink()
    digests.add(sources.digest(described, "MPDFT"))
    assert len(digests) == 3


def _another_model(manifest: Any, results: Any) -> None:
    manifest["nodes"][MODEL]["checksum"]["checksum"] = "b"


def _another_end(manifest: Any, results: Any) -> None:
    results["results"][0]["status"] = "warn"


@pytest.mark.parametrize("alter", [_another_model, _another_end])
def test_what_dbt_says_of_a_build_is_part_of_it(
    described: Dictionary, alter: Callable[[Any, Any], None]
) -> None:
    first = sources.digest(described, "MPDFT")
    manifest, results = copy.deepcopy(MANIFEST), copy.deepcopy(RESULTS)
    alter(manifest, results)
    other = replace(described, manifest=manifest, results=results)
    assert sources.digest(other, "MPDFT") != first
