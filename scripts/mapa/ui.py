"""What a person sees while a command works: messages and progress on stderr, data on stdout."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mapa.errors import visible

console = Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """Print one line for a person."""
    console.print(visible(message, lines=True), markup=False, soft_wrap=True)


def progress() -> Progress:
    """Return a progress display; on a pipe or in cron it prints nothing."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
