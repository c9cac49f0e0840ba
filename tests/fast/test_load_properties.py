"""What must hold of any file and number: nothing is lost, only our own errors, one truth.

Files are drawn by hypothesis and go through the real loader; numbers are judged by the SQL that the
models use, by the SQL that the CadSUS loader uses and by a library that none of us wrote.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import HealthCheck, assume, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from validate_docbr import CNS, CPF

from conftest import PROJECT, environment, house_environment
from mapa import audit, warehouse
from mapa.errors import MapaError
from mapa.layouts import Layout, canonical, every, named
from mapa.load import exports, fhir, pdq
from mapa.load.archives import Export
from mapa.load.cadsus import VALID_CNS
from mapa.load.intake import Intake
from mapa.load.recognise import examine, recognise
from mapa.settings import Settings

FEW = examples(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = examples(FEW, max_examples=400)
# Line ends inside a text may be made one, so only one of them is drawn; NUL is no text.
CHARACTERS = st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from(';,\t"\n –')
TEXTS = st.text(CHARACTERS, max_size=6)
LEAVE, CARDS = named("afastamento_unidade"), named("cadsus_cns")
ROWS = st.lists(st.tuples(*[TEXTS] * len(LEAVE.columns)), min_size=1, max_size=8)
HEADER = ";".join(LEAVE.columns).encode()


def written(rows: list[Any], delimiter: str, line_end: str, encoding: str, quoting: int) -> bytes:
    """Return a file of unit leaves as some program would write it."""
    text = io.StringIO(newline="")
    writer: Any = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=line_end,
        quoting=quoting,  # type: ignore[arg-type]
    )
    writer.writerow(LEAVE.columns)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


@FEW
@given(
    rows=ROWS,
    delimiter=st.sampled_from(";,\t"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_is_what_is_stored(
    rows: list[Any], delimiter: str, line_end: str, encoding: str, quoting: int
) -> None:
    """Every acceptable row of a well-formed file is stored, cell by cell, the others counted."""
    rows = [(str(number), *row[1:]) for number, row in enumerate(rows)]
    required = [LEAVE.columns.index(name) for name in LEAVE.required]
    good = [row for row in rows if all(row[index].strip(" ") for index in required)]
    assume(good)
    content = written(rows, delimiter, line_end, encoding, quoting)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(mapa_dir=Path(folder) / "data", mapa_max_rejected_share=1)
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        (summary,) = exports.load(settings, [path])
        names = ", ".join(f"coalesce({name}, '')" for name in LEAVE.columns)
        stored = _query(settings, f"select {names} from {LEAVE.table} order by _linha")
    assert stored == good
    assert (summary.tally.loaded, summary.tally.rejected) == (len(good), len(rows) - len(good))


@FEW
@given(data=st.data(), rows=ROWS)
def test_a_damaged_file_is_refused_or_accounted_for(data: st.DataObject, rows: list[Any]) -> None:
    """Whatever is cut out of or put into a file, only our own errors come, and no row is lost."""
    content = written([("1", "2", "3", "4", "5", "6", "7"), *rows], ";", "\n", "utf-8", 0)
    at = data.draw(st.integers(0, len(content)))
    until = data.draw(st.integers(at, min(len(content), at + 40)))
    damaged = content[:at] + data.draw(st.binary(max_size=4)) + content[until:]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(mapa_dir=Path(folder) / "data", mapa_max_rejected_share=1)
        path = Path(folder) / "x.csv"
        path.write_bytes(damaged)
        try:
            (summary,) = exports.load(settings, [path])
        except MapaError:
            count = 0
        else:
            count = summary.tally.loaded
            summary.tally.check()
        if settings.warehouse.exists():
            assert _query(settings, f"select count(*) from {LEAVE.table}") == [(count,)]


@MANY
@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda rest: HEADER + b"\n" + rest))
@example(b"\x1f\x8b")
@example(b"PK\x03\x04")
@example(b"\n")
def test_any_bytes_are_recognised_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    try:
        assert recognise(examine(Export(path))).layout.name
    except MapaError as error:
        assert error.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
ELEMENTS = (
    "id",
    "meta",
    "extension",
    "identifier",
    "name",
    "gender",
    "deceasedDateTime",
    "address",
)


@MANY
@given(st.dictionaries(st.sampled_from(ELEMENTS), JSON))
def test_any_patient_is_read_or_rejected_by_element(
    tmp_path: Path, elements: dict[str, Any]
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(_json({"resourceType": "Patient", **elements}))
    (found,) = fhir.read(Export(path), "x.json")
    assert bool(found.person) != bool(found.problem)
    assert all(value is None or isinstance(value, str) for value in found.person.values())


@MANY
@given(st.data())
def test_any_damaged_answer_of_cadsus_is_read(data: st.DataObject) -> None:
    """A damaged answer has some outcome, and a person only when it is `ok`."""
    content = (PROJECT / "tests" / "fixtures" / "load" / "pdq_ok.xml").read_bytes()
    at = data.draw(st.integers(0, len(content)))
    until = data.draw(st.integers(at, min(len(content), at + 60)))
    reply = pdq.read(content[:at] + data.draw(st.binary(max_size=6)) + content[until:])
    assert (reply.outcome == pdq.OK) == bool(reply.person)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the SQL that judges the numbers of the table `numeros`, macros written out by dbt."""
    folder = tmp_path_factory.mktemp("macros")
    (folder / "data").mkdir()
    query = "select v, {{ cpf_is_valid('v') }} as cpf, {{ cns_is_valid('v') }} as cns from numeros"
    with environment(house_environment(folder)):
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "-q", "compile", "--inline", query],
            cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=True,
        )  # fmt: skip
    return done.stdout.replace("from numeros", f", {VALID_CNS.replace('cns', 'v')} from numeros")


