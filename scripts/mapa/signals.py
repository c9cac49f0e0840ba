"""Signals: a polite kill ends a command as Ctrl-C does, so that nothing that it holds outlives it.

Python's own answer to SIGTERM and SIGHUP is to die on the spot: no `finally` runs, a child goes on.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

POLITE = ("SIGTERM", "SIGHUP")


def heed() -> None:
    """Let the first SIGTERM or SIGHUP raise KeyboardInterrupt; later ones do not disturb the end.

    A signal that whoever started us wants ignored (`nohup`) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in POLITE:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def is_stop(error: BaseException | None) -> bool:
    """Say whether an error comes of a signal; DuckDB makes an error of its own of one."""
    seen = 0
    while error is not None and seen < 20:
        if isinstance(error, KeyboardInterrupt):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
