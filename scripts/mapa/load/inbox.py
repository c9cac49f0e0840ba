"""The inbox: each file dropped into MAPA_DIR/inbox is loaded once, on its own, and put away.

What is loaded goes to `inbox/carregados/`, what is refused to `inbox/recusados/`, in a folder of
the night; moved back, it is a new delivery. What fails for a reason not its own stays.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from mapa import audit, landing, signals, warehouse
from mapa.audit import Summary
from mapa.errors import (
    DiskError,
    FormatError,
    LayoutError,
    MapaError,
    PartialError,
    UnexpectedError,
)
from mapa.load import exports
from mapa.load.archives import Export
from mapa.settings import Settings
from mapa.sources import FILES

FOLDER = "inbox"
LOADED, REFUSED = "carregados", "recusados"
LITTER = re.compile(r"\.|~\$|thumbs\.db$|desktop\.ini$", re.IGNORECASE)
"""What other programs leave in any folder; hidden files are also those that are being copied."""
COPYING = (".part", ".partial", ".filepart", ".crdownload")


@dataclass
class Delivery:
    """What became of what was in the inbox.

    Attributes:
        count: files that there were.
        loaded: one summary per load.
        refused: name, as it may be shown, and why.
        failed: name, and an error that is not the file's.
        passed: names of what is no delivery.
        aside: folder of the refused, None when there is none.

    """

    count: int = 0
    loaded: list[Summary] = field(default_factory=list)
    refused: list[tuple[str, MapaError]] = field(default_factory=list)
    failed: list[tuple[str, MapaError]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    aside: Path | None = None

    @property
    def error(self) -> MapaError | None:
        """Return what the command ends with; None when all is loaded."""
        errors = [error for _, error in (*self.refused, *self.failed)]
        if not errors or (self.count == 1 and len(errors) == 1):
            return errors[0] if errors else None
        rest = "the others are loaded" if self.loaded else "nothing was loaded"
        text = "\n".join(error.message for error in errors)
        text = f"{len(errors)} of {self.count} files were refused; {rest}.\n{text}"
        return PartialError(text, self.loaded) if self.refused else UnexpectedError(text)


def folder(settings: Settings) -> Path:
    """Return the folder of the inbox."""
    return settings.mapa_dir / FOLDER


def load(settings: Settings, delivery: Delivery, tell: Callable[[Summary], None]) -> None:
    """Load everything in the inbox; nothing in it stops the others.

    Files are loaded in the order of their names, those that look others up after these.

    Args:
        settings: where the data are.
        delivery: an empty one, which learns what became of what, also when this does not end well.
        tell: called with what each load did.

    Raises:
        DiskError: the inbox cannot be read, or there is no room for what is in it.
        LockedError: another process holds the warehouse.

    """
    inbox = folder(settings)
    night = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    paths = sorted(_paths(inbox, delivery), key=lambda path: _rank(settings, path))
    delivery.count = len(paths)
    for path in paths:
        before, name = _state(path), Export(path).name
        summaries, bad = list[Summary](), True
        try:
            summaries, bad = _load(settings, path), False
        except PartialError as error:
            summaries = list(error.summaries)
            delivery.refused.append((name, error))
        except (LayoutError, FormatError) as error:
            delivery.refused.append((name, error))
        except click.ClickException:
            # The disk, the lock or a setting: it would be the same with all others.
            raise
        except Exception as error:
            if signals.is_stop(error):
                raise
            delivery.failed.append((name, UnexpectedError.of(error)))
            continue
        for summary in summaries:
            tell(summary)
        delivery.loaded += summaries
        # One that changes meanwhile is still being copied: the next night sees it whole.
        if before == _state(path):
            _put_away(
                settings, path, inbox / (REFUSED if bad else LOADED) / night, delivery, bad=bad
            )


def waiting(settings: Settings) -> int:
    """Return how many refused files stand aside."""
    try:
        return sum(1 for _ in (folder(settings) / REFUSED).glob("*/*"))
    except OSError:
        return 0


def _paths(inbox: Path, delivery: Delivery) -> list[Path]:
    try:
        found = sorted(inbox.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise DiskError(
            f"{inbox} cannot be read ({error.strerror}). Check that it is a folder and its "
            "permissions."
        ) from None
    found = [path for path in found if path.name not in (LOADED, REFUSED)]
    for path in found:
        if LITTER.match(path.name) or path.name.endswith(COPYING):
            delivery.passed.append(Export(path).name)
    return [p for p in found if Export(p).name not in delivery.passed]


def _rank(settings: Settings, path: Path) -> int:
    """Return the place of a file; one that cannot be looked at is told of when it is loaded."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
        return exports.rank(path, settings.mapa_max_unpacked_mb * 2**20) if is_file else -1
    except Exception as error:
        if signals.is_stop(error):
            raise
        return -1


def _load(settings: Settings, path: Path) -> list[Summary]:
    """Load one file, or refuse what is none; either leaves its row in the audit."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        kind = f"a link that leads nowhere ({error.strerror})"
    else:
        if stat.S_ISREG(mode):
            return exports.load(settings, [path])
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
    name = Export(path).name
    problem = FormatError(
        f"{name} is {kind}; nothing was loaded.\n"
        "Expected in the inbox are export files, as they are, in gz or in a zip."
    )
    with warehouse.connect(settings.warehouse) as con:
        audit.refuse(con, (FILES.name, exports.UNKNOWN, name), 0, problem)
    raise problem


def _state(path: Path) -> tuple[int, int] | None:
    """Return size and time of change of a file; None when it is gone."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _put_away(
    settings: Settings, path: Path, target: Path, delivery: Delivery, *, bad: bool
) -> None:
    """Move a file into a folder of this night; where it may not be moved, it stays."""
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.mkdir(mode=0o700, exist_ok=True)
        place, number = target / path.name, 1
        while os.path.lexists(place):
            number += 1
            place = target / f"{number}_{path.name}"
        path.rename(place)
        key = settings.warehouse_key()
        if key and place.is_file() and not place.is_symlink():
            landing.reseal(place, None, key)
    except (OSError, DiskError):
        return
    if bad:
        delivery.aside = target