DIGITS = "0123456789"


def _with_neighbours(number: str) -> list[str]:
    """Return a number and all that differ from it in the last digit, and some in length."""
    return [*(number[:-1] + digit for digit in DIGITS), number[:-1], number + "0", f" {number}"]


@examples(FEW, max_examples=25)
@given(
    st.lists(st.text(DIGITS, min_size=11, max_size=11), min_size=1, max_size=20),
    st.lists(st.text(DIGITS, min_size=15, max_size=15), min_size=1, max_size=20),
    st.lists(
        st.builds(
            "{}{:010}{}{}".format,
            st.sampled_from("12"),
            st.integers(0, 10**10 - 1),
            st.sampled_from(["000", "001"]),
            st.sampled_from(DIGITS),
        ),
        max_size=20,
    ),
)
def test_check_digits_agree(judged: str, cpfs: list[str], cnss: list[str], pis: list[str]) -> None:
    """Only numbers of a case are invented here, none is kept."""
    numbers = sorted({n for number in [*cpfs, *cnss, *pis] for n in _with_neighbours(number)})
    with duckdb.connect() as con:
        con.execute("create table numeros as select unnest($1) as v", [numbers])
        for number, cpf, cns, met in con.execute(judged).fetchall():
            is_cpf = number.isdigit() and len(number) == 11 and CPF().validate(number)
            is_cns = number.isdigit() and len(number) == 15 and CNS().validate(number)
            assert cpf == (is_cpf and number != "01234567890"), "CPF of the models"
            assert cns == is_cns, "CNS of the models"
            assert met == is_cns, "CNS of the loader"


def _json(content: Any) -> bytes:
    return orjson.dumps(content)


def _query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        return con.execute(sql).fetchall()


KEYS, CONTENTS = st.sampled_from(["1", "2", "3", ""]), st.sampled_from(["a", "b"])
BATCHES = st.lists(st.lists(st.tuples(KEYS, CONTENTS), max_size=6), min_size=1, max_size=3)


@FEW
@given(st.lists(st.tuples(BATCHES, st.booleans()), min_size=1, max_size=3))
def test_what_is_stored_is_each_change_of_a_record_and_nothing_else(
    loads: list[tuple[list[list[tuple[str, str]]], bool]],
) -> None:
    newest: dict[str, str] = {}
    stored, refused, line = [], [], 0
    with (
        tempfile.TemporaryDirectory() as folder,
        warehouse.connect(Path(folder) / "w.duckdb") as con,
    ):
        for batches, together in loads:
            with audit.recording(con, "test", CARDS.name, "nowhere") as load:
                intake, parts = Intake(load, CARDS), []
                for number, batch in enumerate(batches):
                    rows, file = [], f"batch {number}"
                    for key, content in batch:
                        line += 1
                        rows.append((line, key, content))
                        if not key:
                            refused.append((line, file))
                        elif newest.get(key) != content:
                            newest[key] = content
                            stored.append((line, key, content, file))
                    parts.append((intake.read(_cards(rows)), file))
                for group in [parts] if together else [[part] for part in parts]:
                    intake.settle(*group)
                received = [key for batch in batches for key, _ in batch]
                assert intake.tally.received == len(received)
                assert intake.tally.rejected == received.count("")
        columns = "_linha, id_pessoa, tipo, _arquivo"
        found = con.execute(f"select {columns} from {CARDS.table} order by _linha").fetchall()
        assert found == stored
        query = "select linha, arquivo from controle.rejeitos order by linha"
        assert con.execute(query).fetchall() == refused


