"""What a spreadsheet does with text: one place that keeps it from being run."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from openpyxl.cell import Cell, MergedCell

FORMULA = re.compile(r"[\s\"'\x00-\x20]*[=+\-@]|[\t\r\n]")
"""How a text begins that a spreadsheet may take for a formula; NFKC has made wide signs narrow."""


def harmless(value: Any) -> Any:
    """Return what may stand in a cell of a CSV: text that could be run begins with an apostrophe.

    Numbers stay numbers, so that -5 is -5; only text is looked at.

    Example:
        >>> harmless("=1+1"), harmless(-5)
        ("'=1+1", -5)
    """
    if isinstance(value, str) and FORMULA.match(_seen(value)):
        return f"'{value}"
    return value


def write_text(cell: Cell | MergedCell) -> None:
    """Keep the text of a workbook's cell text: nothing is run, and nothing when it is edited."""
    if isinstance(cell.value, str):
        cell.data_type = "s"
        if harmless(cell.value) != cell.value:
            cell.quotePrefix = True


def _seen(value: str) -> str:
    """Leave out what cannot be seen and write wide signs narrow, as spreadsheets do."""
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", value).replace("\u2212", "-")
        if unicodedata.category(character) != "Cf"
    )
