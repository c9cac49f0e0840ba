"""Is the house fit for the night? Checks that touch nothing, each with what to type."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

import click

from mapa import clocks, modes, rotation, warehouse
from mapa.errors import ConfigError, LockedError, MapaError, UnexpectedError
from mapa.http import Access, Answer, Door, Patience
from mapa.load import cadsus, inbox, sisreg
from mapa.settings import ENV_FILE, HAS_MODES, Settings

OK, WARN, FAIL = "ok", "warn", "fail"
# Clocks are compared here, and none of them ends the look at the others.
BRIEF = Patience(attempts=1, first_wait=0, longest_wait=0, timeout=5, apart=timedelta.max)
DRIFT = timedelta(minutes=5)
"""Difference of two clocks that is worth a look."""
LEAST_FREE = 2**30
"""Bytes without which no build ends; better is as much as the warehouse takes."""
PACKAGE = "mapa-social-da-saude"
DECISIVE = ("duckdb", "dbt-core", "dbt-duckdb")
"""Packages of which another version may give other numbers."""
PINNED = re.compile(r"([\w.-]+)==([\w.]+)")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: ok, warn or fail, and what to type."""

    name: str
    state: str
    said: str
    advice: str = ""


def examine() -> list[Check]:
    """Make every check; one that breaks is a failure of its own and stops no other."""
    try:
        settings = Settings.load()
    except click.ClickException as error:
        return [_failure("settings", error), *_guarded("versions", _versions)]
    parts: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("versions", _versions),
        ("keys", lambda: _keys(settings)),
        ("project", lambda: _project(settings)),
        ("modes", lambda: _modes(settings)),
        ("disk", lambda: _disk(settings)),
        ("encryption", lambda: _encryption(settings)),
        ("warehouse", lambda: _warehouse(settings)),
        ("inbox", lambda: _inbox(settings)),
        ("SISREG", lambda: _sisreg(settings)),
        ("CadSUS", lambda: _cadsus(settings)),
    )
    found = [Check("settings", OK, "all can be used")]
    for name, part in parts:
        found += _guarded(name, part)
    return found


def worst(checks: list[Check]) -> str:
    """Return the worst state among the checks."""
    states = {check.state for check in checks}
    return FAIL if FAIL in states else WARN if WARN in states else OK


def _guarded(name: str, part: Callable[[], Iterator[Check]]) -> list[Check]:
    found = list[Check]()
    try:
        for check in part():
            found.append(check)
    except click.ClickException as error:
        found.append(_failure(name, error))
    except Exception as error:
        found.append(_failure(name, UnexpectedError.of(error)))
    return found


def _failure(name: str, error: click.ClickException) -> Check:
    said, _, advice = error.message.partition("\n")
    return Check(name, FAIL, said, advice)


def _versions() -> Iterator[Check]:
    """Compare Python and the packages with those that the project was tested with."""
    number = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    advice = "" if fits else "make demo PYTHON=python3.13"
    yield Check("python", OK if fits else FAIL, f"{number}; expected is 3.11 to 3.13", advice)
    wrong = list[str]()
    for requirement in importlib.metadata.requires(PACKAGE) or []:
        pinned = PINNED.match(requirement)
        if pinned and ("extra ==" not in requirement):
            name, expected = pinned.groups()
            try:
                here = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                here = "not there"
            if name in DECISIVE and here == expected:
                yield Check(name, OK, here)
            if here != expected:
                wrong.append(f"{name} is {here}, pinned is {expected}")
    decisive = any(text.startswith(DECISIVE) for text in wrong)
    if wrong:
        advice = "pip install -r requirements.txt"
        yield Check("packages", FAIL if decisive else WARN, "; ".join(wrong), advice)


def _keys(settings: Settings) -> Iterator[Check]:
    """Look at the key of the pseudonyms and, without showing anything, at the credentials."""
    key = settings.pseudonym_key()
    if len(set(key)) < 8:
        yield Check(
            "key", WARN, "MAPA_PSEUDONYM_KEY is long enough but can be guessed",
            'python -c "import secrets; print(secrets.token_hex(32))"',
        )  # fmt: skip
    else:
        yield Check("key", OK, "MAPA_PSEUDONYM_KEY is set")
    if bool(settings.sisreg_user) != bool(settings.sisreg_password):
        lacking = "SISREG_PASSWORD" if settings.sisreg_user else "SISREG_USER"
        yield Check("SISREG account", FAIL, f"{lacking} is not set", f"put {lacking} into .env")
    if settings.cadsus_system and not (settings.cadsus_cert and settings.cadsus_key):
        yield Check(
            "CadSUS certificate", FAIL, "CADSUS_SYSTEM is set without CADSUS_CERT and CADSUS_KEY",
            "put both into .env",
        )  # fmt: skip


