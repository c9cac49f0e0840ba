"""Every way in which a command can fail, with one exit code per class.

A message says what happened, what was expected and what to type next; it names file, line and
column and never a cell's value.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mapa.audit import Summary

HERE = Path(__file__).parent
EXIT_CODES = {
    0: "done",
    1: "unexpected error; run again with --debug",
    2: "wrong option or missing file",
    3: "layout differs from the expected one",
    4: "the content cannot be read",
    5: "a source or a PostgreSQL does not answer, refuses or answers incompletely",
    6: "another process holds the warehouse or a PostgreSQL, or another `mapa run` is at work",
    7: "a setting or key is missing or unfit, or clocks differ too much",
    8: "dbt did not build",
    9: "publication refused",
    10: "no room on disk",
    11: "the port is taken",
    12: "some files were refused; the others are loaded",
    13: "a check (`doctor`, `status --check`, `compare`) found something stale, unfit or different",
    130: "interrupted",
}


def visible(text: str, *, lines: bool = False) -> str:
    """Return a text without what a terminal or a log would obey instead of show.

    Names of files, fields and centrals come from outside. Control characters, line separators,
    marks of writing direction and halves of characters are written as escapes, such as x1b.

    Args:
        text: what is to be shown.
        lines: keep line ends: this is a message of ours, whose names have been through here.

    """
    kept = "\n" if lines else ""
    if text.replace(kept, "").isprintable() if kept else text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text
    )


class MapaError(click.ClickException):
    """Base of all expected failures; click prints the message and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        """Keep a message that any terminal and any log can take."""
        super().__init__(visible(message, lines=True))


class LayoutError(MapaError):
    """A file or answer does not have the columns that its layout asks for."""

    exit_code = 3


class FormatError(MapaError):
    """Bytes that are not what they claim to be: encoding, JSON, CSV, XML, archive."""

    exit_code = 4


class SourceError(MapaError):
    """A source is unreachable, refuses the credential or answers incompletely."""

    exit_code = 5


class FewerError(SourceError):
    """A source has far fewer records than are known of it; what else was loaded is kept."""

    def __init__(self, message: str, summaries: Sequence[Summary] = ()) -> None:
        """Keep what was loaded."""
        super().__init__(message)
        self.summaries = summaries


class LockedError(MapaError):
    """Another process has the warehouse open."""

    exit_code = 6


class ConfigError(MapaError):
    """A setting or a key is missing or unfit, or two clocks differ too much."""

    exit_code = 7


class EmptyScopeError(ConfigError):
    """The source holds nothing of what the settings ask for."""


class BuildError(MapaError):
    """dbt ended with an error or a failed test."""

    exit_code = 8


class PublishError(MapaError):
    """What was built must not leave the house."""

    exit_code = 9


class DiskError(MapaError):
    """The disk is full or cannot be written."""

    exit_code = 10


class PortError(MapaError):
    """Another program listens on the port."""

    exit_code = 11


class UnexpectedError(MapaError):
    """An error that nobody foresaw, told by its class and place: what it says may hold data."""

    @classmethod
    def of(cls, error: BaseException) -> UnexpectedError:
        """Return what may be said of an error."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if Path(frame.filename).is_relative_to(HERE)]
        place = ""
        if ours:
            file = Path(ours[-1].filename).relative_to(HERE)
            place = f" in {file}, line {ours[-1].lineno}"
        made = cls(
            f"Unexpected error ({type(error).__name__}{place}).\n"
            "Please report it; with `mapa --debug` the command says more of where, never of what."
        )
        made.__cause__ = error
        return made


class PartialError(MapaError):
    """Some files of a delivery were refused and each is named; the others are loaded."""

    exit_code = 12

    def __init__(self, message: str, summaries: Sequence[Summary]) -> None:
        """Keep what was loaded."""
        super().__init__(message)
        self.summaries = summaries


class CheckError(MapaError):
    """`mapa doctor`, `mapa status --check` or `mapa compare` found what must be looked at."""

    exit_code = 13


def where(error: BaseException) -> str:
    """Return the traceback of an error and of those behind it, without what they say.

    Their messages may quote a value: DuckDB's quote the cell that cannot be converted, others a
    line, a header or a setting.
    """
    inner = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    above = where(inner) if inner else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    said = f": {error.message}" if isinstance(error, MapaError) else " (its message may hold data)"
    return f"{above}Traceback (most recent call last):\n{frames}{type(error).__name__}{said}\n"
