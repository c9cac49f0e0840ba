"""The city's SQL: statements in `.sql` files, in the folder `sql` of the room that runs them."""

from __future__ import annotations

from importlib import resources


def sql(room: str, name: str) -> str:
    """Return the statements of `mapa_city/<room>/sql/<name>.sql`."""
    path = resources.files("mapa_city").joinpath(room, "sql", f"{name}.sql")
    return path.read_text(encoding="utf-8")
