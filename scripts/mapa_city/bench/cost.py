"""What a piece of work costs: CPU seconds and peak memory of a process of its own."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What one piece of work took.

    Attributes:
        count: documents, rows or whatever it dealt with.
        cpu: seconds of CPU, user and system, of all threads and of the programs that it ran;
            imports are not counted.
        wall: seconds that passed.
        rss: peak resident memory in MB of the largest of these processes, imports included.

    """

    count: int
    cpu: float
    wall: float
    rss: float

    @property
    def per_million(self) -> float:
        """CPU seconds for a million."""
        return self.cpu / self.count * 1e6


def measure(work: Callable[..., int], *args: Any) -> Cost:
    """Run `work`, which returns how many it dealt with, in a fresh process and return its cost."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (work, args))


def _run(work: Callable[..., int], args: tuple[Any, ...]) -> Cost:
    cpu, wall = _cpu(), time.monotonic()
    count = work(*args)
    return Cost(count, _cpu() - cpu, time.monotonic() - wall, _peak())


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _peak() -> float:
    """Return the peak; of ourselves `getrusage` would count what the parent had before us."""
    lines = Path("/proc/self/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
