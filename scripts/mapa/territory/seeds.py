"""The seeds and variables of a territory, written from IBGE's table for a municipality.

What the table does not know (areas, their places on the tile map, health regions, neighbourhoods,
populations) begins with one area and one region, the municipality itself, so that the house builds
at once; the operator fills in the rest. `seeds/territorio.sha256` says what the files were when
they were shipped or written here, so that nobody's work is lost: `sha256sum -c` reads it too.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from mapa.errors import ConfigError, DiskError
from mapa.territory.municipalities import Municipality, Table, plain

Rows = list[dict[str, str]]
RECORD = "territorio.sha256"
TO_FILL = "a preencher"
"""What stands in a mandatory text until the operator knows it."""


def rows_of(one: Municipality, table: Table) -> dict[str, Rows]:
    """Return the rows of each seed by its columns; a column that is not named is empty.

    The municipalities are those of the state, this one first: SISREG says where a person lives by
    name and state only.
    """
    region = plain(one.name).lower().replace(" ", "_")
    state = table.of_state(one.state)
    return {
        "territorio_municipios": [
            {
                "municipio_ibge7": each.code,
                "municipio_ibge6": each.code6,
                "municipio_nome": each.name,
                "municipio_nome_normalizado": plain(each.name),
                "uf_sigla": each.state,
            }
            for each in sorted(state, key=lambda each: (each != one, each))
        ],
        "territorio_regioes": [
            {"regiao_saude_codigo": code, "regiao_saude_nome": name, "fonte": source}
            for code, name, source in (
                (region, one.name, TO_FILL),
                ("nao_identificada", "Não identificada", "projeto"),
                ("fora_do_territorio", "Fora do território", "projeto"),
            )
        ],
        "territorio_areas": [
            {
                "area_numero": "1",
                "area_nome": one.name,
                "regiao_saude_codigo": region,
                "populacao_situacao": "nao_encontrada",
                "fonte": TO_FILL,
            }
        ],
        "territorio_bairros": [],
        "territorio_mosaico": [{"area_numero": "1", "linha": "1", "coluna": "1"}],
        # An agreement binds its parties; whoever has another writes it down.
        "acordo_plano_trabalho": [],
    }


def variables_of(one: Municipality, table: Table, owner: str | None) -> dict[str, Any]:
    """Return the variables of dbt_project.yml that another territory changes."""
    return {
        "responsavel": owner or TO_FILL,
        # Another territory publishes under something of its own, or under nothing that is told.
        "acordo": None,
        "acordo_numero": None,
        "orgao_aprovador": None,
        "municipio_ibge6": one.code6,
        "uf_sigla": one.state,
        "uf_inteira": len(table.of_state(one.state)) == 1,
        # Guesses: what most municipalities have. Whoever issues the credentials knows.
        "central_codigo": one.code6,
        "sisreg_sufixo": f"{one.state}-{plain(one.name)}".lower().replace(" ", "-"),
        "territorio_qtd_areas": None,
        "territorio_qtd_regioes": None,
        "territorio_populacao": None,
    }


class Project:
    """The files of a dbt project that hold its territory."""

    def __init__(self, folder: Path) -> None:
        """Read the settings.

        Raises:
            ConfigError: there is no dbt project here, or it cannot be read.

        """
        self.settings = folder / "dbt_project.yml"
        self.seeds = folder / "seeds"
        if not self.settings.exists():
            raise ConfigError(
                f"There is no dbt project in {folder.resolve().name}/.\n"
                "Run mapa in the project's folder, or set DBT_PROJECT_DIR."
            )
        self.text = self.settings.read_text(encoding="utf-8")
        self.variables: dict[str, Any] = _parsed(self.text).get("vars") or {}

    def changed(self, seeds: list[str]) -> list[str]:
        """Return the files that are not as they were shipped or written by `mapa init`."""
        record = self.seeds / RECORD
        known = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        return [
            f"{name}.csv"
            for name in seeds
            if (path := self.seeds / f"{name}.csv").exists()
            and _line(path.name, path.read_text(encoding="utf-8")) not in known
        ]

    def write(self, rows: dict[str, Rows], variables: dict[str, Any]) -> None:
        """Write seeds, their record and the variables, or nothing.

        Raises:
            ConfigError: a seed, a column or a variable is not there.
            DiskError: the folder cannot be written.

        """
        texts = {
            self.seeds / f"{name}.csv": self._seed(f"{name}.csv", lines)
            for name, lines in rows.items()
        }
        record = "".join(f"{_line(path.name, text)}\n" for path, text in sorted(texts.items()))
        texts |= {self.seeds / RECORD: record, self.settings: self._with(variables)}
        new = {path: path.with_name(f"{path.name}.novo") for path in texts}
        try:
            for path, text in texts.items():
                new[path].write_text(text, encoding="utf-8", newline="\n")
                if path.exists():
                    new[path].chmod(path.stat().st_mode)
            for path, beside in new.items():
                beside.replace(path)
        except OSError as error:
            raise DiskError(
                f"{self.seeds.name}/ or {self.settings.name} cannot be written: "
                f"{error.strerror}.\nMake the project's folder writable, or work in a copy of it."
            ) from None
        finally:
            for beside in new.values():
                with suppress(OSError):
                    beside.unlink(missing_ok=True)

    def _seed(self, name: str, rows: Rows) -> str:
        """Return a seed with the header that stands in it."""
        try:
            with (self.seeds / name).open(encoding="utf-8-sig", newline="") as file:
                header = next(csv.reader(file), [])
        except OSError:
            raise ConfigError(f"seeds/{name} cannot be read; take it from the release.") from None
        if strange := {column for row in rows for column in row} - set(header):
            raise ConfigError(
                f"seeds/{name} lacks the column {', '.join(sorted(strange))}, which its first line "
                "must name.\nTake its first line from the release."
            )
        text = io.StringIO()
        writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _with(self, variables: dict[str, Any]) -> str:
        """Return dbt_project.yml with other values, and all else as it is, comments too."""
        text = self.text
        for name, value in variables.items():
            text, count = re.subn(
                rf"(?m)^(    {name}:(?: +&\w+)?) +(?:\"[^\"\n]*\"|'[^'\n]*'|[^#\n]*?)( +#.*)?$",
                lambda found, value=value: (  # type: ignore[misc]
                    f"{found[1]} {json.dumps(value, ensure_ascii=False)}{found[2] or ''}"
                ),
                text,
            )
            if count != 1:
                raise ConfigError(
                    f"dbt_project.yml has {count} lines with the variable {name}, expected is one "
                    "under `vars:`.\nTake it from the release and repeat your own changes."
                )
        if _parsed(text).get("vars") != self.variables | variables:
            raise ConfigError(
                f"The variables of dbt_project.yml cannot be changed in place.\nSet by hand: "
                f"{json.dumps(variables, ensure_ascii=False)}"
            )
        return text


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"dbt_project.yml is no YAML{where}. Correct it first.") from None
    return content if isinstance(content, dict) else {}


def _line(name: str, text: str) -> str:
    """Return the line of the record for a file of that text."""
    return f"{hashlib.sha256(text.encode()).hexdigest()}  {name}"