def _project(settings: Settings) -> Iterator[Check]:
    """Look for the dbt project and its profile."""
    project = settings.dbt_project_dir
    if not (project / "dbt_project.yml").exists():
        yield Check(
            "project", FAIL, "there is no dbt project here",
            "run mapa in the project's folder, or set DBT_PROJECT_DIR",
        )  # fmt: skip
        return
    yield Check("project", OK, "dbt_project.yml is there")
    named = os.environ.get("DBT_PROFILES_DIR")
    places = [Path(named)] if named else [project, Path.home() / ".dbt"]
    if any((place / "profiles.yml").exists() for place in places):
        yield Check("profile", OK, "profiles.yml is there")
    else:
        yield Check(
            "profile", FAIL, "there is no profiles.yml", "cp profiles.yml.example profiles.yml"
        )


def _modes(settings: Settings) -> Iterator[Check]:
    """Look whether others may read what is restricted, and may read what is published."""
    if not HAS_MODES:
        return
    restricted = {settings.mapa_dir / name: widest for name, widest in modes.INSIDE.items()} | {
        settings.dbt_log_path: 0o700,
        settings.dbt_log_path / "dbt.log": 0o600,
        settings.dbt_target_path: 0o700,
        ENV_FILE: 0o600,
    }
    if settings.cadsus_key:
        restricted[settings.cadsus_key] = 0o600
    wide = {
        path: widest
        for path, widest in restricted.items()
        if path.exists() and _mode(path) & ~widest
    }
    for path, widest in wide.items():
        yield Check(
            "modes", FAIL, f"others may reach {path} (mode {_mode(path):04o})",
            f"chmod {_mode(path) & widest:o} {path}",
        )  # fmt: skip
    if not wide:
        yield Check("modes", OK, "what is restricted is closed to others")
    house = settings.mapa_dir
    if house.exists() and _mode(house) & 0o066:
        yield Check(
            "folder", WARN, f"others may list or change {house} (mode {_mode(house):04o})",
            f"chmod 711 {house}",
        )  # fmt: skip
    shut = [p for p in (settings.published, house) if p.exists() and not _mode(p) & 0o001]
    if settings.published.exists() and shut:
        yield Check(
            "published", WARN, f"others cannot reach what is published (mode of {shut[0]})",
            f"chmod o+x {shut[0]}",
        )  # fmt: skip


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _disk(settings: Settings) -> Iterator[Check]:
    """Compare the room on the disk with what the warehouse takes: a build writes it anew."""
    place = next(p for p in (settings.mapa_dir, *settings.mapa_dir.resolve().parents) if p.exists())
    free = shutil.disk_usage(place).free
    size = settings.warehouse.stat().st_size if settings.warehouse.exists() else 0
    said = f"{free >> 20} MB free, the warehouse takes {size >> 20} MB"
    state = FAIL if free < LEAST_FREE else WARN if free < size else OK
    advice = "" if state == OK else "free some space, or move MAPA_DIR to a larger disk"
    yield Check("disk", state, said, advice)
    if settings.mapa_dir.exists() and not os.access(settings.mapa_dir, os.W_OK | os.X_OK):
        yield Check(
            "folder", FAIL, f"{settings.mapa_dir} cannot be written by this user",
            f"chown {os.geteuid()} {settings.mapa_dir}",
        )  # fmt: skip


def _warehouse(settings: Settings) -> Iterator[Check]:
    """Open the warehouse to read, and compare our clock with that of the newest load."""
    if not settings.warehouse.exists():
        yield Check("warehouse", WARN, "nothing was loaded yet", "mapa load --help")
        return
    try:
        with warehouse.connect(settings.warehouse, read_only=True, wait=0) as con:
            known = con.execute(
                "select 1 from duckdb_tables() where schema_name || '.' || table_name = $1",
                ["controle.cargas"],
            ).fetchone()
            query = "select max(iniciada_em) from controle.cargas"
            row = con.execute(query).fetchone() if known else None
    except LockedError as error:
        yield Check("warehouse", WARN, error.message.partition("\n")[0], "wait until it has ended")
        return
    yield Check("warehouse", OK, "it opens")
    newest = row[0] if row else None
    ahead = clocks.ahead(newest.replace(tzinfo=UTC)) if newest else timedelta()
    if ahead > DRIFT:
        yield Check(
            "our clock", FAIL,
            f"the newest load began {_hours(ahead)} hours from now: our clock is or was wrong",
            "timedatectl",
        )  # fmt: skip