def _cards(rows: list[tuple[int, str, str]]) -> str:
    values = ", ".join(f"({line}, '{key}', '{content}')" for line, key, content in rows)
    others = [c for c in CARDS.columns if c not in ("id_pessoa", "tipo")]
    columns = "".join(f", '0' as \"{c}\"" for c in others)
    chosen = f"(values {values})" if rows else "(select 0, '', '' where false)"
    return (
        f"select _linha, id_pessoa, tipo{columns}, cast(null as varchar) as _campos_extras "
        f"from {chosen} as t(_linha, id_pessoa, tipo)"
    )


def hashes(variants: dict[str, list[str]], layout: Layout) -> list[int]:
    """Return the hash of an empty row and of each row that has one column filled as given."""
    con = duckdb.connect()
    empty = ", ".join(f'cast(null as {kind}) as "{c}"' for c, kind in layout.types().items())
    rows = [f"select * from (select {empty})"]
    for column, values in variants.items():
        kind = layout.types()[column]
        rows += [
            f'select * replace (cast({value} as {kind}) as "{column}") from (select {empty})'
            for value in values
        ]
    query = f"select {layout.content_hash()} from ({' union all '.join(rows)})"
    return [row[0] for row in con.execute(query).fetchall()]


@pytest.mark.parametrize("layout", every(), ids=lambda layout: layout.name)
def test_the_hash_tells_every_column_and_nothing_from_null(layout: Layout) -> None:
    plain = [c for c in (*layout.columns, "_campos_extras") if c not in layout.nested]
    variants = {c: ["''", "'a'", "'b'"] for c in plain if c not in layout.volatile}
    if layout.record:
        # Records are compared on canonical values: there nothing is nothing, however it is spelled.
        variants |= {c: ["'a'", "'b'"] for c in layout.columns if c not in layout.volatile}
    for column, kind in layout.nested.items():
        first, second = (member.split()[0] for member in kind[7:].split(", ")[:2])
        pairs = [("null", "null"), ("''", "null"), ("'a'", "null"), ("null", "'a'")]
        entries = [f"{{'{first}': {a}, '{second}': {b}}}" for a, b in pairs]
        lists = ["[]", *(f"[{e}]" for e in entries), f"[{entries[2]}, {entries[3]}]"]
        variants[column] = [*lists, f"[{entries[3]}, {entries[2]}]"]
    found = hashes(variants, layout)
    assert len(found) == len(set(found)) == 1 + sum(map(len, variants.values()))


@pytest.mark.parametrize("layout", [la for la in every() if la.volatile], ids=lambda la: la.name)
def test_the_hash_does_not_see_what_the_source_writes_anew(layout: Layout) -> None:
    assert len(set(hashes({c: ["'a'"] for c in layout.volatile}, layout))) == 1


@pytest.mark.parametrize(
    "spellings",
    [
        ["null", "''", "' '", "'---'", "'-'", "'NaN'", "'null'"],
        ["'10456'", "'0010456'", "' 10456 '", "'10456.0'"],
        ["'08:00'", "'8:00'", "'08:00:00'", "'08:00:59'"],
        ["'01/03/2026'", "'1/3/2026'", "'01.03.2026'", "'2026-03-01'", "'2026-03-01T00:00:00Z'"],
        ["'Médico da família'", "'MEDICO  DA FAMILIA'", "' medico da família '"],
        ["'32C164'", "'32c164'"],
        ["'0'", "'00'", "'0.0'"],
    ],
)
def test_spellings_of_one_value_are_one(spellings: list[str]) -> None:
    others = ["'20456'", "'1045'", "'104560'", "'08:01'", "'02/03/2026'", "'03/01/2026'", "'1'"]
    with duckdb.connect() as con:
        told = [
            con.execute(f"select {canonical('x')} from (select {text} as x)").fetchone()
            for text in [*spellings, *others]
        ]
    assert len(set(told[: len(spellings)])) == 1
    assert not {told[0]} & set(told[len(spellings) :])
    assert len(set(told[len(spellings) :])) == len(others)
