"""The sources: what each is called, what it fills, and the command that loads from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One way by which records come.

    Attributes:
        name: in `controle.cargas` and in landing.
        folder: of `models/staging`, whose `_sources.yml` says what it delivers.
        command: what loads from it, after `mapa load`.
        wants: what that command must be given.
        whole: option with which it asks for everything again.
        part: what `--replay` rebuilds together, because it fills the same tables.
        has_files: whether it has the files that are recognised by their header.
        has_types: whether its fields have types, which may change.

    """

    name: str
    folder: str
    command: str
    wants: str = ""
    whole: str = ""
    part: str = ""
    has_files: bool = False
    has_types: bool = False

    @property
    def schema(self) -> str:
        """Schema of the raw tables that it fills."""
        return f"bruto_{self.folder}"

    @property
    def call(self) -> str:
        """What loads from it, after `mapa load`."""
        return f"{self.command} {self.wants}".strip()

    @property
    def again(self) -> str:
        """What loads everything from it again, after `mapa load`."""
        return f"{self.call} {self.whole}".strip()


SISREG = Source("sisreg", "sisreg", "sisreg", whole="--full", part="sisreg", has_types=True)
FILES = Source("arquivo", "sisreg", "export", "FILE", part="export", has_files=True)
OFFER_API = Source("oferta_api", "sisreg", "offer-api", "--map FILE", part="export", has_types=True)
REPORT = Source("relatorio", "sisreg", "export", "--map FILE FILE", part="export")
CADSUS = Source("cadsus", "cadsus", "cadsus", part="cadsus", has_files=True)
PROADI = Source("proadi", "proadi", "export", "FILE", part="export", has_files=True)
CNES = Source("cnes", "cnes", "cnes", "FILE", part="cnes", has_files=True)
SOURCES = (SISREG, FILES, OFFER_API, REPORT, CADSUS, CNES, PROADI)


def named(name: str) -> Source:
    """Return the source of that name."""
    (found,) = (source for source in SOURCES if source.name == name)
    return found


def of_files(schema: str) -> Source:
    """Return the source of the files that fill a schema."""
    (found,) = (source for source in SOURCES if source.has_files and source.schema == schema)
    return found