def _encryption(settings: Settings) -> Iterator[Check]:
    """Say whether what rests on the disk is encrypted, and whether a key rests beside it."""
    key, there = settings.warehouse_key(), settings.warehouse.exists()
    if key is None and warehouse.is_encrypted(settings.warehouse):
        yield Check(
            "encryption", FAIL, "the warehouse is encrypted and no key is set",
            "set MAPA_WAREHOUSE_KEY or MAPA_WAREHOUSE_KEY_FILE",
        )  # fmt: skip
    elif key is None:
        real = there and _holds_real(settings)
        yield Check(
            "encryption", WARN if real else OK, "not encrypted (MAPA_WAREHOUSE_KEY_FILE)",
            "mapa key warehouse --new-file FILE" if real else "",
        )  # fmt: skip
    elif there and not warehouse.is_encrypted(settings.warehouse):
        yield Check(
            "encryption", FAIL, "a key is set and the warehouse is not encrypted",
            "take the key away, then\nmapa key warehouse --new-file FILE",
        )  # fmt: skip
    else:
        warehouse.extension_file("httpfs")
        yield Check("encryption", OK, f"encrypted with the key of version {key.version}")
    if rotation.unfinished(settings):
        yield Check(
            "rotation", FAIL, "a rotation of the key was interrupted",
            "set the old key, then\nmapa key warehouse --new-file FILE",
        )  # fmt: skip
    for path in settings.keys_beside_data():
        yield Check(
            "keys apart", FAIL if key and there and _holds_real(settings) else WARN,
            f"{path} holds a key and stands in the folder of the data", "move it out of MAPA_DIR",
        )  # fmt: skip


def _holds_real(settings: Settings) -> bool:
    """Say whether what is loaded is real; one that cannot be asked is not, for now."""
    try:
        with warehouse.connect(settings.warehouse, read_only=True, wait=0) as con:
            return warehouse.is_real(con)
    except ConfigError:
        # A key stands beside real data; else the next check says what is wrong.
        return bool(settings.keys_beside_data())
    except MapaError:
        return False


def _inbox(settings: Settings) -> Iterator[Check]:
    """Say what was refused and still stands aside."""
    count = inbox.waiting(settings)
    place = inbox.folder(settings) / inbox.REFUSED
    if count:
        yield Check("inbox", WARN, f"{count} refused files stand in {place}", f"ls -R {place}")
    else:
        yield Check("inbox", OK, "no refused file waits")


def _sisreg(settings: Settings) -> Iterator[Check]:
    if not settings.sisreg_user:
        yield Check("SISREG", OK, "not configured (SISREG_USER)")
        return
    yield from _source(settings, "SISREG", settings.sisreg_url, sisreg.access(settings))


def _cadsus(settings: Settings) -> Iterator[Check]:
    if not settings.cadsus_system:
        yield Check("CadSUS", OK, "not configured (CADSUS_SYSTEM)")
        return
    access = cadsus.access(settings)
    for name, url in (("CadSUS token", settings.cadsus_token_url), ("CadSUS", settings.cadsus_url)):
        yield from _source(settings, name, url, access)


def _source(settings: Settings, name: str, url: str, access: Access) -> Iterator[Check]:
    """Ask a source for nothing but its headers, once, and compare its clock with ours."""
    with Door(url, access, BRIEF) as door:
        answer = door.ask("HEAD", "")
    if answer.status == 401:
        yield Check(name, FAIL, f"{door.host} refuses the credentials", f"check {access.settings}")
    elif answer.status >= 500:
        yield Check(name, WARN, f"{door.host} answers {answer.status}", "try again later")
    else:
        yield Check(name, OK, f"{door.host} answers")
    yield from _clock(settings, name, answer)


def _clock(settings: Settings, name: str, answer: Answer) -> Iterator[Check]:
    """Compare the clock of a source with ours."""
    if answer.instant is None:
        yield Check(f"clock of {name}", WARN, "the source does not say its time", "")
        return
    apart = clocks.ahead(answer.instant)
    size = abs(apart)
    too_far = timedelta(hours=settings.mapa_max_clock_hours)
    state = FAIL if size > too_far else WARN if size > DRIFT else OK
    if state == OK:
        yield Check(f"clock of {name}", OK, f"{size.total_seconds():.0f} seconds from ours")
        return
    side = "ahead of" if apart > timedelta() else "behind"
    yield Check(
        f"clock of {name}", state, f"it is {_hours(size)} hours {side} ours",
        "timedatectl; if ours is right, tell the owner of the source",
    )  # fmt: skip


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f}"
