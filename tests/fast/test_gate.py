"""What a model must say of itself before its counts of people may be published."""

from __future__ import annotations

from typing import Any

import pytest

from mapa.errors import PublishError
from mapa.publish import gate

MODEL = "model.mapa.pub_faltas"


def manifest(total: str = "qtd_devidos", **said: Any) -> dict[str, Any]:
    """Return a manifest with one model that counts people, and a test of its sums."""
    columns = ("competencia", "qtd_devidos", "qtd_faltas", "qtd_vagas", "pct_falta")
    meta = {
        "grao": ["competencia"],
        "divulgacao": {
            "minimo": "5",
            "universo": "agenda",
            "contagens": ["qtd_devidos", "qtd_faltas", "qtd_vagas"],
            "derivadas": {"pct_falta": ["qtd_faltas"]},
        }
        | said,
    }
    test = {
        "attached_node": MODEL,
        "test_metadata": {
            "name": "soma_confere",
            "kwargs": {"total": total, "partes": ["qtd_faltas", "(-qtd_vagas)"]},
        },
    }
    node = {
        "name": "pub_faltas",
        "config": {"meta": meta},
        "columns": {name: {"name": name} for name in columns},
    }
    return {"nodes": {MODEL: node, "test.mapa.soma": test}}


def test_counts_and_what_adds_up_are_read_with_their_signs() -> None:
    found = gate._people(manifest(), MODEL)
    assert found is not None
    assert (found.minimum, found.universe) == (5, "agenda")
    assert found.sums == ((("qtd_devidos", -1), ("qtd_faltas", 1), ("qtd_vagas", -1)),)
    assert found.derived == {"pct_falta": ("qtd_faltas",)}


def test_a_column_that_nobody_explains_is_refused() -> None:
    with pytest.raises(PublishError, match="whether it is a count or derived: qtd_vagas"):
        gate._people(manifest(contagens=["qtd_devidos", "qtd_faltas"]), MODEL)


def test_a_sum_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(PublishError, match=r"cannot be read: `2 \* qtd_devidos`"):
        gate._people(manifest(total="2 * qtd_devidos"), MODEL)


def test_a_model_that_counts_nobody_has_nothing_to_say() -> None:
    other = manifest()
    del other["nodes"][MODEL]["config"]["meta"]["divulgacao"]
    assert gate._people(other, MODEL) is None
