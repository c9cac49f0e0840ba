"""`make` on a machine that lacks something: it says what, and what to type, and sets nothing up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PROJECT

PARTS = ("Makefile", "requirements.txt", "pyproject.toml", "scripts/check_machine.sh")
OLD = "import sys\nsys.version_info = (3, 10, 14)\n"
MISSING = "raise ModuleNotFoundError\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Copy what `make` reads before it sets anything up; beside it a machine with little on it."""
    for part in PARTS:
        target = tmp_path / "clone" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / part, target)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "sh"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path / "clone"


def python(clone: Path, name: str, **hidden: str) -> None:
    """Put our Python on the machine under a name, with modules of its own before the real ones."""
    modules = clone.parent / f"modules of {name}"
    modules.mkdir()
    for module, text in hidden.items():
        (modules / f"{module}.py").write_text(text)
    script = clone.parent / "bin" / name
    script.write_text(f"#!/bin/sh\nPYTHONPATH='{modules}' exec '{sys.executable}' \"$@\"\n")
    script.chmod(0o755)


def make(clone: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run make where nothing but the machine's own folder is on the path."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS")) and k != "CI"
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=kept | {"PATH": str(clone.parent / "bin")} | env,
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("goal", ["demo", "test"])
def test_a_machine_without_python_is_told_what_to_install(clone: Path, goal: str) -> None:
    done = make(clone, goal)
    assert done.returncode == 2
    assert "python3 is missing or not 3.11 to 3.13." in done.stderr
    assert "sudo apt-get install python3 python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("number", ["3, 10, 14", "3, 14, 0"])
def test_a_python_too_old_or_too_new_is_refused(clone: Path, number: str) -> None:
    python(clone, "python3", sitecustomize=f"import sys\nsys.version_info = ({number})\n")
    done = make(clone, "demo")
    assert done.returncode == 2
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_a_python_that_fits_is_named_when_it_is_there(clone: Path) -> None:
    python(clone, "python3", sitecustomize=OLD)
    python(clone, "python3.12")
    done = make(clone, "demo")
    assert done.returncode == 2
    assert "but python3.12 is here: make demo PYTHON=python3.12" in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_its_package(clone: Path, module: str) -> None:
    python(clone, "python3", **{module: MISSING})
    done = make(clone, "demo")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.returncode == 2
    assert f"sudo apt-get install python{version}-venv" in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(("env", "code"), [({}, 0), ({"CI": "true"}, 2)])
def test_a_machine_without_chromium_hears_it_and_ci_stops(
    clone: Path, env: dict[str, str], code: int
) -> None:
    done = make(clone, "browser", **env)
    assert done.returncode == code
    assert "sudo apt-get install chromium" in done.stderr


@pytest.mark.parametrize(("env", "code"), [({}, 0), ({"CI": "true"}, 2)])
def test_a_machine_without_postgresql_hears_it_and_ci_stops(
    clone: Path, env: dict[str, str], code: int
) -> None:
    done = make(clone, "server", DEBIAN_POSTGRES=str(clone), **env)
    assert done.returncode == code
    assert "sudo apt-get install postgresql" in done.stderr


@pytest.mark.parametrize(("env", "code"), [({}, 0), ({"CI": "true"}, 2)])
def test_a_machine_without_java_hears_it_and_ci_stops(
    clone: Path, env: dict[str, str], code: int
) -> None:
    # Not by `make java`, which would set up what it needs first.
    done = subprocess.run(
        ["/bin/sh", "scripts/check_machine.sh", "java"],
        cwd=clone,
        env={"PATH": str(clone.parent / "bin")} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert "sudo apt-get install openjdk-17-jre-headless" in done.stderr


def test_postgresql_is_found_where_debian_keeps_it(clone: Path) -> None:
    program = clone / "15" / "bin" / "initdb"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    done = make(clone, "server", DEBIAN_POSTGRES=str(clone), CI="true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_machine_with_everything_hears_nothing(clone: Path) -> None:
    python(clone, "python3")
    for program in ("chromium", "initdb", "java"):
        (clone.parent / "bin" / program).symlink_to(sys.executable)
    check = ["sh", "scripts/check_machine.sh"]
    for goal in (["python", "python3"], ["browser"], ["server"], ["java"]):
        done = subprocess.run(
            [*check, *goal],
            cwd=clone,
            env={"PATH": str(clone.parent / "bin")},
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""


def test_the_three_that_tell_the_versions_agree() -> None:
    told = {
        "pyproject.toml": 'requires-python = ">=3.11,<3.14"',
        "scripts/check_machine.sh": "(3, 11) <= sys.version_info[:2] < (3, 14)",
        "scripts/mapa/doctor.py": "(3, 11) <= sys.version_info[:2] < (3, 14)",
    }
    for name, text in told.items():
        assert text in (PROJECT / name).read_text(), name
