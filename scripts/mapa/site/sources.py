"""What the site is made of beside the published file: a change of any of it renews the site."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from mapa.site import outlines
from mapa.site.dictionary import HISTORY, LISTS, Dictionary

PACKAGES = ("altair", "vl-convert-python", "jinja2", "markdown-it-py")
"""Libraries that draw and write the pages."""
OF_PROJECT = (HISTORY, LISTS, f"seeds/{outlines.NAME}")
"""Files of the project that the pages show, as far as there are."""
HERE = Path(__file__).parent


def digest(described: Dictionary, publisher: str, package: Path = HERE) -> str:
    """Return a hash of all that the pages are made of and that no published table holds.

    Args:
        described: what dbt knows of the build, with the folder of the project.
        publisher: who answers for the pages.
        package: folder of the modules, templates and assets that write them.

    """
    found = hashlib.sha256()
    for part in (publisher, *_packages(), *_files(described.project, package), *_built(described)):
        found.update(part if isinstance(part, bytes) else part.encode())
        found.update(b"\0")
    return found.hexdigest()


def _packages() -> Iterator[str]:
    """Yield the versions of the libraries."""
    for name in PACKAGES:
        yield f"{name} {version(name)}"


def _files(project: Path, package: Path) -> Iterator[str | bytes]:
    """Yield names and contents of our own files, then of those of the project."""
    own = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    shared = (path for name in OF_PROJECT if (path := project / name).exists())
    for path in (*sorted(own), *shared):
        yield path.name
        yield path.read_bytes()


def _built(described: Dictionary) -> Iterator[str]:
    """Yield what dbt's records add to the texts: sources of all nodes, and how tests ended."""
    yield str(described.agreement)
    for name, node in sorted(described.manifest["nodes"].items()):
        yield f"{name} {node['checksum']['checksum']} {described.statuses.get(name, '')}"
