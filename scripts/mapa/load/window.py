"""Windows of change: [since, until) on `data_atualizacao`, by the source's own local clock.

Bounds are written with the false `Z` that the source puts on every instant, and never a time zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

BRASILIA = ZoneInfo("America/Sao_Paulo")
SISREG_BEGAN = datetime(2000, 1, 1)
"""No document is older; only used to halve a window that has no beginning."""


@dataclass(frozen=True)
class Window:
    """Changes to read, on the source's local clock; no `since` means from the beginning."""

    since: datetime | None
    until: datetime

    def __str__(self) -> str:
        """Write the window for a message."""
        since = self.since.isoformat() if self.since else "the beginning"
        return f"[{since}, {self.until.isoformat()})"

    def clause(self, names: Sequence[str] = ("data_atualizacao",)) -> dict[str, object]:
        """Return the query clause; the first read also takes documents without an instant.

        Args:
            names: what the index calls the instant of change; where it has several names, a
                document counts by each of them.

        """
        if self.since is None:
            return {"bool": {"must_not": _ranges(names, gte=false_z(self.until))}}
        inside = _ranges(names, gte=false_z(self.since), lt=false_z(self.until))
        return inside[0] if len(inside) == 1 else {"bool": {"should": inside}}

    def halves(self) -> tuple[Window, ...]:
        """Return the window in two parts; none when it is too short to be divided."""
        since = self.since or SISREG_BEGAN
        if self.until - since < timedelta(seconds=2):
            return ()
        middle = (since + (self.until - since) / 2).replace(microsecond=0)
        return Window(self.since, middle), Window(middle, self.until)


def _ranges(names: Sequence[str], **bounds: str) -> list[dict[str, object]]:
    return [{"range": {name: bounds}} for name in names]


def false_z(moment: datetime) -> str:
    """Write a local instant as the source does: its clock value with a `Z` that is not true."""
    return moment.isoformat(timespec="milliseconds") + "Z"
