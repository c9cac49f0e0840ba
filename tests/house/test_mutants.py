"""Slips in the SQL rules are caught: a sample of all, in the houses of the other tests."""

from __future__ import annotations

import random
from pathlib import Path

import click
import pytest

from mapa.ui import say
from mapa_city.bench.flips import mutants
from mapa_city.bench.mutants import (
    BOUND,
    Court,
    Verdict,
    build_houses,
    excuses,
    report,
    share,
    try_all,
)

KNOWN = mutants("m", "a < b and c = 1")
SAMPLE, SEED = 200, 1


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_share_leaves_out_what_says_nothing_else_or_cannot_be_read() -> None:
    fates = ["truth", "build", "survives", "equivalent", "stillborn"]
    verdicts = [Verdict(KNOWN[0], fate) for fate in fates]
    assert share(verdicts) == pytest.approx(200 / 3)
    assert share([]) == 0
    assert report(verdicts).row_count == 2


def test_an_excuse_needs_a_mutant_and_a_reason(tmp_path: Path) -> None:
    key = KNOWN[0].key
    good = written(tmp_path / "good.yml", f"- mutante: '{key}'\n  motivo: b nunca é a\n")
    assert excuses(KNOWN, good) == {key: "b nunca é a"}
    stale = written(tmp_path / "stale.yml", "- mutante: 'm | x | < -> <= | 1'\n  motivo: foi\n")
    with pytest.raises(click.ClickException, match=r"m \| x \| < -> <= \| 1"):
        excuses(KNOWN, stale)
    for bad in (f"- mutante: '{key}'\n  motivo:\n", good.read_text() * 2):
        with pytest.raises(click.ClickException, match="no reason or stands twice"):
            excuses(KNOWN, written(tmp_path / "bad.yml", bad))


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_sample_of_the_mutants_is_caught(tmp_path: Path) -> None:
    build_houses(tmp_path)
    court = Court(tmp_path)
    known = court.mutants()
    chosen = random.Random(SEED).sample(known, SAMPLE)
    verdicts = try_all(court, chosen, excuses(known))
    say(f"{share(verdicts):.1f} % caught")
    assert share(verdicts) >= BOUND, [v.mutant.key for v in verdicts if v.judge == "survives"]
