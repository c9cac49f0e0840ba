"""The one place that waits for another process: with a message, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from mapa.errors import LockedError
from mapa.settings import Settings
from mapa.ui import say

POLL = 0.5
"""Seconds between two attempts."""
T = TypeVar("T")


class Wait:
    """A wait of a bounded length, shared by all attempts until one is not refused."""

    def __init__(self, seconds: float | None = None) -> None:
        """Count from the first refusal; by default up to MAPA_WAIT_LOCK_SECONDS."""
        self._seconds = seconds
        self._end: float | None = None

    def after(self, refusal: LockedError) -> None:
        """Wait a moment after a refusal, and say so once.

        Raises:
            LockedError: that refusal, when the wait is over.

        """
        if self._end is None:
            if self._seconds is None:
                self._seconds = Settings.load().mapa_wait_lock_seconds
            self._end = time.monotonic() + self._seconds
            if self._seconds:
                say(
                    f"{refusal.message.splitlines()[0]}\n"
                    f"Waiting up to {self._seconds:g} seconds (MAPA_WAIT_LOCK_SECONDS) ..."
                )
        left = self._end - time.monotonic()
        if left <= 0:
            raise refusal
        time.sleep(min(POLL, left))

    def until(self, attempt: Callable[[], T]) -> T:
        """Return what an attempt gives as soon as it is no longer refused.

        Raises:
            LockedError: it is still refused at the end of the wait.

        """
        while True:
            try:
                given = attempt()
                self._end = None
                return given
            except LockedError as refusal:
                self.after(refusal)
