"""What a user meets first: help, wrong options, and the README in step with both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from conftest import PROJECT
from mapa.cli import COMMANDS, cli
from mapa.errors import EXIT_CODES, MapaError


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its full name."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for child, sub in command.commands.items():
                yield f"{name} {child}", sub


@pytest.mark.parametrize(("name", "command"), list(all_commands()), ids=str)
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    assert command.help, f"mapa {name} has no help"
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, f"mapa {name} {parameter.opts} has no help"


def test_readme_names_every_command() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert not [name for name, _ in all_commands() if f"mapa {name}" not in readme]


def test_readme_documents_every_exit_code() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert not [code for code in EXIT_CODES if f"| {code} |" not in readme]


def test_each_error_class_has_its_own_documented_exit_code() -> None:
    codes = [cls.exit_code for cls in MapaError.__subclasses__()]
    assert len(codes) == len(set(codes))
    assert set(codes) <= EXIT_CODES.keys()


def test_a_wrong_option_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["load", "sisreg", "--nonsense"])
    assert result.exit_code == 2
    assert "No such option" in result.output


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["load", "export", str(tmp_path / "absent.csv")])
    assert result.exit_code == 2
    assert "does not exist" in result.output
