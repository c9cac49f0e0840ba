"""Scores by hand: what families do to a registry, and what splink's absence says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pyarrow as pa
import pytest

from mapa import identity
from test_rooms import WITHOUT

COLUMNS = ("unique_id", "name", "mother", "birth", "sex", "place")
CROWD = [
    (f"p{n}", f"PESSOA{n:03d} DA MULTIDAO", f"MAE{n:03d} DA MULTIDAO", f"1970-01-{n % 28 + 1:02d}",
     "MF"[n % 2], f"BAIRRO {n % 20}")
    for n in range(400)
]  # fmt: skip
FAMILY = [
    ("ana", "ANA LIMA DE EXEMPLO", "RITA LIMA DE EXEMPLO", "1990-05-10", "F", "GAMA"),
    ("bia", "BEATRIZ LIMA DE EXEMPLO", "RITA LIMA DE EXEMPLO", "1990-05-10", "F", "GAMA"),
    ("pai", "JOAO ROCHA DO ENSAIO", "CELIA ROCHA DO ENSAIO", "1960-02-03", "M", "GAMA"),
    ("filho", "JOAO ROCHA DO ENSAIO", "ANA LIMA DE EXEMPLO", "1992-07-08", "M", "GAMA"),
    ("eva_1", "EVA DIAS DO PAPEL", "SARA DIAS DO PAPEL", "1980-01-01", "F", "GUARA"),
    ("eva_2", "EVA DIAS DO PAPEL", "LIA NUNES DE MODELO", "1980-01-01", "F", "TAGUATINGA"),
    ("duplo_1", "IVO COSTA DO PAPEL", "NAIR COSTA DO PAPEL", "1955-03-04", "M", "GAMA"),
    ("duplo_2", "IVO COSTA DO PAPEL", "NAIR COSTA DO PAPEL", "1955-03-04", "M", "GAMA"),
]
"""Twins, father and son of one name, homonyms born on one day, and one person registered twice."""

ASKED = [
    ("casada", "ANA LIMA SOUZA DE MODELO", "RITA LIMA DE EXEMPLO", "1990-05-10", "F", "GAMA"),
    ("gemea", "BEATRIZ L DE EXEMPLO", "RITA LIMA DE EXEMPLO", "1990-05-10", "F", "CEILANDIA"),
    ("filho", "JOAO R DO ENSAIO", "ANA LIMA DE EXEMPLO", "1992-07-08", "M", "GAMA"),
    ("homonima", "EVA D DO PAPEL", "LIA NUNES DE MODELO", "1980-01-01", "F", None),
    ("sem_mae", "EVA DIAS DO PAPEL", None, "1980-01-01", "F", None),
    ("duplo", "IVO C DO PAPEL", "NAIR COSTA DO PAPEL", "1955-03-04", "M", "GAMA"),
    ("outra_gemea", "CARLA LIMA DE EXEMPLO", "RITA LIMA DE EXEMPLO", "1990-05-10", "F", "GAMA"),
    ("ninguem", "ZULMIRA FREITAS DO INVENTO", "OLGA FREITAS DO INVENTO", "2001-09-09", "F", "GAMA"),
]
SURE = {"casada": "ana", "gemea": "bia", "filho": "filho", "homonima": "eva_2"}
TORN = {"sem_mae": {"eva_1", "eva_2"}, "duplo": {"duplo_1", "duplo_2"}}


def table(rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    return pa.table(
        {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(COLUMNS)}
    )


@pytest.fixture(scope="module")
def pairs() -> pa.Table:
    """Return the scores of what is asked against a family and a crowd."""
    return identity.score_pairs(table([*ASKED]), table([*CROWD, *FAMILY]), {})


def of(pairs: pa.Table, asked: str) -> dict[str, float]:
    return {r["record"]: r["score"] for r in pairs.to_pylist() if r["request"] == asked}


@pytest.mark.parametrize(("asked", "record"), SURE.items())
def test_a_family_is_told_apart(pairs: pa.Table, asked: str, record: str) -> None:
    found = of(pairs, asked)
    assert found[record] >= 0.99
    assert sum(found.values()) <= 1


@pytest.mark.parametrize(("asked", "records"), TORN.items())
def test_between_two_nobody_is_sure(pairs: pa.Table, asked: str, records: set[str]) -> None:
    found = of(pairs, asked)
    assert found.keys() == records
    assert max(found.values()) < 0.9
    assert sum(found.values()) > 0.9


def test_whom_the_register_lacks_nobody_resembles_enough(pairs: pa.Table) -> None:
    assert max(of(pairs, "outra_gemea").values()) < 0.99
    assert of(pairs, "ninguem") == {}


def test_threads_and_order_do_not_change_a_score(pairs: pa.Table) -> None:
    again = identity.score_pairs(table([*ASKED][::-1]), table([*FAMILY, *CROWD]), {}, threads=4)
    assert again.equals(pairs)


def test_portions_do_not_change_a_score(pairs: pa.Table) -> None:
    records = table([*CROWD, *FAMILY])
    for portion in (1, 3):
        stream = records.to_reader(max_chunksize=50)
        assert identity.score_pairs(table([*ASKED]), stream, {}, portion=portion).equals(pairs)


def test_a_name_that_many_have_tells_less_even_if_they_are_no_candidates() -> None:
    asked = table([("eva", "EVA DIAS DO PAPEL", None, "1980-01-01", "F", "GUARA")])
    many = [(*who[:1], "EVA DIAS DO PAPEL", *who[2:]) for who in CROWD]
    rare, common = (
        of(identity.score_pairs(asked, table([*rest, FAMILY[4]]), {}), "eva").get("eva_1", 0)
        for rest in (CROWD, many)
    )
    assert 1 - common > 100 * (1 - rare)


def test_nothing_scores_against_nobody() -> None:
    assert identity.score_pairs(table([*ASKED]), table([]), {}).num_rows == 0
    assert identity.score_pairs(table([]), table([*CROWD]), {}).num_rows == 0


def test_without_splink_the_command_says_what_to_install() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT.replace("GUESTS", repr(("splink",))), "identity"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode not in (0, 1), run.stderr
    assert "pip install -e '.[identidade]'" in run.stderr
    assert "Traceback" not in run.stderr
